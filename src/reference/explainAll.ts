/** Why an `all` policy decides as it does: every question of every rule that speaks of the target, up to the one that stops. */
import type { Input } from '../model/call.ts'
import { binds, callerFields, callersText, listsFor } from '../model/callers.ts'
import type { Json } from '../model/canonical.ts'
import { type Check, checksOf, type Question } from '../model/checks.ts'
import { chargeOf } from '../model/counters.ts'
import { unitsText } from '../model/decimal.ts'
import { valueAt } from '../model/input.ts'
import { matchingEntries } from '../model/match.ts'
import {
  type AllPolicy,
  type Condition,
  type Counter,
  type Entry,
  type Path,
  pathText,
  type Rule,
} from '../model/policy.ts'
import { targetOf } from '../model/target.ts'
import { calendarEnd } from '../model/time.ts'
import { isApproved, stops } from './all.ts'
import { allText, conditionText } from './conditionText.ts'
import type { Beside, Seen, Step } from './explain.ts'
import { all, type Truth, truthOf } from './truth.ts'

export function explainAll(policy: AllPolicy, input: Input, beside: Beside): readonly Step[] {
  const { principal } = input
  const matching = matchingEntries(policy, targetOf(input))
  const entries = matching.filter((entry) => binds(entry, principal))
  const lister = entries.find((entry) => listsFor(entry, principal))
  const unlisted = policy.default === 'deny' && !lister
  const checks = checksOf(policy, entries)
  const stopping = unlisted ? undefined : checks.find((check) => stops(check, input))
  const last = stopping ? checks.indexOf(stopping) : unlisted ? -1 : checks.length
  const asked = checks.map((check, index) => checkStep(check, index <= last, check === stopping, input, beside))
  const listing = policy.default === 'deny' ? [listingStep(policy, input, lister, matching)] : []
  return [...listing, ...asked, ...(unlisted || stopping ? [] : [allowStep(lister)])]
}

/** `default: deny` asks first whether anything names the target. */
function listingStep(policy: AllPolicy, input: Input, lister: Entry | undefined, matching: readonly Entry[]): Step {
  const { method } = input
  const forOthers = matching.filter((entry) => entry.lists && entry.for)
  const decides = !lister
  const kind = method === 'tools/call' ? 'tool' : method === 'prompts/get' ? 'prompt' : 'resource'
  const others = policy.entries.filter((entry) => entry.method === method && entry.lists && !forOthers.includes(entry))
  return {
    rule: policy.defaultRule ?? 'default',
    ...(lister && { place: lister.place }),
    asks: `an entry names the ${kind}`,
    saw: lister
      ? [{ name: 'entry', value: lister.key }, ...seenCaller(lister, input)]
      : seenCaller({ for: forOthers.flatMap((entry) => entry.for ?? []) }, input),
    result: decides ? 'failed' : 'passed',
    decides,
    ...(decides && {
      otherwise: [
        ...forOthers.map((entry) => `a caller whom \`${entry.key}\` is for: ${callersText(entry.for ?? [])}`),
        others.length === 0
          ? `an entry for the ${kind}`
          : `a ${kind} that the policy names: ${shortList(others.map(({ key }) => key))}`,
      ],
    }),
  }
}

function allowStep(lister: Entry | undefined): Step {
  const rule = lister?.key ?? 'default'
  return {
    rule,
    ...(lister && { place: lister.place }),
    asks: 'nothing stopped the call',
    saw: [],
    result: 'passed',
    decides: true,
  }
}

function checkStep(check: Check, reached: boolean, decides: boolean, input: Input, beside: Beside): Step {
  const { question, rule } = check
  const { name, place } = rule
  const asks = asksText(check)
  if (!reached) return { rule: name, place, asks, saw: [], result: 'not_reached', decides: false }
  const saw = [...seenCaller(rule, input), ...(binds(rule, input.principal) ? seenBy(question, input, beside) : [])]
  if (!decides) return { rule: name, place, asks, saw, result: 'passed', decides }
  const result = truthAbout(question, input) === 'unclear' ? 'unclear' : 'failed'
  return {
    rule: name,
    place,
    asks,
    saw,
    result,
    decides,
    otherwise: [...otherwise(check, input, beside), ...others(rule)],
  }
}

function asksText(check: Check): string {
  const { for: callers } = check.rule
  return callers ? `for ${callersText(callers)}: ${questionText(check)}` : questionText(check)
}

/** Of the caller, what the rule is about. */
function seenCaller({ for: callers = [] }: Pick<Rule, 'for'>, { principal }: Input): readonly Seen[] {
  const asked = callerFields.filter((field) => callers.some((test) => test[field]))
  return asked.map((field) => {
    const value = principal[field]
    return { name: field, ...(value !== undefined && { value }) }
  })
}

export function questionText({ question, rule }: Check): string {
  switch (question.kind) {
    case 'holds':
      return conditionText(question.condition)
    case 'cleared': {
      const does = rule.effect === 'hold' ? 'a person approves' : rule.hides ? 'hidden' : 'refused'
      const when = [...question.conditions.map(conditionText), ...question.readings.map(readingText)]
      return when.length === 0 ? `${does}, always` : `${does} when ${when.join('; and ')}`
    }
    case 'reads':
      return readingText(question.reading)
    case 'amount':
      return `argument \`${pathText(question.amount)}\` is an amount: a number, zero or more`
    case 'currency':
      return `argument \`${pathText(question.path)}\` is one of ${question.allowed.join(', ')}`
    case 'per_call':
      return `argument \`${pathText(question.amount)}\` is at most ${unitsText(question.max)}`
    case 'room':
      return isSpend(question.counter)
        ? `at most ${unitsText(question.max)} ${spanText(question.counter)}`
        : `at most ${callsText(question.max)} ${spanText(question.counter)}`
  }
  return question satisfies never
}

export function readingText({ counter, spans }: Extract<Question, { kind: 'reads' }>['reading']): string {
  const show = isSpend(counter) ? unitsText : String
  const said = spans.map(({ min, max }) => {
    if (min === undefined) return `at most ${show(max ?? 0)}`
    return max === undefined ? `at least ${show(min)}` : `from ${show(min)} to ${show(max)}`
  })
  return `counter \`${counter.id}\` is ${said.length === 0 ? 'at no value' : said.join(' or ')} before the call`
}

function seenBy(question: Question, input: Input, beside: Beside): readonly Seen[] {
  switch (question.kind) {
    case 'holds':
      return [seenArgument(question.condition.path, input.arguments)]
    case 'cleared':
      return [
        ...question.conditions.map(({ path }) => seenArgument(path, input.arguments)),
        ...question.readings.map(({ counter }) => seenCounter(counter, input)),
        ...(question.hold !== undefined && isApproved(question.hold, input) ? [approvalSeen] : []),
      ]
    case 'reads':
      return [seenCounter(question.reading.counter, input)]
    case 'amount':
    case 'per_call':
      return [seenAmount(question.amount, input, beside)]
    case 'currency':
      return [seenArgument(question.path, input.arguments)]
    case 'room': {
      const { measure } = question.counter
      const amount =
        typeof measure === 'object' && 'amount' in measure ? [seenAmount(measure.amount, input, beside)] : []
      return [seenCounter(question.counter, input), ...amount]
    }
  }
  return question satisfies never
}

const approvalSeen: Seen = { name: 'the approval of a person', value: true }

function seenArgument(path: Path, args: Json): Seen {
  const value = valueAt(args, path)
  return { name: `argument \`${pathText(path)}\``, ...(value !== undefined && { value }) }
}

/** What counts is the amount that was read; where there is none, what the record has in its place. */
function seenAmount(path: Path, { amounts }: Input, beside: Beside): Seen {
  const text = pathText(path)
  const value = Object.hasOwn(amounts, text) ? units(amounts[text] as number) : valueAt(beside.arguments ?? null, path)
  return { name: `argument \`${text}\``, ...(value !== undefined && { value }) }
}

function seenCounter(counter: Counter, { facts }: Input): Seen {
  const name = `counter \`${counter.id}\``
  if (!Object.hasOwn(facts, counter.id)) return { name }
  const used = facts[counter.id] as number
  return { name, value: isSpend(counter) ? units(used) : used }
}

/** Is what is there no answer at all? Only of questions that are about conditions. */
function truthAbout(question: Question, input: Input): Truth {
  if (question.kind === 'holds') return truthOf(question.condition, input.arguments, 'require')
  if (question.kind !== 'cleared') return 'no'
  return all(question.conditions.map((condition) => truthOf(condition, input.arguments, 'stop')))
}

function others({ for: callers }: Rule): readonly string[] {
  return callers ? [`a caller who is proved to be none of: ${callersText(callers)}`] : []
}

function otherwise(check: Check, input: Input, beside: Beside): readonly string[] {
  const { question, rule } = check
  switch (question.kind) {
    case 'holds':
      return [conditionText(question.condition)]
    case 'cleared':
      return rule.effect === 'hold'
        ? ['approval by a person', ...clearings(question, input)]
        : [
            ...clearings(question, input),
            ...(hasConditions(question) ? [] : ['nothing in the call: the rule is for every call']),
          ]
    case 'reads':
      return [readingText(question.reading)]
    case 'amount':
    case 'currency':
    case 'per_call':
      return [questionText(check)]
    case 'room':
      return rooms(question.counter, question.max, input, beside)
  }
  return question satisfies never
}

/** A rule that stops is cleared by proof that one of its conditions fails. */
function clearings({ conditions, readings }: Extract<Question, { kind: 'cleared' }>, input: Input): readonly string[] {
  const failing = (condition: Condition) => {
    const missing = truthOf(condition, input.arguments, 'stop') === 'unclear' ? ' (now it cannot be told)' : ''
    return `proof that this does not hold: ${allText([condition])}${missing}`
  }
  return [...conditions.map(failing), ...readings.map((reading) => `that this does not hold: ${readingText(reading)}`)]
}

function hasConditions({ conditions, readings }: Extract<Question, { kind: 'cleared' }>): boolean {
  return conditions.length + readings.length > 0
}

/** Room for the call: a smaller amount, or a later time. */
function rooms(counter: Counter, max: number, input: Input, beside: Beside): readonly string[] {
  const used = Object.hasOwn(input.facts, counter.id) ? input.facts[counter.id] : undefined
  if (used === undefined)
    return [
      `plain values to count by: ${counter.per.map(({ kind, ...of }) => ('path' in of ? `argument \`${pathText(of.path)}\`` : kind)).join(', ')}`,
    ]
  const charge = chargeOf(counter, input.amounts)
  const { measure } = counter
  const spend = typeof measure === 'object' && 'amount' in measure ? measure : undefined
  if (spend && charge === undefined)
    return [`argument \`${pathText(spend.amount)}\` is an amount: a number, zero or more`]
  const left = max - used
  const smaller =
    spend && left > 0
      ? [
          `argument \`${pathText(spend.amount)}\` is at most ${unitsText(left)}, what is left of the ${unitsText(max)} ${spanText(counter)}`,
        ]
      : []
  const later = charge !== undefined && charge <= max ? laterText(counter, input, beside) : []
  const none = [
    `nothing: ${spend ? unitsText(max) : callsText(max)} ${spanText(counter)} ${spend ? 'is' : 'are'} all there is`,
  ]
  return smaller.length + later.length === 0 ? none : [...smaller, ...later]
}

/** When there is room again, as the ledger says; else when a window of the calendar ends. */
function laterText({ window }: Counter, { time }: Input, { retryAfterMs }: Beside): readonly string[] {
  const at = Date.parse(time)
  if (retryAfterMs !== undefined)
    return [`a call from ${new Date(at + retryAfterMs).toISOString()} on, when there is room again`]
  if (window.kind === 'fixed')
    return [
      `a call from ${new Date(calendarEnd(window.unit, at)).toISOString()} on, when the next ${window.unit} begins`,
    ]
  return window.kind === 'sliding' ? [`a call when enough of the last ${window.ms / 1_000} s has passed`] : []
}

function units(micro: number): number {
  return Number(unitsText(micro))
}

function isSpend({ measure }: Counter): boolean {
  return typeof measure === 'object' && 'amount' in measure
}

function spanText({ window }: Counter): string {
  if (window.kind === 'fixed') return `this ${window.unit}`
  return window.kind === 'sliding' ? `in ${window.ms / 1_000} s` : 'in total'
}

function callsText(count: number): string {
  return `${count} ${count === 1 ? 'call' : 'calls'}`
}

const shownMax = 8

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, shownMax).map((name) => `\`${name}\``)
  return `${shown.join(', ')}${names.length > shownMax ? ` and ${names.length - shownMax} more` : ''}`
}
