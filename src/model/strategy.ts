/** What the gate asks of a policy, whatever its strategy is. */
import { countersInAll, isVisibleInAll, planOfAll, serverNamedInAll } from './all.ts'
import { isVisibleInFirst, planOfFirst, serverNamedInFirst } from './first.ts'
import type { Target } from './match.ts'
import { isVisibleInPack, planOfPack, serverNamedInPack } from './pack/plan.ts'
import type { Plan } from './plan.ts'
import type { Counter, Policy } from './policy.ts'

/** What judging a call of this target takes. */
export function planFor(policy: Policy, target: Target): Plan {
  switch (policy.strategy) {
    case 'all':
      return planOfAll(policy, target)
    case 'pack':
      return planOfPack(policy, target)
    case 'first':
      return planOfFirst(policy, target)
  }
  return policy satisfies never
}

/** May a list show the target? Not when every call of it would be refused whatever its arguments are. */
export function isVisible(policy: Policy, target: Target): boolean {
  switch (policy.strategy) {
    case 'all':
      return isVisibleInAll(policy, target)
    case 'pack':
      return isVisibleInPack(policy, target)
    case 'first':
      return isVisibleInFirst(policy, target)
  }
  return policy satisfies never
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
      return []
  }
  return policy satisfies never
}
