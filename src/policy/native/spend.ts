/** Spend: which argument is the amount, and the caps on it. */
import { unitsText } from '../../model/decimal.ts'
import {
  type Counter,
  counterId,
  type Limit,
  type Path,
  type PerField,
  type Spend,
  type Window,
} from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import { type Field, type FieldsOf, type Filled, type Form, type Located, listOf, record } from '../forms.ts'
import { path } from '../paths.ts'
import { amount, label } from '../scalars.ts'
import { per } from './per.ts'

const unlimited = 'unlimited'

const amountOrUnlimited: Form<number | typeof unlimited> = {
  says: amount.says,
  schema: { anyOf: [amount.schema, { const: unlimited }] },
  read(node, label, report) {
    return node.kind === 'scalar' && node.value === unlimited ? unlimited : amount.read(node, label, report)
  },
}

const caps = {
  per_call: {
    form: amountOrUnlimited,
    about: 'The most that one call may spend. `unlimited` alone asks only that the amount is one.',
  },
  hourly: { form: amount, about: 'The most that may be spent in an hour of the UTC calendar.' },
  daily: { form: amount, about: 'The most that may be spent in a day.' },
  weekly: { form: amount, about: 'The most that may be spent in a week, which starts on Monday.' },
  monthly: { form: amount, about: 'The most that may be spent in a month.' },
  total: { form: amount, about: 'The most that may ever be spent.' },
} as const

export const spendKeys = {
  ...caps,
  amount: { form: path, about: 'The argument that holds the amount; `amount` if not given.' },
  currency: { form: path, about: 'The argument that holds the currency. Each currency has counters of its own.' },
  currencies: { form: listOf(label, 'a list of currencies'), about: 'The currencies that are allowed.' },
  per: { form: per, about: 'What this spend is counted by; it replaces the `per` of the rule.' },
} as const

export const spendForm = record('a map of caps, for example `per_call: 500`', spendKeys)

export type WrittenSpend = Filled<FieldsOf<typeof spendKeys>>

export interface ReadSpend {
  readonly spend: Spend
  readonly limits: readonly Located<Limit>[]
}

const windows: readonly (readonly [Exclude<keyof typeof caps, 'per_call'>, Window])[] = [
  ['hourly', { kind: 'fixed', unit: 'hour' }],
  ['daily', { kind: 'fixed', unit: 'day' }],
  ['weekly', { kind: 'fixed', unit: 'week' }],
  ['monthly', { kind: 'fixed', unit: 'month' }],
  ['total', { kind: 'total' }],
]

export function spendOf(
  { at, fields, misspelt }: WrittenSpend,
  scope: string,
  inherited: readonly PerField[],
  report: Report,
): ReadSpend {
  if (!misspelt && !Object.keys(caps).some((cap) => Object.hasOwn(fields, cap)))
    report.error(at, 'says_nothing', `\`spend\` needs a cap: one of ${Object.keys(caps).map(quote).join(', ')}`)
  const amountPath: Path = fields.amount?.value ?? ['amount']
  const currency = currencyOf(fields, report)
  const measure = { amount: amountPath, ...(currency && { currency: currency.path }) }
  const by = fields.per?.value ?? inherited
  const limits = windows.flatMap(([cap, window]) => {
    const field: Field<number> | undefined = fields[cap]
    if (field?.value === undefined) return []
    return [{ value: { counter: counter(scope, measure, window, by), max: field.value }, at: field.at }]
  })
  const perCall = fields.per_call?.value === unlimited ? undefined : fields.per_call?.value
  if (fields.per_call && perCall !== undefined)
    reportPerCall({ value: perCall, at: fields.per_call.at }, limits, report)
  const spend: Spend = {
    amount: amountPath,
    ...(currency && { currency }),
    ...(perCall !== undefined && { perCallMicro: perCall }),
  }
  report.locate(spend, fields.amount?.at ?? at)
  return { spend, limits }
}

function counter(scope: string, measure: Counter['measure'], window: Window, by: readonly PerField[]): Counter {
  return { id: counterId(scope, measure, window, by), measure, window, per: by }
}

/** One without the other would let every made-up currency have a fresh budget, or leave a list that nobody asks. */
function currencyOf(fields: WrittenSpend['fields'], report: Report): Spend['currency'] | undefined {
  const { currency, currencies } = fields
  if (currency && !currencies)
    report.error(
      currency.keyAt,
      'missing_key',
      '`currency` needs `currencies`: every other word would be a fresh budget',
    )
  if (currencies && !currency)
    report.error(currencies.keyAt, 'missing_key', '`currencies` needs `currency`: the argument that holds the currency')
  const allowed = currencies?.value
  if (!currency?.value || !allowed) return undefined
  reportTwice(allowed, report)
  return { path: currency.value, allowed: [...new Set(allowed.map(({ value }) => value))] }
}

function reportTwice(items: readonly Located<string>[], report: Report): void {
  const seen = new Set<string>()
  for (const { value, at } of items) {
    if (seen.has(value)) report.warning(at, 'duplicate_name', `\`currencies\` lists ${quote(value)} twice`)
    seen.add(value)
  }
}

function reportPerCall(perCall: Located<number>, limits: readonly Located<Limit>[], report: Report): void {
  const tighter = limits.find(({ value }) => value.max < perCall.value)
  if (tighter)
    report.warning(
      perCall.at,
      'never_binds',
      `\`per_call\` never binds: a call of more than ${unitsText(tighter.value.max)} is refused by the cap on line ${tighter.at.line}`,
    )
}
