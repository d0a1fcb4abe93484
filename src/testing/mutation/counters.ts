/** Changes of what is counted, and of how much of it there may be. */
import { unitsText } from '../../model/decimal.ts'
import { microPerUnit } from '../../model/limits.ts'
import {
  type AllPolicy,
  type CalendarUnit,
  type Counter,
  type Entry,
  type Limit,
  perText,
  type Reading,
  type Rule,
  type Span,
  type Spend,
  type Window,
} from '../../model/policy.ts'
import { type Edit, each, fewer, lacking, neighbours, within, without } from './edit.ts'

/** One unit less and more, twice as much, and none at all. */
export function limitEdits(limits: readonly Limit[]): readonly Edit<readonly Limit[]>[] {
  const changed = each(limits, (limit) =>
    [...maxima(limit), 2 * limit.max].map((max) => ({
      to: { ...limit, max },
      change: `${limitText(limit)}; now: ${maxText(limit.counter, max)}`,
    })),
  )
  return [...without(limits, (limit) => `no limit: ${limitText(limit)}`), ...changed]
}

function maxima({ counter, max }: Limit): readonly number[] {
  const { measure } = counter
  if (measure === 'calls') return [max - 1, max + 1]
  return 'step' in measure ? [max - measure.step, max + measure.step] : microNeighbours(max)
}

function microNeighbours(micro: number): readonly number[] {
  return neighbours(Number(unitsText(micro)))
    .map((units) => Math.round(units * microPerUnit))
    .filter((next) => next >= 0)
}

export function spendEdits(spend: Spend): readonly Edit<Spend>[] {
  const { currency, perCallMicro } = spend
  const currencies: readonly Edit<Spend>[] = currency
    ? within(
        fewer(currency.allowed, (code) => `\`${code}\` is no allowed currency`),
        (allowed) => ({ ...spend, currency: { ...currency, allowed } }),
      )
    : []
  if (perCallMicro === undefined) return currencies
  const cap = `at most ${unitsText(perCallMicro)} a call`
  return [
    ...currencies,
    { to: lacking(spend, 'perCallMicro'), change: `no cap: ${cap}` },
    ...microNeighbours(perCallMicro).map((next) => ({
      to: { ...spend, perCallMicro: next },
      change: `${cap}; now: ${unitsText(next)}`,
    })),
  ]
}

export function readingEdits(readings: readonly Reading[]): readonly Edit<readonly Reading[]>[] {
  return each(readings, (reading) => {
    const { counter, spans } = reading
    const step = typeof counter.measure === 'object' && 'step' in counter.measure ? counter.measure.step : 1
    return within(
      each(spans, (span) => spanEdits(span, counter, step)),
      (to) => ({ ...reading, spans: to }),
    )
  })
}

function spanEdits(span: Span, counter: Counter, step: number): readonly Edit<Span>[] {
  return (['min', 'max'] as const).flatMap((key) => {
    const bound = span[key]
    if (bound === undefined) return []
    const next = isSpend(counter) ? microNeighbours(bound) : [bound - step, bound + step].filter((one) => one >= 0)
    const least = key === 'min' ? 'least' : 'most'
    return next.map((to) => ({
      to: { ...span, [key]: to },
      change: `counter \`${counter.id}\` at ${least} ${maxText(counter, bound)}; now: ${maxText(counter, to)}`,
    }))
  })
}

/** What a counter counts is changed wherever the policy names it: the file says it once. */
export function counterEdits(policy: AllPolicy): readonly Edit<AllPolicy>[] {
  const rules = policy.entries.flatMap((entry) => entry.rules)
  const limited = rules.flatMap((rule) => rule.limits.map((limit) => [limit.counter.id, { limit, rule }] as const))
  return [...new Map(limited.toReversed()).values()].toReversed().flatMap(({ limit, rule }) => {
    const { counter } = limit
    const windows = windowsBeside(counter.window).map((window) => ({
      to: { ...counter, window },
      change: `${limitText(limit)}; now: ${windowWords(window)}`,
    }))
    const apart = fewerPer(counter).map((edit) => ({ ...edit, change: `${limitText(limit)}; ${edit.change}` }))
    const edits = within([...windows, ...apart], (to) => to, limit)
    return within(edits, (to) => withCounter(policy, to), rule)
  })
}

function fewerPer(counter: Counter): readonly Edit<Counter>[] {
  return within(
    without(counter.per, (per) => `now all of them together, not by ${perText(per)}`),
    (per) => ({ ...counter, per }),
  )
}

/** The id stays: a mutant has a ledger of its own, and whatever reads the counter has to find it. */
function withCounter(policy: AllPolicy, to: Counter): AllPolicy {
  const isIt = ({ counter }: { readonly counter: Counter }) => counter.id === to.id
  const changed = <T extends { readonly counter: Counter }>(one: T): T => (isIt(one) ? { ...one, counter: to } : one)
  const inRule = (rule: Rule): Rule => {
    const { limits, readings } = rule
    if (![...limits, ...(readings ?? [])].some(isIt)) return rule
    return { ...rule, limits: limits.map(changed), ...(readings && { readings: readings.map(changed) }) }
  }
  const inEntry = (entry: Entry): Entry => {
    const rules = entry.rules.map(inRule)
    return rules.every((rule, index) => rule === entry.rules[index]) ? entry : { ...entry, rules }
  }
  return { ...policy, entries: policy.entries.map(inEntry) }
}

const units: readonly CalendarUnit[] = ['second', 'minute', 'hour', 'day', 'week', 'month']

/** The next shorter and the next longer one. */
function windowsBeside(window: Window): readonly Window[] {
  switch (window.kind) {
    case 'total':
      return [{ kind: 'fixed', unit: 'month' }]
    case 'sliding':
      return [
        { kind: 'sliding', ms: Math.max(1, Math.floor(window.ms / 2)) },
        { kind: 'sliding', ms: 2 * window.ms },
      ]
    case 'fixed': {
      const at = units.indexOf(window.unit)
      const beside = [units[at - 1], units[at + 1]].flatMap((unit) =>
        unit === undefined ? [] : [{ kind: 'fixed', unit } as const],
      )
      return window.unit === 'month' ? [...beside, { kind: 'total' }] : beside
    }
  }
  return window satisfies never
}

function limitText({ counter, max }: Limit): string {
  const calls = isSpend(counter) ? '' : max === 1 ? ' call' : ' calls'
  return `at most ${maxText(counter, max)}${calls} ${windowWords(counter.window)}`
}

function maxText(counter: Counter, max: number): string {
  return isSpend(counter) ? unitsText(max) : String(max)
}

function windowWords(window: Window): string {
  if (window.kind === 'fixed') return `${window.unit === 'hour' ? 'an' : 'a'} ${window.unit}`
  return window.kind === 'sliding' ? `in ${window.ms / 1_000} s` : 'in total'
}

function isSpend({ measure }: Counter): boolean {
  return typeof measure === 'object' && 'amount' in measure
}
