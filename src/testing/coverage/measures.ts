/** Listens while suites are played, and counts in each policy what their calls come to. */
import type { PlayOptions } from '../play.ts'
import type { Suite } from '../suite.ts'
import { writtenSet } from '../written.ts'
import type { Item } from './item.ts'
import { type Measured, measuring } from './measure.ts'

export class Measures {
  readonly #byPolicy = new Map<string, Measured>()

  /** What is told of the calls of a suite. Its policy was read without a mistake. */
  readonly watcherOf = async ({ policy }: Suite): Promise<NonNullable<PlayOptions['watch']>> => {
    const key = JSON.stringify(policy)
    const measured = this.#byPolicy.get(key) ?? measuring(await writtenSet(policy))
    this.#byPolicy.set(key, measured)
    return ({ input }) => {
      if (input !== undefined) measured.saw(input)
    }
  }

  get items(): readonly Item[] {
    return [...this.#byPolicy.values()].flatMap(({ items }) => items)
  }
}
