/** Amounts at which something changes: caps, and what caps and counters leave for one call. */
import { microPerUnit } from '../model/limits.ts'
import { type Counter, type Path, pathText, type Span } from '../model/policy.ts'
import { placeAt } from './ask.ts'
import { isPartOf } from './counts.ts'
import type { Place } from './place.ts'

interface OfAmount {
  readonly path: Path
  readonly micros: Set<number>
  readonly limits: Set<number>
  /** Where spans of its counters begin and end. */
  readonly edges: Set<number>
}

export class Thresholds {
  readonly #amounts = new Map<string, OfAmount>()
  readonly counters = new Map<string, Counter>()

  noteAmount(path: Path, micro?: number): void {
    const { micros } = this.#of(path)
    if (micro !== undefined) micros.add(micro)
  }

  noteLimit(counter: Counter, max: number): void {
    this.counters.set(counter.id, counter)
    const amount = amountOf(counter)
    if (amount) this.#of(amount).limits.add(max)
  }

  noteReading(counter: Counter, spans: readonly Span[]): void {
    this.counters.set(counter.id, counter)
    const amount = amountOf(counter)
    if (!amount) return
    const { edges } = this.#of(amount)
    for (const { min, max } of spans) for (const edge of [min, max]) if (edge !== undefined) edges.add(edge)
  }

  /** What is left for a call at any edge, and a micro-unit beside it: between those it does not matter how much it is. */
  noteIn(root: Place): void {
    for (const { path, micros, limits, edges } of this.#amounts.values()) {
      const left = [...limits].flatMap((limit) => [limit, ...[...edges].map((edge) => limit - edge)])
      const place = placeAt(root, path)
      for (const micro of [...micros, ...left, Number.MAX_SAFE_INTEGER])
        for (const near of [-2, -1, 0, 1, 2]) place.bounds.add((micro + near) / microPerUnit)
    }
  }

  /** Which counter stands no higher than which, whatever they are asked for. */
  get order(): readonly (readonly [string, readonly string[]])[] {
    const all = [...this.counters.values()]
    return all.map((one) => [one.id, all.filter((other) => isPartOf(one, other)).map(({ id }) => id)])
  }

  #of(path: Path): OfAmount {
    const key = pathText(path)
    const known = this.#amounts.get(key) ?? { path, micros: new Set(), limits: new Set(), edges: new Set() }
    this.#amounts.set(key, known)
    return known
  }
}

function amountOf({ measure }: Counter): Path | undefined {
  return typeof measure === 'object' && 'amount' in measure ? measure.amount : undefined
}
