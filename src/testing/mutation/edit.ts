/** A small change of one part of a policy, in words: what mutants are made of. */

export interface Edit<T> {
  readonly to: T
  /** What is changed, for people. */
  readonly change: string
  /** What the change stands in, from the smallest part outwards: a file says where some of them are. */
  readonly parts?: readonly object[]
  /** Plainly, no decision comes out otherwise by it. */
  readonly isIdle?: true
}

/** The same changes seen from what the part stands in. */
export function within<T, W>(edits: readonly Edit<T>[], put: (to: T) => W, whole?: object): readonly Edit<W>[] {
  return edits.map(({ to, change, parts = [], isIdle }) => ({
    to: put(to),
    change,
    ...(isIdle && { isIdle }),
    parts: whole === undefined ? parts : [...parts, whole],
  }))
}

/** Each element changed on its own. */
export function each<T>(items: readonly T[], edits: (item: T) => readonly Edit<T>[]): readonly Edit<readonly T[]>[] {
  return items.flatMap((item, index) => within(edits(item), (to) => items.with(index, to), ...partOf(item)))
}

/** Each element left out on its own. */
export function without<T>(items: readonly T[], change: (item: T) => string): readonly Edit<readonly T[]>[] {
  return items.map((item, index) => ({ to: items.toSpliced(index, 1), change: change(item), parts: partOf(item) }))
}

/** The same, but never the last one that is left. */
export function fewer<T>(items: readonly T[], change: (item: T) => string): readonly Edit<readonly T[]>[] {
  return items.length < 2 ? [] : without(items, change)
}

function partOf(item: unknown): readonly object[] {
  return typeof item === 'object' && item !== null ? [item] : []
}

/** The member is not there. */
export function lacking<T extends object, K extends keyof T>(whole: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = whole
  return rest
}

/** One unit less and one more, in the last place that the number is written with: 1 for 500, 0.01 for 19.99. */
export function neighbours(value: number): readonly number[] {
  const places = /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0
  if (!Number.isFinite(value) || /e/.test(String(value))) return []
  const step = 10 ** -places
  return [value - step, value + step].map((next) => Number(next.toFixed(places)))
}
