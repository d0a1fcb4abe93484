/** What a policy pack may say, key by key. */
import { accessModes, gatePhases, runtimeAttributes, stages, statuses, variants } from '../../model/pack/words.ts'
import { choice, flag, listOf, record } from '../forms.ts'
import { label, text, wholeNumber } from '../scalars.ts'
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

export const accessForm = record('a map of tools', accessKeys)

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

export const workflowForm = record('a workflow', workflowKeys)

const packKeys = {
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
