/** The native language: `version`, `default`, and rules for tools, resources and prompts. */
import { policyRulesMax } from '../../model/limits.ts'
import type { AllPolicy, Condition, Entry } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import { choice, type Form, found, record } from '../forms.ts'
import { label, text, version } from '../scalars.ts'
import type { Node } from '../source.ts'
import { reportUnwanted } from '../warnings/warnings.ts'
import { entriesForm, entriesOf } from './entries.ts'
import { riskLevel } from './rules.ts'

/** The version of the language: "1", or 1. */
const languageVersion: Form<'1'> = {
  says: '"1"',
  schema: { enum: ['1', 1] },
  read(node, name, report) {
    if (node.kind === 'scalar' && node.value !== null && node.text === '1') return '1'
    report.error(node.at, 'wrong_value', `${name} must be "1", the only version of the language, got ${found(node)}`)
    return undefined
  },
}

export const policyKeys = {
  version: { form: languageVersion, about: 'The version of the language.', required: 'write `version: "1"`' },
  default: {
    form: choice('allow', 'deny'),
    about: 'What happens to a call of something that no entry lists.',
    required: 'say `default: deny` or `default: allow`, there is no comfortable default for a choice about safety',
  },
  tools: { form: entriesForm, about: 'Rules for `tools/call`, by the names of tools.' },
  resources: { form: entriesForm, about: 'Rules for `resources/read`, by URIs.' },
  prompts: { form: entriesForm, about: 'Rules for `prompts/get`, by the names of prompts.' },
  policy_id: { form: label, about: 'The name of the policy in every record; the name of the file if not given.' },
  policy_version: {
    form: version,
    about: 'The version of the policy in every record, as it is written; empty if not given.',
  },
  risk_level: { form: riskLevel, about: 'The risk of entries that name none, themselves or in a rule.' },
  description: { form: text, about: 'For the readers of the file.' },
} as const

export const policyForm = record('a policy', policyKeys)

export function readNative(root: Node, report: Report): AllPolicy | undefined {
  const read = policyForm.read(root, 'a policy', report)
  if (!read) return undefined
  const { fields, at, misspelt } = read
  const { tools, resources, prompts } = fields
  if (!misspelt && !tools && !resources && !prompts)
    report.error(at, 'missing_key', 'a policy needs one of `tools`, `resources` or `prompts`')
  const risk = fields.risk_level?.value
  const entries = [
    ...entriesOf('tools/call', tools, risk, report),
    ...entriesOf('resources/read', resources, risk, report),
    ...entriesOf('prompts/get', prompts, risk, report),
  ]
  reportSize(entries, report)
  reportConfused(entries, report)
  if (!fields.default?.value) return undefined
  const policy: AllPolicy = {
    strategy: 'all',
    language: 'native',
    id: fields.policy_id?.value ?? baseName(report.file),
    version: fields.policy_version?.value ?? '',
    default: fields.default.value,
    reasonCodes: {},
    entries,
  }
  if (!report.failed) reportUnwanted(policy, report)
  return policy
}

/** `refunds` for `policies/refunds.yaml`. */
function baseName(file: string): string {
  const name = file.split(/[/\\]/).at(-1) ?? ''
  return name.replace(/(?<=.)\.[^.]*$/u, '').replace(/\p{Cc}/gu, '') || 'policy'
}

function reportSize(entries: readonly Entry[], report: Report): void {
  let size = 0
  for (const entry of entries) {
    size += 1 + entry.rules.reduce((sum, rule) => sum + 1 + countConditions(rule.conditions), 0)
    if (size <= policyRulesMax) continue
    const most = `a policy has at most ${policyRulesMax} entries, rules and conditions`
    report.error(entry.place, 'too_large', `${most}, ${quote(entry.key)} goes over it`)
    return
  }
}

/** Two counters with one id would share one budget: `a per user` may be a name, or `a` counted by user. */
function reportConfused(entries: readonly Entry[], report: Report): void {
  const known = new Map<string, { key: string; counts: string }>()
  for (const { method, key, rules, place } of entries) {
    for (const { counter } of rules.flatMap((rule) => rule.limits)) {
      const { measure, per } = counter
      const counts = JSON.stringify([method, key, measure, per])
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
