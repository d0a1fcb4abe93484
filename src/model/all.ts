/** What the gate asks of an `all` policy: every rule of every entry that matches must pass. */
import { isListed, matchingEntries, type Target } from './match.ts'
import { sortedValues } from './order.ts'
import type { Plan, PlannedCounter } from './plan.ts'
import type { AllPolicy, Counter, Path, Rule, Spend } from './policy.ts'
import { pathText } from './policy.ts'
import { addCondition, at, inOrder, namesOf, newBuilder } from './shape.ts'

export function planOfAll(policy: AllPolicy, target: Target): Plan {
  const rules = matchingEntries(policy, target).flatMap((entry) => entry.rules)
  const counters = countersOf(policy.id, rules)
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
export function isVisibleInAll(policy: AllPolicy, target: Target): boolean {
  const entries = matchingEntries(policy, target)
  if (policy.default === 'deny' && !isListed(entries)) return false
  return !entries.some(({ rules }) => rules.some(deniesAlways))
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

function countersOf(policyId: string, rules: readonly Rule[]): readonly PlannedCounter[] {
  const counters = new Map<string, PlannedCounter>()
  for (const { counter } of rules.flatMap(({ readings }) => readings ?? []))
    counters.set(counter.id, { counter, policyId })
  for (const { counter, max } of rules.flatMap(({ limits }) => limits)) {
    const before = counters.get(counter.id)?.max
    counters.set(counter.id, { counter, policyId, max: before === undefined ? max : Math.min(before, max) })
  }
  return sortedValues(counters)
}

function spendPaths({ amount, currency }: Spend): readonly Path[] {
  return currency ? [amount, currency.path] : [amount]
}

function perPaths({ per }: Counter): readonly Path[] {
  return per.flatMap((field) => (field.kind === 'argument' ? [field.path] : []))
}
