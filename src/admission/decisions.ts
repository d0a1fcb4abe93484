/** What was decided, as `tollgate audit` shows it: to be looked for, and to be followed with a cursor. */
import type { Response, Router } from 'express'
import { type RecordFilter, selects } from '../log/filter.ts'
import { viewIn } from '../log/related.ts'
import type { RecordView } from '../log/view.ts'
import { TollgateError } from '../model/errors.ts'
import { quoted } from '../model/message/quoted.ts'
import { instantOf } from '../model/time.ts'
import { scoped } from './keys.ts'
import { decisionsListedItems, decisionsListedItemsMax, recordsSearchedItemsMax } from './limits.ts'
import type { AdmissionPorts } from './ports.ts'

const filters = ['session', 'agent', 'user', 'project', 'server', 'tool', 'decision', 'reason'] as const
const parameters = [...filters, 'since', 'until', 'limit', 'cursor', 'format'] as const

export function addDecisions(v1: Router, { ledger }: AdmissionPorts): void {
  v1.get('/decisions', scoped('read'), (request, response) => {
    const asked = askedIn(request.query)
    const found = pageOf(ledger, asked)
    if (asked.format === 'json') return void response.json(found)
    sendLines(response, found)
  })
  v1.get('/decisions/:id', scoped('read'), ({ params }, response) => {
    const id = params['id'] as string
    const record = ledger.recordsOf(id).find(({ kind }) => kind === 'decision' || kind === 'check')
    if (!record) throw new TollgateError('decision_unknown', `there is no decision ${quoted(id)} in this ledger`)
    response.json(viewIn(ledger, record))
  })
}

interface Page {
  readonly decisions: readonly RecordView[]
  /** Where to go on; null at the end of the record as it is now. */
  readonly next_cursor: string | null
}

function sendLines(response: Response, { decisions, next_cursor }: Page): void {
  if (next_cursor !== null) response.setHeader('next-cursor', next_cursor)
  response.type('application/jsonl').send(decisions.map((view) => `${JSON.stringify(view)}\n`).join(''))
}

interface Asked {
  readonly filter: RecordFilter
  readonly range: { readonly after: number; readonly since?: number; readonly until?: number }
  readonly limit: number
  readonly format: 'json' | 'jsonl'
}

function pageOf(ledger: AdmissionPorts['ledger'], { filter, range, limit }: Asked): Page {
  const decisions: RecordView[] = []
  let searched = 0
  for (const record of ledger.records({ ...range, limit: recordsSearchedItemsMax + 1 })) {
    if (decisions.length === limit || searched === recordsSearchedItemsMax)
      return { decisions, next_cursor: String(record.seq - 1) }
    searched += 1
    if (selects(filter, record)) decisions.push(viewIn(ledger, record))
  }
  return { decisions, next_cursor: null }
}

/** Throws `request_invalid`: what is not known would be a filter that filters nothing. */
function askedIn(query: Readonly<Record<string, unknown>>): Asked {
  for (const [name, value] of Object.entries(query)) {
    if (!parameters.some((known) => known === name)) throw invalid(name, `one of ${parameters.join(', ')}`)
    if (typeof value !== 'string') throw invalid(name, 'given once')
  }
  const said = query as Readonly<Partial<Record<(typeof parameters)[number], string>>>
  const { since, until, limit, cursor = '0', format = 'json' } = said
  const given = filters.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]] as const]))
  if (!/^(0|[1-9]\d{0,14})$/.test(cursor)) throw invalid('cursor', 'what `next_cursor` said')
  if (format !== 'json' && format !== 'jsonl') throw invalid('format', '`json` or `jsonl`')
  return {
    filter: { kinds: ['decision'], ...Object.fromEntries(given) },
    range: {
      after: Number(cursor),
      ...(since !== undefined && { since: instantIn('since', since) }),
      ...(until !== undefined && { until: instantIn('until', until) }),
    },
    limit: limit === undefined ? decisionsListedItems : limitIn(limit),
    format,
  }
}

function limitIn(text: string): number {
  const limit = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN
  if (limit <= decisionsListedItemsMax) return limit
  throw invalid('limit', `a whole number from 1 to ${decisionsListedItemsMax}`)
}

function instantIn(name: string, text: string): number {
  return instantOf(text) ?? fail(invalid(name, 'a time like `2026-01-16T19:11:22Z`'))
}

function fail(error: TollgateError): never {
  throw error
}

function invalid(name: string, what: string): TollgateError {
  return new TollgateError('request_invalid', `the parameter ${quoted(name)} must be ${what}`)
}
