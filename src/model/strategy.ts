/** What the gate asks of a policy, whatever its strategy is. */
import { countersInAll, planOfAll, serverNamedInAll, visibilityInAll } from './all.ts'
import { isVisibleInFirst, planOfFirst, serverNamedInFirst } from './first.ts'
import type { Target } from './match.ts'
import { isVisibleInPack, planOfPack, serverNamedInPack } from './pack/plan.ts'
import type { Plan } from './plan.ts'
import type { Counter, Policy } from './policy.ts'
import { planOfRego } from './rego.ts'
import type { Visibility } from './visibility.ts'

/** What judging a call of this target takes. */
export function planFor(policy: Policy, target: Target): Plan {
  switch (policy.strategy) {
    case 'all':
      return planOfAll(policy, target)
    case 'pack':
      return planOfPack(policy, target)
    case 'first':
      return planOfFirst(policy, target)
    case 'rego':
      return planOfRego
  }
  return policy satisfies never
}

/** To whom may a list show the target? */
export function visibility(policy: Policy, target: Target): Visibility {
  switch (policy.strategy) {
    case 'all':
      return visibilityInAll(policy, target)
    case 'pack':
      return always(isVisibleInPack(policy, target))
    case 'first':
      return always(isVisibleInFirst(policy, target))
    case 'rego':
      return always(true) // only the policy itself can tell: `src/pep/shown.ts` asks it
  }
  return policy satisfies never
}

function always(visible: boolean): Visibility {
  return () => visible
}

/** What in the policy speaks of a server by its name, if something does: then the gate must be told which one it guards. */
export function serverNamed(policy: Policy): string | undefined {
  switch (policy.strategy) {
    case 'all':
      return serverNamedInAll(policy)
    case 'pack':
      return serverNamedInPack(policy)
    case 'first':
      return serverNamedInFirst(policy)
    case 'rego':
      return undefined // nobody can tell
  }
  return policy satisfies never
}

/** Everything that the policy counts. */
export function countersIn(policy: Policy): readonly Counter[] {
  switch (policy.strategy) {
    case 'all':
      return countersInAll(policy)
    case 'pack':
    case 'first':
    case 'rego':
      return []
  }
  return policy satisfies never
}
