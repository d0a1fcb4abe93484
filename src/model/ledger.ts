/** What the gate asks of a ledger. `src/ledger` is the SQLite one. */
import type { Approval, ApprovalChange } from './approval.ts'
import type { CounterKey } from './counters.ts'
import type { Kill, KillTarget, Stoppable } from './kill.ts'
import type { Definition, ServerTool, ToolPins } from './pinning.ts'

/** What a counter says of its current window. */
export interface Usage {
  /** Calls or micro-units, committed and reserved. */
  readonly used: number
}

export interface Ledger {
  /**
   * Runs `work` as one transaction that holds the write lock from its start: all of it is durable when this returns,
   * nothing of it when it throws. Throws a `TollgateError` (`ledger_*`) when the ledger cannot be used.
   */
  transact<T>(work: (tx: Transaction) => T): T
  /** Every record in order, from `after` (exclusive) on. */
  records(options?: { readonly after?: number; readonly limit?: number }): IterableIterator<StoredRecord>
  /** The compiled policy of a revision, as it was kept by `keepPolicy`. */
  policy(revision: string): Uint8Array | undefined
  /** What stops a caller, or the tool that is called. */
  killOf(who: Stoppable): Kill | undefined
  /** What is known of the definitions of a tool. */
  pinsOf(tool: ServerTool): ToolPins
  /** Was all that the server lists seen once? */
  isSeenWhole(server: string): boolean
  close(): void
}

export interface Transaction {
  /** The instant of this transaction: the clock's, but never before that of the one before. Milliseconds. */
  readonly now: number
  used(key: CounterKey): Usage
  /** The first instant at which a charge of `amount` would fit under `max`; undefined when waiting does not help. */
  roomAt(key: CounterKey, amount: number, max: number): number | undefined
  /**
   * Says that a call was let through and its outcome is not known yet, until `settle`: to be said of every allowed call,
   * also of one that reserves nothing, in the transaction that appends its record (which is checked). Calls that a
   * process leaves open when it dies get an outcome record with the status `unknown` when the ledger is next opened.
   */
  open(decisionId: string): void
  /**
   * Charges a counter at once for a decision, which is open from then on as after `open`. The charge is given back only
   * by `settle`. A decision charges a counter once.
   */
  reserve(decisionId: string, key: CounterKey, amount: number): void
  /**
   * Closes an open call: `kept` leaves its charges, `released` takes each back from the very window it was taken from.
   * False, and nothing done, when the decision is not open (never was, or no longer).
   */
  settle(decisionId: string, how: 'kept' | 'released'): boolean
  /** The newest request of this key that says something of the next call: pending, approved or rejected, and in time. */
  approvalFor(key: string): Approval | undefined
  approval(id: string): Approval | undefined
  /** Keeps a new request, which is pending; its record is the caller's to append. */
  addApproval(approval: Approval): void
  /** Changes a request that is not over; throws a `TypeError` for one that is. Its record is the caller's to append. */
  changeApproval(id: string, change: ApprovalChange): void
  /** Requests that are pending and in time, of one caller or of all. */
  approvalsPending(caller?: string): number
  /** Requests, pending or approved, whose time is over; the first of them, oldest first. */
  approvalsOverdue(): readonly Approval[]
  /** What stops a caller, or the tool that is called. While nothing stops anybody, asking costs nothing. */
  killOf(who: Stoppable): Kill | undefined
  /** The kill of exactly this. */
  killFor(target: KillTarget): Kill | undefined
  kill(id: string): Kill | undefined
  /** From now on it stops; its record is the caller's to append. Throws a `TypeError` for what is stopped already. */
  addKill(kill: Kill): void
  /** It stops nothing any more; its record is the caller's to append. */
  removeKill(id: string): void
  /** What is known of the definitions of a tool. */
  pinsOf(tool: ServerTool): ToolPins
  /** From now on this is known of the tool; its record is the caller's to append. */
  setPins(tool: ServerTool, pins: ToolPins): void
  /** Keeps what a digest is the digest of, once. */
  keepDefinition(definition: Definition): void
  /** How many tools of a server are known. */
  toolsKnown(server: string): number
  isSeenWhole(server: string): boolean
  /** All that the server lists was seen; its record is the caller's to append. */
  markSeenWhole(server: string): void
  /** Appends to the hash chain. */
  append(entry: RecordEntry): StoredRecord
  /** Keeps a compiled policy under its revision, once: it is written out only where it is not kept yet. */
  keepPolicy(revision: string, artifact: () => Uint8Array): void
}

export type RecordKind =
  | 'decision'
  | 'check'
  | 'outcome'
  | 'hold'
  | 'grant'
  | 'reject'
  | 'expiry'
  | 'consumption'
  | 'kill'
  | 'lift'
  | 'pin'
  | 'drift'
  | 'accept'
  | 'activation'
  | 'activation_failure'
  | 'deactivation'
  | 'start'
  | 'stop'

export interface RecordEntry {
  readonly kind: RecordKind
  /** The decision the record belongs to, if any. */
  readonly decisionId?: string
  /** JSON text of the event, kept and hashed as these bytes. */
  readonly body: string
}

export interface StoredRecord extends RecordEntry {
  /** From 1, without gaps. */
  readonly seq: number
  /** Milliseconds; never decreases. */
  readonly at: number
  /** SHA-256, lower-case hex, over the previous hash and this record (see `src/ledger/chain.ts`). */
  readonly hash: string
  readonly previousHash: string
}
