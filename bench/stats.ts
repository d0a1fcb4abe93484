/** What is said of many measurements. */

/** The value below which this share of them lies. Sorts a copy. */
export function quantile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) throw new TypeError('nothing was measured')
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number
}

export function median(values: Iterable<number>): number {
  return quantile(values, 0.5)
}

/** The median and the tail. */
export interface Spread {
  readonly p50: number
  readonly p99: number
}

export function spreadOf(values: Iterable<number>): Spread {
  const all = Float64Array.from(values)
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99) }
}
