/**
 * Everything that can stop a call under a pack, in the order in which it is asked: what denies first, what holds last. The
 * reference evaluator and the compiled policy give these very verdicts.
 */
import type { Verdict } from '../decision.ts'
import type { ReasonCode } from '../reasons.ts'
import type { Variant } from './words.ts'

/** Code, rule, message. */
const denials = [
  ['TOOL_NOT_ALLOWED', 'default', 'this tool is not on the list of what may be used'],
  ['RUN_CONFLICT', 'run', 'what is registered of the run, claimed by the caller and said by the call does not agree'],
  ['RUN_ATTRIBUTE_ODD', 'run', 'an attribute of the run is spelt like none that is known'],
  ['WORKFLOW_ID_INVALID', 'run.workflow_id', 'the run must be registered with a workflow'],
  ['AGENT_ID_INVALID', 'run.agent_id', 'the run must be registered with its agent'],
  ['RUN_ID_INVALID', 'run.run_id', 'the run must be registered with an id of its own'],
  ['TOOL_NAMESPACE_INVALID', 'run.tool_namespace', 'the namespace of the tool must be known'],
  ['TOOL_ACCESS_MODE_INVALID', 'run.tool_access_mode', 'it must be known how the tool is used'],
  ['GATE_PHASE_INVALID', 'run.gate_phase', 'the run must be registered with the phase it is in'],
  ['AGENT_CLASS_INVALID', 'run.agent_class', 'the class of the agent must be a text'],
  ['CHANGE_CLASS_INVALID', 'run.change_class', 'the class of a change must be a text'],
  ['EVIDENCE_INVALID', 'run.evidence_records', 'an evidence record needs its id, and a URI or a digest'],
  ['MATURITY_STAGE_INVALID', 'run.maturity_stage', 'the stage of the run must be crawl, walk or run'],
  ['BRANCH_NAME_INVALID', 'run.branch_name', 'the branch that is written must be known'],
  ['CHANGED_PATHS_INVALID', 'run.changed_paths', 'the files that are changed must be known'],
  ['DIFF_LINE_COUNT_INVALID', 'run.diff_line_count', 'the number of lines that change must be known'],
  ['WORKFLOW_UNKNOWN', 'workflow_policies', 'the workflow is not in the policy pack'],
  ['WORKFLOW_NOT_ACTIVE', 'status', 'the workflow is not active'],
  ['WORKFLOW_OUTSIDE_MATURITY', 'maturity_stage', 'the workflow is not cleared to go this far'],
  ['AGENT_NOT_ALLOWED', 'identity.allowed_agents', 'this agent may not run the workflow'],
  ['TOOL_SCOPE_NOT_ALLOWED', 'tool_access.allowed_mcp_scopes', 'the workflow may not use this tool in this way'],
  ['GATE_PHASE_NOT_DECLARED', 'gate_contract', 'the workflow does not declare this phase'],
  ['EVIDENCE_MISSING', 'evidence_contract', 'the records that this phase needs are not all there'],
  ['BRANCH_NOT_ALLOWED', 'dispatch.required_branch_prefix', 'the branch does not begin as those of the workflow do'],
  ['TOO_MANY_FILES', 'change_scope.max_changed_files', 'the change touches more files than the workflow may'],
  ['DIFF_TOO_LARGE', 'change_scope.max_diff_lines', 'the change has more lines than the workflow may change'],
  ['PATH_UNSAFE', 'change_scope.allowed_paths', 'a path could mean another file than the one it names'],
  ['PATH_FORBIDDEN', 'change_scope.forbidden_paths', 'the change touches a file that the workflow must not change'],
  [
    'PATH_NOT_ALLOWED',
    'change_scope.allowed_paths',
    'the change touches a file outside of what the workflow may change',
  ],
  ['APPROVAL_DENIED', 'human_approval_record', 'a person has refused this'],
] as const satisfies readonly (readonly [ReasonCode, string, string])[]

const others = [
  ['RESOURCE_NOT_ALLOWED', 'default', 'this resource is not on the list of what may be used'],
  ['PROMPT_NOT_ALLOWED', 'default', 'this prompt is not on the list of what may be used'],
  ['RUN_MISSING', 'run', 'the call belongs to no run that is registered'],
] as const satisfies readonly (readonly [ReasonCode, string, string])[]

export type Stop = (typeof denials)[number][0] | (typeof others)[number][0] | 'KILL_SIGNAL' | 'APPROVAL_REQUIRED'

export const stops: Readonly<Record<Stop, Verdict>> = Object.fromEntries([
  ...[...others, ...denials].map(([code, rule, message]) => [code, verdict('deny', 'deny', code, rule, message)]),
  [
    'KILL_SIGNAL',
    verdict(
      'kill',
      'kill_session',
      'KILL_SIGNAL',
      'runtime_controls.kill_signals',
      'a kill signal fired: the session is over',
    ),
  ],
  [
    'APPROVAL_REQUIRED',
    verdict(
      'hold',
      'hold_for_approval',
      'APPROVAL_REQUIRED',
      'human_approval_record',
      'a person has to approve this call',
    ),
  ],
]) as Record<Stop, Verdict>

export function packAllow(variant: Variant): Verdict {
  return verdict('allow', variant, 'ALLOW', 'tool_access.allowed_mcp_scopes', 'every rule passed')
}

function verdict(
  decision: Verdict['decision'],
  variant: Variant,
  code: ReasonCode,
  rule: string,
  message: string,
): Verdict {
  return { decision, variant, reason_code: code, rule, message }
}
