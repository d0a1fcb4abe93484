/** The HTTP API for programs: JSON in and out, a credential with each request. `openapi.ts` describes it. */
import { type NextFunction, type Request, type Response, Router } from 'express'
import { type ApprovalState, approvalStates } from '../model/approval.ts'
import { TollgateError } from '../model/errors.ts'
import { bytes, valueIn } from './body.ts'
import { callbacks } from './callbacks.ts'
import { addCalls } from './calls.ts'
import { addData } from './data.ts'
import { addDecisions } from './decisions.ts'
import { fail, faultOf } from './faults.ts'
import { approverIn, authenticated, scoped } from './keys.ts'
import { killRoutes } from './killRoutes.ts'
import { adminBodyBytesMax } from './limits.ts'
import { openapi } from './openapi.ts'
import { addPolicy } from './policy.ts'
import type { AdmissionPorts } from './ports.ts'
import { notReady } from './ready.ts'
import { listed, shown } from './requests.ts'
import type { Reservations } from './reservations.ts'
import { addRuns } from './runRoutes.ts'
import { addToolHive } from './toolhive.ts'

export function api(ports: AdmissionPorts, reservations?: Reservations): Router {
  const { ledger, approvals, status } = ports
  const router = Router()
  router.get('/healthz', (_, response) => void response.json({ status: 'ok' }))
  router.get('/readyz', (_, response) => {
    const missing = notReady({ ledger, revision: status().revision })
    response.status(missing === undefined ? 200 : 503).json({ status: missing ?? 'ok' })
  })
  router.get('/openapi.json', (_, response) => void response.json(openapi))
  router.get('/metrics', authenticated(ports), scoped('read'), async (_, response) => {
    if (!ports.metrics) throw new TollgateError('gate_missing', 'only the server of `tollgate serve` has metrics')
    response.type('text/plain; version=0.0.4').send(await ports.metrics.text())
  })
  const v1 = Router()
  // These show who they are by their signature.
  v1.use('/callbacks', callbacks(ports))
  v1.use('/data', (_, response, next) => {
    response.locals['asOpa'] = true
    next()
  })
  v1.use('/toolhive', (request, response, next) => {
    response.locals['mayBeBasic'] = true
    // The one status that ToolHive takes for a no whatever its `failure_policy` says; in each spelling that is routed.
    if (/^\/webhook\/?$/i.test(request.path)) response.locals['statusOfAll'] = 422
    next()
  })
  v1.use(authenticated(ports))
  v1.get('/status', scoped('read'), (_, response) => {
    response.json({ ...status(), approvals_pending: listed(ledger, ['pending']).length })
  })
  v1.get('/approvals', scoped('read'), (request, response) => {
    response.json({ approvals: listed(ledger, statesOf(request.query['state'])) })
  })
  v1.get('/approvals/:id', scoped('read'), ({ params }, response) => {
    response.json(shown(ledger, params['id'] as string))
  })
  for (const says of ['approve', 'reject'] as const)
    v1.post(`/approvals/:id/${says}`, scoped('approve'), bytes(adminBodyBytesMax), ({ params, body }, response) => {
      const said = { by: approverIn(response), ...reasonIn(valueIn(body)) }
      const approval = approvals[says](params['id'] as string, said)
      response.json(shown(ledger, approval.request.id))
    })
  killRoutes(v1, ports)
  addCalls(v1, ports, reservations)
  addRuns(v1, ports)
  addData(v1, ports)
  addDecisions(v1, ports)
  addPolicy(v1, ports)
  addToolHive(v1, ports)
  router.use('/v1', v1)
  router.use('/v1', (_, response) => {
    fail(response, { status: 404, code: 'not_found', message: 'there is nothing at this path, or not for this method' })
  })
  router.use(['/v1', '/metrics'], (error: unknown, _: Request, response: Response, __: NextFunction) => {
    const { status, code, message } = faultOf(error)
    if (status >= 500) ports.log(`a request to the admission API failed: ${message}`)
    fail(response, { status, code, message: status === 500 ? 'the gate failed' : message })
  })
  return router
}

function statesOf(said: unknown): readonly ApprovalState[] {
  const states = said === undefined ? ['pending'] : [said].flat()
  const unknown = states.find((state) => !(approvalStates as readonly unknown[]).includes(state))
  if (unknown === undefined) return states as ApprovalState[]
  throw new TollgateError('request_invalid', `\`state\` must be one of ${approvalStates.join(', ')}`)
}

/** Throws `request_invalid`. What it does not know is something that it would not do. */
function reasonIn(body: unknown): { readonly reason?: string } {
  if (body === undefined) return {}
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const said = isObject ? (body as Record<string, unknown>) : {}
  const { reason, ...others } = said
  if (!isObject || Object.keys(others).length > 0 || (reason !== undefined && typeof reason !== 'string'))
    throw new TollgateError('request_invalid', 'the body is a JSON object with nothing but a text `reason`')
  return reason === undefined ? {} : { reason }
}
