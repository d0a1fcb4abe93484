/**
 * A map of what comes and soon goes. A `Map` makes itself a new table every so often, and V8 lets each table point to the
 * next: once one of them lies dead among the old objects, all later tables and what was in them count as alive, and become
 * old in their turn. So this one starts anew before that chain gets long.
 */

/** Fewer than come between two collections of young objects, in the smallest nursery that a gate is given. */
const entriesUntilAnew = 64

export class TransientMap<K, V> {
  #map = new Map<K, V>()
  #added = 0

  get size(): number {
    return this.#map.size
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  set(key: K, value: V): void {
    if (++this.#added > Math.max(entriesUntilAnew, this.#map.size)) {
      this.#map = new Map(this.#map)
      this.#added = 0
    }
    this.#map.set(key, value)
  }

  delete(key: K): boolean {
    return this.#map.delete(key)
  }

  /** In the order in which they came. */
  values(): Iterable<V> {
    return this.#map.values()
  }
}
