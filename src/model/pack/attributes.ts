/** The attributes of a run that are read, in all their spellings. Words alone, so that whoever names them loads nothing. */

export const killKeys = [
  'kill_signal',
  'kill_signals',
  'runtime_kill_signal',
  'runtime_kill_signals',
  'triggered_kill_signal',
  'triggered_kill_signals',
] as const

export const runAttributes = [
  'workflow_id',
  'agent_id',
  'agent_class',
  'run_id',
  'tool_namespace',
  'tool_access_mode',
  'branch_name',
  'changed_paths',
  'diff_line_count',
  'gate_phase',
  'human_approval_record',
  'change_class',
  'change_classes',
  'evidence_records',
  'maturity_stage',
  ...killKeys,
] as const
