/** Coverage of an `all` policy: its rules with all that they ask, what its entries list, and its default. */
import type { Input } from '../../model/call.ts'
import { binds, listsFor } from '../../model/callers.ts'
import { type Check, checksOf, type Question } from '../../model/checks.ts'
import { matchingEntries } from '../../model/match.ts'
import type { AllPolicy, Condition, Entry, Rule } from '../../model/policy.ts'
import { targetOf } from '../../model/target.ts'
import { passes, readingTruth, stops } from '../../reference/all.ts'
import { conditionText } from '../../reference/conditionText.ts'
import { questionText, readingText } from '../../reference/explainAll.ts'
import { truthOf } from '../../reference/truth.ts'
import type { Written } from '../written.ts'
import { type Branch, type Item, newBranch, newItem, type Tally } from './item.ts'

export function tallyOfAll(policy: AllPolicy, written: Written): Tally {
  const rules = new Map<Rule, Item>()
  const entries = new Map<Entry, Item>()
  for (const entry of policy.entries) {
    if (policy.default === 'deny' && entry.lists)
      entries.set(entry, newItem({ kind: 'entry', name: entry.key, place: entry.place }))
    for (const rule of entry.rules) {
      const item = ruleItem(policy, entry, rule, written)
      // A requirement that asks nothing only names a risk.
      if (rule.effect !== 'require' || item.branches.length > 0) rules.set(rule, item)
    }
  }
  const otherwise = newItem({
    kind: 'default',
    name: policy.defaultRule ?? `default: ${policy.default}`,
    place: written.placeOf([]),
  })
  return {
    items: [...entries.values(), ...rules.values(), otherwise],
    saw: (input) => count(policy, input, { rules, entries, otherwise }),
  }
}

interface Items {
  readonly rules: ReadonlyMap<Rule, Item>
  readonly entries: ReadonlyMap<Entry, Item>
  readonly otherwise: Item
}

function ruleItem(policy: AllPolicy, entry: Entry, rule: Rule, { placeOf }: Written): Item {
  const checks = checksOf(policy, [{ ...entry, rules: [rule] }])
  const branches =
    rule.effect === 'require'
      ? checks.map((check) => newBranch(questionText(check), placeOf(partsOf(check.question, rule))))
      : [
          ...rule.conditions.map((one) => newBranch(conditionText(one), placeOf([one, rule]))),
          ...(rule.readings ?? []).map((one) => newBranch(readingText(one), placeOf([rule]))),
        ]
  const covers = rule.effect === 'require' ? 'decided_and_met' : 'decided'
  return newItem({ kind: 'rule', name: rule.name, place: rule.place, covers, branches })
}

function partsOf(question: Question, rule: Rule): readonly object[] {
  if (question.kind === 'holds') return [question.condition, rule]
  if (question.kind === 'amount' || question.kind === 'currency' || question.kind === 'per_call')
    return rule.spend ? [rule.spend, rule] : [rule]
  const limit = question.kind === 'room' && rule.limits.find(({ counter }) => counter.id === question.counter.id)
  return limit ? [limit, rule] : [rule]
}

function count(policy: AllPolicy, input: Input, { rules, entries, otherwise }: Items): void {
  const { principal } = input
  const matching = matchingEntries(policy, targetOf(input)).filter((entry) => binds(entry, principal))
  const listing = matching.filter((entry) => listsFor(entry, principal))
  if (listing.length === 0) otherwise.asked++
  for (const entry of listing) add(entries.get(entry), 'asked')
  if (policy.default === 'deny' && listing.length === 0) {
    otherwise.decided++
    return
  }
  const checks = checksOf(policy, matching)
  const at = checks.findIndex((check) => stops(check, input))
  const asked = at === -1 ? checks : checks.slice(0, at + 1)
  const byRule = Map.groupBy(asked, ({ rule }) => rule)
  for (const [rule, own] of byRule) {
    const item = rules.get(rule)
    if (item && binds(rule, principal)) countRule(item, rule, own, input, checks[at]?.rule === rule)
  }
  if (at >= 0) return
  for (const entry of listing) add(entries.get(entry), 'decided')
  if (listing.length === 0) otherwise.decided++
}

function add(item: Item | undefined, what: 'asked' | 'decided'): void {
  if (item) item[what]++
}

function countRule(item: Item, rule: Rule, checks: readonly Check[], input: Input, decides: boolean): void {
  item.asked++
  if (decides) item.decided++
  // What is asked of one rule may have what another one asks in between: it was met when all of it was asked.
  else if (rule.effect !== 'require' || checks.length === item.branches.length) item.met++
  if (rule.effect === 'require') {
    for (const [index, { question }] of checks.entries()) answer(item.branches[index], passes(question, input))
    return
  }
  const { conditions, readings = [] } = rule
  const isRuledOut = (condition: Condition) => truthOf(condition, input.arguments, 'stop') === 'no'
  for (const [index, condition] of conditions.entries()) answer(item.branches[index], !isRuledOut(condition))
  for (const [index, reading] of readings.entries())
    answer(item.branches[conditions.length + index], readingTruth(reading, input) !== 'no')
}

function answer(branch: Branch | undefined, yes: boolean): void {
  if (branch) branch[yes ? 'yes' : 'no']++
}
