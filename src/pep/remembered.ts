/** What the active policy says of a target, remembered: names come from outside, so only so many, and none that is long. */
import { nameCharsMax } from '../model/limits.ts'
import type { Target } from '../model/match.ts'
import type { PolicySet } from '../model/policy.ts'

export class Remembered<T> {
  readonly #known = new Map<string, T>()
  readonly #max: number
  readonly #work: (policy: PolicySet, target: Target) => T

  constructor(max: number, work: (policy: PolicySet, target: Target) => T) {
    this.#max = max
    this.#work = work
  }

  of(policy: PolicySet, target: Target): T {
    if (target.name.length > nameCharsMax) return this.#work(policy, target)
    const key = `${target.method}\n${target.server}\n${target.name}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= this.#max) this.#known.clear()
    const value = this.#work(policy, target)
    this.#known.set(key, value)
    return value
  }

  /** For when another policy becomes active. */
  forget(): void {
    this.#known.clear()
  }
}
