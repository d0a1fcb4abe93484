/**
 * A record as people and log platforms read it: OPA's decision-log names, the nine of the guard's audit event, and the
 * governance table's, side by side in one flat object. `docs/record.md` is the table of them all.
 */
import type { Decision, RiskLevel } from '../model/decision.ts'
import type { RecordKind, StoredRecord } from '../model/ledger.ts'
import type { LogLevel } from '../model/risk.ts'
import { type Body, bodyOf, objectIn, textIn, timeOf } from './body.ts'

export type EventType =
  | 'tool_invocation'
  | 'resource_read'
  | 'prompt_get'
  | 'message_refusal'
  | 'policy_check'
  | 'call_outcome'
  | 'approval_request'
  | 'approval_grant'
  | 'approval_rejection'
  | 'approval_expiry'
  | 'approval_consumption'
  | 'kill'
  | 'kill_lift'
  | 'tool_pin'
  | 'tool_drift'
  | 'tool_accept'
  | 'policy_activation'
  | 'policy_activation_failure'
  | 'policy_deactivation'
  | 'gate_start'
  | 'gate_stop'

/** How a call ended. A call that was only checked has no end. */
export type ResultStatus = 'success' | 'blocked' | 'denied' | 'error' | 'pending' | 'retried' | 'unknown'

/** Members of every view. What the record says besides, its view says under the same name. */
export interface EventView {
  readonly seq: number
  readonly event_type: EventType
  readonly timestamp: string
  readonly created_at: string
  readonly decision_id: string | null
  readonly hash: string
  readonly previous_hash: string
  readonly [member: string]: unknown
}

/** A call that was judged, or a message that was refused: every member is there, null where nothing is known. */
export interface CallView extends EventView {
  readonly tool_name: string | null
  readonly decision: Decision['decision'] | null
  readonly reason_code: string | null
  readonly policy_id: string | null
  readonly policy_version: string | null
  readonly policy_user: string | null
  readonly policy_project_id: string | null
  readonly action_type: string | null
  readonly action_target: string | null
  /** Null where the arguments were not kept. */
  readonly action_params: unknown
  readonly risk_level: RiskLevel | null
  /** Of the log, by the risk. */
  readonly level: LogLevel | null
  readonly approval: 'auto' | 'approve' | 'block' | null
  readonly matched_rule: string | null
  readonly human_decision: 'approved' | 'denied' | null
  readonly result_status: ResultStatus | null
  readonly result_detail: string | null
  /** When the result was known. */
  readonly result_at: string | null
  readonly session_id: string | null
  readonly method: string | null
  readonly server: string | null
  /** Of the tool or the prompt, or the URI of the resource. */
  readonly name: string | null
}

export type RecordView = CallView | EventView

/**
 * `later` are the records of the same decision after this one: how the call ended, and what a person said of it.
 * Throws `record_unreadable`.
 */
export function viewOf(record: StoredRecord, later: readonly StoredRecord[] = []): RecordView {
  const { type: _, timestamp: __, decision_id: ___, ...body } = bodyOf(record)
  const { seq, hash, previousHash: previous_hash } = record
  const timestamp = timeOf(record)
  return {
    seq,
    event_type: eventTypeOf(record.kind, textIn(body, 'method')),
    timestamp,
    created_at: timestamp,
    ...(isJudged(record) ? callMembers(record, body, later) : body),
    decision_id: record.decisionId ?? null,
    hash,
    previous_hash,
  }
}

/** Is this the record of a decision, so that its view is a `CallView`? */
export function isJudged({ kind }: StoredRecord): boolean {
  return kind === 'decision' || kind === 'check'
}

function callMembers(record: StoredRecord, body: Body, later: readonly StoredRecord[]): Body {
  const { arguments: _, ...rest } = body
  const result = objectIn(body, 'result')
  const principal = objectIn(body, 'principal')
  const decision = textIn(result, 'decision') as Decision['decision'] | null
  const [method, server, name] = [textIn(body, 'method'), textIn(body, 'server'), textIn(body, 'name')]
  const isTool = method === 'tools/call'
  return {
    tool_name: isTool ? name : null,
    decision,
    reason_code: textIn(result, 'reason_code'),
    policy_id: textIn(body, 'policy_id'),
    policy_version: textIn(body, 'policy_version'),
    policy_user: textIn(principal, 'user'),
    policy_project_id: textIn(principal, 'project'),
    action_type: isTool ? name : method,
    action_target: server,
    action_params: paramsOf(body),
    risk_level: textIn(result, 'risk_level'),
    level: textIn(body, 'level'),
    approval: decision && approvalOf(decision),
    matched_rule: textIn(result, 'rule'),
    human_decision: humanDecisionOf(later),
    ...resultOf(record, decision, later),
    session_id: textIn(body, 'session_id'),
    method,
    server,
    name,
    ...rest,
  }
}

function eventTypeOf(kind: RecordKind, method: string | null): EventType {
  switch (kind) {
    case 'decision':
      return callTypes.get(method) ?? 'message_refusal'
    case 'check':
      return 'policy_check'
    case 'outcome':
      return 'call_outcome'
    case 'hold':
      return 'approval_request'
    case 'grant':
      return 'approval_grant'
    case 'reject':
      return 'approval_rejection'
    case 'expiry':
      return 'approval_expiry'
    case 'consumption':
      return 'approval_consumption'
    case 'kill':
      return 'kill'
    case 'lift':
      return 'kill_lift'
    case 'pin':
      return 'tool_pin'
    case 'drift':
      return 'tool_drift'
    case 'accept':
      return 'tool_accept'
    case 'activation':
      return 'policy_activation'
    case 'activation_failure':
      return 'policy_activation_failure'
    case 'deactivation':
      return 'policy_deactivation'
    case 'start':
      return 'gate_start'
    case 'stop':
      return 'gate_stop'
  }
  return kind satisfies never
}

const callTypes: ReadonlyMap<string | null, EventType> = new Map([
  ['tools/call', 'tool_invocation'],
  ['resources/read', 'resource_read'],
  ['prompts/get', 'prompt_get'],
])

/** What was asked for, as far as it was kept: of a tool its arguments, of the others what MCP calls their params. */
function paramsOf(body: Body): unknown {
  const { method, name, arguments: args = null } = body
  if (method === 'resources/read') return { uri: name ?? null }
  if (method === 'prompts/get') return { name: name ?? null, arguments: args }
  return args
}

function approvalOf(decision: Decision['decision']): CallView['approval'] {
  if (decision === 'allow') return 'auto'
  return decision === 'hold' ? 'approve' : 'block'
}

/** One no is enough, whoever else said yes; one yes is not, where several have to say it. */
function humanDecisionOf(later: readonly StoredRecord[]): CallView['human_decision'] {
  if (later.some(({ kind }) => kind === 'reject')) return 'denied'
  return later.some((record) => record.kind === 'grant' && isEnough(bodyOf(record))) ? 'approved' : null
}

function isEnough({ state = 'approved' }: Body): boolean {
  return state === 'approved'
}

interface Result {
  readonly result_status: ResultStatus | null
  readonly result_detail: string | null
  readonly result_at: string | null
}

function resultOf(record: StoredRecord, decision: CallView['decision'], later: readonly StoredRecord[]): Result {
  if (record.kind === 'check') return { result_status: null, result_detail: null, result_at: null }
  if (decision !== 'allow' && decision !== 'hold') return ended('blocked', record)
  const end = later.find(({ kind }) => endKinds.has(kind))
  if (!end) return { result_status: 'pending', result_detail: null, result_at: null }
  // Another decision let it through, when it was made again: how that ended stands there.
  if (end.kind === 'consumption') return ended('retried', end, textIn(bodyOf(end), 'consumed_by'))
  if (end.kind !== 'outcome') return ended('denied', end, textIn(bodyOf(end), 'reason'))
  const outcome = bodyOf(end)
  return ended(statusOf(outcome), end, textIn(outcome, 'detail'))
}

const endKinds: ReadonlySet<string> = new Set(['reject', 'expiry', 'consumption', 'outcome'])

function ended(result_status: ResultStatus, end: StoredRecord, result_detail: string | null = null): Result {
  return { result_status, result_detail, result_at: timeOf(end) }
}

/** What an outcome says; a word that is not known tells nothing. */
function statusOf(outcome: Body): ResultStatus {
  const { status } = outcome
  return status === 'success' || status === 'error' ? status : 'unknown'
}
