/** What files of the native language and of Intercept have in common: version, name, size, and counters told apart. */
import { policyRulesMax } from '../model/limits.ts'
import type { Condition, Counter, Entry } from '../model/policy.ts'
import { quote, type Report } from './diagnostics.ts'
import { type Form, found } from './forms.ts'

/** The version of the language: "1", or 1. */
export const languageVersion: Form<'1'> = {
  says: '"1"',
  schema: { enum: ['1', 1] },
  read(node, name, report) {
    if (node.kind === 'scalar' && node.value !== null && node.text === '1') return '1'
    report.error(node.at, 'wrong_value', `${name} must be "1", the only version of the language, got ${found(node)}`)
    return undefined
  },
}

/** `refunds` for `policies/refunds.yaml`. */
export function baseName(file: string): string {
  const name = file.split(/[/\\]/).at(-1) ?? ''
  return name.replace(/(?<=.)\.[^.]*$/u, '').replace(/\p{Cc}/gu, '') || 'policy'
}

export function reportSize(entries: readonly Entry[], report: Report): void {
  let size = 0
  for (const entry of entries) {
    size +=
      1 +
      entry.rules.reduce((sum, rule) => sum + 1 + countConditions(rule.conditions) + (rule.readings?.length ?? 0), 0)
    if (size <= policyRulesMax) continue
    const most = `a policy has at most ${policyRulesMax} entries, rules and conditions`
    report.error(entry.place, 'too_large', `${most}, ${quote(entry.key)} goes over it`)
    return
  }
}

/** Two counters with one id would share one budget: `a per user` may be a name, or `a` counted by user. */
export function reportConfused(
  entries: readonly Entry[],
  report: Report,
  /** Counters with a name of their own: rules of several entries may share them. */
  named: ReadonlyMap<Counter, string> = new Map(),
): void {
  const known = new Map<string, { key: string; counts: string }>()
  for (const { method, key, rules, place } of entries) {
    for (const { counter } of rules.flatMap((rule) => rule.limits)) {
      const { measure, per } = counter
      const counts = JSON.stringify([named.get(counter) ?? [method, key], measure, per])
      const other = known.get(counter.id)
      if (other === undefined) known.set(counter.id, { key, counts })
      else if (other.counts !== counts)
        report.error(
          place,
          'contradiction',
          `a counter of ${quote(key)} and one of ${quote(other.key)} have one name, ${quote(counter.id)}`,
        )
    }
  }
}

function countConditions(conditions: readonly Condition[]): number {
  return conditions.reduce((sum, { test }) => {
    const below = test.kind === 'each' || test.kind === 'any' ? countConditions(test.conditions) : 0
    return sum + 1 + below
  }, 0)
}
