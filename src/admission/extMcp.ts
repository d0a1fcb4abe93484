/**
 * agentgateway's questions (ExtMcp): each request before it goes to a server, and answers on their way back. Whatever is odd
 * is answered with an error of the protocol, never with one of gRPC: a gateway that is set to fail open passes those.
 */

import { filteredList } from '../mcp/lists.ts'
import { isList } from '../mcp/methods.ts'
import { decisionMember, refusalText } from '../mcp/refusal.ts'
import type { Call } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import type { Decision } from '../model/decision.ts'
import { messageOf } from '../model/errors.ts'
import { isObject, readJson } from '../model/message/json.ts'
import type { JsonObject, Message } from '../model/message/message.ts'
import { readMessage } from '../model/message/read.ts'
import { principalKeys, principalOf, readPrincipal } from '../model/principal.ts'
import type { ReasonCode } from '../model/reasons.ts'
import { outcomeMs } from './limits.ts'
import { judgedMessage, refused } from './messages.ts'
import type { AdmissionGate } from './ports.ts'
import type { Reservations } from './reservations.ts'
import type { Runs } from './runs.ts'
import { objectOf, type Struct, textStruct } from './structs.ts'

export interface ExtMcpPorts {
  readonly gate: AdmissionGate
  readonly runs?: Runs
  readonly reservations: Pick<Reservations, 'requireRoom' | 'add' | 'settle'>
}

/** What both questions have in common. */
interface Asked {
  readonly service_names?: readonly string[]
  readonly method?: string
  readonly metadata_context?: Struct | null
}

export interface McpRequest extends Asked {
  readonly mcp_request?: Buffer | null
  readonly headers?: readonly { readonly key?: string; readonly value?: Buffer }[]
}

export interface McpResponse extends Asked {
  readonly mcp_response?: Buffer
}

export interface Refusal {
  readonly code: 'UNKNOWN' | 'PERMISSION_DENIED' | 'RESOURCE_EXHAUSTED' | 'INVALID'
  readonly reason: string
  readonly mcp_error?: Buffer
}

export type McpResult =
  | { readonly pass: object; readonly metadata?: Struct }
  | { readonly mutated: Buffer }
  | { readonly error: Refusal }

/** Whoever asks here vouches for who calls; among the reservations all of it goes by this name. */
const holder = 'agentgateway'

export function checkRequest(asked: McpRequest, ports: ExtMcpPorts): McpResult {
  const { gate, reservations } = ports
  try {
    const said = saidIn(asked)
    const message = messageIn(asked)
    if (said.isTold) reservations.requireRoom()
    const decision = judgedMessage(gate, message, {
      server: serverOf(message, asked),
      ...whoIn(said, ports),
      ...traceIn(asked),
    })
    if (decision === undefined) return { pass: {} }
    if (decision.decision !== 'allow') return { error: refusalOf(decision) }
    const { decision_id } = decision
    if (said.isTold) reservations.add(decision_id, holder, outcomeMs)
    else gate.settle([{ decisionId: decision_id, status: 'unknown', detail: 'the gateway does not tell the outcome' }])
    return { pass: {}, metadata: textStruct({ decision_id }) }
  } catch (error) {
    return malformed(gate, asked, error)
  }
}

/** Lists show what the caller may use; of a call that is told of, the answer is its outcome. */
export function checkResponse(asked: McpResponse, ports: ExtMcpPorts): McpResult {
  try {
    const said = saidIn(asked)
    const result = jsonIn(asked.mcp_response ?? Buffer.alloc(0), 'mcp_response')
    if (isList(asked.method ?? '')) return listed(asked, result, said, ports.gate)
    if (said.decisionId !== undefined) tellOutcome(said.decisionId, result, ports)
    return { pass: {} }
  } catch (error) {
    return malformed(ports.gate, asked, error)
  }
}

function tellOutcome(decisionId: string, { isError }: JsonObject, { reservations, gate }: ExtMcpPorts): void {
  const outcome = isError === true ? { status: 'error' as const, detail: 'isError' } : { status: 'success' as const }
  reservations.settle({ decisionId, ...outcome }, holder)
  gate.flush()
}

/** With several servers in it, names are those that the gateway has made up: calls are judged by themselves. */
function listed(asked: McpResponse, result: JsonObject, { principal, session }: Said, gate: AdmissionGate): McpResult {
  const [server, ...others] = asked.service_names ?? []
  if (server === undefined || others.length > 0) return { pass: {} }
  const { tools, nextCursor } = result
  const list = { server, principal, session, isLast: nextCursor === undefined }
  const shown = Array.isArray(tools) ? gate.listed({ ...list, tools }) : undefined
  const changes = filteredList(result, (target) => gate.visible({ ...target, server }, principal), shown)
  if (Object.keys(changes).length === 0) return { pass: {} }
  return { mutated: Buffer.from(JSON.stringify({ ...result, ...changes })) }
}

interface Said extends Pick<Call, 'principal' | 'session'> {
  readonly runId: string | undefined
  /** The response of the call comes here, too. */
  readonly isTold: boolean
  readonly decisionId: string | undefined
}

const saidKeys: readonly string[] = [...principalKeys, 'session', 'run_id', 'outcomes', 'decision_id']

/** What the configuration of the gateway says of the caller. A key that nobody knows is a mistake in it: nothing passes. */
function saidIn({ metadata_context: context }: Asked): Said {
  const said = Object.entries(context ? objectOf(context) : {}).filter(([, value]) => value !== null && value !== '')
  const unknown = said.find(([key]) => !saidKeys.includes(key))
  if (unknown !== undefined)
    throw new Error(`the gateway says \`${unknown[0]}\` of the caller: known are ${saidKeys.join(', ')}`)
  const of = new Map(said)
  const who = said.filter(([key]) => (principalKeys as readonly string[]).includes(key))
  const outcomes = of.get('outcomes') ?? false
  if (typeof outcomes !== 'boolean') throw new Error('`outcomes` must be true or false')
  return {
    principal: principalOf(readPrincipal(Object.fromEntries(who))),
    session: textOf(of, 'session') ?? '',
    runId: textOf(of, 'run_id'),
    isTold: outcomes,
    decisionId: textOf(of, 'decision_id'),
  }
}

function textOf(said: ReadonlyMap<string, Json>, key: string): string | undefined {
  const value = said.get(key)
  if (value !== undefined && typeof value !== 'string') throw new Error(`\`${key}\` must be a text`)
  return value
}

function serverOf(message: Message, { service_names: servers = [] }: Asked): string {
  const [server, ...others] = servers
  if (message.kind === 'request' && message.act !== undefined && (server === undefined || others.length > 0))
    throw new Error('`service_names` must name the one server that is called')
  return server ?? ''
}

/** A run that nobody has registered, or no longer, is none. */
function whoIn(
  { principal, session, runId }: Said,
  { runs }: ExtMcpPorts,
): Pick<Call, 'principal' | 'session' | 'run'> {
  const run = runId === undefined ? undefined : runs?.get(runId)
  return { principal, session, ...(run && { run }) }
}

function traceIn({ headers = [] }: McpRequest): Pick<Call, 'trace'> {
  const of = (name: string) => headers.find(({ key }) => key?.toLowerCase() === name)?.value?.toString('latin1')
  const traceparent = of('traceparent')
  return traceparent === undefined ? {} : { trace: { traceparent, tracestate: of('tracestate') } }
}

function messageIn({ method = '', mcp_request: sent }: McpRequest): Message {
  const params = sent ? jsonIn(sent, 'mcp_request') : undefined
  const read = readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 0, method, ...(params && { params }) })))
  if (!read.ok) throw new Error(read.message)
  return read.message
}

function jsonIn(bytes: Buffer, name: string): JsonObject {
  const read = readJson(bytes)
  if (!read.ok) throw new Error(`\`${name}\`: ${read.message}`)
  if (!isObject(read.value)) throw new Error(`\`${name}\` must be a JSON object`)
  return read.value
}

function malformed(gate: AdmissionGate, { method }: Asked, error: unknown): McpResult {
  return { error: refusalOf(refused(gate, 'MALFORMED_CALL', messageOf(error), method)) }
}

const malformedCodes: ReadonlySet<ReasonCode> = new Set(['MALFORMED_CALL', 'UNKNOWN_METHOD', 'CALL_TOO_LARGE'])

function refusalOf(decision: Decision): Refusal {
  const { reason_code, retry_after_ms } = decision
  const isMalformed = malformedCodes.has(reason_code as ReasonCode)
  return {
    code: isMalformed ? 'INVALID' : retry_after_ms === undefined ? 'PERMISSION_DENIED' : 'RESOURCE_EXHAUSTED',
    reason: refusalText(decision),
    mcp_error: Buffer.from(JSON.stringify(decisionMember(decision))),
  }
}
