/** One call in, one decision out, for gateways and jobs that make the call themselves; and how it ended. */
import type { Request, Response, Router } from 'express'
import type { Call } from '../model/call.ts'
import { readCallObject, textIn } from '../model/callObject.ts'
import type { Decision } from '../model/decision.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { callBytesMax, recordedDetailCharsMax } from '../model/limits.ts'
import { isObject, readJson } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'
import { bytes, objectIn, requireKeys } from './body.ts'
import { fail } from './faults.ts'
import { holderIn, requireScope, scoped } from './keys.ts'
import { adminBodyBytesMax, outcomeMs, outcomeMsMax } from './limits.ts'
import { type AdmissionGate, type AdmissionPorts, gateOf } from './ports.ts'
import type { Reservations } from './reservations.ts'

const modes = ['check', 'reserve'] as const
const statuses = ['success', 'error', 'unknown'] as const

type Asked = { readonly call: Call; readonly mode: (typeof modes)[number]; readonly withinMs: number }

export function addCalls(v1: Router, ports: AdmissionPorts, reservations: Reservations | undefined): void {
  v1.post('/admission', scoped('admission'), bytes(callBytesMax), (request, response) => {
    const gate = gateOf(ports)
    const asked = askedIn(request, response, ports)
    if (typeof asked === 'string') return refuse(gate, response, asked)
    response.json(decide(gate, reservations as Reservations, asked, holderIn(response)))
  })
  v1.post('/outcomes', scoped('admission'), bytes(adminBodyBytesMax), ({ body }, response) => {
    const gate = gateOf(ports)
    const { decision_id, status, detail, ...others } = objectIn(body)
    requireKeys(others, [])
    if (typeof decision_id !== 'string') throw invalid('`decision_id` is missing: the one of the decision')
    if (!statuses.some((one) => one === status)) throw invalid(`\`status\` must be one of ${statuses.join(', ')}`)
    if (detail !== undefined && (typeof detail !== 'string' || detail.length > recordedDetailCharsMax))
      throw invalid(`\`detail\` must be a text of at most ${recordedDetailCharsMax} characters`)
    const outcome = { decisionId: decision_id, status: status as (typeof statuses)[number] }
    reservations?.settle({ ...outcome, ...(detail !== undefined && { detail }) }, holderIn(response))
    gate.flush()
    response.json({ decision_id, status })
  })
}

function decide(gate: AdmissionGate, reservations: Reservations, { call, mode, withinMs }: Asked, by: string): object {
  if (mode === 'check') return gate.check(call)
  reservations.requireRoom()
  const [decision] = gate.admit([call]) as readonly [Decision]
  if (decision.decision !== 'allow') return decision
  reservations.add(decision.decision_id, by, withinMs)
  return { ...decision, outcome_due_at: new Date(Date.now() + withinMs).toISOString() }
}

/** A sentence for what is no call: it is refused as one, and recorded. */
function askedIn({ body }: Request, response: Response, ports: AdmissionPorts): Asked | string {
  const read = readJson(Buffer.isBuffer(body) ? body : Buffer.alloc(0))
  if (!read.ok) return read.message
  if (!isObject(read.value)) return 'a call must be a JSON object'
  const { mode, outcome_within_ms: within = outcomeMs, ...said } = read.value
  const call = callIn(said, response, ports)
  if (typeof call === 'string') return call
  if (!modes.some((one) => one === mode)) return `\`mode\` must be one of ${modes.join(', ')}`
  if (!Number.isSafeInteger(within) || (within as number) < 1 || (within as number) > outcomeMsMax)
    return `\`outcome_within_ms\` must be a whole number from 1 to ${outcomeMsMax}`
  return { call, mode: mode as Asked['mode'], withinMs: within as number }
}

/** A sentence for what is no call. Throws `scope_missing` where the key may not say what a run is. */
export function callIn(said: JsonObject, response: Response, ports: AdmissionPorts): Call | string {
  if (said['run'] !== undefined) requireScope(response, 'runs', 'to say what a run is')
  try {
    return withRun(readCallObject(said, ['run_id']), said, ports)
  } catch (error) {
    return messageOf(error)
  }
}

/** A run that nobody has registered, or no longer, is none: what needs one is denied. */
function withRun(call: Call, said: JsonObject, { runs }: AdmissionPorts): Call {
  const id = textIn(said, 'run_id')
  if (id === undefined) return call
  if (call.run !== undefined) throw new Error('`run` and `run_id` are both given: one says which run it is')
  const run = runs?.get(id)
  return run === undefined ? call : { ...call, run }
}

export function refuse(gate: AdmissionGate, response: Response, message: string): void {
  const about = { reason: 'MALFORMED_CALL', message, server: '', principal: {}, session: '' } as const
  const [decision] = gate.refuse([about])
  fail(response, { status: 400, code: 'MALFORMED_CALL', message }, decision?.decision_id)
}

function invalid(message: string): TollgateError {
  return new TollgateError('request_invalid', message)
}
