/** The native language: `version`, `default`, and rules for tools, resources and prompts. */
import type { AllPolicy, Entry } from '../../model/policy.ts'
import type { Report } from '../diagnostics.ts'
import { choice, record } from '../forms.ts'
import { reasonCodesForm, reasonCodesOf } from '../reasonCodes.ts'
import { label, text, version } from '../scalars.ts'
import type { Node } from '../source.ts'
import { reportUnwanted } from '../warnings/warnings.ts'
import { baseName, languageVersion, reportConfused, reportSize } from '../whole.ts'
import { Counters, countersForm } from './counters.ts'
import { entriesForm, entriesOf } from './entries.ts'
import { hiddenEntries, hiddenForm } from './hidden.ts'
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
  hidden: {
    form: hiddenForm,
    about: 'Tools that do not exist for the caller, by keys like those of `tools`; `"*"` hides all.',
  },
  names: {
    form: choice('globs', 'exact'),
    about:
      '`globs`, if not given: keys are globs, and `a/b` is the tool `b` of the server `a`. `exact`: keys are names, letter for letter; `"*"` alone stands for all.',
  },
  counters: { form: countersForm, about: 'Counters with a name, for `limits` and `counted` of rules.' },
  counting: {
    form: choice('in_order', 'last'),
    about:
      '`in_order`, if not given: rule by rule. `last`: what counts is asked after everything else, so that a refusal names that first.',
  },
  default_rule: {
    form: label,
    about: 'What decisions and records call the rule when `default` refuses a call; `default` if not given.',
  },
  reason_codes: { form: reasonCodesForm, about: "The policy's own words for its two outcomes." },
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
  const counters = new Counters(fields.counters, report)
  const naming = { exact: fields.names?.value === 'exact' }
  const context = { risk: fields.risk_level?.value, naming, counters, report }
  const listed = [
    ...entriesOf('tools/call', tools, context),
    ...entriesOf('resources/read', resources, context),
    ...entriesOf('prompts/get', prompts, context),
  ]
  const entries = [...hiddenEntries(fields.hidden?.value ?? [], naming, report), ...listed]
  reportSize(entries, report)
  reportCounters(listed, counters, report)
  if (!fields.default?.value) return undefined
  const policy: AllPolicy = {
    strategy: 'all',
    language: 'native',
    id: fields.policy_id?.value ?? baseName(report.file),
    version: fields.policy_version?.value ?? '',
    default: fields.default.value,
    reasonCodes: reasonCodesOf(fields.reason_codes, report),
    ...(fields.default_rule?.value !== undefined && { defaultRule: fields.default_rule.value }),
    ...(fields.counting?.value === 'last' && { counting: 'last' }),
    entries,
  }
  if (!report.failed) reportUnwanted(policy, report)
  return policy
}

function reportCounters(entries: readonly Entry[], counters: Counters, report: Report): void {
  const named = new Map(counters.own.map(({ counter, name }) => [counter, name]))
  reportConfused(entries, report, named)
  const limits = entries.flatMap(({ rules }) => rules.flatMap((rule) => rule.limits))
  counters.reportIdle(new Set(limits.map(({ counter }) => counter.id)), report)
}
