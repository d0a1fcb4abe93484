/** One transaction as the gate sees it. What fails inside it fails it as a whole, also when the caller looks away. */
import type { Statement } from 'better-sqlite3'
import type { Approval, ApprovalChange } from '../model/approval.ts'
import type { CounterKey } from '../model/counters.ts'
import type { Kill, KillTarget, Stoppable } from '../model/kill.ts'
import type { RecordEntry, StoredRecord, Transaction, Usage } from '../model/ledger.ts'
import type { Definition, ServerTool, ToolPins } from '../model/pinning.ts'
import type { Approvals } from './approvals.ts'
import type { CalendarCounters, CalendarSums } from './calendar.ts'
import type { OpenCall, OpenCalls } from './calls.ts'
import type { Head } from './chain.ts'
import { type Charge, checkAmount } from './charges.ts'
import type { Kills } from './kills.ts'
import type { Pins } from './pins.ts'
import type { Records } from './records.ts'
import type { SlidingCounters } from './sliding.ts'

/** The tables that a transaction works on. */
export interface Tables {
  readonly records: Records
  readonly calendar: CalendarCounters
  readonly sliding: SlidingCounters
  readonly calls: OpenCalls
  readonly approvals: Approvals
  readonly kills: Kills
  readonly pins: Pins
  readonly hasPolicy: Statement<[string], 1>
  readonly keepPolicy: Statement<[string, Uint8Array]>
}

export class LedgerTransaction implements Transaction {
  readonly now: number
  readonly #tables: Tables
  readonly #calendar: CalendarSums
  /** Calls opened here, with what they reserved: written when the work is done. */
  readonly #opened = new Map<string, Charge[]>()
  /** Calls of earlier transactions that ended here. */
  readonly #ended = new Set<OpenCall>()
  #head: Head
  /** The last record before this transaction. */
  readonly #startSeq: number
  #appended = false
  /** What is stopped, or what is known of tools, is not what it was. */
  #changed = false
  readonly #recorded = new Set<string>()
  #failure: { readonly cause: unknown } | undefined
  #over = false

  /** Made under the write lock: another process may have written last, and it may have had a later clock. */
  constructor(tables: Tables, clock: number) {
    if (!Number.isSafeInteger(clock)) throw new TypeError(`a clock gives whole milliseconds, got ${clock}`)
    this.#tables = tables
    this.#head = tables.records.head()
    this.#startSeq = this.#head.seq
    this.now = Math.max(clock, this.#head.at)
    this.#calendar = tables.calendar.at(this.now)
  }

  used({ key, counter: { window } }: CounterKey): Usage {
    const { sliding } = this.#tables
    return this.#guard(() => ({
      used: window.kind === 'sliding' ? sliding.used(key, window.ms, this.now) : this.#calendar.used(key, window),
    }))
  }

  roomAt({ key, counter: { window } }: CounterKey, amount: number, max: number): number | undefined {
    const { sliding } = this.#tables
    return this.#guard(() => {
      checkAmount(amount)
      checkAmount(max)
      return window.kind === 'sliding'
        ? sliding.roomAt(key, window.ms, amount, max, this.now)
        : this.#calendar.roomAt(key, window, amount, max)
    })
  }

  open(decisionId: string): void {
    this.#guard(() => void this.#chargesOf(decisionId))
  }

  reserve(decisionId: string, key: CounterKey, amount: number): void {
    this.#guard(() => {
      checkAmount(amount)
      const charges = this.#chargesOf(decisionId)
      if (charges.some((charge) => charge.key === key.key))
        throw new TypeError(`decision ${decisionId} charges the counter \`${key.key}\` twice`)
      charges.push(this.#charge(key, amount))
    })
  }

  settle(decisionId: string, how: 'kept' | 'released'): boolean {
    return this.#guard(() => {
      const charges = this.#close(decisionId)
      if (how === 'released') charges?.forEach((charge) => void this.#takeBack(charge))
      return charges !== undefined
    })
  }

  approvalFor(key: string): Approval | undefined {
    return this.#guard(() => this.#tables.approvals.newest(key, this.now))
  }

  approval(id: string): Approval | undefined {
    return this.#guard(() => this.#tables.approvals.get(id))
  }

  addApproval(approval: Approval): void {
    this.#guard(() => void this.#tables.approvals.add(approval, this.now))
  }

  changeApproval(id: string, change: ApprovalChange): void {
    this.#guard(() => void this.#tables.approvals.change(id, change))
  }

  approvalsPending(caller?: string): number {
    return this.#guard(() => this.#tables.approvals.pending(this.now, caller))
  }

  approvalsOverdue(): readonly Approval[] {
    return this.#guard(() => this.#tables.approvals.overdue(this.now))
  }

  killOf(who: Stoppable): Kill | undefined {
    return this.#guard(() => this.#tables.kills.of(who, this.#startSeq))
  }

  killFor(target: KillTarget): Kill | undefined {
    return this.#guard(() => this.#tables.kills.for(target))
  }

  kill(id: string): Kill | undefined {
    return this.#guard(() => this.#tables.kills.get(id))
  }

  addKill(kill: Kill): void {
    this.#guard(() => {
      if (this.#tables.kills.for(kill.target)) throw new TypeError(`what ${kill.id} is about is stopped already`)
      this.#changed = true
      this.#tables.kills.add(kill)
    })
  }

  removeKill(id: string): void {
    this.#guard(() => {
      this.#changed = true
      this.#tables.kills.remove(id)
    })
  }

  pinsOf(tool: ServerTool): ToolPins {
    return this.#guard(() => this.#tables.pins.of(tool, this.#startSeq))
  }

  setPins(tool: ServerTool, pins: ToolPins): void {
    this.#guard(() => {
      this.#changed = true
      this.#tables.pins.set(tool, pins, this.now)
    })
  }

  keepDefinition(definition: Definition): void {
    this.#guard(() => void this.#tables.pins.keep(definition))
  }

  toolsKnown(server: string): number {
    return this.#guard(() => this.#tables.pins.count(server))
  }

  isSeenWhole(server: string): boolean {
    return this.#guard(() => this.#tables.pins.isWhole(server, this.#startSeq))
  }

  markSeenWhole(server: string): void {
    this.#guard(() => {
      this.#changed = true
      this.#tables.pins.markWhole(server, this.now)
    })
  }

  append(entry: RecordEntry): StoredRecord {
    return this.#guard(() => {
      const record = this.#tables.records.append(this.#head, entry, this.now)
      this.#head = record
      this.#appended = true
      if (entry.decisionId !== undefined) this.#recorded.add(entry.decisionId)
      return record
    })
  }

  keepPolicy(revision: string, artifact: () => Uint8Array): void {
    const { hasPolicy, keepPolicy } = this.#tables
    this.#guard(() => {
      if (hasPolicy.get(revision) === undefined) keepPolicy.run(revision, artifact())
    })
  }

  /**
   * Before the commit: writes the counters, the end of the chain, and the open calls, each of which has its record here.
   * Gives what is to be called after the commit.
   */
  finish(): () => void {
    return this.#guard(() => {
      // Without a record too: what has expired by now is gone, and a clock that steps back must not find it gone early.
      if (this.#appended || this.now > this.#head.at) this.#tables.records.setHead(this.#head, this.now)
      for (const decisionId of this.#opened.keys()) {
        if (!this.#recorded.has(decisionId))
          throw new TypeError(`decision ${decisionId} was opened without a record in the same transaction`)
      }
      // Other processes look for it where they find a new record.
      if (this.#changed && !this.#appended) throw new TypeError('what is stopped or pinned changed without a record')
      this.#calendar.write()
      const opened = this.#tables.calls.write(this.#opened, this.#ended)
      return () => {
        opened()
        this.#tables.kills.wrote(this.#startSeq, this.#head.seq)
        this.#tables.pins.wrote(this.#startSeq, this.#head.seq)
      }
    })
  }

  /** After it, committed or not: the transaction cannot be used any more. */
  end(): void {
    this.#over = true
  }

  /** What a call reserved that was open until now. */
  #close(decisionId: string): readonly Charge[] | undefined {
    const opened = this.#opened.get(decisionId)
    if (opened) {
      this.#opened.delete(decisionId)
      return opened
    }
    const call = this.#tables.calls.get(decisionId)
    if (call === undefined || this.#ended.has(call)) return undefined
    this.#ended.add(call)
    return call.charges
  }

  #chargesOf(decisionId: string): Charge[] {
    const known = this.#opened.get(decisionId)
    if (known) return known
    if (this.#tables.calls.get(decisionId)) throw new TypeError(`decision ${decisionId} is open already`)
    const charges: Charge[] = []
    this.#opened.set(decisionId, charges)
    return charges
  }

  #charge({ key, counter: { window } }: CounterKey, amount: number): Charge {
    if (window.kind !== 'sliding') return { key, kind: 'fixed', at: this.#calendar.charge(key, window, amount), amount }
    this.#tables.sliding.charge(key, window.ms, amount, this.now)
    return { key, kind: 'sliding', at: this.now, amount }
  }

  #takeBack({ key, kind, at, amount }: Charge): void {
    if (kind === 'sliding') this.#tables.sliding.takeBack(key, at, amount)
    else this.#calendar.takeBack(key, at, amount)
  }

  /**
   * A full disk makes SQLite roll back at once and leaves no transaction behind it: a caller that caught the error and
   * went on would write without one. So the first failure is the answer to everything that follows.
   */
  #guard<T>(step: () => T): T {
    if (this.#over) throw new TypeError('the transaction is over')
    if (this.#failure) throw this.#failure.cause
    try {
      return step()
    } catch (thrown) {
      this.#failure = { cause: thrown }
      throw thrown
    }
  }
}
