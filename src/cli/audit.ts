/** `tollgate audit`: the record, to read and to export. */
import { openLedger, type SqliteLedger } from '../ledger/ledger.ts'
import { type RecordFilter, selects } from '../log/filter.ts'
import { viewIn } from '../log/related.ts'
import type { RecordView } from '../log/view.ts'
import type { RecordKind, StoredRecord } from '../model/ledger.ts'
import { existingLedger } from './auditLedger.ts'
import { writeTo } from './auditOutput.ts'
import { recordLines } from './auditTable.ts'
import { instantOf } from './auditTime.ts'
import { UsageError } from './exit.ts'

export interface AuditOptions {
  readonly ledger?: string
  readonly format: 'table' | 'json' | 'jsonl'
  readonly output?: string
  readonly session?: string
  readonly agent?: string
  readonly user?: string
  readonly project?: string
  readonly tool?: string
  readonly server?: string
  readonly decision?: 'allow' | 'deny' | 'hold' | 'kill'
  readonly reason?: string
  readonly since?: string
  readonly until?: string
  readonly kind?: readonly RecordKind[]
  readonly all?: boolean
  readonly limit?: string
}

/** What a person reads at once. An export has no limit unless it is asked for. */
const tableRecordsMax = 50

export async function audit(given: AuditOptions): Promise<void> {
  const { output, ...others } = given
  const options: AuditOptions = output === '-' ? others : given
  const filter = filterOf(options)
  const limit = limitOf(options)
  const times = timesOf(options, Date.now())
  const ledger = openLedger({ file: existingLedger(options.ledger), readOnly: true })
  try {
    const range = rangeOf(ledger, times)
    const { from, more } =
      limit === undefined ? { from: range.first, more: false } : lastOf(ledger, filter, range, limit)
    const shown = counted(viewsOf(ledger, filter, { first: from, last: range.last }))
    await writeTo(options.output, textsOf(shown.views, options))
    say(options, shown.count(), more)
    // Damage does not hide what is there, nor is it shown as if nothing were wrong.
    ledger.checkTail()
  } finally {
    ledger.close()
  }
}

/** The members of a filter that have an option of the same name. */
const asked = ['session', 'agent', 'user', 'project', 'tool', 'server', 'decision', 'reason'] as const

function filterOf(options: AuditOptions): RecordFilter {
  const given = asked.filter((name) => options[name] !== undefined).map((name) => [name, options[name]])
  return { ...(!options.all && { kinds: options.kind ?? ['decision'] }), ...Object.fromEntries(given) }
}

function limitOf({ limit, format }: AuditOptions): number | undefined {
  if (limit === undefined) return format === 'table' ? tableRecordsMax : undefined
  if (/^[1-9][0-9]{0,8}$/.test(limit)) return Number(limit)
  throw new UsageError(`\`--limit\` takes a whole number from 1 on, got \`${limit}\``)
}

interface Times {
  readonly since?: number
  readonly until?: number
}

function timesOf({ since, until }: AuditOptions, now: number): Times {
  const from = since === undefined ? undefined : instantOf('--since', since, now)
  const to = until === undefined ? undefined : instantOf('--until', until, now)
  if (from !== undefined && to !== undefined && from >= to)
    throw new UsageError('`--until` must be later than `--since`')
  return { ...(from !== undefined && { since: from }), ...(to !== undefined && { until: to }) }
}

/** From one record to another, both among them; `seq`s. */
interface Range {
  readonly first: number
  readonly last: number
}

/** Up to the last record there is now: a gate that goes on writing does not keep an export from ending. */
function rangeOf(ledger: SqliteLedger, { since, until }: Times): Range {
  const end = ledger.head().seq
  return {
    first: since === undefined ? 1 : (firstFrom(ledger, since) ?? end + 1),
    last: until === undefined ? end : Math.min(end, (firstFrom(ledger, until) ?? end + 1) - 1),
  }
}

function firstFrom(ledger: SqliteLedger, since: number): number | undefined {
  const [record] = ledger.records({ since, limit: 1 })
  return record?.seq
}

/** Records read at once on the way back from the end. */
const stepRecords = 512

/** Where the last `limit` selected records begin, and whether there are others before them. */
function lastOf(
  ledger: SqliteLedger,
  filter: RecordFilter,
  range: Range,
  limit: number,
): { from: number; more: boolean } {
  let [from, left] = [range.last + 1, limit]
  for (let end = range.last; end >= range.first; end -= stepRecords) {
    const step = [...recordsIn(ledger, { first: Math.max(range.first, end - stepRecords + 1), last: end })]
    for (const record of step.filter((record) => selects(filter, record)).reverse()) {
      if (left === 0) return { from, more: true }
      from = record.seq
      left -= 1
    }
  }
  return { from, more: false }
}

function* recordsIn(ledger: SqliteLedger, { first, last }: Range): Generator<StoredRecord> {
  for (const record of ledger.records({ after: first - 1, limit: last - first + 1 })) {
    // Where records were removed, as many of them reach further.
    if (record.seq > last) return
    yield record
  }
}

/** One at a time. */
function* viewsOf(ledger: SqliteLedger, filter: RecordFilter, range: Range): Generator<RecordView> {
  for (const record of recordsIn(ledger, range)) {
    if (!selects(filter, record)) continue
    yield viewIn(ledger, record)
  }
}

function counted(views: Iterable<RecordView>): { readonly views: Iterable<RecordView>; readonly count: () => number } {
  let count = 0
  const passing = function* () {
    for (const view of views) {
      count += 1
      yield view
    }
  }
  return { views: passing(), count: () => count }
}

function textsOf(views: Iterable<RecordView>, { format, output }: AuditOptions): Iterable<string> {
  if (format === 'jsonl') return jsonLines(views)
  if (format === 'json') return jsonArray(views)
  if (output !== undefined) return recordLines(views, Number.POSITIVE_INFINITY, undefined)
  return recordLines(views, process.stdout.columns ?? Number.POSITIVE_INFINITY, process.stdout)
}

function* jsonLines(views: Iterable<RecordView>): Generator<string> {
  for (const view of views) yield `${JSON.stringify(view)}\n`
}

function* jsonArray(views: Iterable<RecordView>): Generator<string> {
  let before = '[\n'
  for (const view of views) {
    yield `${before}${JSON.stringify(view)}`
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

/** What the output itself does not say, on stderr. */
function say({ format, output, limit }: AuditOptions, count: number, more: boolean): void {
  const records = `${count} ${count === 1 ? 'record' : 'records'}`
  if (more)
    process.stderr.write(`${records}, and there are older ones${limit === undefined ? ': see `--limit`' : ''}\n`)
  else if (count === 0 && format === 'table') process.stderr.write('no record is selected\n')
  if (output !== undefined) process.stderr.write(`${records} in ${output}\n`)
}
