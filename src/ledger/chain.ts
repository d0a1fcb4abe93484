/**
 * The hash chain: each record carries the hash of the one before it, so that a changed, removed, moved or added record
 * shows. Whoever can rewrite the whole file can rewrite the whole chain: keep a `Head` elsewhere to prove against that.
 */
import { hash } from 'node:crypto'
import type { StoredRecord } from '../model/ledger.ts'

/** A place in the chain: everything up to record `seq` is fixed by `hash`. */
export interface Head {
  readonly seq: number
  /** Milliseconds. */
  readonly at: number
  readonly hash: string
}

/** The head of an empty chain. It is no secret and the same everywhere, so an exported chain verifies on its own. */
export const origin: Head = { seq: 0, at: 0, hash: '0'.repeat(64) }

/**
 * `missing`: records are not there. `misplaced`: a record stands where another belongs. `detached`: a record names
 * another predecessor than the one before it. `changed`: a record is not what was hashed.
 */
export interface ChainFault {
  readonly kind: 'missing' | 'misplaced' | 'detached' | 'changed'
  /** The first record that is wrong or missing. */
  readonly seq: number
  readonly message: string
}

/** `head` is the last good record either way. */
export type ChainReport =
  | { readonly intact: true; readonly head: Head }
  | { readonly intact: false; readonly head: Head; readonly fault: ChainFault }

/**
 * SHA-256, lower-case hex, over two parts as UTF-8: a line of JSON, `["tollgate.record.v1",previousHash,seq,at,kind,
 * decisionId|null]`, its line feed, and the body as it is. JSON has no raw line feed, so no two records share an encoding.
 */
export function recordHash(record: Omit<StoredRecord, 'hash'>): string {
  const { previousHash, seq, at, kind, decisionId, body } = record
  const line = JSON.stringify(['tollgate.record.v1', previousHash, seq, at, kind, decisionId ?? null])
  return hash('sha256', `${line}\n${body}`)
}

/** Walks records that should follow `start`, up to the first fault. */
export function verifyChain(records: Iterable<StoredRecord>, start: Head = origin): ChainReport {
  let head = start
  for (const record of records) {
    const fault = faultOf(record, head)
    if (fault) return { intact: false, head, fault }
    head = { seq: record.seq, at: record.at, hash: record.hash }
  }
  return { intact: true, head }
}

function faultOf(record: StoredRecord, previous: Head): ChainFault | undefined {
  const due = previous.seq + 1
  const { seq } = record
  if (seq > due) return { kind: 'missing', seq: due, message: `record ${due} is missing, ${seq} comes next` }
  if (seq !== due) return { kind: 'misplaced', seq, message: `record ${seq} stands where ${due} belongs` }
  if (record.previousHash !== previous.hash)
    return { kind: 'detached', seq, message: `record ${seq} does not follow from the one before it` }
  if (!record.body.isWellFormed() || recordHash(record) !== record.hash)
    return { kind: 'changed', seq, message: `record ${seq} is not what was recorded` }
  if (record.at < previous.at)
    return { kind: 'misplaced', seq, message: `record ${seq} is older than the one before it` }
  return undefined
}
