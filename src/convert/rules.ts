/** Rules that must all pass, as the native language writes them. */
import { unitsText } from '../model/decimal.ts'
import {
  type CalendarUnit,
  type Limit,
  type Entry as PolicyEntry,
  pathText,
  type Rule,
  type Spend,
} from '../model/policy.ts'
import { durationText } from '../policy/durations.ts'
import { argumentsOut } from './constraints.ts'
import { type CounterNames, countedOut, isOwnOf, numberOf, ownName, perOut, windowEntries } from './counters.ts'
import type { Origins } from './origins.ts'
import { type Entry, entry, type Item, list, map, number, type Out, text, type Word, word } from './yaml.ts'

export interface RuleWriter {
  readonly names: CounterNames
  readonly origins: Origins
}

const actions = { require: undefined, deny: 'deny', hold: 'require_approval' } as const

export function ruleItem(rule: Rule, index: number, own: PolicyEntry, scope: string, writer: RuleWriter): Item {
  const { names, origins } = writer
  const at = (...keys: readonly string[]) => origins.lineOf(rule.place, keys)
  const said = [
    ...argumentEntries(rule, writer),
    rule.readings && entry('counted', countedOut(rule.readings, names), at('conditions')),
    ...countingEntries(rule, scope, names).map((one) => ({ ...one, line: at(one.key, 'state') })),
    rule.approvalTimeoutMs === undefined
      ? undefined
      : entry('approval_timeout', word(durationText(rule.approvalTimeoutMs)), at('approval_timeout')),
    rule.riskLevel && entry('risk_level', text(rule.riskLevel), at('risk_level')),
  ].filter((one) => one !== undefined)
  const action = actions[rule.effect] ?? (said.length === 0 ? 'allow' : undefined)
  const entries = [
    rule.name === `${own.key}.rules[${index}]` ? undefined : entry('name', text(rule.name), at('name')),
    action === undefined ? undefined : entry('action', text(action), at('action')),
    ...said,
    rule.onDeny === undefined ? undefined : entry('on_deny', text(rule.onDeny), at('on_deny')),
  ]
  return { value: map(entries), line: rule.place.line }
}

function argumentEntries({ conditions, effect, place }: Rule, { origins }: RuleWriter): readonly Entry[] {
  if (conditions.length === 0) return []
  const out = argumentsOut(conditions, effect, (condition) => origins.conditionLine(condition))
  return [entry('arguments', out, origins.lineOf(place, ['conditions', 'arguments']))]
}

/** Caps and rates of the entry's own counters, and bounds on those with a name. */
function countingEntries({ spend, limits }: Rule, scope: string, names: CounterNames): readonly Entry[] {
  const own = limits.filter(({ counter }) => isOwnOf(counter, scope))
  const caps = own.filter(({ counter }) => isAmount(counter))
  const rates = own.filter(({ counter }) => !isAmount(counter))
  const named = limits.filter((limit) => !own.includes(limit) && ownName(limit.counter) !== undefined)
  const [rate, ...more] = rates.map(rateOut)
  return [
    ...spendEntries(
      spend,
      caps,
      named.some(({ counter }) => isAmount(counter)),
    ),
    rate && entry('rate_limit', more.length === 0 ? rate : list([rate, ...more])),
    named.length === 0 ? undefined : entry('limits', map(named.map((limit) => limitEntry(limit, names)))),
  ].filter((one) => one !== undefined)
}

function isAmount({ measure }: Limit['counter']): boolean {
  return measure !== 'calls' && 'amount' in measure
}

function limitEntry({ counter, max }: Limit, names: CounterNames): Entry {
  return entry(names.nameOf(counter), max === -1 ? text('nothing') : numberOf(max, counter))
}

const caps: Readonly<Partial<Record<CalendarUnit, string>>> = {
  hour: 'hourly',
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
}

/** `implied`: a counter of amounts with a name asks for the amount already. */
function spendEntries(spend: Spend | undefined, own: readonly Limit[], implied: boolean): readonly Entry[] {
  if (!spend) return []
  const { amount, currency, perCallMicro } = spend
  const isBare = own.length === 0 && perCallMicro === undefined
  if (isBare && implied && !currency) return []
  const [first] = own
  const out = map([
    pathText(amount) === 'amount' ? undefined : entry('amount', text(pathText(amount))),
    currency && entry('currency', text(pathText(currency.path))),
    currency && entry('currencies', list(currency.allowed.map(text))),
    isBare ? entry('per_call', text('unlimited')) : undefined,
    perCallMicro === undefined ? undefined : entry('per_call', units(perCallMicro)),
    ...own.map(({ counter: { window }, max }) =>
      entry((window.kind === 'fixed' ? caps[window.unit] : undefined) ?? 'total', units(max)),
    ),
    first && first.counter.per.length > 0 ? entry('per', perOut(first.counter)) : undefined,
  ])
  return [entry('spend', out)]
}

function units(micro: number): Word {
  return word(unitsText(micro))
}

function rateOut({ counter, max }: Limit): Out {
  const { window, per } = counter
  if (window.kind === 'fixed' && per.length === 0) return word(`${max}/${window.unit}`)
  return map([
    entry('limit', number(max)),
    ...windowEntries(window),
    per.length === 0 ? undefined : entry('per', perOut(counter)),
  ])
}
