/** The words of workflow manifests and policy packs: closed sets, so that a misspelt one is a mistake and no rule less. */

/** What a workflow may do in a tool namespace, and which decision of the pack that earns. */
export const accessDecisions = {
  read: 'allow',
  write_branch: 'allow_scoped_branch',
  write_ticket: 'allow_scoped_ticket',
  approval_required: 'hold_for_approval',
} as const

export type Access = keyof typeof accessDecisions

export const accessModes = Object.keys(accessDecisions) as readonly Access[]

/** The pack's own words for what is decided; a decision carries one as its `variant`. */
export type Variant = (typeof accessDecisions)[Access] | 'deny' | 'kill_session'

export const variants: readonly Variant[] = [...Object.values(accessDecisions), 'deny', 'kill_session']

export type Status = 'pilot' | 'active' | 'paused' | 'retired'

export const statuses: readonly Status[] = ['pilot', 'active', 'paused', 'retired']

/** From the narrowest posture to the widest. */
export const stages = ['crawl', 'walk', 'run'] as const

export type Stage = (typeof stages)[number]

export const gatePhases = ['admission', 'tool_call', 'output', 'pre_merge', 'post_merge', 'runtime'] as const

export type GatePhase = (typeof gatePhases)[number]

/** What an enforcer has to know of a call, in the order of the pack. */
export const runtimeAttributes = [
  'workflow_id',
  'agent_id',
  'run_id',
  'tool_namespace',
  'tool_access_mode',
  'branch_name',
  'changed_paths',
  'diff_line_count',
  'gate_phase',
  'human_approval_record',
] as const
