/** Counters that have a name: what they count is said once, rules bound them with `limits` and read them with `counted`. */
import { exactMicroOf } from '../../model/decimal.ts'
import { nameCharsMax } from '../../model/limits.ts'
import { type Counter, counterId, type Limit, type Measure, type Reading, type Span } from '../../model/policy.ts'
import { quote, type Report, type Spot } from '../diagnostics.ts'
import { durationMs } from '../durations.ts'
import {
  type Field,
  type FieldsOf,
  type Filled,
  type Form,
  flag,
  type Located,
  listOf,
  mapOf,
  mapsOf,
  misspelt,
  mistake,
  type Named,
  record,
} from '../forms.ts'
import { hintedCountersMax } from '../limits.ts'
import { checkName } from '../names.ts'
import { path } from '../paths.ts'
import { numberText, text, wholeNumber } from '../scalars.ts'
import { hint } from '../spelling.ts'
import { per } from './per.ts'
import { calendarUnits, windowForm, windowOf } from './rates.ts'

const counterWindow: Form<string> = {
  says: `${windowForm.says}, or \`total\``,
  schema: { anyOf: [windowForm.schema, { const: 'total' }] },
  read(node, label, report) {
    const word = node.kind === 'scalar' ? node.text : ''
    if (word === 'total' || calendarUnits.some((unit) => unit === word)) return word
    if (node.kind === 'scalar' && durationMs(word)) return word
    return misspelt(node, label, counterWindow.says, report, [...calendarUnits, 'total'])
  },
}

export const counterKeys = {
  window: {
    form: counterWindow,
    about: 'How long it counts before it begins again, as for `rate_limit`; `total`: it never does.',
    required: 'say how long it counts, for example `day`',
  },
  sliding: { form: flag, about: 'Whether the window slides, as for `rate_limit`.' },
  step: { form: wholeNumber(2, 1_000_000_000), about: 'What each call adds; 1 if not given.' },
  amount: { form: path, about: 'The argument that says what a call adds.' },
  currency: { form: path, about: 'The argument that keeps it apart by currency. Only with `amount` and `of`.' },
  per: { form: per, about: 'What it is counted by; all calls together if not given.' },
  of: {
    form: text,
    about:
      'The entry whose `rate_limit` or `spend` counts it: rules can then read that counter. `resources:URI` and `prompts:NAME` for those that are no tools.',
  },
} as const

const counterForm = record('a map with `window`', counterKeys, { owner: 'a counter' })

/** `counters` of the policy. */
export const countersForm = mapOf(counterForm, 'a map from names to what is counted')

type WrittenCounter = Filled<FieldsOf<typeof counterKeys>>

interface Declared {
  readonly name: string
  readonly counter: Counter
  /** The entry that counts it by its own limits. */
  readonly of?: string
  readonly at: Spot
}

/** By their names. */
export class Counters {
  readonly #known = new Map<string, Declared>()
  readonly #used = new Set<string>()

  constructor(written: Field<readonly Named<WrittenCounter>[]> | undefined, report: Report) {
    for (const { name, nameAt, value } of written?.value ?? []) {
      if (!checkName(name, counterNameCharsMax, nameAt, report)) continue
      const counter = counterOf(name, value, report)
      const of = value.fields.of?.value
      if (counter) this.#known.set(name, { counter, at: nameAt, name, ...(of !== undefined && { of }) })
    }
  }

  /** Undefined, and reported, when there is none. */
  find(name: string, at: Spot, report: Report): Declared | undefined {
    const found = this.#known.get(name)
    if (found) return found
    const known = [...this.#known.keys()]
    const near = known.length <= hintedCountersMax ? hint(name, known) : ''
    report.error(at, 'wrong_value', `\`counters\` has no ${quote(name)}${near}`)
    return undefined
  }

  get declared(): readonly Declared[] {
    return [...this.#known.values()]
  }

  /** Those that no entry counts by itself. */
  get own(): readonly Declared[] {
    return this.declared.filter(({ of }) => of === undefined)
  }

  bound(name: string): void {
    this.#used.add(name)
  }

  /** What is read and never counted stays at 0. `limited` are the counters that entries count by themselves. */
  reportIdle(limited: ReadonlySet<string>, report: Report): void {
    for (const { name, counter, at, of } of this.declared) {
      if (of === undefined ? this.#used.has(name) : limited.has(counter.id)) continue
      const who = of === undefined ? 'no rule has it in its `limits`' : `${quote(of)} has no limit that counts so`
      report.warning(at, 'never_counts', `nothing is counted in ${quote(name)}: ${who}, so it stays at 0`)
    }
  }
}

/** A tool and a word for what of it is counted. */
const counterNameCharsMax = 2 * nameCharsMax

function counterOf(name: string, { fields }: WrittenCounter, report: Report): Counter | undefined {
  const { window: written, step, amount, currency, of } = fields
  if (step && amount)
    report.error(step.keyAt, 'contradiction', '`step` and `amount` both say what a call adds: take one of them')
  if (currency && !(amount && of))
    report.error(
      currency.keyAt,
      'misplaced_key',
      '`currency` stands beside `amount` and `of`: every made-up currency would have a counter of its own',
    )
  const sliding = fields.sliding === undefined ? false : fields.sliding.value
  if (!written?.value || sliding === undefined) return undefined
  const window = written.value === 'total' ? totalOf(sliding) : windowOf(written.value, sliding)
  if (typeof window === 'string') report.error(written.at, 'wrong_value', window)
  if (typeof window === 'string' || (amount && amount.value === undefined)) return undefined
  const measure = measureOf(fields)
  const by = fields.per?.value ?? []
  return { id: counterId(of?.value ?? `state:${name}`, measure, window, by), measure, window, per: by }
}

function totalOf(sliding: boolean): Counter['window'] | string {
  return sliding ? 'a `window` of `total` has no end, and cannot slide' : { kind: 'total' }
}

function measureOf({ amount, currency, step }: WrittenCounter['fields']): Measure {
  if (amount?.value) return { amount: amount.value, ...(currency?.value && { currency: currency.value }) }
  return step?.value === undefined ? 'calls' : { step: step.value }
}

/** A number in the unit of its counter, which is not known where it is read. */
export interface Bound {
  readonly text: string
  readonly at: Spot
}

const bound: Form<Bound> = {
  says: 'a number',
  schema: { type: 'number' },
  read(node, label, report) {
    const written = numberText(node, label, bound.says, report)
    return written === undefined ? undefined : { text: written, at: node.at }
  },
}

const most: Form<Bound | 'nothing'> = {
  says: 'a number, zero or more, or `nothing`',
  schema: { anyOf: [{ type: 'number', minimum: 0 }, { const: 'nothing' }] },
  read(node, label, report) {
    if (node.kind === 'scalar' && node.value === 'nothing') return 'nothing'
    if (node.kind === 'scalar' && typeof node.value === 'number') return bound.read(node, label, report)
    return mistake(node, label, most.says, report)
  },
}

/** `limits` of a rule. */
export const limitsForm = mapOf(most, 'a map from counters to the most they may reach', 1)
export type WrittenLimits = Field<readonly Named<Bound | 'nothing'>[]>

export function namedLimits(
  written: WrittenLimits | undefined,
  counters: Counters,
  report: Report,
): readonly Located<Limit>[] {
  return (written?.value ?? []).flatMap(({ name, nameAt, value }) => {
    const found = counters.find(name, nameAt, report)
    if (!found) return []
    counters.bound(name)
    if (found.of !== undefined)
      report.error(
        nameAt,
        'misplaced_key',
        `${quote(name)} is counted by the limits of ${quote(found.of)}: rules can only read it, with \`counted\``,
      )
    const max = value === 'nothing' ? -1 : numberOf(value, name, found.counter, report)
    if (max === undefined) return []
    if (value !== 'nothing' && max < 0) report.error(value.at, 'wrong_value', `${quote(name)} must be ${most.says}`)
    return [{ value: { counter: found.counter, max }, at: nameAt }]
  })
}

const span = record('a number, or a map with `min` and `max`', {
  min: { form: bound, about: 'The least it may stand at.' },
  max: { form: bound, about: 'The most it may stand at.' },
})

export interface WrittenSpan {
  readonly min?: Bound
  readonly max?: Bound
}

const oneSpan: Form<WrittenSpan> = {
  says: span.says,
  schema: { anyOf: [bound.schema, span.schema] },
  read(node, label, report) {
    if (node.kind !== 'map') {
      const exact = bound.read(node, label, report)
      return exact && { min: exact, max: exact }
    }
    const fields = span.read(node, label, report)?.fields
    const [min, max] = [fields?.min?.value, fields?.max?.value]
    return { ...(min && { min }), ...(max && { max }) }
  },
}

const spanList = listOf(oneSpan, 'a list of these', 0)

const spans: Form<readonly Located<WrittenSpan>[]> = {
  says: `${span.says}, or a list of these`,
  schema: { anyOf: [oneSpan.schema, spanList.schema] },
  read(node, label, report) {
    if (node.kind === 'list') return spanList.read(node, label, report)
    if (node.kind !== 'map' && !(node.kind === 'scalar' && typeof node.value === 'number'))
      return mistake(node, label, spans.says, report)
    const value = oneSpan.read(node, label, report)
    return value && [{ value, at: node.at }]
  },
}

/** `counted` of a rule. */
export const countedForm = mapsOf(mapOf(spans, 'a map from counters to what they must stand at', 1))
export type WrittenCounted = Field<readonly Named<readonly Located<WrittenSpan>[]>[]>

export function readingsOf(
  written: WrittenCounted | undefined,
  counters: Counters,
  report: Report,
): readonly Reading[] {
  return (written?.value ?? []).flatMap(({ name, nameAt, value }) => {
    const found = counters.find(name, nameAt, report)
    if (!found) return []
    const read = value.map(({ value, at }) => ({ span: spanOf(value, name, found.counter, report), at }))
    for (const [index, { span, at }] of read.entries()) reportOrder(read[index - 1]?.span, span, name, at, report)
    return [{ counter: found.counter, spans: read.map((one) => one.span) }]
  })
}

function reportOrder(before: Span | undefined, next: Span, name: string, at: Spot, report: Report): void {
  if (next.min !== undefined && next.max !== undefined && next.min > next.max)
    report.error(at, 'contradiction', `${quote(name)} has a \`min\` above its \`max\``)
  else if (before && !(before.max !== undefined && next.min !== undefined && before.max < next.min))
    report.error(at, 'contradiction', `what ${quote(name)} may stand at must be apart, and in ascending order`)
}

function spanOf({ min, max }: WrittenSpan, name: string, counter: Counter, report: Report): Span {
  const [least, greatest] = [min && numberOf(min, name, counter, report), max && numberOf(max, name, counter, report)]
  return { ...(least !== undefined && { min: least }), ...(greatest !== undefined && { max: greatest }) }
}

/** Calls, or micro-units of an amount. */
function numberOf({ text, at }: Bound, name: string, { measure }: Counter, report: Report): number | undefined {
  const [, sign = '', size = ''] = /^(-?)(.*)$/.exec(text) ?? []
  const isAmount = measure !== 'calls' && 'amount' in measure
  const whole = /^[0-9]+$/.test(size) && Number.isSafeInteger(Number(size)) ? Number(size) : undefined
  const value = isAmount ? exactMicroOf(size) : whole
  if (value !== undefined) return sign === '' || value === 0 ? value : -value
  const says = isAmount ? 'an amount with at most six decimals' : 'a whole number'
  report.error(
    at,
    'wrong_value',
    `${quote(name)} counts ${isAmount ? 'amounts' : 'calls'}: write ${says}, got ${quote(text)}`,
  )
  return undefined
}
