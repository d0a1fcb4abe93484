/** What the gate asks of an `all` policy: every rule of every entry that matches must pass. */
import { binds, listsFor } from './callers.ts'
import { matchingEntries, type Target } from './match.ts'
import { sortedValues } from './order.ts'
import type { Plan, PlannedCounter } from './plan.ts'
import type { AllPolicy, Counter, Entry, Path, Rule, Spend } from './policy.ts'
import { pathText } from './policy.ts'
import { addCondition, at, inOrder, namesOf, newBuilder } from './shape.ts'
import type { Visibility } from './visibility.ts'

export function planOfAll(policy: AllPolicy, target: Target): Plan {
  const entries = matchingEntries(policy, target)
  const rules = entries.flatMap((entry) => entry.rules)
  const counters = countersOf(policy.id, entries)
  const spends = rules.flatMap((rule) => (rule.spend ? [rule.spend] : []))
  const amounts = new Map(spends.map(({ amount }) => [pathText(amount), { path: amount, text: pathText(amount) }]))
  const builder = newBuilder()
  for (const rule of rules) for (const condition of rule.conditions) addCondition(builder, condition)
  for (const spend of spends) if (spend.currency) at(builder, spend.currency.path).read = true
  const known = newBuilder()
  for (const rule of rules) for (const condition of rule.conditions) addCondition(known, condition)
  const countedBy = counters.flatMap(({ counter }) => perPaths(counter))
  for (const path of [...spends.flatMap(spendPaths), ...countedBy]) at(known, path)
  return { shape: inOrder(builder), names: namesOf(known), amounts: sortedValues(amounts), counters }
}

/** Not visible: nothing lists it under `default: deny`, or a rule denies it without conditions. */
export function visibilityInAll(policy: AllPolicy, target: Target): Visibility {
  const entries = matchingEntries(policy, target)
  const see: Visibility = (principal) => {
    if (policy.default === 'deny' && !entries.some((entry) => listsFor(entry, principal))) return false
    return !entries.some(
      (entry) => binds(entry, principal) && entry.rules.some((rule) => deniesAlways(rule) && binds(rule, principal)),
    )
  }
  const isForSome = entries.some((entry) => entry.for || entry.rules.some((rule) => rule.for))
  if (isForSome) return see
  const seen = see({})
  return () => seen
}

function deniesAlways({ effect, conditions, readings = [] }: Rule): boolean {
  return effect === 'deny' && conditions.length === 0 && readings.length === 0
}

export function serverNamedInAll({ entries }: AllPolicy): string | undefined {
  const named = entries.find(({ match }) => match.some(({ server }) => server !== undefined && server.text !== '*'))
  return named?.key
}

export function countersInAll({ entries }: AllPolicy): readonly Counter[] {
  return entries.flatMap(({ rules }) => rules.flatMap(({ limits }) => limits.map(({ counter }) => counter)))
}

function countersOf(policyId: string, entries: readonly Entry[]): readonly PlannedCounter[] {
  const counters = new Map<string, PlannedCounter>()
  const rules = entries.flatMap((entry) => entry.rules.map((rule) => ({ entry, rule })))
  for (const { counter } of rules.flatMap(({ rule }) => rule.readings ?? []))
    counters.set(counter.id, { counter, policyId, bounds: [] })
  for (const { entry, rule } of rules)
    for (const { counter, max } of rule.limits) {
      const before = counters.get(counter.id)?.bounds ?? []
      const bound = { max, for: [entry.for, rule.for].filter((callers) => callers !== undefined) }
      counters.set(counter.id, { counter, policyId, bounds: [...before, bound] })
    }
  return sortedValues(counters)
}

function spendPaths({ amount, currency }: Spend): readonly Path[] {
  return currency ? [amount, currency.path] : [amount]
}

function perPaths({ per }: Counter): readonly Path[] {
  return per.flatMap((field) => (field.kind === 'argument' ? [field.path] : []))
}
