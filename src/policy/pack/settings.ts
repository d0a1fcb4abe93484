/**
 * What an operator says beside a policy pack: which manifest it must be of, how far workflows may go here, and what the
 * tools of real servers are in the words of the pack. It narrows the pack, or says what tools do; it grants nothing.
 */
import { createHash } from 'node:crypto'
import { messageOf } from '../../model/errors.ts'
import { changeClass } from '../../model/pack/changes.ts'
import { type ClaimedAttribute, type ClaimsMapping, claimedAttributes } from '../../model/pack/claims.ts'
import type { PackPolicy, ToolBinding, Workflow } from '../../model/pack/policy.ts'
import { accessModes, type GatePhase, gatePhases, stages, statuses } from '../../model/pack/words.ts'
import type { ModelledPolicy, Path } from '../../model/policy.ts'
import { quote, type Report, type Spot } from '../diagnostics.ts'
import { choice, type Field, type Located, listOf, mapOf, oneOrMore, record } from '../forms.ts'
import { targetsOf } from '../names.ts'
import { path } from '../paths.ts'
import { label } from '../scalars.ts'
import type { Node } from '../source.ts'
import { hint } from '../spelling.ts'
import { distinct, labels, sha256 } from './forms.ts'

/** Reads a file that another one names, and gives its text; throws when it cannot. */
export type Beside = (name: string) => string | Uint8Array

const bindingKeys = {
  namespace: { form: label, about: 'The tool namespace that it belongs to.', required: 'name its tool namespace' },
  access: { form: choice(...accessModes), about: 'How it is used.', required: 'say how it is used' },
  branch: { form: path, about: 'The argument that names the branch it writes.' },
  paths: { form: oneOrMore(path), about: 'The arguments that name the files it changes; lists are looked through.' },
  content: { form: oneOrMore(path), about: 'The arguments with the new text of those files: their lines are counted.' },
} as const

const binding = record('a map of what a tool is', bindingKeys)

const phaseKeys = Object.fromEntries(
  gatePhases.map((phase) => [phase, { form: labels, about: `The records that a write in \`${phase}\` stands on.` }]),
) as { readonly [P in GatePhase]: { readonly form: typeof labels; readonly about: string } }

const phasesForm = record('a map of gate phases', phaseKeys)

const claimKeys = Object.fromEntries(
  claimedAttributes.map((attribute) => [
    attribute,
    { form: path, about: `The claim that says the \`${attribute}\`; a dot in its name is \`\\.\`.` },
  ]),
) as { readonly [A in ClaimedAttribute]: { readonly form: typeof path; readonly about: string } }

const claimsForm = record('a map of attributes of the run', claimKeys, { owner: '`claims`' })

export const settingsKeys = {
  pack: { form: label, about: 'The pack: a file beside this one.', required: 'name the pack' },
  manifest: { form: label, about: 'The manifest that the pack must be of: a file beside this one.' },
  manifest_sha256: { form: sha256, about: 'The digest of the manifest that the pack must be of.' },
  statuses: {
    form: distinct(listOf(choice(...statuses), 'a list of statuses')),
    about: 'In which of these a workflow may act; `[active]` if not given.',
  },
  maturity: {
    form: distinct(listOf(choice(...stages), 'a list of maturity stages')),
    about: 'Workflows of which stages may act; all if not given.',
  },
  evidence: {
    form: mapOf(phasesForm, 'a map of workflows'),
    about: 'The records that a write in a phase stands on, by workflow.',
  },
  change_classes: {
    form: distinct(listOf(label, 'a list of classes of changes', 0)),
    about: 'Changes that need no person. With it, a write has to say its class, and any other class needs a person.',
  },
  claims: {
    form: claimsForm,
    about: "Where in the verified claims of the caller's token attributes of the run stand. Nothing else says these.",
  },
  tools: {
    form: mapOf(binding, 'a map of tools', 1),
    about: 'What the tools are. Any other tool is denied.',
  },
} as const

export const settingsForm = record('the settings of a pack', settingsKeys)

/** `parse` reads the pack as any policy is read. */
export function readSettings(
  root: Node,
  beside: Beside | undefined,
  parse: (file: string, text: string | Uint8Array) => { policy?: ModelledPolicy; mistakes: readonly string[] },
  report: Report,
): PackPolicy | undefined {
  const { fields } = settingsForm.read(root, 'the settings of a pack', report) ?? {}
  const tools = fields?.tools?.value?.flatMap(({ name, nameAt, value }) =>
    bindingOf(name, nameAt, value.fields, report),
  )
  const { pack } = fields ?? {}
  if (pack?.value === undefined) return undefined
  const text = read(pack.value, pack.at, beside, report)
  const { policy, mistakes } = text === undefined ? { mistakes: [] } : parse(pack.value, text)
  for (const mistake of mistakes) report.error(pack.at, 'wrong_value', mistake)
  if (policy && policy.strategy !== 'pack')
    report.error(pack.at, 'wrong_value', `${quote(pack.value)} must be a policy pack`)
  if (policy?.strategy !== 'pack') return undefined
  reportManifest(policy, fields?.manifest, fields?.manifest_sha256, beside, report)
  reportUnusedTools(policy, fields?.tools?.value ?? [], report)
  const routine = fields?.change_classes?.value
  reportReviewed(policy, routine ?? [], report)
  const evidence = fields?.evidence?.value ?? []
  for (const { name, nameAt } of evidence)
    if (!policy.workflows.some(({ id }) => id === name))
      report.error(
        nameAt,
        'wrong_value',
        `the pack has no workflow ${quote(name)}${hint(
          name,
          policy.workflows.map(({ id }) => id),
        )}`,
      )
  const records = new Map(evidence.map(({ name, value }) => [name, value.fields]))
  return {
    ...policy,
    ...(fields?.statuses?.value && { statuses: fields.statuses.value.map(({ value }) => value) }),
    ...(fields?.maturity?.value && { stages: fields.maturity.value.map(({ value }) => value) }),
    ...(tools && { tools }),
    ...(routine && { routineChanges: routine.map(({ value }) => value) }),
    ...(fields?.claims?.value && { claims: mappingOf(fields.claims.value) }),
    workflows: policy.workflows.map((workflow) => withEvidence(workflow, records.get(workflow.id))),
  }
}

function read(name: string, at: Spot, beside: Beside | undefined, report: Report): string | Uint8Array | undefined {
  try {
    if (!beside) throw new Error('there is no folder in which to look for it')
    return beside(name)
  } catch (error) {
    report.error(at, 'unreadable', `${quote(name)} cannot be read: ${messageOf(error)}`)
    return undefined
  }
}

/** A pack of another manifest than the one that was reviewed is refused. */
function reportManifest(
  policy: PackPolicy,
  manifest: Field<string> | undefined,
  pinned: Field<string> | undefined,
  beside: Beside | undefined,
  report: Report,
): void {
  const differs = (found: string) => `the pack is of another manifest: it names \`${policy.manifestSha256}\`, ${found}`
  if (pinned?.value !== undefined && pinned.value !== policy.manifestSha256)
    report.error(pinned.at, 'contradiction', differs('not this one'))
  const bytes = manifest?.value === undefined ? undefined : read(manifest.value, manifest.at, beside, report)
  if (!manifest || bytes === undefined) return
  const digest = createHash('sha256')
    .update(
      Buffer.from(bytes as Uint8Array)
        .toString('utf8')
        .replaceAll('\r\n', '\n'),
    )
    .digest('hex')
  if (digest !== policy.manifestSha256) report.error(manifest.at, 'contradiction', differs(`this one is \`${digest}\``))
}

function bindingOf(
  key: string,
  at: Spot,
  fields: NonNullable<ReturnType<typeof binding.read>>['fields'],
  report: Report,
): readonly ToolBinding[] {
  const match = targetsOf('tools/call', key, at, report)
  const [namespace, access] = [fields.namespace?.value, fields.access?.value]
  if (!match || namespace === undefined || access === undefined) return []
  const branch = fields.branch?.value
  // What the host registered once would count for every call, whatever it does.
  if (access === 'write_branch' && (!fields.branch || !fields.paths))
    report.error(
      at,
      'missing_key',
      `${quote(key)} writes to a branch: say which arguments name the branch and the files`,
    )
  return [
    {
      key,
      match,
      namespace,
      access,
      ...(branch && { branch }),
      paths: pathsOf(fields.paths),
      content: pathsOf(fields.content),
      place: { file: report.file, line: at.line, col: at.col },
    },
  ]
}

/** What a person has to see is no routine. */
function reportReviewed({ manualReview }: PackPolicy, routine: readonly Located<string>[], report: Report): void {
  const reviewed = new Map(manualReview.map((one) => [changeClass(one), one]))
  for (const { value, at } of routine) {
    const word = reviewed.get(changeClass(value))
    if (word !== undefined)
      report.error(at, 'contradiction', `a person has to approve ${quote(word)}: the pack says so`)
    else if (changeClass(value) === '')
      report.error(at, 'bad_name', `a class of changes has letters or digits, got ${quote(value)}`)
  }
}

function mappingOf({ fields }: NonNullable<ReturnType<typeof claimsForm.read>>): ClaimsMapping {
  return Object.fromEntries(
    claimedAttributes.flatMap((attribute) => {
      const said = fields[attribute]?.value
      return said === undefined ? [] : [[attribute, said]]
    }),
  )
}

function pathsOf(field: Field<readonly Located<Path>[]> | undefined): readonly Path[] {
  return (field?.value ?? []).map(({ value }) => value)
}

/** A namespace that no workflow has is a misspelt one: every call of the tool would be denied. */
function reportUnusedTools(
  policy: PackPolicy,
  tools: readonly { readonly name: string; readonly value: NonNullable<ReturnType<typeof binding.read>> }[],
  report: Report,
): void {
  const known = new Set(policy.workflows.flatMap(({ scopes }) => scopes.map(({ namespace }) => namespace)))
  for (const {
    value: {
      fields: { namespace },
    },
  } of tools)
    if (namespace?.value !== undefined && !known.has(namespace.value))
      report.error(
        namespace.at,
        'wrong_value',
        `no workflow of the pack has the namespace ${quote(namespace.value)}${hint(namespace.value, known)}`,
      )
}

function withEvidence(workflow: Workflow, records: PhaseFields | undefined): Workflow {
  if (!records) return workflow
  const phases = workflow.phases.map(({ phase, evidence }) => ({
    phase,
    evidence: records[phase]?.value?.map(({ value }) => value) ?? evidence,
  }))
  return { ...workflow, phases }
}

type PhaseFields = NonNullable<ReturnType<typeof phasesForm.read>>['fields']
