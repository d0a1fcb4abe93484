/** From the body of a record to what a replay goes by. What cannot be read ends the replay: it would count wrongly from there on. */
import { type Body, objectIn, textIn } from '../log/body.ts'
import type { Approver } from '../model/approval.ts'
import type { Call, Input, Principal } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import type { Decision } from '../model/decision.ts'
import { TollgateError } from '../model/errors.ts'
import { type Kill, type KillTarget, killKinds } from '../model/kill.ts'
import type { RecordKind } from '../model/ledger.ts'
import { isObject } from '../model/message/json.ts'
import { quoted } from '../model/message/quoted.ts'
import { judgedMethods, type Method, type PolicySet } from '../model/policy.ts'
import type { Decided, RecordedArguments, RecordedCall, RecordedEvent } from './event.ts'
import { hiddenIn } from './hidden.ts'

/** A record, out of a ledger or of a file that was exported from one. */
export interface Entry {
  readonly kind: RecordKind
  readonly at: number
  readonly decisionId: string
  readonly place: number
  readonly body: Body
}

/** `policyOf` gives what a record names as what decided, where it is kept. Throws `record_unreadable`. */
export function eventOf(entry: Entry, policyOf: (body: Body) => PolicySet | undefined): RecordedEvent {
  const { kind, at, body } = entry
  switch (kind) {
    case 'decision':
    case 'check':
      return isCall(body) ? callIn(entry, policyOf) : { kind: 'message', at }
    case 'outcome':
      return { kind, at, decisionId: entry.decisionId, status: textIn(body, 'status') ?? 'unknown' }
    case 'grant':
    case 'reject':
      return answerIn(entry, kind === 'grant' ? 'approve' : 'reject')
    case 'kill':
      return killIn(entry)
    case 'lift':
      return { kind, at, target: stoppedIn(entry) }
    case 'pin':
    case 'drift':
    case 'accept':
      return pinsIn(entry)
    case 'hold':
    case 'expiry':
    case 'consumption':
    case 'activation':
    case 'activation_failure':
    case 'deactivation':
    case 'start':
    case 'stop':
      return { kind: 'other', at }
  }
  kind satisfies never
  throw unreadable(entry, `it is of a kind that this version does not know, ${quoted(String(kind))}`)
}

/** A refused message has a method, a name or none, and was never judged. */
function isCall(body: Body): boolean {
  return (
    body['type'] !== 'refusal' && judgedMethods.includes(body['method'] as Method) && typeof body['name'] === 'string'
  )
}

function callIn(entry: Entry, policyOf: (body: Body) => PolicySet | undefined): RecordedCall {
  const { at, place, decisionId, body } = entry
  const result = objectIn(body, 'result')
  const input = inputIn(entry)
  const args = argumentsIn(body)
  const [asked, run, params] = ['asked_method', 'run_id', 'params_sha256'].map((key) => textIn(body, key) ?? undefined)
  const call: Call = {
    method: body['method'] as Method,
    ...(asked !== undefined && { asked }),
    server: textIn(body, 'server') ?? '',
    name: textIn(body, 'name') ?? '',
    arguments: args.kept === 'whole' ? args.value : {},
    principal: objectIn(body, 'principal') as Principal,
    session: textIn(body, 'session_id') ?? '',
    // No more of it is kept; it may be stopped by its name.
    ...(run !== undefined && { run: { run_id: run } }),
  }
  const approvalId = textIn(objectIn(result, 'approval'), 'id')
  const policy = policyOf(body)
  return {
    kind: 'call',
    at,
    decisionId,
    place,
    isCheck: entry.kind === 'check',
    call,
    arguments: args,
    ...(params !== undefined && { params }),
    ...(input && { input }),
    decided: decidedIn(entry, result),
    ...(approvalId !== null && { approvalId }),
    ...(policy && { policy }),
    hidden: hiddenIn(body),
  }
}

const decisions: readonly unknown[] = ['allow', 'deny', 'hold', 'kill'] satisfies Decision['decision'][]

function decidedIn(entry: Entry, result: Body): Decided {
  const { decision, variant, reason_code, rule, message } = result
  if (!decisions.includes(decision)) throw unreadable(entry, `its decision is ${shown(decision)}`)
  return {
    decision: decision as Decision['decision'],
    ...(typeof variant === 'string' && { variant: variant as NonNullable<Decision['variant']> }),
    reason_code: String(reason_code ?? ''),
    rule: String(rule ?? ''),
    ...(typeof message === 'string' && { message }),
  }
}

function inputIn(entry: Entry): Input | undefined {
  const input = entry.body['input']
  if (input === undefined) return undefined
  if (!isObject(input as Json)) throw unreadable(entry, 'its input is no object')
  const version = (input as Body)['v']
  if (version !== 1)
    throw unreadable(entry, `its input is of version ${shown(version)}, and this version of Tollgate reads version 1`)
  return input as Input
}

function argumentsIn(body: Body): RecordedArguments {
  const { arguments: value, arguments_sha256: sha256 } = body
  if (isObject(value as Json)) return { kept: 'whole', value: value as { readonly [key: string]: Json } }
  return typeof sha256 === 'string' ? { kept: 'digest', sha256 } : { kept: 'none' }
}

function answerIn({ at, body }: Entry, says: 'approve' | 'reject'): RecordedEvent {
  const [approvalId, name, known] = ['approval_id', 'approver', 'approver_known_by'].map(
    (key) => textIn(body, key) ?? '',
  )
  const [osUser, reason] = [textIn(body, 'approver_os_user'), textIn(body, 'reason')]
  const by = { name, known_by: known, ...(osUser !== null && { os_user: osUser }) } as Approver
  return { kind: 'answer', at, approvalId: approvalId ?? '', answer: { says, by, ...(reason !== null && { reason }) } }
}

/** What a policy stopped is the doing of that policy: the new one does its own. What was stopped already stays so. */
function killIn(entry: Entry): RecordedEvent {
  const { at, body } = entry
  const by = textIn(body, 'said_by_known_by')
  if (by === 'policy' || body['again'] === true) return { kind: 'other', at }
  const [id, reason] = [textIn(body, 'kill_id') ?? '', textIn(body, 'reason')]
  const who = { name: textIn(body, 'said_by') ?? '', known_by: by } as Approver
  const kill: Kill = { id, target: stoppedIn(entry), at, by: who, ...(reason !== null && { reason }) }
  return { kind: 'kill', at, kill }
}

function stoppedIn(entry: Entry): KillTarget {
  const kind = killKinds.find((one) => one === entry.body['target'])
  if (!kind) throw unreadable(entry, `it is about ${shown(entry.body['target'])}, which can not be stopped`)
  return { kind, name: stoppedName(kind, entry.body) }
}

function stoppedName(kind: KillTarget['kind'], body: Body): string {
  if (kind === 'all') return ''
  if (kind === 'session') return textIn(body, 'session_id') ?? ''
  if (kind === 'server') return textIn(body, 'server') ?? ''
  if (kind === 'run') return textIn(body, 'run_id') ?? ''
  return (kind === 'tool' ? textIn(body, 'name') : textIn(objectIn(body, 'principal'), kind)) ?? ''
}

function pinsIn(entry: Entry): RecordedEvent {
  const { at, body } = entry
  const { tools, whole } = body
  const server = textIn(body, 'server') ?? ''
  if (!Array.isArray(tools)) throw unreadable(entry, 'it names no tools')
  const pins = tools.map((one: Body) => {
    const [pinned, held] = [digestsIn(one['pinned']), digestsIn(one['held'])]
    const tool = textIn(one, 'tool')
    if (tool === null || !pinned || !held) throw unreadable(entry, 'its tools cannot be read')
    return { server, tool, pinned, held }
  })
  return { kind: 'pins', at, tools: pins, ...(whole === true && { whole: server }) }
}

function digestsIn(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : quoted(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
}

function unreadable({ place }: Entry, why: string): TollgateError {
  return new TollgateError('record_unreadable', `record ${place} cannot be replayed: ${why}`)
}
