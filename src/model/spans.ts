/** Sets of whole numbers, as spans that are apart and in ascending order. */
import type { Span } from './policy.ts'

/** Every number that is in none of the spans. */
export function outside(spans: readonly Span[]): readonly Span[] {
  const between: Span[] = []
  let from: number | undefined
  for (const { min, max } of spans) {
    // Nothing is between two spans that touch.
    if (min !== undefined && (from === undefined || from < min))
      between.push({ ...(from !== undefined && { min: from }), max: min - 1 })
    if (max === undefined) return between
    from = max + 1
  }
  return [...between, from === undefined ? {} : { min: from }]
}

/** These numbers alone. */
export function only(values: readonly number[]): readonly Span[] {
  return [...new Set(values)].sort((a, b) => a - b).map((value) => ({ min: value, max: value }))
}
