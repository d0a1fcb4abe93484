/** One plan for several layers: whatever one of them reads is read. */
import type { Call, LayeredRuns } from './call.ts'
import { foldedKey } from './message/folding.ts'
import { sortedEntries, sortedValues } from './order.ts'
import type { RunFacts } from './pack/run.ts'
import type { Plan } from './plan.ts'
import { freeName, type Names, type Shape } from './shape.ts'

export interface LayerPlan {
  readonly name: string
  readonly plan: Plan
}

/** Every member is named, so that the compiler finds one that a plan may gain later. */
export function unionOf(layers: readonly LayerPlan[]): Plan {
  const plans = layers.map(({ plan }) => plan)
  const amounts = new Map(plans.flatMap((plan) => plan.amounts.map((amount) => [amount.text, amount] as const)))
  const texts = new Set(plans.flatMap((plan) => plan.texts ?? []))
  const words = new Set(plans.flatMap((plan) => [...(plan.words ?? [])]))
  const united: { readonly [Member in keyof Required<Plan>]: Plan[Member] } = {
    shape: plans.map(({ shape }) => shape).reduce(unionOfShapes, { fields: new Map(), read: false }),
    names: plans.map(({ names }) => names).reduce(unionOfNames, { fields: new Map(), folded: new Set() }),
    amounts: sortedValues(amounts),
    counters: layers.flatMap(({ name, plan }) => plan.counters.map((planned) => ({ ...planned, layer: name }))),
    layers: layers.map(({ name }) => name).toSorted(),
    texts: texts.size === 0 ? undefined : [...texts].sort(),
    words: words.size === 0 ? undefined : words,
    run: plans.some(({ run }) => run) ? (call) => runsOf(layers, call) : undefined,
  }
  return united as Plan
}

function runsOf(layers: readonly LayerPlan[], call: Call): LayeredRuns | undefined {
  const runs = new Map<string, RunFacts>()
  for (const { name, plan } of layers) {
    const run = plan.run?.(call)
    if (run) runs.set(name, run as RunFacts)
  }
  return runs.size === 0 ? undefined : Object.fromEntries(sortedEntries(runs))
}

function unionOfShapes(a: Shape, b: Shape): Shape {
  const elements = a.elements && b.elements ? unionOfShapes(a.elements, b.elements) : (a.elements ?? b.elements)
  const fields = new Map(sortedEntries(both(a.fields, b.fields, unionOfShapes)))
  const united: { readonly [Member in keyof Required<Shape>]: Shape[Member] | undefined } = {
    fields,
    elements,
    read: a.read || b.read,
    whole: a.whole ?? b.whole,
    closed: a.closed === undefined && b.closed === undefined ? undefined : freeName(fields),
  }
  return united as Shape
}

function unionOfNames(a: Names, b: Names): Names {
  const elements = a.elements && b.elements ? unionOfNames(a.elements, b.elements) : (a.elements ?? b.elements)
  const fields = both(a.fields, b.fields, unionOfNames)
  for (const key of fields.keys()) if (isOdd(key, a) || isOdd(key, b)) fields.delete(key)
  return { fields, folded: new Set([...a.folded, ...b.folded]), ...(elements && { elements }) }
}

/** One layer reads `amount` and another `Amount`: to each the other's spelling is one that it would not see. */
function isOdd(key: string, { fields, folded }: Names): boolean {
  return !fields.has(key) && folded.has(foldedKey(key, false))
}

function both<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>, join: (a: T, b: T) => T): Map<string, T> {
  const united = new Map(a)
  for (const [key, value] of b) {
    const other = united.get(key)
    united.set(key, other === undefined ? value : join(other, value))
  }
  return united
}
