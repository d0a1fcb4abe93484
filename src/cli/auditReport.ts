/** What a proof of the record says; the names are those of `audit verify --json`. */
import type { ChainFault } from '../ledger/chain.ts'

/**
 * Besides what is wrong with the chain: `record` contradicts itself, `policy` is not kept as it was activated,
 * `decision` is not what the policy says, `approval` was not given or was used before, `kill` was passed over, or
 * is none, `outcome` belongs to no allowed call, `head` is not in the chain.
 */
export type FindingKind =
  | ChainFault['kind']
  | 'record'
  | 'policy'
  | 'decision'
  | 'approval'
  | 'kill'
  | 'pin'
  | 'outcome'
  | 'head'

export interface Finding {
  readonly seq: number
  readonly kind: FindingKind
  readonly message: string
}

export interface CallPlace {
  readonly seq: number
  readonly decision_id: string
}

export interface ProofReport {
  readonly ok: boolean
  readonly records: number
  readonly first_seq: number
  /** The last record: its hash fixes everything before it. */
  readonly head: { readonly seq: number; readonly hash: string; readonly timestamp: string | null }
  readonly evaluated: number
  /** Refusals by the gate itself, which no policy was asked about, by reason code. */
  readonly by_gate: Readonly<Record<string, number>>
  /** Decisions judged again, by revision. */
  readonly revisions: Readonly<Record<string, number>>
  readonly calls: CallCounts
  /** At most `listedMax` of each. */
  readonly unknown_calls: readonly CallPlace[]
  readonly open_calls: readonly CallPlace[]
  readonly failures: number
  /** In the order in which they were met; at most `listedMax`. */
  readonly findings: readonly Finding[]
}

export interface CallCounts {
  readonly allowed: number
  readonly success: number
  readonly error: number
  readonly unknown: number
  readonly open: number
}

/** A ledger may be wrong in every record: all are counted, these are kept. */
export const listedMax = 100

export class Findings {
  readonly listed: Finding[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add({ seq, kind, message }: Finding): void {
    this.#count += 1
    if (this.listed.length < listedMax) this.listed.push({ seq, kind, message })
  }

  /** Of one record. */
  of(seq: number, kind: FindingKind, message: string | undefined): void {
    if (message !== undefined) this.add({ seq, kind, message: `record ${seq}: ${message}` })
  }
}
