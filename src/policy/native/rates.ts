/** Rate limits: `10/day` counts calendar windows, a map can count sliding ones. */
import { type CalendarUnit, counterId, type Limit, type PerField, type Window } from '../../model/policy.ts'
import { oneOf, quote, type Report } from '../diagnostics.ts'
import { durationMs, durationText } from '../durations.ts'
import { type Form, flag, type Located, misspelt, mistake, oneOrMore, record } from '../forms.ts'
import { slidingWindowMsMax } from '../limits.ts'
import { wholeNumber } from '../scalars.ts'
import type { Node } from '../source.ts'
import { hint, nearest } from '../spelling.ts'
import { per } from './per.ts'

export const calendarUnits: readonly CalendarUnit[] = ['second', 'minute', 'hour', 'day', 'week', 'month']

/** Months have no fixed length. */
const unitMs: Readonly<Partial<Record<string, number>>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
}

export interface Rate {
  readonly max: number
  readonly window: Window
  /** Absent: as the rule says. */
  readonly per?: readonly PerField[]
}

export const windowForm: Form<string> = {
  says: `${oneOf(calendarUnits)}, or a duration like \`15m\` with \`sliding: true\``,
  schema: { anyOf: [{ enum: calendarUnits }, { type: 'string', pattern: '^([0-9]+[dhms])+$' }] },
  read(node, label, report) {
    const text = node.kind === 'scalar' ? node.text : ''
    if (calendarUnits.some((unit) => unit === text)) return text
    if (node.kind === 'scalar' && durationMs(text)) return text
    return misspelt(node, label, windowForm.says, report, calendarUnits)
  },
}

export const rateKeys = {
  limit: { form: wholeNumber(1), about: 'How many calls a window has room for.', required: 'say how many calls' },
  window: {
    form: windowForm,
    about: 'A unit of the UTC calendar, or, if it slides, a length of time.',
    required: `say ${oneOf(calendarUnits)}, or a duration`,
  },
  sliding: {
    form: flag,
    about: 'Whether the window is the time just before the call, of that length, and not the calendar unit around it.',
  },
  per: { form: per, about: 'What this limit is counted by; it replaces the `per` of the rule.' },
} as const

const rateMap = record('a map with `limit` and `window`', rateKeys)

const says = 'a rate like `10/day`, or a map with `limit` and `window`'

const one: Form<Rate> = {
  says,
  schema: { anyOf: [{ type: 'string', pattern: `^[1-9][0-9]*/(${calendarUnits.join('|')})$` }, rateMap.schema] },
  read(node, label, report) {
    if (node.kind === 'map') return mappedRate(node, label, report)
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, label, says, report)
    return writtenRate(node, node.value, label, report)
  },
}

export const rates: Form<readonly Located<Rate>[]> = oneOrMore(one)

function writtenRate(node: Node, text: string, label: string, report: Report): Rate | undefined {
  const [, count = '', unit = ''] = /^([0-9]+)\/(\S+)$/.exec(text) ?? []
  const max = Number(count)
  const known = calendarUnits.find((u) => u === unit)
  if (/^[1-9]/.test(count) && known) {
    if (Number.isSafeInteger(max)) return { max, window: { kind: 'fixed', unit: known } }
    return mistake(node, label, `at most ${Number.MAX_SAFE_INTEGER} calls`, report)
  }
  if (durationMs(unit))
    return mistake(node, label, says, report, `: a window of ${quote(unit)} slides, write it as a map`)
  if (unit === '' || known) return mistake(node, label, says, report)
  const near = nearest(spelledOut(unit), calendarUnits)
  const suggestion = near && /^[1-9]/.test(count) ? `${count}/${near}` : undefined
  return mistake(node, label, says, report, hint(spelledOut(unit), calendarUnits), { suggestion })
}

/** `minute` for `min`: an abbreviation is further away than a misspelling. `m` could be two units. */
function spelledOut(unit: string): string {
  const [meant = unit, another] = calendarUnits.filter((known) =>
    known.startsWith(unit.toLowerCase().replace(/s$/, '') || unit),
  )
  return another === undefined ? meant : unit
}

function mappedRate(node: Node, label: string, report: Report): Rate | undefined {
  const fields = rateMap.read(node, label, report)?.fields
  const max = fields?.limit?.value
  const written = fields?.window?.value
  const given = fields?.per?.value
  if (!fields?.window || written === undefined) return undefined
  const sliding = fields.sliding === undefined ? false : fields.sliding.value
  const window = sliding === undefined ? undefined : windowOf(written, sliding)
  if (typeof window === 'string') report.error(fields.window.at, 'wrong_value', window)
  if (max === undefined || window === undefined || typeof window === 'string') return undefined
  return { max, window, ...(given && { per: given }) }
}

/** The window, or what is wrong with it. */
export function windowOf(text: string, sliding: boolean): Window | string {
  const unit = calendarUnits.find((u) => u === text)
  if (!sliding) {
    if (unit) return { kind: 'fixed', unit }
    return `a \`window\` of ${quote(text)} is no calendar unit: add \`sliding: true\`, or write ${oneOf(calendarUnits)}`
  }
  const ms = unit ? unitMs[unit] : durationMs(text)
  if (ms === undefined) return 'a sliding `window` has a fixed length and a `month` has not: write `30d`, for example'
  if (ms <= slidingWindowMsMax) return { kind: 'sliding', ms }
  return `a sliding \`window\` is at most ${durationText(slidingWindowMsMax)}, got ${quote(text)}`
}

/** The limit of a rate in an entry; `inherited` is the `per` of its rule. */
export function rateLimit(rate: Rate, scope: string, inherited: readonly PerField[]): Limit {
  const by = rate.per ?? inherited
  const { max, window } = rate
  return { counter: { id: counterId(scope, 'calls', window, by), measure: 'calls', window, per: by }, max }
}
