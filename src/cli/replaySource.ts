/** Where recorded calls are read from: a ledger, or a file of decisions; each event is handed on in its order. */
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Head, verifyChain } from '../ledger/chain.ts'
import { bodyOf } from '../log/body.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { DecisionFile } from '../replay/decisions.ts'
import type { RecordedEvent } from '../replay/event.ts'
import { eventOf } from '../replay/read.ts'
import { unreadable, ValueSplitter } from '../replay/values.ts'
import { existingLedger, readLedger } from './auditLedger.ts'
import type { Progress } from './progress.ts'
import { RecordedPolicies } from './recordedPolicies.ts'

export interface Source {
  readonly file: string
  readonly kind: 'ledger' | 'decisions'
}

/** Throws where there is nothing to be read. */
export function sourceOf(named: string | undefined): Source {
  if (named === '-') return { file: '-', kind: 'decisions' }
  if (named === undefined || isLedger(named)) return { file: existingLedger(named, '--from'), kind: 'ledger' }
  return { file: named, kind: 'decisions' }
}

const ledgerMagic = Buffer.from('SQLite format 3\0')

function isLedger(file: string): boolean {
  try {
    if (statSync(file).isDirectory()) throw new Error('it is a directory')
    const descriptor = openSync(file, 'r')
    try {
      const start = Buffer.alloc(ledgerMagic.length)
      return readSync(descriptor, start) === start.length && start.equals(ledgerMagic)
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw unreadable(`\`${file}\`: ${missing ? 'there is no such file' : messageOf(cause)}`, cause)
  }
}

const progressRecords = 1_024

/** Throws `ledger_corrupt` at the first record that is not what was recorded: what follows from it would not be so either. */
export function readLedgerEvents(file: string, take: (event: RecordedEvent) => void, progress: Progress): void {
  readLedger(file, ({ records, policy }) => {
    const policies = new RecordedPolicies(policy)
    const end = records.head() as Head
    const taken = (record: StoredRecord) => {
      const { kind, at, decisionId = '', seq: place } = record
      take(eventOf({ kind, at, decisionId, place, body: bodyOf(record) }, (body) => policies.setOf(body)))
      if (place % progressRecords === 0) progress.show(place, end.seq)
    }
    const report = verifyChain(eachTaken(records.read(0, end.seq), taken))
    const fault = report.intact ? missingAfter(report.head, end) : report.fault.message
    if (fault !== undefined)
      throw new TollgateError(
        'ledger_corrupt',
        `the ledger \`${file}\` was tampered with or damaged: ${fault}; \`tollgate audit verify\` says all that is wrong with it`,
      )
  })
}

/** That the next one is asked for means that the last one was in order. */
function* eachTaken(records: Iterable<StoredRecord>, take: (record: StoredRecord) => void): Generator<StoredRecord> {
  for (const record of records) {
    yield record
    take(record)
  }
}

function missingAfter(last: Head, end: Head): string | undefined {
  if (last.seq < end.seq) return `the last records, ${last.seq + 1} to ${end.seq}, are missing`
  return last.hash === end.hash ? undefined : `record ${end.seq} is not the one that was recorded last`
}

/** What a file of decisions is like as a whole, once it was read. */
export type FileFacts = Pick<DecisionFile, 'disordered' | 'missing'>

/** Throws `decisions_unreadable`, `record_unreadable`. */
export async function readDecisionEvents(
  file: string,
  take: (event: RecordedEvent) => void,
  progress: Progress,
): Promise<FileFacts> {
  const called = file === '-' ? 'standard input' : `\`${file}\``
  const values = new ValueSplitter(called)
  const decisions = new DecisionFile(called)
  const input: Readable = file === '-' ? process.stdin : createReadStream(file)
  for await (const chunk of unzipped(input, called))
    for (const value of values.push(chunk)) {
      for (const event of decisions.take(value)) take(event)
      if (value.place % progressRecords === 0) progress.show(value.place, undefined)
    }
  values.end()
  return decisions
}

/** What OPA sends is gzip; it tells itself by its first two bytes. */
async function* unzipped(input: Readable, called: string): AsyncGenerator<Buffer> {
  try {
    const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    let start = Buffer.alloc(0)
    let next = await chunks.next()
    for (; !next.done && start.length < 2; next = await chunks.next()) start = Buffer.concat([start, next.value])
    const rest = async function* () {
      if (start.length > 0) yield start
      for (; !next.done; next = await chunks.next()) yield next.value
    }
    if (start[0] !== 0x1f || start[1] !== 0x8b) yield* rest()
    else yield* gunzipped(rest())
  } catch (cause) {
    if (cause instanceof TollgateError) throw cause
    throw unreadable(`${called} cannot be read: ${messageOf(cause)}`, cause)
  }
}

function gunzipped(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gunzip = createGunzip()
  const source = Readable.from(chunks)
  source.on('error', (error) => gunzip.destroy(error))
  return source.pipe(gunzip)
}
