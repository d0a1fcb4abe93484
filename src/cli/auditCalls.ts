/** Allowed calls on their way through a proof: each is followed to its outcome, and no other has one. */
import { type Body, bodyOf, objectIn } from '../log/body.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { type CallCounts, type CallPlace, type Findings, listedMax } from './auditReport.ts'

export class FollowedCalls {
  readonly #related: (decisionId: string) => readonly StoredRecord[]
  readonly #findings: Findings
  /** Without an outcome so far, and where they were allowed: few, unless many outcomes are gone. */
  readonly #open = new Map<string, number>()
  readonly #counts = { allowed: 0, success: 0, error: 0, unknown: 0 }
  readonly unknown: CallPlace[] = []

  /** `related` gives all records of a decision. */
  constructor(related: (decisionId: string) => readonly StoredRecord[], findings: Findings) {
    this.#related = related
    this.#findings = findings
  }

  get counts(): CallCounts {
    return { ...this.#counts, open: this.#open.size }
  }

  get open(): readonly CallPlace[] {
    return [...this.#open].slice(0, listedMax).map(([decision_id, seq]) => ({ seq, decision_id }))
  }

  decide(record: StoredRecord, body: Body): void {
    if (!isAllowed(record, body)) return
    this.#counts.allowed += 1
    this.#open.set(record.decisionId ?? '', record.seq)
  }

  end(record: StoredRecord, { status }: Body): void {
    const { seq, decisionId: decision_id = '' } = record
    if (!this.#open.delete(decision_id) && !this.#wasOpen(record))
      this.#findings.of(seq, 'outcome', 'it is the outcome of a call that was not open')
    if (status === 'success' || status === 'error') this.#counts[status] += 1
    else {
      this.#counts.unknown += 1
      if (this.unknown.length < listedMax) this.unknown.push({ seq, decision_id })
    }
  }

  /** Allowed before the first record that is looked at. */
  #wasOpen({ seq, decisionId = '' }: StoredRecord): boolean {
    const earlier = this.#related(decisionId).filter((record) => record.seq < seq)
    if (earlier.some(({ kind }) => kind === 'outcome')) return false
    return earlier.some((record) => isAllowed(record, bodyOf(record)))
  }
}

function isAllowed({ kind }: StoredRecord, body: Body): boolean {
  return kind === 'decision' && objectIn(body, 'result')['decision'] === 'allow'
}
