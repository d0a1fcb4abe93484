/** What counters can stand at before a call. They count up from zero, and what counts a part of the calls stands no higher. */
import type { Counter, Span, Window } from '../model/policy.ts'
import { pathText, perText } from '../model/policy.ts'
import type { Count, Counted } from './formula.ts'

/** Counters, by their keys, that stand at least as high as this one whenever they are asked together. */
export type Order = ReadonlyMap<string, readonly string[]>

export interface Asked {
  readonly count: Count
  readonly spans: readonly Span[]
}

/**
 * The least that each counter can stand at, for a call of this amount; undefined when there is nothing. Raising one where
 * it must be raised, and never lower, comes to the least of all that will do.
 */
export function leastCounts(asked: readonly Asked[], micro: number, order: Order): Map<string, number> | undefined {
  const least = new Map(asked.map(({ count }) => [count.counted.key, 0]))
  const counted = new Map(asked.map(({ count }) => [count.counted.key, count.counted]))
  for (let again = true; again; ) {
    again = false
    const raise = (key: string, to: number) => {
      if (to <= (least.get(key) as number)) return
      least.set(key, roundedUp(to, counted.get(key) as Counted))
      again = true
    }
    for (const { count, spans } of asked) {
      const { key } = count.counted
      const adds = typeof count.adds === 'number' ? count.adds : micro
      const next = firstAbove((least.get(key) as number) + adds, spans)
      if (next === undefined) return undefined
      raise(key, next - adds)
    }
    for (const [key, higher] of order)
      for (const other of higher) if (least.has(key) && least.has(other)) raise(other, least.get(key) as number)
  }
  return least
}

function firstAbove(value: number, spans: readonly Span[]): number | undefined {
  for (const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } of spans)
    if (min <= max && value <= max) return Math.max(value, min)
  return undefined
}

function roundedUp(value: number, { step }: Counted): number {
  return Math.ceil(value / step) * step
}

export function stepOf({ measure }: Counter): number {
  return typeof measure === 'object' && 'step' in measure ? measure.step : 1
}

/** Does the other one count all that the one counts, at any time and for any caller? */
export function isPartOf(one: Counter, other: Counter): boolean {
  if (one.id === other.id || scopeOf(one) !== scopeOf(other)) return false
  const kept = splitBy(one)
  return isWithin(one.window, other.window) && splitBy(other).every((field) => kept.includes(field))
}

/** What is counted and where, without when and by what: the middle of the id is left out. */
function scopeOf({ id, per, measure }: Counter): string {
  const by = per.length === 0 ? '' : ` per ${per.map(perText).join(', ')}`
  const where = id.slice(id.indexOf('@'), by === '' ? undefined : -by.length)
  const what = measure === 'calls' ? 'calls' : 'step' in measure ? `${measure.step}` : pathText(measure.amount)
  return JSON.stringify([what, where])
}

function splitBy({ per, measure }: Counter): readonly string[] {
  const currency = typeof measure === 'object' && 'amount' in measure ? measure.currency : undefined
  return [...per.map(perText), ...(currency ? [`currency ${pathText(currency)}`] : [])]
}

const unitMs = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  month: 2_678_400_000,
}
const units = ['second', 'minute', 'hour', 'day', 'week', 'month'] as const

/** Is the time that the one window spans always a part of the other's? */
function isWithin(one: Window, other: Window): boolean {
  if (other.kind === 'total') return true
  if (one.kind === 'total') return false
  if (other.kind === 'sliding') return (one.kind === 'sliding' ? one.ms : unitMs[one.unit]) <= other.ms
  if (one.kind === 'sliding') return false
  // A week may begin in one month and end in the next.
  if (one.unit === 'week') return other.unit === 'week'
  return units.indexOf(one.unit) <= units.indexOf(other.unit)
}
