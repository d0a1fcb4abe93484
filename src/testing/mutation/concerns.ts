/** Which calls a mutant can decide otherwise than the policy: those of targets of which something changed speaks. */
import { matchesGlob } from '../../model/fnmatch.ts'
import { isLayered } from '../../model/layers.ts'
import { type Target, targetMatches } from '../../model/match.ts'
import type { OrderedRule } from '../../model/ordered.ts'
import type { Entry, Policy, PolicySet } from '../../model/policy.ts'

export type Concerns = (target: Target) => boolean

/** What a change leaves as it was is the same object in both. */
export function concernsOf(policy: PolicySet, mutant: PolicySet): Concerns {
  const [before, after] = [partsOf(policy), partsOf(mutant)]
  const changed = before.flatMap((one, index) => {
    const other = after[index] as Policy
    return one === other ? [] : [concernsOfOne(one, other)]
  })
  return (target) => changed.some((concerns) => concerns(target))
}

function partsOf(policy: PolicySet): readonly Policy[] {
  return isLayered(policy) ? policy.layers.map((layer) => layer.policy) : [policy]
}

function concernsOfOne(policy: Policy, mutant: Policy): Concerns {
  if (policy.strategy === 'all' && mutant.strategy === 'all') {
    const entries = differing(policy.entries, mutant.entries)
    return policy.default !== mutant.default ? always : (target) => entries.some((entry) => speaksOf(entry, target))
  }
  if (policy.strategy === 'first' && mutant.strategy === 'first') {
    const rules = differing(policy.rules, mutant.rules)
    return policy.otherwise !== mutant.otherwise ? always : (target) => rules.some((rule) => ruleSpeaksOf(rule, target))
  }
  return always
}

function always(): boolean {
  return true
}

/** Those that are in one of them alone. Their order is the same in both. */
function differing<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  const [had, has] = [new Set(before), new Set(after)]
  return [...before.filter((one) => !has.has(one)), ...after.filter((one) => !had.has(one))]
}

function speaksOf({ method, match }: Entry, target: Target): boolean {
  return method === target.method && match.some((pattern) => targetMatches(pattern, target))
}

function ruleSpeaksOf({ match }: OrderedRule, { name, server }: Target): boolean {
  return matchesGlob(match.type, name) && matchesGlob(match.target, server)
}
