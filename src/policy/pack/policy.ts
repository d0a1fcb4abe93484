/** Policy packs: what the workflows of agents may do, as a generator wrote it down (`src/pack`), JSON or YAML. */
import type { PackPolicy, ToolScope, Workflow } from '../../model/pack/policy.ts'
import {
  type Access,
  accessDecisions,
  accessModes,
  gatePhases,
  runtimeAttributes,
  stages,
  statuses,
  variants,
} from '../../model/pack/words.ts'
import { quote, type Report, type Spot } from '../diagnostics.ts'
import { choice, flag, type Located, listOf, record } from '../forms.ts'
import { label, text, wholeNumber } from '../scalars.ts'
import type { Node } from '../source.ts'
import { hint } from '../spelling.ts'
import {
  atLeast,
  branchPrefix,
  date,
  distinct,
  evidence,
  exactly,
  killSignals,
  kpis,
  labels,
  nullable,
  publicPath,
  reportTwice,
  sha256,
  standards,
  texts,
  workflowId,
} from './forms.ts'
import { changeScope } from './scopes.ts'

const denies = {
  form: exactly('deny', 'a pack allows what it declares and nothing else'),
  about: 'What is not declared.',
  required: 'say "deny"',
}
const count = { form: wholeNumber(0), about: 'How many there are.' }

const decisionKeys = {
  decision: { form: choice(...variants), about: 'The word for it.', required: 'name the decision' },
  meaning: { form: text, about: 'What it means, for people.' },
} as const

const contractKeys = {
  decisions: {
    form: atLeast(1, record('a decision', decisionKeys), 'a list of decisions'),
    about: 'The decisions that the pack may give.',
    required: 'list the decisions',
  },
  default_decision: denies,
  required_runtime_attributes: {
    form: distinct(atLeast(1, choice(...runtimeAttributes), 'a list of attributes')),
    about: 'What must be known of a call.',
    required: 'list the attributes',
  },
} as const

const globalKeys = {
  default_change_window: { form: nullable(label), about: 'When changes are made.' },
  evidence_retention_days: { form: nullable(wholeNumber(1)), about: 'How long evidence is kept.' },
  human_review_required: { form: flag, about: 'Does a person review every change?' },
  manual_review_required_for: {
    form: distinct(texts),
    about: 'Changes that a person has to approve.',
    required: 'list them, `[]` for none',
  },
  max_open_prs_per_repo: { form: nullable(wholeNumber(1)), about: 'Pull requests at a time.' },
  required_pr_label: { form: nullable(label), about: 'The label of pull requests.' },
  required_remediation_branch_prefix: { form: nullable(branchPrefix), about: 'How every branch begins.' },
} as const

const summaryKeys = {
  active_workflow_count: count,
  mcp_namespace_count: count,
  policy_decisions: {
    form: listOf(choice(...variants), 'a list of decisions', 0),
    about: 'The decisions it can give.',
  },
  workflow_count: count,
} as const

const sourceKeys = {
  last_reviewed: { form: date, about: 'When the manifest was reviewed.' },
  path: { form: text, about: 'What the manifest is called.' },
  schema_version: { form: label, about: 'The version of its format.' },
  sha256: { form: sha256, about: 'Its digest.', required: 'a pack names the manifest that it was made of' },
} as const

const dispatchKeys = {
  automation_first: { form: texts, about: 'What is tried before an agent.' },
  eligible_findings: { form: texts, about: 'What it takes on.' },
  max_open_prs_per_repo: { form: nullable(wholeNumber(1)), about: 'Pull requests at a time.' },
  required_branch_prefix: {
    form: branchPrefix,
    about: 'How every branch begins that it writes.',
    required: 'without it any branch could be written',
  },
  required_pr_label: { form: nullable(label), about: 'The label of its pull requests.' },
} as const

const evidenceContractKeys = {
  required_records: { form: evidence, about: 'The records it leaves.', required: 'list the records' },
  retention_days_default: { form: nullable(wholeNumber(1)), about: 'How long they are kept.' },
} as const

const gateKeys = {
  phase: { form: choice(...gatePhases), about: 'The phase.', required: 'name the phase' },
  rule_count: count,
  rules: {
    form: texts,
    about: 'What must hold in it, for people and hosts.',
    required: 'list the rules, `[]` for none',
  },
} as const

const identityKeys = {
  accountable_team: { form: label, about: 'The team that answers for it.' },
  allowed_agents: {
    form: distinct(atLeast(1, label, 'a list of agents')),
    about: 'Which classes of agents may run it.',
    required: 'list the agents that may run it',
  },
  escalation: { form: label, about: 'Who is asked when it is unclear.' },
  reviewer_pools: { form: labels, about: 'Who reviews its changes.' },
} as const

const controlKeys = {
  egress_default: {
    form: exactly('deny_except_declared_mcp_context', 'no other is known'),
    about: 'Where its agents may connect to.',
  },
  kill_signals: { form: killSignals, about: 'What ends a session at once.', required: 'list the signals' },
  session_disablement_required: { form: flag, about: 'Must a session end when one fires?' },
} as const

const toolScopeKeys = {
  access: { form: choice(...accessModes), about: 'How the tools are used.', required: 'say how the tools are used' },
  decision: { form: choice(...variants), about: 'What that earns.', required: 'say what that earns' },
  namespace: { form: label, about: 'The tool namespace.', required: 'name the tool namespace' },
  purpose: { form: text, about: 'What for.' },
  scope_id: { form: label, about: 'A name for the scope.' },
} as const

const accessKeys = {
  allowed_mcp_scopes: {
    form: listOf(record('a tool scope', toolScopeKeys), 'a list of tool scopes', 0),
    about: 'The tools it may use.',
    required: 'list the tools it may use',
  },
  denied_by_default: {
    form: exactly(true, 'a pack allows what it declares and nothing else'),
    about: 'Is the rest denied?',
    required: 'say `true`',
  },
  requires_human_approval_for: {
    form: distinct(labels),
    about: 'Namespaces in which a person approves whatever is more than reading.',
    required: 'list them, `[]` for none',
  },
} as const

const accessForm = record('a map of tools', accessKeys)

const workflowKeys = {
  workflow_id: { form: workflowId, about: 'The id of the workflow.', required: 'name the workflow' },
  title: { form: text, about: 'Its title.' },
  status: { form: choice(...statuses), about: 'Is it at work?', required: 'say if it is at work' },
  maturity_stage: { form: choice(...stages), about: 'How far it may go.', required: 'say how far it may go' },
  default_decision: denies,
  change_scope: { form: changeScope, about: 'What it may change.', required: 'say what it may change' },
  dispatch: {
    form: record('a map of how it is started', dispatchKeys),
    about: 'How it is started.',
    required: 'say how it is started',
  },
  evidence_contract: {
    form: record('a map of evidence', evidenceContractKeys),
    about: 'The evidence it leaves.',
    required: 'say which evidence it leaves',
  },
  gate_contract: {
    form: atLeast(1, record('a gate phase', gateKeys), 'a list of gate phases'),
    about: 'The phases it goes through.',
    required: 'list its phases',
  },
  identity: { form: record('a map of who may act', identityKeys), about: 'Who may act.', required: 'say who may act' },
  kpi_contract: { form: kpis, about: 'How it is measured.' },
  public_path: { form: publicPath, about: 'Where its page is shown.' },
  runtime_controls: {
    form: record('a map of runtime controls', controlKeys),
    about: 'What ends it.',
    required: 'say what ends it',
  },
  source_content_path: { form: text, about: 'Where its page is kept.' },
  tool_access: { form: accessForm, about: 'The tools it may use.', required: 'say which tools it may use' },
} as const

const workflowForm = record('a workflow', workflowKeys)

export const packKeys = {
  schema_version: {
    form: exactly('1.0', 'the only version there is'),
    about: 'The version of the format.',
    required: 'write "1.0"',
  },
  policy_id: { form: label, about: 'The name of the policy in every record.', required: 'name the policy' },
  generated_at: {
    form: label,
    about: 'When it was made: the version of the policy in every record.',
    required: 'say when it was made',
  },
  intent: { form: text, about: 'What it is for, for people.' },
  decision_contract: {
    form: record('a decision contract', contractKeys),
    about: 'What it decides, and from what.',
    required: 'say what it decides',
  },
  global_defaults: {
    form: record('a map of defaults', globalKeys),
    about: 'What holds for every workflow.',
    required: 'say what holds for every workflow',
  },
  policy_summary: { form: record('a summary', summaryKeys), about: 'What is in it, in figures.' },
  source_manifest: {
    form: record('the source of a pack', sourceKeys),
    about: 'The manifest that it was made of.',
    required: 'a pack names the manifest that it was made of',
  },
  standards_alignment: { form: standards, about: 'What it follows.' },
  workflow_policies: {
    form: listOf(workflowForm, 'a list of workflows'),
    about: 'The workflows.',
    required: 'list the workflows',
  },
} as const

export const packForm = record('a policy pack', packKeys)

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
