/** A line of `tollgate audit --format jsonl`, back to the record that it shows. */
import { type Body, objectIn, textIn } from '../log/body.ts'
import type { RecordKind } from '../model/ledger.ts'
import { instantOf } from '../model/time.ts'
import type { RecordedEvent } from './event.ts'
import type { Entry } from './read.ts'

const kinds: ReadonlyMap<unknown, RecordKind> = new Map([
  ['tool_invocation', 'decision'],
  ['resource_read', 'decision'],
  ['prompt_get', 'decision'],
  ['message_refusal', 'decision'],
  ['policy_check', 'check'],
  ['call_outcome', 'outcome'],
  ['approval_request', 'hold'],
  ['approval_grant', 'grant'],
  ['approval_rejection', 'reject'],
  ['approval_expiry', 'expiry'],
  ['approval_consumption', 'consumption'],
  ['kill', 'kill'],
  ['kill_lift', 'lift'],
  ['tool_pin', 'pin'],
  ['tool_drift', 'drift'],
  ['tool_accept', 'accept'],
  ['policy_activation', 'activation'],
  ['policy_activation_failure', 'activation_failure'],
  ['policy_deactivation', 'deactivation'],
  ['gate_start', 'start'],
  ['gate_stop', 'stop'],
])

/** Is it a line of an export at all? */
export function isExported(line: Body): boolean {
  return typeof line['event_type'] === 'string' && line['seq'] !== undefined
}

/** Throws an `Error` that says what is wrong. */
export function exportedEntry(line: Body): Entry {
  const kind = kinds.get(line['event_type'])
  if (!kind)
    throw new Error(`its \`event_type\` is none that this version knows: ${JSON.stringify(line['event_type'])}`)
  const at = instantOf(textIn(line, 'timestamp') ?? '')
  if (at === undefined) throw new Error('its `timestamp` is no RFC 3339 time')
  const { seq } = line
  if (!Number.isSafeInteger(seq)) throw new Error('its `seq` is no number')
  const args = kind === 'decision' || kind === 'check' ? argumentsIn(line) : undefined
  // What was judged says by which rule of the policy; a message that was refused unread does not.
  const type = kind === 'decision' && line['path'] === undefined ? 'refusal' : kind
  const body = { ...line, type, ...(args && { arguments: args }) }
  return { kind, at, decisionId: textIn(line, 'decision_id') ?? '', place: seq as number, body }
}

/** As they are shown: of a resource there are none, of a prompt they stand beside its name. */
function argumentsIn(line: Body): Body | undefined {
  const { method, action_params: params, arguments_sha256: digest } = line
  if (method === 'resources/read') return {}
  if (digest !== undefined || typeof params !== 'object' || params === null) return undefined
  if (method === 'tools/call') return params as Body
  return typeof (params as Body)['arguments'] === 'object' ? objectIn(params as Body, 'arguments') : undefined
}

/** How the call ended, where decisions were exported alone: it stands in the line of the decision. */
export function endIn(line: Body): RecordedEvent | undefined {
  const at = instantOf(textIn(line, 'result_at') ?? '')
  const decisionId = textIn(line, 'decision_id')
  if (at === undefined || decisionId === null) return undefined
  const status = line['result_status']
  if (status === 'error' || status === 'success' || status === 'unknown')
    return { kind: 'outcome', at, decisionId, status }
  const approvalId = textIn(objectIn(objectIn(line, 'result'), 'approval'), 'id')
  if (line['human_decision'] !== 'denied' || approvalId === null) return undefined
  const reason = textIn(line, 'result_detail')
  const answer = { says: 'reject', by: nobody, ...(reason !== null && { reason }) } as const
  return { kind: 'answer', at, approvalId, answer }
}

/** Who it was stands in a record of its own. */
const nobody = { name: 'somebody', known_by: 'program' } as const
