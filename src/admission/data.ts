/**
 * OPA's data API: what asks an OPA can ask the gate. The policy's own decision is a document that a stock `opa` would give for
 * the same input; the gate's decision, with what the ledger knows and on record, is another.
 */
import type { Response, Router } from 'express'
import { canonical, type Json } from '../model/canonical.ts'
import { TollgateError } from '../model/errors.ts'
import { callBytesMax, inputBytesMax } from '../model/limits.ts'
import { isObject } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'
import { bytes, valueIn } from './body.ts'
import { callIn, refuse } from './calls.ts'
import { scoped } from './keys.ts'
import { type AdmissionGate, type AdmissionPorts, gateOf } from './ports.ts'

/** What the compiled policy decides by, of an input document as the record has it. */
const ofPolicy = ['tollgate', 'decision']
/** What the gate decides, of a call as `/v1/admission` takes it: a check. */
const ofGate = ['tollgate', 'admission']

const warning = { code: 'api_usage_warning', message: "'input' key missing from the request" }

interface Answer {
  readonly result?: Json | undefined
  readonly decision_id?: string
  readonly warning?: typeof warning
}

export function addData(v1: Router, ports: AdmissionPorts): void {
  v1.post('/data{/*path}', scoped('admission'), bytes(callBytesMax), (request, response) => {
    const started = process.hrtime.bigint()
    const gate = gateOf(ports)
    const { path = [] } = request.params as { readonly path?: readonly string[] }
    const input = inputIn(request.body)
    const answer = answerTo({ gate, path, input, ports, response })
    if (answer === undefined) return
    const metrics = isSaid(request.query['metrics']) && {
      metrics: { timer_server_handler_ns: Number(process.hrtime.bigint() - started) },
    }
    const body = { ...(input === undefined && { warning }), ...metrics, ...answer }
    const text = JSON.stringify(body, null, isSaid(request.query['pretty']) ? 2 : 0)
    response.type('application/json').send(`${text}\n`)
  })
}

interface Question {
  readonly gate: AdmissionGate
  readonly path: readonly string[]
  readonly input: Json | undefined
  readonly ports: AdmissionPorts
  readonly response: Response
}

/** Undefined when it was answered. */
function answerTo({ gate, path, input, ports, response }: Question): Answer | undefined {
  if (begins(path, ofPolicy)) return { result: within(verdictOn(gate, input), path.slice(ofPolicy.length)) }
  if (!begins(path, ofGate) || input === undefined) return {}
  const call = isObject(input) ? callIn(input, response, ports) : 'the input must be an object: a call'
  if (typeof call === 'string') {
    refuse(gate, response, call)
    return undefined
  }
  const decision = gate.check(call)
  const result = within(decision as unknown as Json, path.slice(ofGate.length))
  return { decision_id: decision.decision_id, result }
}

/** Undefined where no policy is active, or says nothing. Throws `engine_failed` when the policy gives no verdict. */
function verdictOn(gate: AdmissionGate, input: Json | undefined): Json | undefined {
  const text = canonical(input ?? {})
  if (Buffer.byteLength(text) > inputBytesMax)
    throw new TollgateError('request_invalid', `an input document has at most ${inputBytesMax} bytes`)
  try {
    return gate.active?.evaluate(text) as unknown as Json | undefined
  } catch (error) {
    if (error instanceof TollgateError && error.code === 'decision_undefined') return undefined
    throw error
  }
}

/** OPA gives the member of a document under its path. */
function within(document: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => {
    if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined
    return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }, document)
}

function begins(path: readonly string[], start: readonly string[]): boolean {
  return start.every((word, index) => path[index] === word)
}

/** As OPA has it, a body without an input, or with null for one, has none; members beside it say nothing. */
function inputIn(body: unknown): Json | undefined {
  const value = valueIn(body) ?? {}
  if (!isObject(value)) throw new TollgateError('request_invalid', 'body contains malformed input document: no object')
  return (value as JsonObject)['input'] ?? undefined
}

/** A switch of OPA: `?pretty` and `?pretty=true`. */
function isSaid(value: unknown): boolean {
  return value === '' || value === 'true' || value === '1'
}
