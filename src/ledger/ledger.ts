/** The ledger: one SQLite file that knows what was spent and remembers every decision. */
import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Database, Statement } from 'better-sqlite3'
import { type Approval, approvalStates } from '../model/approval.ts'
import { canonical } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'
import type { Kill, Stoppable } from '../model/kill.ts'
import type { Ledger, RecordKind, StoredRecord, Transaction } from '../model/ledger.ts'
import type { ServerTool, ToolPins } from '../model/pinning.ts'
import { Approvals } from './approvals.ts'
import { CalendarCounters } from './calendar.ts'
import { OpenCalls } from './calls.ts'
import type { ChainReport, Head } from './chain.ts'
import { copyState } from './copy.ts'
import { ledgerError } from './errors.ts'
import { openDatabase } from './file.ts'
import { Instances } from './instances.ts'
import { Kills } from './kills.ts'
import { type KnownTool, Pins } from './pins.ts'
import { Records } from './records.ts'
import { type KeptRun, KeptRuns } from './runs.ts'
import { SlidingCounters } from './sliding.ts'
import { LedgerTransaction, type Tables } from './transaction.ts'

export interface LedgerOptions {
  /** A path, or `:memory:`. */
  readonly file: string
  /** Milliseconds since 1970; the system's clock unless told otherwise. */
  readonly clock?: () => number
  /** What a committed transaction survives: the end of the process (the default), or a power cut too. */
  readonly durability?: 'process' | 'power'
  /** The name of this process among those that share the ledger: letters, digits, `.`, `_`, `-`. Random by default. */
  readonly instance?: string
  /** A ledger, which is read and never written, whose counts, requests and kills a ledger in memory begins with. */
  readonly stateOf?: string
  /** To look at a ledger without writing to it; `transact` then throws `ledger_read_only`. */
  readonly readOnly?: boolean
}

export interface RecordRange {
  /** The `seq` after which to begin. */
  readonly after?: number
  readonly limit?: number
  /** Instants: from the first (inclusive) to the second (exclusive). */
  readonly since?: number
  readonly until?: number
}

/**
 * Opens a ledger, and makes a new one where there is none. Calls that were open when a process died are closed here: as
 * `unknown`, with what they reserved left charged. Throws a `TollgateError` (`ledger_*`).
 */
export function openLedger(options: LedgerOptions): SqliteLedger {
  const { clock = Date.now, durability = 'process', instance = randomUUID(), readOnly = false } = options
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(instance)) throw new TypeError('an instance is 1 to 64 of A-Z a-z 0-9 . _ -')
  const file = options.file === ':memory:' ? options.file : resolve(options.file.trim())
  try {
    const db = openDatabase({ file, durability, readOnly })
    try {
      if (options.stateOf !== undefined) takeOver(options.stateOf, db)
      return new SqliteLedger(db, { clock, instance })
    } catch (thrown) {
      db.close()
      throw thrown
    }
  } catch (thrown) {
    throw ledgerError(thrown, file)
  }
}

function takeOver(file: string, to: Database): void {
  if (!to.memory) throw new TypeError('only a ledger in memory begins with what another one has counted')
  let from: Database | undefined
  try {
    from = openDatabase({ file: resolve(file), durability: 'process', readOnly: true })
    copyState(from, to)
  } catch (thrown) {
    throw ledgerError(thrown, file)
  } finally {
    from?.close()
  }
}

/** Verified when the ledger is opened: the end of the chain is where a mishap leaves its trace. */
const tailRecords = 16

export class SqliteLedger implements Ledger {
  readonly #db: Database
  readonly #file: string
  readonly #inode: number | undefined
  readonly #clock: () => number
  readonly #instance: string
  readonly #tables: Tables
  readonly #instances: Instances
  readonly #runs: KeptRuns
  readonly #policy: Statement<[string], Uint8Array>
  readonly #cursor: Statement<[string], number>
  readonly #keepCursor: Statement<[string, number]>
  /** What another connection commits changes it; what this one does, does not. */
  readonly #dataVersion: Statement<[], number>
  readonly #immediate: (work: (tx: Transaction) => unknown) => unknown
  /** What is left to do once the transaction is committed that was run last. */
  #committed = () => {}

  /** Takes over a database that `openDatabase` opened; `openLedger` does both. Throws the errors of SQLite. */
  constructor(db: Database, options: { readonly clock: () => number; readonly instance: string }) {
    this.#db = db
    this.#file = db.name
    this.#inode = db.memory ? undefined : statSync(db.name).ino
    this.#clock = options.clock
    this.#instance = options.instance
    this.#tables = {
      records: new Records(db),
      calendar: new CalendarCounters(db),
      sliding: new SlidingCounters(db),
      approvals: new Approvals(db),
      kills: new Kills(db),
      pins: new Pins(db),
      calls: new OpenCalls(db, options.instance),
      hasPolicy: db.prepare<[string], 1>('SELECT 1 FROM policies WHERE revision = ?').pluck(),
      keepPolicy: db.prepare('INSERT INTO policies VALUES (?, ?)'),
    }
    this.#instances = new Instances(db, options.instance)
    this.#runs = new KeptRuns(db)
    this.#policy = db.prepare<[string], Uint8Array>('SELECT artifact FROM policies WHERE revision = ?').pluck()
    this.#cursor = db.prepare<[string], number>('SELECT seq FROM cursors WHERE name = ?').pluck()
    this.#keepCursor = db.prepare(
      'INSERT INTO cursors VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq',
    )
    this.#dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck()
    this.#immediate = db.transaction((work: (tx: Transaction) => unknown) => this.#run(work)).immediate
    if (db.readonly) return // to look at a damaged ledger must remain possible
    this.checkTail()
    if (!db.memory) this.#enter()
  }

  transact<T>(work: (tx: Transaction) => T): T {
    if (this.#db.inTransaction) throw new TypeError('transactions do not nest')
    return this.#use(() => {
      this.#checkPlace()
      const result = this.#written(work)
      this.#committed()
      return result as T
    })
  }

  /** Every record in order, from `after` (exclusive) on; `since` (inclusive) and `until` (exclusive) are instants. */
  *records(range: RecordRange = {}): Generator<StoredRecord, void, undefined> {
    const { after = 0, limit = Number.POSITIVE_INFINITY, since, until = Number.POSITIVE_INFINITY } = range
    const { records } = this.#tables
    const first = since === undefined ? after : this.#use(() => Math.max(after, records.lastBefore(since)))
    const rows = records.read(first, limit)
    for (let next = this.#use(() => rows.next()); !next.done; next = this.#use(() => rows.next())) {
      if (next.value.at >= until) return
      yield next.value
    }
  }

  /** The records of one decision, in order. */
  recordsOf(decisionId: string): readonly StoredRecord[] {
    return this.#use(() => this.#tables.records.ofDecision(decisionId))
  }

  policy(revision: string): Uint8Array | undefined {
    return this.#use(() => this.#policy.get(revision))
  }

  /** Requests to persons as they were left, in the order in which they were asked: one that is overdue may not say so. */
  approvals(states = approvalStates): readonly Approval[] {
    return this.#use(() => this.#tables.approvals.in(states))
  }

  approval(id: string): Approval | undefined {
    return this.#use(() => this.#tables.approvals.get(id))
  }

  /** The first records of some kinds after `after`. */
  recordsOfKinds(kinds: readonly RecordKind[], after: number, limit: number): readonly StoredRecord[] {
    return this.#use(() => this.#tables.records.ofKinds(kinds, after, limit))
  }

  /** The last record that was told under this name, as `keepCursor` left it. */
  cursor(name: string): number | undefined {
    return this.#use(() => this.#cursor.get(name))
  }

  /** Survives a restart; no record is made of it. */
  keepCursor(name: string, seq: number): void {
    this.#use(() => void this.#keepCursor.run(name, seq))
  }

  /** A run as it was registered, also one that has expired. Costs no lock. */
  run(id: string): KeptRun | undefined {
    return this.#use(() => this.#runs.get(id))
  }

  /** Those that have not expired. */
  runs(now: number): readonly KeptRun[] {
    return this.#use(() => this.#runs.all(now))
  }

  runsCount(now: number): number {
    return this.#use(() => this.#runs.count(now))
  }

  /** Survives a restart; no record is made of it. */
  keepRun(run: KeptRun): void {
    this.#use(() => this.#runs.put(run))
  }

  removeRun(id: string): void {
    this.#use(() => this.#runs.remove(id))
  }

  removeExpiredRuns(now: number): void {
    this.#use(() => this.#runs.removeExpired(now))
  }

  /** Another text whenever a request may have changed, here or in another process. Costs no lock. */
  approvalsVersion(): string {
    return this.#use(() => `${this.#dataVersion.get()}:${this.#tables.approvals.changes}`)
  }

  /** What is stopped now, in the order in which that was said. */
  kills(): readonly Kill[] {
    return this.#use(() => this.#tables.kills.all())
  }

  /** What stops a caller, or what it calls. Costs no lock. */
  killOf(who: Stoppable): Kill | undefined {
    return this.#use(() => this.#tables.kills.of(who, this.#tables.records.head().seq))
  }

  /** Another text whenever something else is stopped, here or in another process. Costs no lock. */
  killsVersion(): string {
    return this.#use(() => this.#tables.kills.standing())
  }

  pinsOf(tool: ServerTool): ToolPins {
    return this.#use(() => this.#tables.pins.of(tool, this.#tables.records.head().seq))
  }

  isSeenWhole(server: string): boolean {
    return this.#use(() => this.#tables.pins.isWhole(server, this.#tables.records.head().seq))
  }

  /** Every tool of which a definition is known, by server and name. */
  tools(): readonly KnownTool[] {
    return this.#use(() => this.#tables.pins.all())
  }

  /** What a digest is the digest of, as canonical JSON; undefined where it was too large to be kept. */
  toolDefinition(sha256: string): string | undefined {
    return this.#use(() => this.#tables.pins.definition(sha256))
  }

  /** Another text whenever another process has changed what is known of tools. Costs no lock. */
  pinsVersion(): string {
    return this.#use(() => this.#tables.pins.standing())
  }

  /**
   * The last record, and the last instant seen: what to keep elsewhere, to prove later that nothing up to it was
   * rewritten.
   */
  head(): Head {
    return this.#use(() => this.#tables.records.head())
  }

  /** Walks the whole chain, as it stands at one moment: some seconds for a million records. */
  verify(): ChainReport {
    return this.#use(() => this.#db.transaction(() => this.#tables.records.verify(0))())
  }

  /** Closes the calls that dead processes left open, as `openLedger` does, and says how many. */
  recover(): number {
    return this.transact((tx) => this.#closeCallsOf(this.#instances.dead(), tx))
  }

  /** Calls that are still open are closed as those of a dead process, by whoever opens the ledger next. */
  close(): void {
    if (!this.#db.open) return
    try {
      this.transact(() => this.#instances.leave(this.#tables.calls.ofInstance(this.#instance).length > 0))
    } catch {
      // What cannot be written is closed all the same: the lock is free then, and that is what counts.
    } finally {
      this.#instances.abandon()
      this.#db.close()
    }
  }

  #written(work: (tx: Transaction) => unknown): unknown {
    try {
      return this.#immediate(work)
    } catch (thrown) {
      this.#tables.kills.forget()
      this.#tables.pins.forget()
      throw thrown
    }
  }

  #run(work: (tx: Transaction) => unknown): unknown {
    const tx = new LedgerTransaction(this.#tables, this.#clock())
    try {
      const result = work(tx)
      this.#committed = tx.finish()
      return result
    } finally {
      tx.end()
    }
  }

  #enter(): void {
    try {
      this.transact((tx) => this.#closeCallsOf(this.#instances.enter(tx.now), tx))
    } catch (thrown) {
      this.#instances.abandon()
      throw thrown
    }
  }

  #closeCallsOf(instances: readonly string[], tx: Transaction): number {
    let closed = 0
    for (const instance of instances) {
      for (const decisionId of this.#tables.calls.ofInstance(instance)) {
        tx.append({ kind: 'outcome', decisionId, body: unknownOutcome(decisionId) })
        closed += 1
      }
      this.#tables.calls.removeAllOf(instance)
      this.#instances.forget(instance)
    }
    return closed
  }

  /** Throws `ledger_corrupt` when the last records are not what was recorded. A gate opens no such ledger. */
  checkTail(): void {
    const { records } = this.#tables
    const tail = this.#db.transaction(() => records.verify(Math.max(0, records.head().seq - tailRecords)))
    const report = this.#use(tail)
    if (report.intact) return
    throw new TollgateError(
      'ledger_corrupt',
      `the ledger \`${this.#file}\` was tampered with or damaged: ${report.fault.message}; keep it and restore a backup`,
    )
  }

  /** SQLite writes on into a file that was deleted or replaced: records nobody would ever find. */
  #checkPlace(): void {
    if (this.#inode === undefined || statSync(this.#file, { throwIfNoEntry: false })?.ino === this.#inode) return
    throw new TollgateError(
      'ledger_unavailable',
      `the ledger \`${this.#file}\` was moved or replaced while it was open; put it back, or start again`,
    )
  }

  #use<T>(work: () => T): T {
    if (!this.#db.open) throw new TollgateError('ledger_unavailable', `the ledger \`${this.#file}\` is closed`)
    try {
      return work()
    } catch (thrown) {
      throw ledgerError(thrown, this.#file)
    }
  }
}

function unknownOutcome(decisionId: string): string {
  return canonical({
    type: 'outcome',
    decision_id: decisionId,
    status: 'unknown',
    detail: 'the gate stopped before the call ended',
  })
}
