/** One of the two that are compared: policies that each judge every call. A policy alone is a layer without a name. */
import { matchesGlob } from '../model/fnmatch.ts'
import { isLayered } from '../model/layers.ts'
import { matchingEntries, type Target } from '../model/match.ts'
import type { FirstPolicy } from '../model/ordered.ts'
import type { AllPolicy, PolicySet } from '../model/policy.ts'
import { countersIn } from '../model/strategy.ts'

export interface SideLayer {
  readonly name?: string
  readonly policy: AllPolicy | FirstPolicy
  /** The counter under which the two sides count the same, whatever their policies are called. */
  readonly countedAs: (counterId: string) => string
}

export interface Side {
  readonly set: PolicySet
  readonly layers: readonly SideLayer[]
}

/** With what is said of one target alone: of that it says the same, and it is quickly asked. */
export function narrowed({ set, layers }: Side, target: Target): Side {
  const own = layers.map((layer) => ({ ...layer, policy: narrowedPolicy(layer.policy, target) }))
  if (!isLayered(set)) return { set: (own[0] as SideLayer).policy, layers: own }
  return { set: { layers: own.map(({ name = '', policy }) => ({ name, policy })) }, layers: own }
}

function narrowedPolicy(policy: AllPolicy | FirstPolicy, target: Target): AllPolicy | FirstPolicy {
  if (policy.strategy === 'all') return { ...policy, entries: matchingEntries(policy, target) }
  return { ...policy, rules: rulesAbout(policy, target) }
}

/** Ordered rules that may match calls of the target. */
export function rulesAbout({ rules }: FirstPolicy, { method, server, name }: Target): FirstPolicy['rules'] {
  if (method !== 'tools/call') return []
  return rules.filter(({ match }) => matchesGlob(match.type, name) && matchesGlob(match.target, server))
}

/** Undefined, where a policy of it is of a kind that is not solved here. */
export function sideOf(set: PolicySet): Side | undefined {
  const layers = isLayered(set) ? set.layers : [{ policy: set }]
  const seen = new Map<string, number>()
  const sides = layers.flatMap(({ policy, ...named }): SideLayer[] => {
    if (policy.strategy === 'pack' || policy.strategy === 'rego') return []
    const keys = new Map<string, string>()
    // Layers that count the same each for themselves are told apart by their order.
    for (const id of new Set(countersIn(policy).map((counter) => counter.id))) {
      const before = seen.get(id) ?? 0
      seen.set(id, before + 1)
      keys.set(id, before === 0 ? id : `${id} #${before + 1}`)
    }
    return [{ ...named, policy, countedAs: (id) => keys.get(id) ?? id }]
  })
  return sides.length === layers.length ? { set, layers: sides } : undefined
}
