/** Workflow manifests: what a policy pack is generated from. Read here to be checked; nothing in one decides a call. */
import { accessModes, gatePhases, stages, statuses } from '../../model/pack/words.ts'
import { quote, type Report } from '../diagnostics.ts'
import {
  choice,
  type Field,
  type FieldsOf,
  type Filled,
  type Form,
  flag,
  type Keys,
  listOf,
  mistake,
  record,
} from '../forms.ts'
import { label, text, wholeNumber } from '../scalars.ts'
import type { Node } from '../source.ts'
import { nearest } from '../spelling.ts'
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
  matching,
  publicPath,
  reportTwice,
  standards,
  texts,
  workflowId,
} from './forms.ts'
import { changeScope } from './scopes.ts'

const agentClasses = choice('claude', 'codex', 'cursor', 'devin', 'github_copilot')

const ownerKeys = {
  accountable_team: { form: label, about: 'The team that answers for it.', required: 'name the team that answers' },
  reviewer_pools: { form: labels, about: 'Who reviews its changes.' },
  escalation: {
    form: label,
    about: 'Who is asked when it is unclear.',
    required: 'say who is asked when it is unclear',
  },
} as const

const contextKeys = {
  namespace: { form: label, about: 'The tool namespace.', required: 'name the tool namespace' },
  access: { form: choice(...accessModes), about: 'What may be done in it.', required: 'say what may be done in it' },
  purpose: { form: text, about: 'What for.', required: 'say what for' },
} as const

const gateRules = listOf(text, 'a list of rules', 0)
const gateKeys = Object.fromEntries(
  gatePhases.map((phase) => [phase, { form: gateRules, about: `What must hold in \`${phase}\`.` }]),
) as { readonly [P in (typeof gatePhases)[number]]: { readonly form: typeof gateRules; readonly about: string } }

const workflowKeys = {
  id: { form: workflowId, about: 'The id of the workflow.', required: 'name the workflow' },
  title: { form: text, about: 'Its title.', required: 'give it a title' },
  status: { form: choice(...statuses), about: 'Is it at work?', required: 'say if it is at work' },
  maturity_stage: { form: choice(...stages), about: 'How far it may go.', required: 'say how far it may go' },
  content_path: { form: text, about: 'Where its page is kept.', required: 'say where its page is kept' },
  public_path: { form: publicPath, about: 'Where its page is shown.', required: 'say where its page is shown' },
  owner: { form: record('an owner', ownerKeys), about: 'Who answers for it.', required: 'say who answers for it' },
  eligible_findings: {
    form: atLeast(1, text, 'a list of findings'),
    about: 'What it takes on.',
    required: 'say what it takes on',
  },
  default_agents: {
    form: distinct(atLeast(1, agentClasses, 'a list of agents')),
    about: 'Which agents may run it.',
    required: 'say which agents may run it',
  },
  automation_first: {
    form: texts,
    about: 'What is tried before an agent.',
    required: 'say what is tried first, `[]` for nothing',
  },
  mcp_context: {
    form: atLeast(1, record('a tool namespace', contextKeys), 'a list of tool namespaces'),
    about: 'The tools it may use.',
    required: 'say which tools it may use',
  },
  scope: { form: changeScope, about: 'What it may change.', required: 'say what it may change' },
  gates: {
    form: record('a map of gate phases', gateKeys),
    about: 'What must hold, phase by phase.',
    required: 'say what must hold',
  },
  evidence: { form: evidence, about: 'The records it leaves.', required: 'say which records it leaves' },
  kpis: { form: kpis, about: 'How it is measured.', required: 'say how it is measured' },
  kill_signals: { form: killSignals, about: 'What ends it at once.', required: 'say what ends it at once' },
} as const

const defaultsKeys = {
  branch_prefix: {
    form: branchPrefix,
    about: 'How every branch begins.',
    required: 'say how every branch begins, or any branch may be written',
  },
  required_pr_label: { form: label, about: 'The label of its pull requests.' },
  human_review_required: {
    form: flag,
    about: 'Does a person review every change?',
  },
  default_change_window: { form: label, about: 'When changes are made.' },
  max_open_prs_per_repo: { form: wholeNumber(1), about: 'Pull requests at a time.' },
  evidence_retention_days: { form: wholeNumber(1), about: 'How long evidence is kept.' },
  manual_review_required_for: { form: distinct(texts), about: 'Changes that a person has to approve.' },
} as const

const manifestKeys = {
  schema_version: {
    form: exactly('1.0', 'the only version there is'),
    about: 'The version of the format.',
    required: 'write "1.0"',
  },
  last_reviewed: { form: date, about: 'When it was reviewed.', required: 'say when it was reviewed' },
  intent: {
    form: matching(/^.{40}/s, 'a text of at least 40 characters'),
    about: 'What it is for.',
    required: 'say what it is for',
  },
  required_gate_phases: {
    form: distinct(atLeast(6, choice(...gatePhases), 'a list of gate phases')),
    about: 'The phases that every workflow has rules for.',
    required: 'list the six phases',
  },
  standards_alignment: { form: standards, about: 'What it follows.', required: 'say what it follows' },
  workflow_defaults: {
    form: open('defaults', defaultsKeys),
    about: 'What holds for every workflow.',
    required: 'say at least `branch_prefix`',
  },
  workflows: {
    form: atLeast(1, record('a workflow', workflowKeys), 'a list of workflows'),
    about: 'The workflows.',
    required: 'list the workflows',
  },
} as const

const manifestForm = record('a workflow manifest', manifestKeys)

/** Reports every mistake of a manifest. */
export function checkManifest(root: Node, report: Report): void {
  const { fields } = manifestForm.read(root, 'a workflow manifest', report) ?? {}
  const phases = (fields?.required_gate_phases?.value ?? []).map(({ value }) => value)
  const workflows = fields?.workflows?.value ?? []
  const ids = workflows.flatMap(({ value }) => located(value.fields.id))
  reportTwice(ids, '`workflows`', report)
  for (const { value } of workflows) {
    const { gates, mcp_context: contexts } = value.fields
    for (const phase of phases)
      if (gates?.value && !gates.value.fields[phase])
        report.error(
          gates.at,
          'missing_key',
          `${quote(phase)} is missing: every workflow has rules for it, \`[]\` for none`,
        )
    const scopes = (contexts?.value ?? []).map(({ value: { fields: of, at } }) => ({
      value: `${of.namespace?.value}:${of.access?.value}`,
      at,
    }))
    reportTwice(scopes, '`mcp_context`', report)
  }
}

function located(field: Field<string> | undefined) {
  return field?.value === undefined ? [] : [{ value: field.value, at: field.at }]
}

/** A map that may hold more than its keys; what is nearly one of them is that one, misspelt. */
function open<K extends Keys>(says: string, keys: K): Form<Filled<FieldsOf<K>>> {
  const closed = record(says, keys)
  const names = Object.keys(keys)
  return {
    says,
    schema: { ...closed.schema, additionalProperties: true },
    read(node, name, report) {
      if (node.kind !== 'map') return mistake(node, name, says, report)
      const meant = ({ key }: { readonly key: string }) => names.includes(key) || nearest(key, names) !== undefined
      return closed.read({ ...node, entries: node.entries.filter(meant) }, name, report)
    },
  }
}
