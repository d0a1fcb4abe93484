/** What a policy pack means, on one page. */
import type { Input } from '../model/call.ts'
import type { Verdict } from '../model/decision.ts'
import { changeClass } from '../model/pack/changes.ts'
import { isUnsafePath } from '../model/pack/paths.ts'
import type { PackPolicy, ToolScope, Workflow } from '../model/pack/policy.ts'
import type { RunFacts } from '../model/pack/run.ts'
import { packAllow, type Stop, stops } from '../model/pack/stops.ts'
import { type Stage, stages } from '../model/pack/words.ts'
import { allows, forbids } from './paths.ts'

/** The first thing that stops the call names the decision; what nothing stops is what its tool scope earns. */
export function evaluatePack(policy: PackPolicy, input: Input): Verdict {
  if (input.method === 'resources/read') return stops.RESOURCE_NOT_ALLOWED
  if (input.method === 'prompts/get') return stops.PROMPT_NOT_ALLOWED
  const { run } = input
  if (!run) return stops.RUN_MISSING
  if (run.kill_signals.length > 0) return stops.KILL_SIGNAL
  const workflow = policy.workflows.find(({ id }) => id === run.workflow_id)
  const scope = workflow?.scopes.find(
    (one) => one.namespace === run.tool_namespace && one.access === run.tool_access_mode,
  )
  const stop = unusable(run) ?? undeclared(policy, run, workflow, scope)
  if (stop) return stops[stop]
  const outside = scope?.access === 'write_branch' ? outsideOf(workflow as Workflow, run) : undefined
  if (outside) return stops[outside]
  if (run.approval?.status === 'denied' && run.approval.covers) return stops.APPROVAL_DENIED
  const unapproved = needsApproval(policy, run, scope as ToolScope) ? unapprovedBy(run, input.time) : undefined
  return unapproved ? stops[unapproved] : packAllow((scope as ToolScope).variant)
}

/** What is not known for certain. Null is what is there and cannot be read. */
function unusable(run: RunFacts): Stop | undefined {
  if (run.unmapped) return 'TOOL_NOT_ALLOWED'
  if (run.conflict !== undefined) return 'RUN_CONFLICT'
  if (run.odd !== undefined) return 'RUN_ATTRIBUTE_ODD'
  if (!run.workflow_id) return 'WORKFLOW_ID_INVALID'
  if (!run.agent_id) return 'AGENT_ID_INVALID'
  if (!run.run_id) return 'RUN_ID_INVALID'
  if (!run.tool_namespace) return 'TOOL_NAMESPACE_INVALID'
  if (!run.tool_access_mode) return 'TOOL_ACCESS_MODE_INVALID'
  if (!run.gate_phase) return 'GATE_PHASE_INVALID'
  if (!run.agent_class) return 'AGENT_CLASS_INVALID'
  if (run.change_classes === null) return 'CHANGE_CLASS_INVALID'
  if (run.evidence === null) return 'EVIDENCE_INVALID'
  if (run.maturity_stage !== undefined && !stages.some((one) => one === run.maturity_stage))
    return 'MATURITY_STAGE_INVALID'
  if (run.branch_name === null) return 'BRANCH_NAME_INVALID'
  if (run.changed_paths === null) return 'CHANGED_PATHS_INVALID'
  if (run.diff_line_count === null) return 'DIFF_LINE_COUNT_INVALID'
  return undefined
}

/** What the pack does not grant, whatever the call changes. */
function undeclared(
  policy: PackPolicy,
  run: RunFacts,
  workflow: Workflow | undefined,
  scope: ToolScope | undefined,
): Stop | undefined {
  if (!workflow) return 'WORKFLOW_UNKNOWN'
  if (!policy.statuses.includes(workflow.status)) return 'WORKFLOW_NOT_ACTIVE'
  const reach = run.maturity_stage === undefined ? 0 : stages.indexOf(run.maturity_stage as Stage)
  if (!policy.stages.includes(workflow.stage) || reach > stages.indexOf(workflow.stage))
    return 'WORKFLOW_OUTSIDE_MATURITY'
  if (!workflow.agents.some((agent) => agent === run.agent_class)) return 'AGENT_NOT_ALLOWED'
  if (!scope) return 'TOOL_SCOPE_NOT_ALLOWED'
  const phase = workflow.phases.find((one) => one.phase === run.gate_phase)
  if (!phase) return 'GATE_PHASE_NOT_DECLARED'
  const there = run.evidence ?? []
  if (scope.access !== 'read' && !phase.evidence.every((id) => there.includes(id))) return 'EVIDENCE_MISSING'
  return undefined
}

/** What a write to a branch goes beyond. */
function outsideOf(
  workflow: Workflow,
  { branch_name: branch, changed_paths: paths, diff_line_count: lines }: RunFacts,
): Stop | undefined {
  if (!branch) return 'BRANCH_NAME_INVALID'
  if (!paths || paths.length === 0) return 'CHANGED_PATHS_INVALID'
  if (typeof lines !== 'number') return 'DIFF_LINE_COUNT_INVALID'
  if (!branch.startsWith(workflow.branchPrefix) || branch === workflow.branchPrefix) return 'BRANCH_NOT_ALLOWED'
  if (paths.length > workflow.maxChangedFiles) return 'TOO_MANY_FILES'
  if (lines > workflow.maxDiffLines) return 'DIFF_TOO_LARGE'
  if (paths.some(isUnsafePath)) return 'PATH_UNSAFE'
  if (paths.some((path) => workflow.forbiddenPaths.some((pattern) => forbids(pattern, path)))) return 'PATH_FORBIDDEN'
  if (!paths.every((path) => workflow.allowedPaths.some((pattern) => allows(pattern, path)))) return 'PATH_NOT_ALLOWED'
  return undefined
}

/** A class that nobody says to be routine may be a misspelt one of those that a person has to see. */
function needsApproval({ manualReview, routineChanges }: PackPolicy, run: RunFacts, scope: ToolScope): boolean {
  const routine = (routineChanges ?? []).map(changeClass)
  const classes = run.change_classes ?? []
  const areAsked = manualReview.length > 0 || routineChanges !== undefined
  const isUnsaid = routineChanges !== undefined && scope.access !== 'read' && classes.length === 0
  return scope.needsApproval || isUnsaid || (areAsked && classes.some((one) => !routine.includes(one)))
}

/** A named person approved this, and it has begun and has not expired; less waits. An agent does not approve itself. */
function unapprovedBy({ approval, agent_id: agent }: RunFacts, time: string): Stop | undefined {
  if (!approval) return 'APPROVAL_REQUIRED'
  if (approval.status === 'denied') return 'APPROVAL_DENIED'
  const { approver, approved_at: from, expires_at: until, covers, status } = approval
  const complete = status === 'approved' && covers && approver !== undefined && approver !== agent
  const unexpired = from !== undefined && until !== undefined && from <= time && time < until
  return complete && unexpired ? undefined : 'APPROVAL_REQUIRED'
}
