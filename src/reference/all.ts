/** What an `all` policy means, on one page. */
import type { Input } from '../model/call.ts'
import { binds, listsFor } from '../model/callers.ts'
import { allowVerdict, type Check, checksOf, type Question, unlistedVerdict } from '../model/checks.ts'
import { chargeOf } from '../model/counters.ts'
import type { Verdict } from '../model/decision.ts'
import { valueAt } from '../model/input.ts'
import { matchingEntries } from '../model/match.ts'
import { type AllPolicy, type Counter, pathText, type Reading } from '../model/policy.ts'
import { riskOf, withRisk } from '../model/risk.ts'
import { targetOf } from '../model/target.ts'
import { all, type Truth, truthOf, within } from './truth.ts'

/** Every rule of every matching entry must pass; the first that does not is named; holds come after denials. */
export function evaluateAll(policy: AllPolicy, input: Input): Verdict {
  const { principal } = input
  const entries = matchingEntries(policy, targetOf(input)).filter((entry) => binds(entry, principal))
  const lister = entries.find((entry) => listsFor(entry, principal))
  const risk = riskOf(entries)
  if (policy.default === 'deny' && !lister) return withRisk(unlistedVerdict(policy, input.method), risk)
  const stopping = checksOf(policy, entries).find((check) => stops(check, input))
  return withRisk(stopping?.stop ?? allowVerdict(policy, lister), risk)
}

/** A rule that is for others is not asked. */
export function stops({ question, rule }: Check, input: Input): boolean {
  return binds(rule, input.principal) && !passes(question, input)
}

/** Is the answer a proved yes? */
export function passes(question: Question, input: Input): boolean {
  switch (question.kind) {
    case 'holds':
      return truthOf(question.condition, input.arguments, 'require') === 'yes'
    case 'cleared':
      if (question.hold !== undefined && isApproved(question.hold, input)) return true
      return (
        all([
          ...question.conditions.map((condition) => truthOf(condition, input.arguments, 'stop')),
          ...question.readings.map((reading) => readingTruth(reading, input)),
        ]) === 'no'
      )
    case 'reads':
      return readingTruth(question.reading, input) === 'yes'
    case 'amount':
      return amount(input, question.amount) !== undefined
    case 'currency':
      return question.allowed.some((code) => code === valueAt(input.arguments, question.path))
    case 'per_call':
      return atMost(amount(input, question.amount), question.max)
    case 'room': {
      const { counter, max } = question
      return atMost(sum(used(input, counter), chargeOf(counter, input.amounts)), max)
    }
  }
  return question satisfies never
}

/** A person approved what this rule holds, for this very call. */
export function isApproved(hold: string, { approved = [] }: Input): boolean {
  return approved.includes(hold)
}

export function readingTruth({ counter, spans }: Reading, input: Input): Truth {
  const value = used(input, counter)
  if (value === undefined) return 'unclear'
  return spans.some((span) => within(value, span)) ? 'yes' : 'no'
}

function used({ facts }: Input, { id }: Counter): number | undefined {
  return Object.hasOwn(facts, id) ? facts[id] : undefined
}

function amount(input: Input, path: readonly string[]): number | undefined {
  const key = pathText(path)
  return Object.hasOwn(input.amounts, key) ? input.amounts[key] : undefined
}

function sum(used: number | undefined, charge: number | undefined): number | undefined {
  return used === undefined || charge === undefined ? undefined : used + charge
}

function atMost(value: number | undefined, max: number): boolean {
  return value !== undefined && value <= max
}
