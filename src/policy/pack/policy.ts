/** Policy packs: what the workflows of agents may do, as a generator wrote it down (`src/pack`), JSON or YAML. */
import type { PackPolicy, ToolScope, Workflow } from '../../model/pack/policy.ts'
import { type Access, accessDecisions, stages } from '../../model/pack/words.ts'
import { quote, type Report, type Spot } from '../diagnostics.ts'
import type { Located } from '../forms.ts'
import type { Node } from '../source.ts'
import { hint } from '../spelling.ts'
import { reportTwice } from './forms.ts'
import { type accessForm, packForm, type workflowForm } from './keys.ts'

type WorkflowFields = NonNullable<ReturnType<typeof workflowForm.read>>

/** `digest` is the SHA-256 of the file. */
export function readPack(root: Node, digest: string, report: Report): PackPolicy | undefined {
  const { fields } = packForm.read(root, 'a policy pack', report) ?? {}
  const listed = fields?.workflow_policies?.value ?? []
  const declared = fields?.decision_contract?.value?.fields.decisions?.value ?? []
  const words = declared.flatMap(({ value }) => value.fields.decision?.value ?? [])
  reportTwice(
    listed.flatMap(({ value }) => idOf(value)),
    '`workflow_policies`',
    report,
  )
  const workflows = listed.map(({ value }) => workflowOf(value, words, report))
  const id = fields?.policy_id?.value
  const version = fields?.generated_at?.value
  const manifest = fields?.source_manifest?.value?.fields.sha256?.value
  if (id === undefined || version === undefined || manifest === undefined) return undefined
  if (!workflows.every((workflow) => workflow !== undefined)) return undefined
  return {
    strategy: 'pack',
    language: 'pack',
    id,
    version,
    sha256: digest,
    manifestSha256: manifest,
    statuses: ['active'],
    stages,
    manualReview: valuesOf(fields?.global_defaults?.value?.fields.manual_review_required_for?.value),
    workflows,
  }
}

function idOf({ fields }: WorkflowFields): readonly Located<string>[] {
  const id = fields.workflow_id
  return id?.value === undefined ? [] : [{ value: id.value, at: id.at }]
}

/** Undefined when something of it is wrong, which is reported. */
function workflowOf({ fields, at }: WorkflowFields, words: readonly string[], report: Report): Workflow | undefined {
  const { change_scope, dispatch, evidence_contract, gate_contract, identity, tool_access } = fields
  const scope = change_scope?.value?.fields
  const scopes = scopesOf(tool_access?.value, words, report)
  const evidenceIds = (evidence_contract?.value?.fields.required_records?.value ?? []).flatMap(
    ({ value }) => value.fields.id?.value ?? [],
  )
  const phases = (gate_contract?.value ?? []).flatMap(({ value, at }) => {
    const phase = value.fields.phase?.value
    return phase === undefined ? [] : [{ value: phase, at }]
  })
  reportTwice(phases, '`gate_contract`', report)
  const id = fields.workflow_id?.value
  const status = fields.status?.value
  const stage = fields.maturity_stage?.value
  const branch = dispatch?.value?.fields.required_branch_prefix?.value
  const [files, lines] = [scope?.max_changed_files?.value, scope?.max_diff_lines?.value]
  if (id === undefined || status === undefined || stage === undefined || branch === undefined) return undefined
  if (files === undefined || lines === undefined) return undefined
  return {
    id,
    status,
    stage,
    agents: valuesOf(identity?.value?.fields.allowed_agents?.value),
    scopes,
    branchPrefix: branch,
    allowedPaths: valuesOf(scope?.allowed_paths?.value),
    forbiddenPaths: valuesOf(scope?.forbidden_paths?.value),
    maxChangedFiles: files,
    maxDiffLines: lines,
    phases: phases.map(({ value: phase }) => ({ phase, evidence: isGated(phase) ? evidenceIds : [] })),
    place: { file: report.file, line: at.line, col: at.col },
  }
}

/** What is merged, and what follows from it, stands on the records of the work before. */
function isGated(phase: string): boolean {
  return phase === 'pre_merge' || phase === 'post_merge'
}

type AccessFields = NonNullable<ReturnType<typeof accessForm.read>>

function scopesOf(access: AccessFields | undefined, words: readonly string[], report: Report): readonly ToolScope[] {
  const approved = valuesOf(access?.fields.requires_human_approval_for?.value)
  const found = (access?.fields.allowed_mcp_scopes?.value ?? []).flatMap(({ value: { fields, at } }) => {
    const [namespace, mode, decision] = [fields.namespace?.value, fields.access?.value, fields.decision]
    if (namespace === undefined || mode === undefined || decision?.value === undefined) return []
    reportUnfit(mode, decision.value, words, decision.at, report)
    const held = decision.value === 'hold_for_approval'
    const scope: ToolScope = {
      namespace,
      access: mode,
      variant: held ? 'allow' : decision.value,
      needsApproval: held || (mode !== 'read' && approved.includes(namespace)),
    }
    return [{ scope, at }]
  })
  reportUngranted(access?.fields.requires_human_approval_for?.value ?? [], found, report)
  const names = found.map(({ scope, at }) => ({ value: `${scope.namespace}:${scope.access}`, at }))
  reportTwice(names, '`allowed_mcp_scopes`', report)
  return found.map(({ scope }) => scope)
}

/** A misspelt namespace would take the person away. */
function reportUngranted(
  approved: readonly Located<string>[],
  found: readonly { readonly scope: ToolScope }[],
  report: Report,
): void {
  const known = new Set(found.map(({ scope }) => scope.namespace))
  for (const { value, at } of approved)
    if (!known.has(value))
      report.error(at, 'wrong_value', `no tool scope has the namespace ${quote(value)}${hint(value, known)}`)
}

/** A scope that earns more than its access would pass over the checks of that access. */
function reportUnfit(access: Access, decision: string, words: readonly string[], at: Spot, report: Report): void {
  const fits = accessDecisions[access]
  if (decision !== fits)
    report.error(at, 'contradiction', `${quote(access)} earns ${quote(fits)}, not ${quote(decision)}`)
  else if (!words.includes(decision))
    report.error(at, 'contradiction', `${quote(decision)} is not among the decisions of the pack`)
}

function valuesOf<T>(list: readonly Located<T>[] | undefined): readonly T[] {
  return (list ?? []).map(({ value }) => value)
}
