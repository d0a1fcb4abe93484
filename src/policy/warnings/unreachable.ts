/** Rules and entries that decide nothing, because of what stands beside them. */
import { globMatches } from '../../model/match.ts'
import type { AllPolicy, Entry, Method, Pattern, Rule, TargetPattern } from '../../model/policy.ts'
import { judgedMethods } from '../../model/policy.ts'
import { lineOf, quote, type Report } from '../diagnostics.ts'
import { comparedEntriesMax } from '../limits.ts'
import { isComparable, meetsAll, stopsAll } from './implied.ts'

export function reportUnreachable(policy: AllPolicy, report: Report): void {
  for (const entry of policy.entries) {
    const refusing = entry.rules.find(refusesAll)
    if (refusing) reportRefused(entry, refusing, report)
    else if (isComparable(entry.rules)) reportShadowed(entry, report)
  }
  reportCovered(policy.entries, report)
  if (policy.default === 'deny') for (const method of judgedMethods) reportUnlisted(policy.entries, method, report)
}

/** Of everybody whom the entry is for. */
function refusesAll({ effect, conditions, readings, for: callers }: Rule): boolean {
  return effect === 'deny' && conditions.length === 0 && readings === undefined && callers === undefined
}

/** What names a risk, or how a call is approved, says something even where it decides nothing. */
function onlyDecides(rule: Rule): boolean {
  const { riskLevel, approvalTimeoutMs, approvalWaitMs, approvalQuorum, approvalNotRequester } = rule
  const demands = [riskLevel, approvalTimeoutMs, approvalWaitMs, approvalQuorum, approvalNotRequester]
  return demands.every((said) => said === undefined)
}

function reportRefused({ key, rules }: Entry, refusing: Rule, report: Report): void {
  for (const rule of rules)
    if (rule !== refusing && onlyDecides(rule))
      report.warning(
        rule.place,
        'unreachable',
        `this rule decides nothing: the one on line ${refusing.place.line} refuses every call of ${quote(key)}`,
      )
}

function reportShadowed({ rules }: Entry, report: Report): void {
  for (const [index, rule] of rules.entries()) {
    if (!onlyDecides(rule)) continue
    const by = rule.effect === 'require' ? metBefore(rules, index) : stoppedBefore(rules, index)
    if (by) report.warning(rule.place, 'shadowed', shadowSentence(rule, by))
  }
}

/** Denials are asked before approvals, wherever they stand. */
function stoppedBefore(rules: readonly Rule[], index: number): Rule | undefined {
  const rule = rules[index] as Rule
  return rules.find((other, at) => {
    const isAsked = other.effect === rule.effect ? at < index : other.effect === 'deny' && rule.effect === 'hold'
    return isAsked && other.for === undefined && stopsAll(other, rule)
  })
}

/** Only a rule that asks for arguments and counts nothing can be met for sure. */
function metBefore(rules: readonly Rule[], index: number): Rule | undefined {
  const rule = rules[index] as Rule
  if (rule.conditions.length === 0 || rule.limits.length > 0 || rule.spend || rule.readings) return undefined
  const before = rules.slice(0, index)
  return before.find(
    (other) => other.effect === 'require' && other.for === undefined && meetsAll(other.conditions, rule.conditions),
  )
}

function shadowSentence(rule: Rule, { effect, place }: Rule): string {
  if (rule.effect === 'require')
    return `this rule refuses nothing: the one on line ${place.line} asks for as much before`
  const does = rule.effect === 'deny' ? 'refuses' : 'holds'
  const by = effect === 'deny' ? 'refused' : 'held'
  return `this rule decides nothing: what it ${does} is ${by} by the one on line ${place.line}`
}

/** There is no rule that overrides another, so an entry does not open what a wider one refuses. */
function reportCovered(entries: readonly Entry[], report: Report): void {
  const refusing = new Set(entries.filter(({ rules, for: callers }) => callers === undefined && rules.some(refusesAll)))
  const wider = [...refusing].filter(({ match }) => match.some(({ name }) => name.kind === 'glob'))
  for (const entry of entries) {
    if (refusing.has(entry)) continue
    const wide = wider
      .slice(0, comparedEntriesMax)
      .find(
        ({ method, match }) =>
          method === entry.method && entry.match.every((one) => match.some((other) => coversTarget(other, one))),
      )
    if (wide)
      report.warning(
        entry.place,
        'unreachable',
        `nothing here allows a call: ${quote(wide.key)} on ${lineOf(wide.place, entry.place)} refuses all that ${quote(entry.key)} matches, and no entry overrides another`,
      )
  }
}

function reportUnlisted(entries: readonly Entry[], method: Method, report: Report): void {
  const own = entries.filter((entry) => entry.method === method)
  const [binding] = own.filter(({ rules }) => rules.length > 0)
  if (!binding || own.some(({ lists }) => lists)) return
  report.warning(
    binding.place,
    'unreachable',
    '`"*"` lists nothing, so `default: deny` refuses every call before these rules: list what may be used beside it',
  )
}

function coversTarget(wide: TargetPattern, narrow: TargetPattern): boolean {
  const server = wide.server === undefined || (narrow.server !== undefined && covers(wide.server, narrow.server))
  return server && covers(wide.name, narrow.name)
}

/** Does the one match all that the other matches? No, where that is not plain. */
export function covers(wide: Pattern, narrow: Pattern): boolean {
  if (wide.kind === 'literal') return narrow.kind === 'literal' && wide.text === narrow.text
  // Of the text of a glob, a star is taken by a star alone: it may stand for more than the one character of a `?`.
  const unclear = narrow.kind === 'glob' && narrow.text.includes('*') && wide.text.includes('?')
  return unclear ? wide.text === narrow.text : globMatches(wide.text, narrow.text)
}
