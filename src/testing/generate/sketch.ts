/** A case before it was played: what is done, and not yet what comes of it. */
import type { Attempt } from './climb.ts'

export interface Sketch {
  readonly name: string
  readonly attempt: Attempt
  /** What follows the call: the same again once a person has said yes, or as often as a limit lets it. */
  readonly next?: 'approved' | UntilRefusedBy
}

export interface UntilRefusedBy {
  readonly untilRefusedBy: string
  /** What is called in its place as often, where that counts and the call itself does not. */
  readonly fedBy?: Attempt
}

export interface Sketches {
  readonly sketches: readonly Sketch[]
  /** What no call was found for, as sentences. */
  readonly missed: readonly string[]
}
