/** One of the two that are compared: policies that each judge every call. A policy alone is a layer without a name. */
import { isLayered } from '../model/layers.ts'
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

/** Undefined, where a policy of it is of a kind that is not solved here. */
export function sideOf(set: PolicySet): Side | undefined {
  const layers = isLayered(set) ? set.layers : [{ policy: set }]
  const seen = new Map<string, number>()
  const sides = layers.flatMap(({ policy, ...named }): SideLayer[] => {
    if (policy.strategy === 'pack') return []
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
