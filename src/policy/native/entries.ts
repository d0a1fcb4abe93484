/** What a policy says about tools, resources and prompts. */
import type { RiskLevel } from '../../model/decision.ts'
import type { Callers, Entry, Method } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import {
  type Field,
  type FieldsOf,
  type Filled,
  type Located,
  listOf,
  mapOf,
  mistake,
  type Named,
  record,
} from '../forms.ts'
import { type Naming, targetsOf } from '../names.ts'
import { text } from '../scalars.ts'
import { callersForm, scopeFor } from './callers.ts'
import type { Counters } from './counters.ts'
import { reportLoose } from './loose.ts'
import { type ReadRule, riskLevel, ruleForm, ruleKeys, ruleOf, type WrittenRule } from './rules.ts'

export const entryKeys = {
  rules: {
    form: listOf(ruleForm, 'a list of rules', 0),
    about: 'All of them must pass. An empty list: every call passes.',
  },
  for: {
    form: callersForm,
    about: 'Whom the entry is for; everybody if not given. For others it is not there.',
  },
  risk_level: { form: riskLevel, about: 'The risk of its calls.' },
  description: { form: text, about: 'For the readers of the file.' },
} as const

const writtenOut = record('a map, `{}` if nothing is asked of it', entryKeys, {
  elsewhere: { keys: ruleKeys, place: 'in a rule: write it under `rules:`, after a `- `' },
})

/** `pay: deny` is what many write first. */
const entryForm: typeof writtenOut = {
  ...writtenOut,
  read(node, label, report) {
    const word = node.kind === 'scalar' ? node.value : undefined
    if (word === 'allow') return mistake(node, label, writtenOut.says, report, ': write `{}`')
    if (word === 'deny' || word === 'require_approval')
      return mistake(node, label, writtenOut.says, report, `: write \`{ rules: [{ action: ${word} }] }\``)
    return writtenOut.read(node, label, report)
  },
}

type WrittenEntry = Filled<FieldsOf<typeof entryKeys>>

export const entriesForm = mapOf(entryForm, 'a map from names to rules')
export type WrittenEntries = Field<readonly Named<WrittenEntry>[]>

/** What holds for every entry of the file. */
export interface EntryContext {
  readonly risk: RiskLevel | undefined
  readonly naming: Naming
  readonly counters: Counters
  readonly report: Report
}

/** In the order of the file, what binds everything last: the answer then names the narrower rule. */
export function entriesOf(
  method: Method,
  written: WrittenEntries | undefined,
  context: EntryContext,
): readonly Entry[] {
  const entries = (written?.value ?? []).flatMap((entry) => entryOf(method, entry, context))
  return [...entries.filter((entry) => entry.lists), ...entries.filter((entry) => !entry.lists)]
}

function entryOf(method: Method, entry: Named<WrittenEntry>, context: EntryContext): Entry[] {
  const { name: key, nameAt, value } = entry
  const { risk, naming, report } = context
  const match = targetsOf(method, key, nameAt, report, naming)
  const callers = value.fields.for?.value
  const read = rulesOf(method, key, callers, value.fields.rules?.value ?? [], context)
  reportLoose(
    // What is reached before is reached by its own callers.
    read.flatMap(({ rule, limits }) => (rule.for ? [] : limits)),
    report,
  )
  if (!match) return []
  const rules = read.map(({ rule }) => rule)
  const lists = key !== '*'
  if (!lists && rules.length === 0)
    report.warning(
      nameAt,
      'says_nothing',
      '`"*"` has no rules, and it lists nothing: to allow everything, write `default: allow`',
    )
  const named = value.fields.risk_level?.value ?? (lists && !rules.some((rule) => rule.riskLevel) ? risk : undefined)
  const whole: Entry = {
    method,
    key,
    match,
    lists,
    ...(callers && { for: callers }),
    rules,
    ...(named && { riskLevel: named }),
    place: { file: report.file, line: nameAt.line, col: nameAt.col },
  }
  report.locate(whole, nameAt)
  return [whole]
}

const scopePrefix: Readonly<Record<Method, string>> = {
  'tools/call': '',
  'resources/read': 'resources:',
  'prompts/get': 'prompts:',
}

function rulesOf(
  method: Method,
  key: string,
  callers: Callers | undefined,
  written: readonly Located<WrittenRule>[],
  { counters, report }: EntryContext,
): ReadRule[] {
  const scope = scopeFor(`${scopePrefix[method]}${key}`, callers)
  const names = new Map<string, number>()
  return written.map(({ value }, index) => {
    const read = ruleOf(value, { method, key, scope, index, counters, report })
    const { name, place } = read.rule
    const first = names.get(name)
    if (first === undefined) names.set(name, place.line)
    else
      report.warning(
        value.fields.name?.at ?? value.at,
        'duplicate_name',
        `two rules of ${quote(key)} are called ${quote(name)}, the first on line ${first}: records cannot tell them apart`,
      )
    return read
  })
}
