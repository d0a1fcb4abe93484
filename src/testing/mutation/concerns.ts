/** Which calls a mutant can decide otherwise than the policy: those of targets of which something changed speaks. */
import { matchesGlob } from '../../model/fnmatch.ts'
import { isLayered } from '../../model/layers.ts'
import { matchingEntries, type Target } from '../../model/match.ts'
import type { Policy, PolicySet } from '../../model/policy.ts'

/** What a change leaves as it was is the same object in both. */
export function concerns(policy: PolicySet, mutant: PolicySet, target: Target): boolean {
  const [before, after] = [partsOf(policy), partsOf(mutant)]
  return before.some((one, index) => {
    const other = after[index] as Policy
    return one !== other && concernsOne(one, other, target)
  })
}

function partsOf(policy: PolicySet): readonly Policy[] {
  return isLayered(policy) ? policy.layers.map((layer) => layer.policy) : [policy]
}

function concernsOne(policy: Policy, mutant: Policy, target: Target): boolean {
  if (policy.strategy === 'all' && mutant.strategy === 'all') {
    const differs = !isSame(matchingEntries(policy, target), matchingEntries(mutant, target))
    return differs || policy.default !== mutant.default
  }
  if (policy.strategy === 'first' && mutant.strategy === 'first') {
    const rules = (one: typeof policy) =>
      one.rules.filter(({ match }) => matchesGlob(match.type, target.name) && matchesGlob(match.target, target.server))
    return !isSame(rules(policy), rules(mutant)) || policy.otherwise !== mutant.otherwise
  }
  return true
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index])
}
