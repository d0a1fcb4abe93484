/** The table of records: appended to, read in order, never changed. */
import type { Database, Statement } from 'better-sqlite3'
import type { RecordEntry, RecordKind, StoredRecord } from '../model/ledger.ts'
import { type ChainFault, type ChainReport, type Head, origin, recordHash, verifyChain } from './chain.ts'

interface Row {
  readonly seq: number
  readonly at: number
  readonly kind: RecordKind
  readonly decision_id: string | null
  readonly previous_hash: string
  readonly hash: string
  readonly body: string
}

/** In the words of the index over them: in others it would not be used. */
export const pinRecords =
  "SELECT * FROM records WHERE (kind = 'pin' OR kind = 'drift' OR kind = 'accept') AND seq <= ? ORDER BY seq"

/** Rows read at once: bodies have up to some hundred KB, and no statement stays open between two reads. */
const batchRows = 64

export class Records {
  readonly #head: Statement<[], Head>
  readonly #setHead: Statement<[number, number, string]>
  readonly #insert: Statement<[number, number, string, string | null, string, string, string]>
  readonly #after: Statement<[number, number], Row>
  readonly #ofKinds: Statement<[number, string, number], Row>
  readonly #ofDecision: Statement<[string], Row>
  readonly #ofKills: Statement<[number], Row>
  readonly #ofPins: Statement<[number], Row>
  readonly #instantFrom: Statement<[number], number>

  constructor(db: Database) {
    this.#head = db.prepare('SELECT seq, at, hash FROM chain_end')
    this.#setHead = db.prepare('UPDATE chain_end SET seq = ?, at = ?, hash = ?')
    this.#insert = db.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#after = db.prepare('SELECT * FROM records WHERE seq > ? ORDER BY seq LIMIT ?')
    this.#ofKinds = db.prepare(`
      SELECT * FROM records WHERE seq > ? AND kind IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?`)
    this.#ofDecision = db.prepare('SELECT * FROM records WHERE decision_id = ? ORDER BY seq')
    this.#ofKills = db.prepare("SELECT * FROM records WHERE kind IN ('kill', 'lift') AND seq <= ? ORDER BY seq")
    this.#ofPins = db.prepare(pinRecords)
    this.#instantFrom = db
      .prepare<[number], number>('SELECT at FROM records WHERE seq >= ? ORDER BY seq LIMIT 1')
      .pluck()
  }

  /** The last record, and the last instant that the ledger has seen. */
  head(): Head {
    return this.#head.get() as Head
  }

  /** `head` is the last record so far, read in the same write transaction, which then ends with `setHead`. */
  append(head: Head, entry: RecordEntry, at: number): StoredRecord {
    checkEntry(entry)
    const unhashed = { ...entry, seq: head.seq + 1, at, previousHash: head.hash }
    const record = { ...unhashed, hash: recordHash(unhashed) }
    const { seq, kind, decisionId, previousHash, hash, body } = record
    this.#insert.run(seq, at, kind, decisionId ?? null, previousHash, hash, body)
    return record
  }

  /** The first records of some kinds after `after`. */
  ofKinds(kinds: readonly RecordKind[], after: number, limit: number): readonly StoredRecord[] {
    return this.#ofKinds.all(after, JSON.stringify(kinds), limit).map(recordOf)
  }

  /** Records after `after`, in order, at most `limit` of them; what is appended while one reads is read too. */
  *read(after: number, limit: number): Generator<StoredRecord, void, undefined> {
    let last = after
    for (let left = limit; left > 0; ) {
      const rows = this.#after.all(last, Math.min(left, batchRows))
      for (const row of rows) {
        last = row.seq
        yield recordOf(row)
      }
      if (rows.length < batchRows) return
      left -= rows.length
    }
  }

  /** The last record is this one from now on, and this instant was seen. */
  setHead({ seq, hash }: Head, at: number): void {
    this.#setHead.run(seq, at, hash)
  }

  /** Verifies the records after `after`, and that the chain ends where the ledger says. */
  verify(after: number): ChainReport {
    const end = this.head()
    const [start] = after > 0 ? this.read(after - 1, 1) : [origin]
    const report = verifyChain(this.read(after, Number.POSITIVE_INFINITY), start)
    const { head } = report
    if (!report.intact || (head.seq === end.seq && head.hash === end.hash)) return report
    return { intact: false, head, fault: endFault(head, end) }
  }

  ofDecision(decisionId: string): StoredRecord[] {
    return this.#ofDecision.all(decisionId).map(recordOf)
  }

  /** What was stopped and lifted up to a record, that one among it. */
  ofKills(seq: number): StoredRecord[] {
    return this.#ofKills.all(seq).map(recordOf)
  }

  /** What became known of tools up to a record, that one among it. */
  ofPins(seq: number): StoredRecord[] {
    return this.#ofPins.all(seq).map(recordOf)
  }

  /** The last record before an instant, 0 for none: records are in order of time, so halving finds it. */
  lastBefore(instant: number): number {
    let [low, high] = [0, this.head().seq]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const at = this.#instantFrom.get(middle)
      if (at !== undefined && at < instant) low = middle
      else high = middle - 1
    }
    return low
  }
}

function recordOf(row: Row): StoredRecord {
  const { decision_id, previous_hash, ...rest } = row
  return { ...rest, previousHash: previous_hash, ...(decision_id !== null && { decisionId: decision_id }) }
}

function endFault(head: Head, end: Head): ChainFault {
  if (head.seq < end.seq)
    return {
      kind: 'missing',
      seq: head.seq + 1,
      message: `the last records, ${head.seq + 1} to ${end.seq}, are missing`,
    }
  if (head.seq > end.seq)
    return { kind: 'misplaced', seq: end.seq + 1, message: `record ${end.seq + 1} comes after the end of the chain` }
  return { kind: 'changed', seq: end.seq, message: `record ${end.seq} is not the one that was recorded last` }
}

/** What is hashed must be what is stored: no text that UTF-8 would change. */
function checkEntry({ decisionId, body }: RecordEntry): void {
  if (decisionId !== undefined && !/^[\x21-\x7e]{1,128}$/.test(decisionId))
    throw new TypeError('a decision id is 1 to 128 visible ASCII characters')
  if (!body.isWellFormed()) throw new TypeError('a record body must be well-formed Unicode')
}
