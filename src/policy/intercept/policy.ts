/** Intercept's policy files (v1.1.0, and what is known of v1.2 to v1.4), as policies of the model. */
import { nameCharsMax } from '../../model/limits.ts'
import type { AllPolicy, Entry, Rule } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import {
  choice,
  type Field,
  type FieldsOf,
  type Filled,
  type Form,
  type Located,
  listOf,
  mapOf,
  mistake,
  type Named,
  record,
} from '../forms.ts'
import { checkName } from '../names.ts'
import { reportLoose } from '../native/loose.ts'
import { text } from '../scalars.ts'
import type { Node } from '../source.ts'
import { baseName, languageVersion, reportConfused, reportSize } from '../whole.ts'
import { approvalKeys } from './approvals.ts'
import { declareCounters, ruleForm, ruleOf, type WrittenRule } from './rules.ts'
import { Counters } from './state.ts'

const toolName: Form<string> = {
  says: 'the name of a tool, or `"*"`',
  schema: { type: 'string', minLength: 1, maxLength: nameCharsMax },
  read(node, label, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return mistake(node, label, toolName.says, report)
    if (node.value.trim() === '') return mistake(node, label, toolName.says, report)
    return checkName(node.value, nameCharsMax, node.at, report) ? node.value : undefined
  },
}

export const toolKeys = {
  rules: {
    form: listOf(ruleForm, 'a list of rules, `[]` if nothing is asked', 0),
    about: 'All of them must pass. An empty list: every call passes.',
  },
} as const

const toolForm = record('a map with `rules`', toolKeys)
type WrittenTool = Filled<FieldsOf<typeof toolKeys>>

export const policyKeys = {
  version: { form: languageVersion, about: 'The version of the language.', required: 'write `version: "1"`' },
  description: { form: text, about: 'For the readers of the file.' },
  default: {
    form: choice('allow', 'deny'),
    about: 'What happens to a call of a tool that `tools` does not list; `deny` if not given.',
  },
  hide: {
    form: listOf(toolName, 'a list of tool names', 0),
    about: 'Tools that do not exist for the caller; `"*"` hides all.',
  },
  approvals: { form: record('a map', approvalKeys), about: 'How long a person has, and who is told.' },
  tools: {
    form: mapOf(toolForm, 'a map from tools to their rules'),
    about: 'Rules by the names of tools. Those of `"*"` bind every tool, and list none.',
  },
} as const

export const interceptForm = record('an Intercept policy', policyKeys)

export function readIntercept(root: Node, report: Report): AllPolicy | undefined {
  const read = interceptForm.read(root, 'an Intercept policy', report)
  if (!read) return undefined
  const { fields } = read
  if (!fields.default && !read.misspelt)
    report.warning(
      read.at,
      'no_default',
      '`default` is missing: tools that are not listed are refused, which Intercept would allow; say `default: deny` or `default: allow`',
    )
  reportUnhonoured(fields.approvals, report)
  const entries = [
    ...hiddenEntries(fields.hide?.value ?? [], report),
    ...toolEntries(fields.tools?.value ?? [], fields.approvals?.value?.fields.default_timeout?.value, report),
  ]
  reportSize(entries, report)
  reportConfused(entries, report)
  return {
    strategy: 'all',
    language: 'intercept',
    id: baseName(report.file),
    version: '',
    default: fields.default?.value ?? 'deny',
    reasonCodes: {},
    defaultRule: '(default deny)',
    counting: 'last',
    entries,
  }
}

function reportUnhonoured(approvals: Field<Filled<FieldsOf<typeof approvalKeys>>> | undefined, report: Report): void {
  const { notify, dedupe_window: window } = approvals?.value?.fields ?? {}
  if (notify)
    report.warning(
      notify.keyAt,
      'not_honoured',
      '`notify` is not honoured: nobody is told of a held call by way of the policy',
    )
  if (window)
    report.warning(
      window.keyAt,
      'not_honoured',
      '`dedupe_window` is not honoured: the same call is the same request for as long as that is pending',
    )
}

/** Before everything else, also before `default: deny`. */
function hiddenEntries(names: readonly Located<string>[], report: Report): readonly Entry[] {
  const entries = new Map<string, Entry>()
  for (const { value: name, at } of names) {
    const place = { file: report.file, line: at.line, col: at.col }
    const first = entries.get(name)
    const rule: Rule = { name: '(hidden)', effect: 'deny', conditions: [], hides: true, limits: [], place }
    if (first) report.error(at, 'duplicate_key', `${quote(name)} is hidden twice, first on line ${first.place.line}`)
    else entries.set(name, { ...about(name), lists: true, rules: [rule], place })
  }
  return [...entries.values()]
}

/** Names are exact: `"*"` alone stands for every tool. */
function about(name: string): Pick<Entry, 'method' | 'key' | 'match'> {
  return { method: 'tools/call', key: name, match: [{ name: { kind: name === '*' ? 'glob' : 'literal', text: name } }] }
}

type WrittenTools = readonly Named<WrittenTool>[]

function toolEntries(tools: WrittenTools, approvalTimeoutMs: number | undefined, report: Report): readonly Entry[] {
  const counters = new Counters(report)
  for (const { name, value } of tools) for (const rule of rulesOf(value)) declareCounters(rule, name, counters, report)
  const entries = tools.flatMap((tool) => entryOf(tool, counters, approvalTimeoutMs, report))
  return [...entries.filter((entry) => entry.lists), ...entries.filter((entry) => !entry.lists)]
}

function rulesOf({ fields }: WrittenTool): readonly WrittenRule[] {
  return (fields.rules?.value ?? []).map(({ value }) => value)
}

function entryOf(
  { name: tool, nameAt, value }: Named<WrittenTool>,
  counters: Counters,
  approvalTimeoutMs: number | undefined,
  report: Report,
): Entry[] {
  const read = rulesOf(value).map((written, index) =>
    ruleOf(written, { tool, index, counters, approvalTimeoutMs, report }),
  )
  reportLoose(
    read.flatMap(({ limits }) => limits),
    report,
  )
  if (!checkName(tool, nameCharsMax, nameAt, report)) return []
  if (tool !== '*' && /[*?]/.test(tool))
    report.warning(nameAt, 'bad_name', `${quote(tool)} is the name of one tool: Intercept has no wildcard but \`"*"\``)
  const place = { file: report.file, line: nameAt.line, col: nameAt.col }
  return [{ ...about(tool), lists: tool !== '*', rules: read.map(({ rule }) => rule), place }]
}
