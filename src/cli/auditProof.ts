/** The proof of a record in one pass: the chain is walked, every decision made again, every call followed to its end. */
import { type ChainReport, type Head, origin, verifyChain } from '../ledger/chain.ts'
import { requestKinds } from '../log/approvals.ts'
import { bodyOf } from '../log/body.ts'
import { activatedIn, type NamedActivation } from '../log/policies.ts'
import { messageOf } from '../model/errors.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { FollowedApprovals } from './auditApprovals.ts'
import { FollowedCalls } from './auditCalls.ts'
import { JudgedAgain } from './auditDecisions.ts'
import { FollowedKills } from './auditKills.ts'
import type { RecordSource } from './auditLedger.ts'
import { FollowedPins } from './auditPins.ts'
import { KeptPolicies } from './auditPolicies.ts'
import { Findings, type ProofReport } from './auditReport.ts'

export interface ProofOptions {
  /** Instant from which on records are looked at. */
  readonly since?: number
  /** A hash that must be in the part of the chain that is looked at. */
  readonly head?: string
  /** Told now and then how far it is. */
  readonly progress?: (done: number, of: number) => void
}

export function proveRecords(source: RecordSource, { since, head, progress }: ProofOptions = {}): ProofReport {
  const { records } = source
  const noted = records.head() as Head | undefined
  const start = startOf(source, noted && since)
  const proof = new Proof(source, start, head)
  const due = (noted?.seq ?? 0) - start.seq
  let from = start
  for (;;) {
    const report = verifyChain(proof.watch(records.read(from.seq, Number.POSITIVE_INFINITY), due, progress), from)
    if (report.intact) break
    from = proof.goOnAfter(report)
  }
  return proof.report(noted)
}

/** The record before the first one that is looked at. */
function startOf({ records }: RecordSource, since: number | undefined): Head {
  const before = since === undefined ? 0 : records.lastBefore(since)
  const [record] = before === 0 ? [] : records.read(before - 1, 1)
  return record ? { seq: record.seq, at: record.at, hash: record.hash } : origin
}

const progressRecords = 2_048

class Proof {
  readonly #start: Head
  readonly #pinned: string | undefined
  #pinnedSeen: boolean
  #last: Head
  #records = 0
  readonly #findings = new Findings()
  readonly #decisions: JudgedAgain
  readonly #calls: FollowedCalls
  readonly #approvals: FollowedApprovals
  readonly #kills: FollowedKills
  readonly #pins: FollowedPins

  constructor(source: RecordSource, start: Head, pinned: string | undefined) {
    this.#start = start
    this.#last = start
    this.#pinned = pinned
    this.#pinnedSeen = pinned === undefined || pinned === start.hash
    const policies = new KeptPolicies({
      stored: (revision) => source.policy(revision),
      activationBefore: (revision) => activationBefore(source, start.seq, revision),
    })
    this.#decisions = new JudgedAgain(policies, this.#findings)
    const related = (decisionId: string) => source.records.ofDecision(decisionId)
    this.#calls = new FollowedCalls(related, this.#findings)
    this.#approvals = new FollowedApprovals(related, this.#findings)
    this.#kills = new FollowedKills(related, source.records.ofKills(start.seq), this.#findings)
    this.#pins = new FollowedPins(policies, source.records.ofPins(start.seq), this.#findings)
  }

  /** Records on their way through the chain: that the next one is asked for means that the last one was in order. */
  *watch(records: Iterable<StoredRecord>, due: number, progress: ProofOptions['progress']): Generator<StoredRecord> {
    for (const record of records) {
      this.#read(record)
      if (this.#records % progressRecords === 0) progress?.(this.#records, due)
      yield record
      this.#judge(record)
    }
  }

  /** Where to go on, so that one fault does not hide the next; a changed record is judged as it stands. */
  goOnAfter({ fault, head }: ChainReport & { readonly intact: false }): Head {
    this.#findings.add(fault)
    const record = this.#last as StoredRecord
    if (fault.kind === 'missing' || fault.kind === 'detached')
      return { seq: record.seq - 1, at: head.at, hash: record.previousHash }
    this.#judge(record)
    return record
  }

  report(noted: Head | undefined): ProofReport {
    this.#checkEnd(noted)
    const { seq, hash, at } = this.#last
    const time = new Date(at)
    return {
      ok: this.#findings.count === 0,
      records: this.#records,
      first_seq: this.#start.seq + 1,
      head: { seq, hash, timestamp: Number.isNaN(time.getTime()) ? null : time.toISOString() },
      evaluated: this.#decisions.evaluated,
      by_gate: Object.fromEntries(this.#decisions.byGate),
      revisions: Object.fromEntries(this.#decisions.revisions),
      calls: this.#calls.counts,
      unknown_calls: this.#calls.unknown,
      open_calls: this.#calls.open,
      failures: this.#findings.count,
      findings: this.#findings.listed,
    }
  }

  #read(record: StoredRecord): void {
    if (record.seq === this.#last.seq) return // read again, after a fault before it
    this.#records += 1
    this.#last = record
    if (record.hash === this.#pinned) this.#pinnedSeen = true
  }

  #judge(record: StoredRecord): void {
    const { seq, kind } = record
    try {
      const body = bodyOf(record)
      if (kind === 'outcome') this.#calls.end(record, body)
      if (requestKinds.has(kind)) this.#approvals.follow(record, body)
      if (kind === 'kill' || kind === 'lift') this.#kills.follow(record, body)
      if (kind === 'pin' || kind === 'drift' || kind === 'accept') this.#pins.follow(record, body)
      if (kind === 'activation') this.#decisions.activate(record, body)
      if (kind !== 'decision' && kind !== 'check') return
      this.#calls.decide(record, body)
      this.#decisions.judge(record, body)
      this.#approvals.decide(record, body)
      this.#kills.decide(record, body)
      this.#pins.decide(record, body)
    } catch (thrown) {
      this.#findings.of(seq, 'record', messageOf(thrown))
    }
  }

  #checkEnd(noted: Head | undefined): void {
    const { seq, hash } = this.#last
    const find = (message: string) => this.#findings.add({ seq, kind: 'head', message })
    if (!noted) find('the ledger does not say any more which record is its last')
    else if (noted.seq > seq) {
      const message = `the last records, ${seq + 1} to ${noted.seq}, are missing`
      this.#findings.add({ seq: seq + 1, kind: 'missing', message })
    } else if (noted.seq < seq || noted.hash !== hash)
      find(`record ${seq} is not the one that the ledger says is its last`)
    if (!this.#pinnedSeen)
      find(`no record has the hash ${this.#pinned}: the end was cut off, or the record was written anew`)
  }
}

const stepRecords = 512

/** Looks back from a record for the activation of a policy: it is near, a gate makes one when it starts. */
function activationBefore({ records }: RecordSource, from: number, revision: string): NamedActivation | undefined {
  for (let end = from; end > 0; end -= stepRecords) {
    const after = Math.max(0, end - stepRecords)
    for (const record of [...records.read(after, end - after)].reverse()) {
      if (record.kind !== 'activation' || record.seq > from) continue
      const activated = activatedIn(bodyOf(record))
      if (activated && isAmong(revision, activated)) return activated
    }
  }
  return undefined
}

function isAmong(revision: string, activated: NamedActivation): boolean {
  return activated.revision === revision || activated.policies.some((policy) => policy.revision === revision)
}
