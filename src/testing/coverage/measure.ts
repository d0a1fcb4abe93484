/** What the calls of tests came to in a policy, of whatever strategy, or in layers of them. */
import type { Input, LayeredInput } from '../../model/call.ts'
import { layerInput } from '../../model/layers.ts'
import { needsModel } from '../../model/rego.ts'
import { planFor } from '../../model/strategy.ts'
import { targetOf } from '../../model/target.ts'
import { isLayeredSet, type Written, type WrittenSet } from '../written.ts'
import { tallyOfAll } from './all.ts'
import { tallyOfFirst } from './first.ts'
import type { Item, Tally } from './item.ts'
import { tallyOfPack } from './pack.ts'

export interface Measured {
  readonly items: readonly Item[]
  /** The input document of a call that was judged, as JSON. */
  saw(input: string): void
}

export function measuring(set: WrittenSet): Measured {
  if (!isLayeredSet(set)) {
    const { items, saw } = tallyOf(set)
    return { items, saw: (input) => saw(JSON.parse(input) as Input) }
  }
  const layers = set.map(({ name, written }) => ({ name, policy: written.policy, tally: tallyOf(written) }))
  return {
    items: layers.flatMap(({ tally }) => tally.items),
    saw(input) {
      const recorded = JSON.parse(input) as LayeredInput
      const target = targetOf(recorded)
      for (const { name, policy, tally } of layers) tally.saw(layerInput(recorded, name, planFor(policy, target)))
    },
  }
}

function tallyOf(written: Written): Tally {
  const { policy } = written
  switch (policy.strategy) {
    case 'all':
      return tallyOfAll(policy, written)
    case 'first':
      return tallyOfFirst(policy, written)
    case 'pack':
      return tallyOfPack(policy)
    case 'rego':
      throw needsModel(policy, 'coverage')
  }
  return policy satisfies never
}
