/** The keys of a case file. */

import type { Principal } from '../../model/call.ts'
import { killKinds } from '../../model/kill.ts'
import { judgedMethods } from '../../model/policy.ts'
import type { Report, Spot } from '../../policy/diagnostics.ts'
import {
  choice,
  type FieldsOf,
  type Filled,
  type Form,
  type Keys,
  listOf,
  mapOf,
  mistake,
  oneOrMore,
  record,
  type Schema,
} from '../../policy/forms.ts'
import { label, text, wholeNumber } from '../../policy/scalars.ts'
import type { Node } from '../../policy/source.ts'
import { timesMax } from '../limits.ts'
import { ofCall, ofList } from './expectations.ts'
import { json, jsonMap, moment, principals, who } from './words.ts'

/** What calls have where they do not say otherwise; a case may say it for its calls, and the file for all. */
const shared = {
  server: { form: label, about: 'What policies call the server.' },
  principal: { form: who, about: 'Who calls; said as a whole, or by a name out of `principals`.' },
  session: { form: label, about: 'The session of the calls.' },
  run: { form: jsonMap, about: 'The run of a workflow; what a call says of it is put over what stands further out.' },
} as const

const timeKey = (about: string) => ({ time: { form: moment, about } }) as const

const target = {
  tool: { form: label, about: 'The tool that is called.' },
  resource: { form: label, about: 'The URI of the resource that is read.' },
  prompt: { form: label, about: 'The prompt that is asked for.' },
  arguments: { form: jsonMap, about: 'The arguments of the call.' },
  method: { form: choice(...judgedMethods), about: 'The method, where it is to be said.' },
  ...shared,
} as const

const often = (about: string) => ({ times: { form: wholeNumber(1, timesMax), about } }) as const

const outcome = {
  form: choice('success', 'error', 'unknown'),
  about: 'How the call ends where it is allowed; after an `error` what was reserved is given back.',
} as const

const factKeys = {
  ...target,
  ...timeKey('When: a time, or `-2h` for two hours before the case begins.'),
  ...often('How often it was made.'),
} as const

export const factForm = record('a call', factKeys, { owner: 'a fact' })

const callKeys = {
  ...target,
  ...timeKey('When: a time, or `+1h` for an hour after the step before.'),
  ...often('How often it is made, one after the other; each is to be decided as expected.'),
  outcome,
  expect: { form: ofCall, about: 'What is expected; what it does not name is not compared.' },
} as const

const listKeys = {
  list: { form: choice('tools', 'resources', 'prompts'), about: 'A list of the server.', required: 'say which' },
  of: {
    form: oneOrMore(json),
    about: 'What the server lists: names, definitions, or a file that `tollgate scan --json` wrote.',
    required: 'say what the server lists',
  },
  ...shared,
  ...timeKey('When: a time, or `+1h` for an hour after the step before.'),
  expect: {
    form: ofList,
    about: 'What the caller sees of it.',
    required: 'say what the caller sees: `{ shows: [...] }`',
  },
} as const

const later = timeKey('When: a time, or `+1h` for an hour after the step before.')

const answerKeys = {
  approve: { form: label, about: 'The person who approves what was asked last.' },
  reject: { form: label, about: 'The person who rejects what was asked last.' },
  ...later,
} as const

const killTargets = Object.fromEntries(
  killKinds.map((kind) => [kind, { form: kind === 'all' ? choice('*') : label, about: `The ${kind}.` }]),
) as Record<(typeof killKinds)[number], { readonly form: Form<string>; readonly about: string }>

const killTarget = record('a map of what is stopped', killTargets, { owner: 'what is stopped' })

const killKeys = {
  kill: { form: killTarget, about: 'What a person stops.' },
  lift: { form: killTarget, about: 'What a person lets go on.' },
  ...later,
} as const

const callForm = record('a call', callKeys, { owner: 'a step' })
const listForm = record('a list', listKeys, { owner: 'a list' })
const answerForm = record('an answer', answerKeys, { owner: 'an answer' })
const killForm = record('a stop', killKeys, { owner: 'a stop' })

export type CallSaid = FieldsOf<typeof callKeys>
export type ListSaid = FieldsOf<typeof listKeys>
export type AnswerSaid = FieldsOf<typeof answerKeys>
export type KillSaid = FieldsOf<typeof killKeys>
export type FactSaid = FieldsOf<typeof factKeys>
export type SharedSaid = FieldsOf<typeof shared>

export type StepSaid = { readonly at: Spot } & (
  | { readonly kind: 'call'; readonly fields: CallSaid }
  | { readonly kind: 'list'; readonly fields: ListSaid }
  | { readonly kind: 'answer'; readonly fields: AnswerSaid }
  | { readonly kind: 'kill'; readonly fields: KillSaid }
)

/** Which kind of step it is, its keys say. */
const stepForm: Form<StepSaid> = {
  says: 'a call, a list, an answer of a person, or a stop',
  schema: { anyOf: [callForm.schema, listForm.schema, answerForm.schema, killForm.schema] },
  read(node, name, report) {
    if (node.kind !== 'map') return mistake(node, name, stepForm.says, report)
    const has = (...keys: readonly string[]) => node.entries.some(({ key }) => keys.includes(key))
    const label = 'a step'
    if (has('list')) return filled('list', node, listForm.read(node, label, report))
    if (has('approve', 'reject')) return filled('answer', node, answerForm.read(node, label, report))
    if (has('kill', 'lift')) return filled('kill', node, killForm.read(node, label, report))
    return filled('call', node, callForm.read(node, label, report))
  },
}

function filled<K extends StepSaid['kind'], F>(kind: K, { at }: Node, read: Filled<F> | undefined) {
  return read && ({ kind, at, fields: read.fields } as unknown as StepSaid)
}

const caseKeys = {
  name: { form: text, about: 'What is expected, as a sentence.', required: 'say what is expected, as a sentence' },
  skip: { form: text, about: 'Why the case is not run.' },
  ...shared,
  ...timeKey('When the case begins: a time, or `+1h` for an hour after the time of the file.'),
  facts: {
    form: listOf(factForm, 'a list of calls that were made before', 0),
    about: 'Calls that were made, allowed and executed before the case begins.',
  },
  calls: { form: listOf(stepForm, 'a list of calls'), about: 'What happens, in order.' },
  call: { form: callForm, about: 'In the place of `calls`: the one call.' },
  expect: { form: ofCall, about: 'What is expected of the one `call`.' },
} as const

const matrixTool = record('a map of how the tool is called', {
  arguments: { form: jsonMap, about: 'The arguments it is called with.' },
})

/** Names, names with their arguments, or a file. */
const matrixTools: Form<Node> = {
  says: 'a list of names, a map from names to `arguments`, or a file that `tollgate scan --json` wrote',
  schema: {
    anyOf: [
      label.schema,
      { type: 'array', items: label.schema },
      mapOf(orNothing(matrixTool), 'a map of tools').schema,
    ],
  },
  read(node, name, report) {
    return areTools(node, name, report) ? node : undefined
  },
}

function areTools(node: Node, name: string, report: Report): boolean {
  switch (node.kind) {
    case 'scalar':
      return label.read(node, name, report) !== undefined
    case 'list':
      return listOf(label, 'a list of names').read(node, name, report) !== undefined
    case 'map':
      return mapOf(orNothing(matrixTool), 'a map of tools', 1).read(node, name, report)?.length === node.entries.length
  }
  return node satisfies never
}

/** `get_balance:` with nothing behind it is called without arguments. */
function orNothing<T>(form: Form<T>): Form<T | null> {
  const schema: Schema = { anyOf: [form.schema, { type: 'null' }] }
  return { ...form, schema, read: (node, name, report) => (isNothing(node) ? null : form.read(node, name, report)) }
}

function isNothing(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null
}

interface MatrixPrincipal {
  readonly name: string
  readonly at: Spot
  readonly principal?: Principal
}

const matrixPrincipals: Form<readonly MatrixPrincipal[]> = {
  says: 'a map of who calls, or a list of names out of `principals`',
  schema: { anyOf: [principals.schema, { type: 'array', items: label.schema }] },
  read(node, name, report) {
    if (node.kind === 'list')
      return listOf(label, 'a list of names')
        .read(node, name, report)
        ?.map(({ value, at }) => ({ name: value, at }))
    const named = principals.read(node, name, report)
    return named?.map((one) => ({ name: one.name, at: one.nameAt, principal: one.value }))
  },
}

const byPrincipal = mapOf(listOf(label, 'a list of tools', 0), 'a map from principals to tools')

const matrixKeys = {
  name: { form: text, about: 'What the matrix is about.', required: 'say what it is about' },
  skip: { form: text, about: 'Why it is not run.' },
  principals: {
    form: matrixPrincipals,
    about: 'Who calls; all of `principals` if not given.',
  },
  tools: { form: matrixTools, about: 'What they call.', required: 'name what they call' },
  server: shared.server,
  session: shared.session,
  run: shared.run,
  ...timeKey('When: a time, or `+1h` for an hour after the time of the file.'),
  allow: { form: byPrincipal, about: 'Which calls of whom are allowed.' },
  hold: { form: byPrincipal, about: 'Which calls of whom wait for a person. What is not listed is to be denied.' },
} as const

const caseForm = record('a case', caseKeys, { owner: 'a case' })
const matrixForm = record('a matrix', matrixKeys, { owner: 'a matrix' })

export type CaseSaid = Filled<FieldsOf<typeof caseKeys>>
export type MatrixSaid = Filled<FieldsOf<typeof matrixKeys>>

const files = oneOrMore(label)

export const fileKeys = {
  policy: { form: files, about: 'The policy, a file beside this one; several are merged, the first is the base.' },
  layers: { form: mapOf(files, 'a map from names of layers to files', 1), about: 'In the place of `policy`: layers.' },
  principals: { form: principals, about: 'Who calls, by names of your own.' },
  ...shared,
  ...timeKey('When each case begins; a Monday at noon, 2026-01-05T12:00:00Z, if not given.'),
  cases: { form: listOf(caseForm, 'a list of cases'), about: 'What happens, and what is expected.' },
  matrix: { form: listOf(matrixForm, 'a list of matrices'), about: 'Who may call what.' },
} as const satisfies Keys

export const fileForm = record('a map of a policy and its cases', fileKeys, { owner: 'a case file' })

export type FileSaid = FieldsOf<typeof fileKeys>

/** For editors; the name stays the same wherever a copy lies. */
export const casesSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:tollgate:cases:1',
  title: 'Cases of a Tollgate policy',
  ...fileForm.schema,
}
