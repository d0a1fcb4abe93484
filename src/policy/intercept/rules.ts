/** A rule of an Intercept file, as a rule of the model. */
import { approvalTimeoutMsMax, microMax, microPerUnit } from '../../model/limits.ts'
import { type Counter, counterId, type Limit, type Reading, type Rule } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import { choice, type Field, type FieldsOf, type Filled, type Located, listOf, record } from '../forms.ts'
import { argumentsForm, conditionsOf } from '../native/arguments.ts'
import { spendForm, spendOf } from '../native/spend.ts'
import { label, text } from '../scalars.ts'
import { type Asked, askedBy, type Bound, conditionForm, spansOf } from './conditions.ts'
import { goDuration } from './durations.ts'
import { type Rate, rate, windowOf } from './rates.ts'
import { type Counters, declareState, nameOf, stateForm } from './state.ts'

export const ruleKeys = {
  name: { form: label, about: 'What decisions and records call the rule; its place in the file if not given.' },
  action: {
    form: choice('evaluate', 'allow', 'deny', 'require_approval'),
    about:
      '`evaluate`, if not given, and `allow`: a call must meet the rule. `deny`: no call passes. `require_approval`: calls that meet the conditions wait for a person.',
  },
  conditions: {
    form: listOf(conditionForm, 'a list of conditions', 0),
    about: 'What must hold, all of it; with `action: require_approval`, when a person is asked.',
  },
  state: { form: stateForm, about: 'What the rule counts; the conditions say how much of it there may be.' },
  rate_limit: { form: rate, about: 'How many calls in a minute, an hour or a day.' },
  spend: { form: spendForm, about: 'Caps on the amount that calls name, as in the native language.' },
  arguments: { form: argumentsForm, about: 'What the arguments must be, as in the native language.' },
  approval_timeout: {
    form: goDuration(1_000, approvalTimeoutMsMax),
    about: 'How long a person has to answer. Only with `action: require_approval`.',
  },
  on_deny: { form: text, about: 'What a refused caller is told.' },
} as const

export const ruleForm = record('a rule: a map of what must hold', ruleKeys, { owner: 'a rule' })

export type WrittenRule = Filled<FieldsOf<typeof ruleKeys>>

export interface RuleContext {
  /** The tool, or `*`. */
  readonly tool: string
  readonly index: number
  readonly counters: Counters
  /** Of the file, for rules that say none. */
  readonly approvalTimeoutMs: number | undefined
  readonly report: Report
}

/** The counters of a rule, which must all be known before a condition can be read. */
export function declareCounters({ fields }: WrittenRule, tool: string, counters: Counters, report: Report): void {
  const limit = rateLimitOf(fields)
  if (fields.state?.value && !fields.rate_limit) declareState(fields.state.value, tool, counters, report)
  if (!limit?.value) return
  const { window } = limit.value
  counters.declare(nameOf(tool, `_rate_${window}`), rateCounter(tool, limit.value), `a limit per ${window}`, limit.at)
}

/** A `rate_limit` beside what it must not stand with counts nothing: that is told, and nothing follows from it. */
function rateLimitOf({ rate_limit: limit, action, conditions, state }: WrittenRule['fields']): Field<Rate> | undefined {
  if (conditions?.value?.length || state) return undefined
  return action?.value === 'deny' || action?.value === 'require_approval' ? undefined : limit
}

/** As the native language counts, so that the count stays when a file is rewritten. */
function rateCounter(tool: string, { window }: Rate): Counter {
  const unit = windowOf(window)
  return { id: counterId(tool, 'calls', unit, []), measure: 'calls', window: unit, per: [] }
}

export interface ReadRule {
  readonly rule: Rule
  readonly limits: readonly Located<Limit>[]
}

const effects = { evaluate: 'require', allow: 'require', deny: 'deny', require_approval: 'hold' } as const
type Action = keyof typeof effects

export function ruleOf(written: WrittenRule, context: RuleContext): ReadRule {
  const { fields, at } = written
  const { tool, index, report } = context
  const action = fields.action ? fields.action.value : 'evaluate'
  if (action) reportMisplaced(written, action, report)
  const effect = effects[action ?? 'evaluate']
  const asked = (fields.conditions?.value ?? []).flatMap(({ value }) => askedBy(value, report) ?? [])
  const own = ownCounter(written, context)
  const bound = own && boundOf(asked, own.name)
  const readings = readingsOf(asked, bound, context)
  const spend = fields.spend?.value && spendOf(fields.spend.value, tool, [], report)
  const limits = [...(spend?.limits ?? []), ...rateLimit(written, tool), ...ownLimit(written, own, bound, report)]
  const amount = own && own.counter.measure !== 'calls' && 'amount' in own.counter.measure && own.counter.measure.amount
  const name = fields.name?.value ?? `${tool}.rules[${index}]`
  const timeout = fields.approval_timeout?.value ?? context.approvalTimeoutMs
  const onDeny = fields.on_deny?.value ?? denial(written, name, effect)
  const rule: Rule = {
    name,
    effect,
    conditions: [
      ...asked.flatMap((one) => (one.about === 'argument' ? [one.condition] : [])),
      ...conditionsOf(fields.arguments?.value ?? [], effect, report),
    ],
    ...(readings.length > 0 && { readings }),
    ...(spend ? { spend: spend.spend } : amount && { spend: { amount } }),
    limits: effect === 'require' ? limits.map(({ value }) => value) : [],
    ...(effect === 'hold' && timeout !== undefined && { approvalTimeoutMs: timeout }),
    ...(onDeny !== undefined && { onDeny }),
    place: { file: report.file, line: at.line, col: at.col },
  }
  return { rule, limits }
}

/** Intercept's own words, where the file has none. A call that is held is not denied. */
function denial({ fields }: WrittenRule, name: string, effect: Rule['effect']): string | undefined {
  const limit = fields.rate_limit?.value
  if (limit && !fields.spend && !fields.arguments)
    return `Rate limit of ${limit.max} per ${limit.window} reached. Try again later.`
  const refuses = effect === 'deny' || (effect === 'require' && fields.conditions !== undefined)
  return refuses ? `Denied by rule ${JSON.stringify(name)}` : undefined
}

interface Own {
  readonly name: string
  readonly counter: Counter
}

function ownCounter({ fields }: WrittenRule, { tool, counters }: RuleContext): Own | undefined {
  const written = fields.state?.value?.fields.counter?.value
  if (written === undefined) return undefined
  const name = nameOf(tool, written)
  const counter = counters.named(name)
  return counter && { name, counter }
}

type OnCounter = Extract<Asked, { about: 'counter' }>

/** The first `lt` or `lte` on the rule's own counter is its limit. */
function boundOf(asked: readonly Asked[], name: string): OnCounter | undefined {
  return asked.find(
    (one): one is OnCounter =>
      one.about === 'counter' && one.name === name && (one.wanted.op === 'lt' || one.wanted.op === 'lte'),
  )
}

/** The limit is no reading: it leaves room, or it does not. Only one that not even 0 meets refuses before it counts. */
function readingsOf(asked: readonly Asked[], bound: Asked | undefined, { counters, report }: RuleContext): Reading[] {
  return asked.flatMap((one) => {
    if (one.about === 'argument') return []
    const counter = counters.named(one.name)
    if (!counter) {
      report.error(one.at, 'wrong_value', `no \`state\` counts ${quote(one.name)}${counters.hintFor(one.name)}`)
      return []
    }
    const spans = spansOf(one.wanted, isAmount(counter))
    const reachable = spans.some(({ min = 0, max = 0 }) => min <= 0 && max >= 0)
    return one === bound && reachable ? [] : [{ counter, spans }]
  })
}

function isAmount({ measure }: Counter): boolean {
  return measure !== 'calls' && 'amount' in measure
}

function rateLimit({ fields }: WrittenRule, tool: string): readonly Located<Limit>[] {
  const limit = rateLimitOf(fields)
  if (!limit?.value) return []
  return [{ value: { counter: rateCounter(tool, limit.value), max: limit.value.max }, at: limit.at }]
}

/** `lt: 10` has room for 9, `lte: 10` for 10. Without one of them the counter never counts. */
function ownLimit(
  { fields }: WrittenRule,
  own: Own | undefined,
  bound: OnCounter | undefined,
  report: Report,
): readonly Located<Limit>[] {
  const counter = fields.state?.value?.fields.counter
  if (!own || !counter) return []
  if (!bound) {
    const see = 'conditions that read it see 0'
    const words = `nothing is counted in ${quote(own.name)}, here as in Intercept: no \`lt\` or \`lte\` of this rule bounds it, and ${see}`
    report.warning(counter.at, 'never_counts', words)
    return []
  }
  const { op, value } = bound.wanted as { op: Bound; value: number }
  const whole = Math.trunc(value) - (op === 'lt' ? 1 : 0)
  if (whole < 1)
    report.warning(bound.at, 'never_counts', `there is room for ${Math.max(0, whole)} here: no call passes`)
  const max = isAmount(own.counter) ? whole * microPerUnit : whole
  if (max > microMax) {
    const most = isAmount(own.counter) ? Math.floor(microMax / microPerUnit) : microMax
    report.warning(bound.at, 'never_binds', `counters reach ${most}: what goes above it is refused`)
  }
  return [{ value: { counter: own.counter, max: Math.max(-1, Math.min(microMax, max)) }, at: bound.at }]
}

type RuleKey = keyof typeof ruleKeys

/** Keys that mean nothing beside others, or contradict them. */
function reportMisplaced(written: WrittenRule, action: Action, report: Report): void {
  const { fields } = written
  const refuse = (key: RuleKey, why: string) => {
    const field = fields[key]
    if (field) report.error(field.keyAt, 'misplaced_key', `\`${key}\` ${why}`)
  }
  const conditions = fields.conditions?.value?.length !== 0 && fields.conditions
  if (fields.rate_limit && (conditions || fields.state) && action !== 'deny')
    refuse('rate_limit', 'stands in a rule of its own, not beside `conditions` or `state`')
  if (fields.spend && fields.state) refuse('state', 'stands in a rule of its own, not beside `spend`')
  if (action !== 'require_approval') refuse('approval_timeout', 'stands only with `action: require_approval`')
  if (action === 'deny' || action === 'require_approval')
    for (const key of ['rate_limit', 'spend'] as const) refuse(key, `says nothing with \`action: ${action}\``)
  if (action === 'require_approval')
    refuse('state', 'says nothing with `action: require_approval`: a held call counts nothing')
  if (action === 'deny') {
    if (conditions) refuse('conditions', 'says nothing with `action: deny`: the rule denies every call')
    refuse('arguments', 'says nothing with `action: deny`: the rule denies every call')
    if (fields.state)
      report.warning(fields.state.keyAt, 'says_nothing', '`state` counts nothing: the rule denies every call')
  }
  if (effects[action] === 'require') reportNothing(written, action, report)
}

function reportNothing({ fields, at, misspelt }: WrittenRule, action: Action, report: Report): void {
  const { conditions, rate_limit: limit, spend, arguments: args, state } = fields
  if (limit || spend || args || misspelt) return
  if (conditions && conditions.value?.length !== 0) return
  if (action === 'allow' && !state) {
    const words = 'a rule with `action: allow` alone asks nothing: every call meets it'
    report.warning(fields.action?.keyAt ?? at, 'says_nothing', words)
    return
  }
  report.error(
    at,
    'says_nothing',
    'a rule needs at least one condition, a `rate_limit`, `spend`, `arguments` or another `action`',
  )
}
