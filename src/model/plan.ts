/**
 * What judging a call of one target takes: which arguments are read, which amounts counted, which counters asked. All of
 * it in the order of canonical JSON, so that the input made from it needs no sorting.
 */
import type { Call, LayeredRuns } from './call.ts'
import type { RunFacts } from './pack/run.ts'
import type { Callers, Counter, Path } from './policy.ts'
import type { Names, Shape } from './shape.ts'

export interface Plan {
  readonly shape: Shape
  readonly names: Names
  /** Arguments that hold an amount, and their paths as one text. */
  readonly amounts: readonly { readonly path: Path; readonly text: string }[]
  /** Each once, though several rules may ask it; those of layers side by side. */
  readonly counters: readonly PlannedCounter[]
  /** What the policy knows of the run of a call, where it asks for one. */
  readonly run?: (call: Call) => RunFacts | LayeredRuns | undefined
  /** The names of the layers, where there are any. */
  readonly layers?: readonly string[]
  /** Arguments that are read as text. */
  readonly texts?: readonly string[]
  /** Words that are looked for in the call. */
  readonly words?: ReadonlySet<string>
}

export interface PlannedCounter {
  readonly counter: Counter
  /** The layer that counts, where there are any. */
  readonly layer?: string
  /** The policy that counts: policies that share a ledger do not share their budgets. */
  readonly policyId: string
  /** What bounds it. None: it is only read, and calls charge nothing to it. */
  readonly bounds: readonly Bound[]
}

/** A limit, and whom it is for: all of these must be for a caller whom it binds. */
export interface Bound {
  readonly max: number
  readonly for: readonly Callers[]
}
