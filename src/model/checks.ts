/**
 * A rule of an `all` policy taken apart into what can stop a call, in the order in which it is asked. The reference evaluator and the code
 * generator walk the same list, so that both name the same rule with the same words.
 */

import { unitsText } from './decimal.ts'
import type { Verdict } from './decision.ts'
import { holdOfRule } from './holds.ts'
import type { AllPolicy, Condition, Counter, Entry, Method, Path, Reading, Rule, Test } from './policy.ts'
import { pathText } from './policy.ts'
import type { ReasonCode } from './reasons.ts'

/** One question. `stop` is the verdict, still without its risk, when the answer is not a proved yes. */
export interface Check {
  readonly question: Question
  readonly stop: Verdict
  readonly entry: Entry
  readonly rule: Rule
}

export type Question =
  /** The condition holds. */
  | { readonly kind: 'holds'; readonly condition: Condition }
  /** Some condition is proved to fail: the deny or hold rule does not apply. */
  | {
      readonly kind: 'cleared'
      readonly conditions: readonly Condition[]
      readonly readings: readonly Reading[]
      /** A hold rule does not apply either when what it holds was approved. */
      readonly hold?: string
    }
  /** What was counted before this call is what the rule wants. */
  | { readonly kind: 'reads'; readonly reading: Reading }
  /** The amount is one we can count. */
  | { readonly kind: 'amount'; readonly amount: Path }
  | { readonly kind: 'currency'; readonly path: Path; readonly allowed: readonly string[] }
  | { readonly kind: 'per_call'; readonly amount: Path; readonly max: number }
  /** The counter has room for this call. */
  | { readonly kind: 'room'; readonly counter: Counter; readonly max: number }

/** Everything that can stop a call of a target that these entries match: what denies first, what holds last. */
export function checksOf(policy: AllPolicy, entries: readonly Entry[]): readonly Check[] {
  const checks = entries.flatMap((entry) =>
    entry.rules.flatMap((rule) =>
      questionsOf(rule, policy, entry).map((question) => check(policy, entry, rule, question)),
    ),
  )
  const denying = checks.filter((c) => c.stop.decision === 'deny')
  return [...inOrder(policy, denying), ...checks.filter((c) => c.stop.decision === 'hold')]
}

function inOrder({ counting }: AllPolicy, checks: readonly Check[]): readonly Check[] {
  if (counting !== 'last') return checks
  return [...checks.filter(({ question }) => !counts(question)), ...checks.filter(({ question }) => counts(question))]
}

/** Is it about what this call adds to a counter? */
function counts({ kind }: Question): boolean {
  return kind === 'amount' || kind === 'currency' || kind === 'per_call' || kind === 'room'
}

/** The verdict for a target that the policy does not list, under `default: deny`. */
export function unlistedVerdict(policy: AllPolicy, method: Method): Verdict {
  const code: ReasonCode =
    method === 'tools/call'
      ? 'TOOL_NOT_ALLOWED'
      : method === 'prompts/get'
        ? 'PROMPT_NOT_ALLOWED'
        : 'RESOURCE_NOT_ALLOWED'
  const kind = method === 'tools/call' ? 'tool' : method === 'prompts/get' ? 'prompt' : 'resource'
  return {
    decision: 'deny',
    reason_code: policy.reasonCodes.block ?? code,
    rule: policy.defaultRule ?? 'default',
    message: `this ${kind} is not on the list of what may be used`,
  }
}

/** The verdict when nothing stops the call. `lister` is the first entry that lists its target, if one does. */
export function allowVerdict(policy: AllPolicy, lister?: Entry): Verdict {
  return {
    decision: 'allow',
    reason_code: policy.reasonCodes.allow ?? 'ALLOW',
    rule: lister?.key ?? 'default',
    message: 'every rule passed',
  }
}

function questionsOf(rule: Rule, policy: AllPolicy, entry: Entry): readonly Question[] {
  const { conditions, readings = [] } = rule
  if (rule.effect === 'deny') return [{ kind: 'cleared', conditions, readings }]
  if (rule.effect === 'hold')
    return [{ kind: 'cleared', conditions, readings, hold: holdOfRule(policy.id, entry, rule) }]
  const spend: Question[] = []
  if (rule.spend) {
    spend.push({ kind: 'amount', amount: rule.spend.amount })
    if (rule.spend.currency) spend.push({ kind: 'currency', ...rule.spend.currency })
    if (rule.spend.perCallMicro !== undefined)
      spend.push({ kind: 'per_call', amount: rule.spend.amount, max: rule.spend.perCallMicro })
  }
  return [
    ...conditions.map((condition): Question => ({ kind: 'holds', condition })),
    ...readings.map((reading): Question => ({ kind: 'reads', reading })),
    ...spend,
    ...rule.limits.map(({ counter, max }): Question => ({ kind: 'room', counter, max })),
  ]
}

function check(policy: AllPolicy, entry: Entry, rule: Rule, question: Question): Check {
  const holds = rule.effect === 'hold'
  const code = codeOf(question, rule)
  const stop: Verdict = {
    decision: holds ? 'hold' : 'deny',
    reason_code: holds ? code : (policy.reasonCodes.block ?? code),
    rule: rule.name,
    message: rule.onDeny ?? sentence(question, rule),
    ...(question.kind === 'room' && { counter: question.counter.id }),
    ...(question.kind === 'cleared' && question.hold !== undefined && { hold: question.hold }),
    ...(holds && rule.approvalTimeoutMs !== undefined && { approval_timeout_ms: rule.approvalTimeoutMs }),
    ...(holds && rule.approvalWaitMs !== undefined && { approval_wait_ms: rule.approvalWaitMs }),
    ...(holds && rule.approvalQuorum !== undefined && { approval_quorum: rule.approvalQuorum }),
    ...(holds && rule.approvalNotRequester && { approval_not_requester: true }),
  }
  return { question, stop, entry, rule }
}

function codeOf(question: Question, rule: Rule): ReasonCode {
  switch (question.kind) {
    case 'holds':
      return 'ARGUMENT_REJECTED'
    case 'cleared':
      return rule.effect === 'hold' ? 'APPROVAL_REQUIRED' : rule.hides ? 'TOOL_HIDDEN' : 'DENIED_BY_RULE'
    case 'reads':
      return 'COUNTER_REJECTED'
    case 'amount':
      return 'AMOUNT_INVALID'
    case 'currency':
      return 'CURRENCY_NOT_ALLOWED'
    case 'per_call':
      return 'SPEND_PER_CALL_EXCEEDED'
    case 'room':
      return isSpend(question.counter) ? 'SPEND_LIMIT_EXCEEDED' : 'RATE_LIMITED'
  }
  return question satisfies never
}

function sentence(question: Question, rule: Rule): string {
  switch (question.kind) {
    case 'holds':
      return `argument \`${pathText(question.condition.path)}\` ${demand(question.condition.test)}`
    case 'cleared':
      return rule.effect === 'hold' ? 'a person has to approve this call' : 'this call is not allowed'
    case 'reads':
      return 'the calls made before this one do not allow it'
    case 'amount':
      return `argument \`${pathText(question.amount)}\` must be an amount: a number, zero or more`
    case 'currency':
      return `argument \`${pathText(question.path)}\` must be one of ${question.allowed.join(', ')}`
    case 'per_call':
      return `the amount is over the cap of ${unitsText(question.max)} for one call`
    case 'room':
      return roomSentence(question.counter, question.max)
  }
  return question satisfies never
}

function roomSentence(counter: Counter, max: number): string {
  const window = counter.window
  const span =
    window.kind === 'fixed'
      ? `this ${window.unit}`
      : window.kind === 'sliding'
        ? `the last ${window.ms / 1000} s`
        : 'in total'
  return isSpend(counter)
    ? `the cap of ${unitsText(max)} would be exceeded (${span})`
    : `the limit of ${max} ${max === 1 ? 'call' : 'calls'} is reached (${span})`
}

function isSpend({ measure }: Counter): boolean {
  return measure !== 'calls' && 'amount' in measure
}

function demand(test: Test): string {
  switch (test.kind) {
    case 'present':
      return 'is required'
    case 'absent':
      return 'must not be given'
    case 'type':
      return `must be of type ${test.types.join(' or ')}`
    case 'enum':
      return `must be one of ${test.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'range':
      return `must be a number ${limits(test)}`
    case 'length':
      return `must have a length ${between(test.min, test.max)}`
    case 'prefix':
      return `must begin with ${JSON.stringify(test.prefix)}`
    case 'pattern':
    case 'search':
      return 'must have the required form'
    case 'exists':
      return test.there ? 'is required' : 'must not be given'
    case 'one_of':
      return `must ${test.negated ? 'not ' : ''}be one of ${test.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'contains':
      return 'does not contain what it must'
    case 'each':
      return 'has an element that is not allowed'
    case 'any':
      return 'has no element of the required kind'
  }
  return test satisfies never
}

function limits({ min, max, above, below }: Extract<Test, { kind: 'range' }>): string {
  if (above === undefined && below === undefined) return between(min, max)
  const bounds = [
    ...(min === undefined ? [] : [`of at least ${min}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(max === undefined ? [] : [`of at most ${max}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ]
  return bounds.join(' and ')
}

function between(min?: number, max?: number): string {
  if (min === undefined) return `of at most ${max}`
  return max === undefined ? `of at least ${min}` : min === max ? `of exactly ${min}` : `from ${min} to ${max}`
}
