/** The guard's allowlist: exact tool names, and the policy's own two reason codes. */
import { nameCharsMax } from '../model/limits.ts'
import type { AllPolicy, Entry } from '../model/policy.ts'
import { quote, type Report } from './diagnostics.ts'
import { type Form, type Located, listOf, mistake, record } from './forms.ts'
import { checkName } from './names.ts'
import { reasonCodesForm, reasonCodesOf } from './reasonCodes.ts'
import { label, version } from './scalars.ts'
import type { Node } from './source.ts'

const toolName: Form<string> = {
  says: 'a tool name',
  schema: { type: 'string', pattern: '^[^*]+$', maxLength: nameCharsMax },
  read(node, name, report) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string')
      return mistake(
        node,
        name,
        toolName.says,
        report,
        node.kind === 'scalar' && node.text !== '' ? ': put it in quotes' : '',
      )
    if (!checkName(node.value, nameCharsMax, node.at, report)) return undefined
    if (!node.value.includes('*')) return node.value
    report.error(node.at, 'bad_name', `an allowlist has exact names, ${quote(node.value)} has a \`*\``)
    return undefined
  },
}

export const guardKeys = {
  policy_id: { form: label, about: 'The name of the policy in every record.', required: 'name the policy' },
  policy_version: {
    form: version,
    about: 'The version of the policy in every record, as it is written.',
    required: 'say which version of the policy this is',
  },
  allowlist: {
    form: listOf(toolName, 'a list of tool names', 0),
    about: 'The tools that may be called, by their exact names. Every other tool is refused.',
    required: 'list the tools that may be called',
  },
  reason_codes: {
    form: reasonCodesForm,
    about: "The policy's own words for its two outcomes.",
  },
} as const

export const guardForm = record('a guard policy', guardKeys)

export function readGuard(root: Node, report: Report): AllPolicy | undefined {
  const { fields } = guardForm.read(root, 'a guard policy', report) ?? {}
  const names = fields?.allowlist?.value
  if (fields?.allowlist && names?.length === 0)
    report.warningOfWhole(fields.allowlist.at, 'says_nothing', '`allowlist` is empty: every tool is refused')
  const id = fields?.policy_id?.value
  const policyVersion = fields?.policy_version?.value
  const reasonCodes = reasonCodesOf(fields?.reason_codes, report)
  if (id === undefined || policyVersion === undefined || names === undefined) return undefined
  return {
    strategy: 'all',
    language: 'guard',
    id,
    version: policyVersion,
    default: 'deny',
    reasonCodes,
    entries: entriesOf(names, report),
  }
}

function entriesOf(names: readonly Located<string>[], report: Report): readonly Entry[] {
  const entries = new Map<string, Entry>()
  for (const { value: name, at } of names) {
    const first = entries.get(name)
    if (first) report.warning(at, 'duplicate_name', `${quote(name)} is listed twice, first on line ${first.place.line}`)
    else {
      const entry: Entry = {
        method: 'tools/call',
        key: name,
        match: [{ name: { kind: 'literal', text: name } }],
        lists: true,
        rules: [],
        place: { file: report.file, line: at.line, col: at.col },
      }
      report.locate(entry, at)
      entries.set(name, entry)
    }
  }
  return [...entries.values()]
}
