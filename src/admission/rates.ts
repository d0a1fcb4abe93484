/** How often a key may ask: what it does not use up is not saved for later. */
import { adminRequestsPerSecondMax } from './limits.ts'

export class Rates {
  readonly #asked = new Map<string, number>()
  #second = 0

  /** False when it has asked too often in this second. */
  take(name: string, now: number): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) this.#asked.clear()
    this.#second = second
    const count = (this.#asked.get(name) ?? 0) + 1
    this.#asked.set(name, count)
    return count <= adminRequestsPerSecondMax
  }
}
