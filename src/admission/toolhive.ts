/**
 * ToolHive's two questions: its validating webhook (v0.1.0) brings a whole MCP message, its HTTP PDP (`httpv1`) what a call
 * is about. Both show their key in the URL they are given, as it is all that they can send; whatever is odd is a no.
 */
import type { Response, Router } from 'express'
import type { Call, Principal } from '../model/call.ts'
import { readCallObject } from '../model/callObject.ts'
import type { Json } from '../model/canonical.ts'
import type { Decision } from '../model/decision.ts'
import { messageOf } from '../model/errors.ts'
import { isObject } from '../model/message/json.ts'
import type { JsonObject, Message } from '../model/message/message.ts'
import { readMessage } from '../model/message/read.ts'
import { principalOf, readPrincipal } from '../model/principal.ts'
import { bytes, valueIn } from './body.ts'
import { scoped } from './keys.ts'
import { toolhiveBodyBytesMax } from './limits.ts'
import { judgedMessage, refused } from './messages.ts'
import { type AdmissionGate, type AdmissionPorts, gateOf } from './ports.ts'

const webhookVersion = 'v0.1.0'

export function addToolHive(v1: Router, ports: AdmissionPorts): void {
  v1.post('/toolhive/webhook', scoped('admission'), bytes(toolhiveBodyBytesMax), ({ body }, response) => {
    const asked = attempt(() => questionIn(body))
    const answer = attempt(() => answerTo(asked, ports))
    const uid = isObject(asked) && typeof asked['uid'] === 'string' ? asked['uid'] : ''
    response.json({ version: webhookVersion, uid, ...webhookAnswer(gateOf(ports), answer) })
  })
  v1.post('/toolhive/decision', scoped('admission'), bytes(toolhiveBodyBytesMax), ({ body }, response) => {
    const gate = gateOf(ports)
    const call = attempt(() => callOfPorc(questionIn(body), ports))
    sendAllow(response, call instanceof Error ? refused(gate, 'MALFORMED_CALL', call.message) : gate.check(call))
  })
}

function sendAllow(response: Response, { decision }: Decision): void {
  response.json({ allow: decision === 'allow' })
}

function questionIn(body: unknown): JsonObject {
  const value = valueIn(body)
  if (!isObject(value)) throw new Error('the question must be a JSON object')
  return value
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return new Error(messageOf(error))
  }
}

/** Undefined for what no policy has a word about. Throws an `Error` for what cannot be judged. */
function answerTo(asked: JsonObject | Error, ports: AdmissionPorts): Decision | undefined {
  if (asked instanceof Error) throw asked
  const { version, principal, mcp_request: sent, context } = asked
  if (version !== webhookVersion) throw new Error(`\`version\` must be "${webhookVersion}"`)
  if (!isObject(context)) throw new Error('`context` must be an object')
  const read = readMessage(Buffer.from(JSON.stringify(sent ?? null)))
  if (!read.ok) throw new Error(read.message)
  const who = whoIn(principal, ports)
  return judged(gateOf(ports), read.message, { ...who, server: serverIn(context), session: '' })
}

/** A webhook is never told how the call ended: what it reserved stays spent. */
function judged(gate: AdmissionGate, message: Message, about: Omit<Call, 'method' | 'name' | 'arguments'>) {
  const decision = judgedMessage(gate, message, about)
  if (decision?.decision === 'allow')
    gate.settle([{ decisionId: decision.decision_id, status: 'unknown', detail: 'a webhook is not told the outcome' }])
  return decision
}

function webhookAnswer(gate: AdmissionGate, answer: Decision | undefined | Error): object {
  if (answer === undefined) return { allowed: true }
  const decision = answer instanceof Error ? refused(gate, 'MALFORMED_CALL', answer.message) : answer
  const { decision: says, reason_code, message, decision_id, rule, approval } = decision
  const details = { decision_id, rule, ...(approval && { approval_id: approval.id }) }
  if (says === 'allow') return { allowed: true, details }
  return { allowed: false, code: 403, message, reason: reason_code, details }
}

function serverIn({ backend_server: backend, server_name: name }: JsonObject): string {
  const server = backend === undefined || backend === '' ? name : backend
  if (typeof server !== 'string') throw new Error('`context.server_name` must be a text')
  return server
}

/** ToolHive has verified the token. Of its claims, `run_id` says which registered run it is. */
function whoIn(said: Json | undefined, { runs }: AdmissionPorts): Pick<Call, 'principal' | 'run'> {
  if (said === undefined || said === null) return { principal: {} }
  if (!isObject(said)) throw new Error('`principal` must be an object')
  const claims = isObject(said['claims']) ? said['claims'] : {}
  const { subject, groups } = said
  const run = typeof claims['run_id'] === 'string' ? runs?.get(claims['run_id']) : undefined
  return { principal: principalIn(subject, groups ?? claims['groups']), ...(run && { run }) }
}

function principalIn(user: Json | undefined, groups: Json | undefined): Principal {
  return principalOf(
    readPrincipal({
      ...(user !== undefined && user !== null && user !== '' && { user }),
      ...(groups !== undefined && groups !== null && { groups }),
    }),
  )
}

const nouns: ReadonlyMap<Json | undefined, string> = new Map([
  ['mcp:tool:call', 'tool'],
  ['mcp:prompt:get', 'prompt'],
  ['mcp:resource:read', 'resource'],
])

/** Where `context.mcp` repeats what is asked, it must agree. Arguments that are not sent are not there. */
function callOfPorc({ principal, operation, resource, context }: JsonObject, ports: AdmissionPorts): Call {
  const noun = nouns.get(operation)
  if (noun === undefined) throw new Error(`\`operation\` must be one of ${[...nouns.keys()].join(', ')}`)
  const [, server, feature, name] = /^mrn:mcp:([^:]*):([a-z]+):(.+)$/s.exec(String(resource)) ?? []
  if (feature !== noun) throw new Error('`resource` must be `mrn:mcp:SERVER:FEATURE:ID`, of the feature of `operation`')
  const mcp = isObject(context) && isObject(context['mcp']) ? context['mcp'] : {}
  const same = { feature, operation: String(operation).split(':').at(-1), resource_id: name }
  for (const [key, value] of Object.entries(same))
    if (mcp[key] !== undefined && mcp[key] !== value) throw new Error(`\`context.mcp.${key}\` does not agree`)
  if (!isObject(principal)) throw new Error('`principal` must be an object')
  const groups = principal['mgroups'] ?? principal['groups']
  const run = typeof principal['run_id'] === 'string' ? ports.runs?.get(principal['run_id']) : undefined
  const call = readCallObject({ [noun]: name as string, server: server as string, arguments: mcp['args'] ?? {} }, [])
  return { ...call, principal: principalIn(principal['sub'], groups), ...(run && { run }) }
}
