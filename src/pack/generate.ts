/** From a workflow manifest to the policy pack that an enforcer loads. The same manifest gives the same bytes. */
import type { Json } from '../model/canonical.ts'
import { accessDecisions, runtimeAttributes, type Variant, variants } from '../model/pack/words.ts'
import { packText } from './json.ts'
import type { Manifest, ManifestWorkflow } from './manifest.ts'

/** Where a manifest stands in the repository that this format comes from: what a pack calls its source, if not told otherwise. */
export const usualManifestPath = 'data/control-plane/workflow-manifests.json'

export interface PackSource {
  readonly manifest: Manifest
  /** SHA-256 of the manifest, see `manifestDigest`. */
  readonly sha256: string
  /** What the pack calls the manifest: a name, not where this machine has it. */
  readonly path: string
}

const meanings: Readonly<Record<Variant, string>> = {
  allow: 'Context is read inside the declared tool namespace, and nothing is written.',
  allow_scoped_branch: 'Files in the declared scope are written to a branch with the prefix of the workflow.',
  allow_scoped_ticket: 'Evidence and triage notes are written to a declared ticket system.',
  hold_for_approval: 'The call waits until a typed record says that a person approved it.',
  deny: 'Nothing declares the workflow, tool, path, host or gate, so nothing is done.',
  kill_session: 'A runtime kill signal fired, so the session of the agent ends.',
}

const intent =
  'Say in one file that a machine can enforce what the workflows of the manifest may do: which agents, tools and ' +
  'paths, who approves, what is kept as evidence, and what ends a session.'

export function generatePack(source: PackSource): string {
  const { manifest, sha256, path } = source
  const { workflow_defaults: defaults, workflows } = manifest
  const scopes = workflows.flatMap(({ mcp_context }) => mcp_context)
  const granted = [...new Set(scopes.map(({ access }) => accessDecisions[access]))].sort()
  return packText({
    decision_contract: {
      decisions: variants.map((decision) => ({ decision, meaning: meanings[decision] })),
      default_decision: 'deny',
      required_runtime_attributes: runtimeAttributes,
    },
    generated_at: manifest.last_reviewed,
    global_defaults: {
      default_change_window: defaults.default_change_window ?? null,
      evidence_retention_days: defaults.evidence_retention_days ?? null,
      human_review_required: defaults.human_review_required ?? true,
      manual_review_required_for: defaults.manual_review_required_for ?? [],
      max_open_prs_per_repo: defaults.max_open_prs_per_repo ?? null,
      required_pr_label: defaults.required_pr_label ?? null,
      required_remediation_branch_prefix: defaults.branch_prefix,
    },
    intent,
    policy_id: 'security-recipes-mcp-gateway-policy-pack',
    policy_summary: {
      active_workflow_count: workflows.filter(({ status }) => status === 'active').length,
      mcp_namespace_count: new Set(scopes.map(({ namespace }) => namespace)).size,
      policy_decisions: [...granted, 'deny', 'kill_session'],
      workflow_count: workflows.length,
    },
    schema_version: '1.0',
    source_manifest: {
      last_reviewed: manifest.last_reviewed,
      path,
      schema_version: manifest.schema_version,
      sha256,
    },
    standards_alignment: manifest.standards_alignment,
    workflow_policies: workflows.map((workflow) => workflowPolicy(workflow, manifest)),
  })
}

function workflowPolicy(workflow: ManifestWorkflow, { workflow_defaults: defaults, ...manifest }: Manifest): Json {
  const { id, owner, scope } = workflow
  const scopes = workflow.mcp_context.map(({ namespace, access, purpose }) => ({
    access,
    decision: accessDecisions[access],
    namespace,
    purpose,
    scope_id: `${id}:${namespace}:${access}`,
  }))
  return {
    change_scope: { ...scope },
    default_decision: 'deny',
    dispatch: {
      automation_first: workflow.automation_first,
      eligible_findings: workflow.eligible_findings,
      max_open_prs_per_repo: defaults.max_open_prs_per_repo ?? null,
      required_branch_prefix: defaults.branch_prefix,
      required_pr_label: defaults.required_pr_label ?? null,
    },
    evidence_contract: {
      required_records: workflow.evidence,
      retention_days_default: defaults.evidence_retention_days ?? null,
    },
    gate_contract: manifest.required_gate_phases.map((phase) => ({
      phase,
      rule_count: workflow.gates[phase].length,
      rules: workflow.gates[phase],
    })),
    identity: {
      accountable_team: owner.accountable_team,
      allowed_agents: workflow.default_agents,
      escalation: owner.escalation,
      reviewer_pools: owner.reviewer_pools ?? [],
    },
    kpi_contract: workflow.kpis,
    maturity_stage: workflow.maturity_stage,
    public_path: workflow.public_path,
    runtime_controls: {
      egress_default: 'deny_except_declared_mcp_context',
      kill_signals: workflow.kill_signals,
      session_disablement_required: true,
    },
    source_content_path: workflow.content_path,
    status: workflow.status,
    title: workflow.title,
    tool_access: {
      allowed_mcp_scopes: scopes,
      denied_by_default: true,
      requires_human_approval_for: scopes
        .filter(({ decision }) => decision === 'hold_for_approval')
        .map(({ namespace }) => namespace),
    },
    workflow_id: id,
  }
}
