/** A rule of the native language, as a rule of the model. */

import { riskLevels } from '../../model/decision.ts'
import { approvalQuorumMax, approvalTimeoutMsMax, approvalWaitMsMax } from '../../model/limits.ts'
import {
  type Counter,
  type Limit,
  type Method,
  type Path,
  type PerField,
  pathText,
  type Reading,
  type Rule,
  type Spend,
} from '../../model/policy.ts'
import { quote, type Report, type Spot } from '../diagnostics.ts'
import { duration } from '../durations.ts'
import { choice, type FieldsOf, type Filled, flag, type Located, record } from '../forms.ts'
import { label, text, wholeNumber } from '../scalars.ts'
import { argumentsForm, conditionsOf } from './arguments.ts'
import { callersForm, scopeFor } from './callers.ts'
import { type Counters, countedForm, limitsForm, namedLimits, readingsOf } from './counters.ts'
import { per, reportArguments } from './per.ts'
import { rateLimit, rates } from './rates.ts'
import { spendForm, spendOf } from './spend.ts'

export const riskLevel = choice(...riskLevels)

export const ruleKeys = {
  name: { form: label, about: 'What decisions and records call the rule; its place in the file if not given.' },
  action: {
    form: choice('allow', 'deny', 'require_approval'),
    about:
      '`allow`, if not given: a call must meet the rule. `deny`, `require_approval`: what to do with a call the rule is about.',
  },
  for: { form: callersForm, about: 'Whom the rule is for; everybody if not given.' },
  arguments: { form: argumentsForm, about: 'What the arguments must be, by their paths.' },
  spend: { form: spendForm, about: 'Caps on the amount that calls name. Only with `action: allow`.' },
  rate_limit: { form: rates, about: 'How many calls in how much time. Only with `action: allow`.' },
  limits: {
    form: limitsForm,
    about: 'The most that named counters may reach with this call, which counts in them. Only with `action: allow`.',
  },
  counted: { form: countedForm, about: 'What named counters must stand at before the call.' },
  per: { form: per, about: 'What limits and spend are counted by; all calls together if not given.' },
  approval_timeout: {
    form: duration(1_000, approvalTimeoutMsMax),
    about: 'How long a person has to answer. Only with `action: require_approval`.',
  },
  approval_wait: {
    form: duration(1_000, approvalWaitMsMax),
    about:
      'How long the held call is kept open for the answer; it is refused at once if not given. Only with `action: require_approval`.',
  },
  approval_quorum: {
    form: wholeNumber(1, approvalQuorumMax),
    about: 'How many persons have to approve; one if not given. Only with `action: require_approval`.',
  },
  approval_not_requester: {
    form: flag,
    about: 'Whoever asked does not approve. Only with `action: require_approval`.',
  },
  risk_level: { form: riskLevel, about: 'The risk of the calls; the highest level that is named counts.' },
  on_deny: { form: text, about: 'What a refused caller is told.' },
  description: { form: text, about: 'For the readers of the file.' },
} as const

export const ruleForm = record('a rule: a map of what must hold', ruleKeys, { owner: 'a rule' })

export type WrittenRule = Filled<FieldsOf<typeof ruleKeys>>

/** Where a rule stands, and what it counts for. */
export interface RuleContext {
  readonly method: Method
  /** The key of its entry. */
  readonly key: string
  /** The name of the counters of its entry. */
  readonly scope: string
  readonly index: number
  readonly counters: Counters
  readonly report: Report
}

export interface ReadRule {
  readonly rule: Rule
  /** Those of the entry's own counters. */
  readonly limits: readonly Located<Limit>[]
}

const effects = { allow: 'require', deny: 'deny', require_approval: 'hold' } as const

export function ruleOf(written: WrittenRule, context: RuleContext): ReadRule {
  const { fields, at } = written
  const { report } = context
  const action = fields.action ? fields.action.value : 'allow'
  if (action) reportMisplaced(written, action, report)
  if (context.method === 'resources/read') reportResource(written, report)
  reportNothing(written, action, report)
  const effect = effects[action ?? 'allow']
  const by = fields.per?.value ?? []
  const scope = scopeFor(context.scope, fields.for?.value)
  const spend = fields.spend?.value && spendOf(fields.spend.value, scope, by, report)
  const limits = [...(spend?.limits ?? []), ...rateLimits(written, scope, by)]
  const named = namedLimits(fields.limits, context.counters, report)
  const readings = readingsOf(fields.counted, context.counters, report)
  for (const { value, at: limitAt } of [...limits, ...named]) report.locate(value, limitAt)
  const spent = spend?.spend ?? spendOfNamed(named)
  reportNamed(written, named, readings, spent, context)
  const rule: Rule = {
    name: fields.name?.value ?? `${context.key}.rules[${context.index}]`,
    effect,
    ...(fields.for?.value && { for: fields.for.value }),
    conditions: conditionsOf(fields.arguments?.value ?? [], effect, report),
    ...(readings.length > 0 && { readings }),
    ...(spent && { spend: spent }),
    limits: [...limits, ...named].map(({ value }) => value),
    ...(fields.approval_timeout?.value !== undefined && { approvalTimeoutMs: fields.approval_timeout.value }),
    ...(fields.approval_wait?.value !== undefined && { approvalWaitMs: fields.approval_wait.value }),
    ...(fields.approval_quorum?.value !== undefined && { approvalQuorum: fields.approval_quorum.value }),
    ...(fields.approval_not_requester?.value && { approvalNotRequester: true }),
    ...(fields.risk_level?.value && { riskLevel: fields.risk_level.value }),
    ...(fields.on_deny?.value !== undefined && { onDeny: fields.on_deny.value }),
    place: { file: report.file, line: at.line, col: at.col },
  }
  return { rule, limits }
}

function rateLimits({ fields }: WrittenRule, scope: string, by: readonly PerField[]): Located<Limit>[] {
  return (fields.rate_limit?.value ?? []).map(({ value, at }) => ({ value: rateLimit(value, scope, by), at }))
}

/** An amount that is counted is one that every call must have. */
function spendOfNamed(named: readonly Located<Limit>[]): Spend | undefined {
  const amount = named.map(({ value }) => amountOf(value.counter)).find((path) => path !== undefined)
  return amount && { amount }
}

function amountOf({ measure }: Counter): Path | undefined {
  return measure !== 'calls' && 'amount' in measure ? measure.amount : undefined
}

function reportNamed(
  { fields }: WrittenRule,
  named: readonly Located<Limit>[],
  readings: readonly Reading[],
  spend: Spend | undefined,
  { method, report }: RuleContext,
): void {
  for (const { value, at } of named) {
    const amount = amountOf(value.counter)
    if (amount && spend && pathText(amount) !== pathText(spend.amount))
      report.error(
        at,
        'contradiction',
        `a rule has one amount: this one is ${quote(pathText(amount))}, and ${quote(pathText(spend.amount))} is another`,
      )
  }
  if (method !== 'resources/read') return
  for (const { value, at } of named) reportArgumentsOf(value.counter, at, report)
  for (const { counter } of readings) if (fields.counted) reportArgumentsOf(counter, fields.counted.keyAt, report)
}

function reportArgumentsOf(counter: Counter, at: Spot, report: Report): void {
  if (amountOf(counter)) report.error(at, 'misplaced_key', 'a resource has no arguments, and so no amount to count')
  else reportArguments(counter.per, at, report)
}

type Action = keyof typeof effects
type RuleKey = keyof typeof ruleKeys

/** Keys that mean something with one action only. */
const only: readonly (readonly [RuleKey, Action])[] = [
  ['spend', 'allow'],
  ['rate_limit', 'allow'],
  ['limits', 'allow'],
  ['per', 'allow'],
  ['approval_timeout', 'require_approval'],
  ['approval_wait', 'require_approval'],
  ['approval_quorum', 'require_approval'],
  ['approval_not_requester', 'require_approval'],
]

function reportMisplaced({ fields }: WrittenRule, action: Action, report: Report): void {
  for (const [key, needed] of only) {
    const field = fields[key]
    if (field && action !== needed)
      report.error(
        field.keyAt,
        'misplaced_key',
        `\`${key}\` stands only with \`action: ${needed}\`, this rule has ${quote(action)}`,
      )
  }
  if (fields.per && action === 'allow' && !fields.spend && !fields.rate_limit)
    report.error(fields.per.keyAt, 'says_nothing', '`per` needs a `rate_limit` or a `spend` to count')
}

/** A resource is read by its URI alone. */
function reportResource({ fields }: WrittenRule, report: Report): void {
  for (const key of ['arguments', 'spend'] as const) {
    const field = fields[key]
    if (field)
      report.error(
        field.keyAt,
        'misplaced_key',
        `a resource has no arguments: \`${key}\` stands only in rules of tools and prompts`,
      )
  }
  if (fields.per?.value) reportArguments(fields.per.value, fields.per.at, report)
  for (const { value, at } of fields.rate_limit?.value ?? []) if (value.per) reportArguments(value.per, at, report)
}

const saying: readonly RuleKey[] = [
  'arguments',
  'spend',
  'rate_limit',
  'limits',
  'counted',
  'per',
  'approval_timeout',
  'approval_wait',
  'approval_quorum',
  'approval_not_requester',
  'risk_level',
]

function reportNothing({ fields, at, misspelt }: WrittenRule, action: Action | undefined, report: Report): void {
  if (misspelt || action !== 'allow' || saying.some((key) => Object.hasOwn(fields, key))) return
  const place: Spot = fields.action?.keyAt ?? at
  if (fields.action)
    report.warning(place, 'says_nothing', 'a rule with `action: allow` alone asks nothing: every call meets it')
  else
    report.error(
      place,
      'says_nothing',
      `a rule must ask something: one of ${['action', ...saying.slice(0, 3)].map(quote).join(', ')}`,
    )
}
