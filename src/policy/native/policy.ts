/** The native language: `version`, `default`, and rules for tools, resources and prompts. */
import type { AllPolicy } from '../../model/policy.ts'
import type { Report } from '../diagnostics.ts'
import { choice, record } from '../forms.ts'
import { label, text, version } from '../scalars.ts'
import type { Node } from '../source.ts'
import { reportUnwanted } from '../warnings/warnings.ts'
import { baseName, languageVersion, reportConfused, reportSize } from '../whole.ts'
import { entriesForm, entriesOf } from './entries.ts'
import { riskLevel } from './rules.ts'

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
