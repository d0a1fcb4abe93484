/** Maps in the order of canonical JSON. */

/** By key as UTF-16 code units compare. */
export function sortedEntries<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

export function sortedValues<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return sortedEntries(map).map(([, value]) => value)
}
