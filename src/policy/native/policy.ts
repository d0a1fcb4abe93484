/** The native language: `version`, `default`, and rules for tools, resources and prompts. */
import type { FirstPolicy } from '../../model/ordered.ts'
import type { AllPolicy, Entry, PolicyHead } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import { choice, type FieldsOf, type Filled, record } from '../forms.ts'
import { reasonCodesForm, reasonCodesOf } from '../reasonCodes.ts'
import { label, text, version } from '../scalars.ts'
import type { Node } from '../source.ts'
import { baseName, languageVersion, reportConfused, reportSize } from '../whole.ts'
import { Counters, countersForm } from './counters.ts'
import { entriesForm, entriesOf } from './entries.ts'
import { hiddenEntries, hiddenForm } from './hidden.ts'
import { action, orderedForm, orderedPolicy } from './ordered.ts'
import { pinnedForm, pinningForm, pinningOf } from './pinning.ts'
import { riskLevel } from './rules.ts'

export const policyKeys = {
  version: { form: languageVersion, about: 'The version of the language.', required: 'write `version: "1"`' },
  default: {
    form: action,
    about:
      'What happens to a call of something that no entry lists. `require_approval` only where `rules` are ordered.',
    required: 'say `default: deny` or `default: allow`, there is no comfortable default for a choice about safety',
  },
  tools: { form: entriesForm, about: 'Rules for `tools/call`, by the names of tools.' },
  resources: { form: entriesForm, about: 'Rules for `resources/read`, by URIs.' },
  prompts: { form: entriesForm, about: 'Rules for `prompts/get`, by the names of prompts.' },
  rules: {
    form: orderedForm,
    about:
      'Ordered rules, of which the first that matches a call of a tool decides it; they stand alone, without `tools`, `resources` and `prompts`.',
  },
  hidden: {
    form: hiddenForm,
    about: 'Tools that do not exist for the caller, by keys like those of `tools`; `"*"` hides all.',
  },
  pinning: {
    form: pinningForm,
    about:
      'Tools whose definition nobody has accepted are held back. `first_use`: the first whole list of a server is accepted as it is, and what is new or changed later is held back. `strict`: nothing is accepted by itself. Not asked, if not given.',
  },
  pinned: {
    form: pinnedForm,
    about:
      'Digests of the definitions that tools must have, by tools: names, or `server/tool`. No other definition of them is accepted, whether `pinning` is given or not.',
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
  risk_level: {
    form: riskLevel,
    about: 'The risk of entries that name none, themselves or in a rule; of ordered rules, and of what none matches.',
  },
  description: { form: text, about: 'For the readers of the file.' },
} as const

export const policyForm = record('a policy', policyKeys)

export function readNative(root: Node, report: Report): AllPolicy | FirstPolicy | undefined {
  const read = policyForm.read(root, 'a policy', report)
  if (!read) return undefined
  return read.fields.rules ? readOrdered(read, report) : readEntries(read, report)
}

type WrittenPolicy = Filled<FieldsOf<typeof policyKeys>>

function readEntries({ fields, at, misspelt }: WrittenPolicy, report: Report): AllPolicy | undefined {
  const { tools, resources, prompts } = fields
  if (!misspelt && !tools && !resources && !prompts)
    report.error(at, 'missing_key', 'a policy needs one of `tools`, `resources` or `prompts`, or ordered `rules`')
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
  const byDefault = fields.default?.value
  if (fields.default && byDefault === 'require_approval')
    report.error(fields.default.at, 'wrong_value', '`default: require_approval` stands only beside ordered `rules`')
  if (byDefault === undefined || byDefault === 'require_approval') return undefined
  return {
    strategy: 'all',
    language: 'native',
    ...headOf(fields, report),
    default: byDefault,
    reasonCodes: reasonCodesOf(fields.reason_codes, report),
    ...(fields.default_rule?.value !== undefined && { defaultRule: fields.default_rule.value }),
    ...(fields.counting?.value === 'last' && { counting: 'last' }),
    entries,
  }
}

function headOf(fields: WrittenPolicy['fields'], report: Report): PolicyHead {
  const pinning = pinningOf(fields, { exact: fields.names?.value === 'exact' }, report)
  const id = fields.policy_id?.value ?? baseName(report.file)
  return { id, version: fields.policy_version?.value ?? '', ...(pinning && { pinning }) }
}

/** What says nothing beside ordered rules. */
const ofEntries = [
  'tools',
  'resources',
  'prompts',
  'hidden',
  'names',
  'counters',
  'counting',
  'default_rule',
  'reason_codes',
] as const

function readOrdered({ fields }: WrittenPolicy, report: Report): FirstPolicy | undefined {
  for (const key of ofEntries) {
    const field = fields[key]
    if (field)
      report.error(
        field.keyAt,
        'misplaced_key',
        `${quote(key)} says nothing beside ordered \`rules\`: they decide alone`,
      )
  }
  const byDefault = fields.default?.value
  if (!fields.rules || byDefault === undefined) return undefined
  const head = { ...headOf(fields, report), default: byDefault, risk: fields.risk_level?.value }
  return orderedPolicy(fields.rules, head, report)
}

function reportCounters(entries: readonly Entry[], counters: Counters, report: Report): void {
  const named = new Map(counters.own.map(({ counter, name }) => [counter, name]))
  reportConfused(entries, report, named)
  const limits = entries.flatMap(({ rules }) => rules.flatMap((rule) => rule.limits))
  counters.reportIdle(new Set(limits.map(({ counter }) => counter.id)), report)
}
