/** The HTTP API for programs: JSON in and out, a credential with each request. `openapi.ts` describes it. */
import express, { type NextFunction, type Request, type Response, Router } from 'express'
import { type ApprovalState, type Approver, approvalStates } from '../model/approval.ts'
import { TollgateError } from '../model/errors.ts'
import { callbacks } from './callbacks.ts'
import { faultOf } from './faults.ts'
import { killRoutes } from './killRoutes.ts'
import { adminBodyBytesMax } from './limits.ts'
import { openapi } from './openapi.ts'
import { type AdmissionPorts, bearerOf } from './ports.ts'
import { listed, shown } from './requests.ts'

export function api(ports: AdmissionPorts): Router {
  const { ledger, approvals, status } = ports
  const router = Router()
  router.get('/healthz', (_, response) => void response.json({ status: 'ok' }))
  router.get('/readyz', (_, response) => {
    const missing = notReady(ports)
    response.status(missing === undefined ? 200 : 503).json({ status: missing ?? 'ok' })
  })
  router.get('/openapi.json', (_, response) => void response.json(openapi))
  const v1 = Router()
  // These show who they are by their signature.
  v1.use('/callbacks', callbacks(ports))
  v1.use(authenticated(ports), express.json({ limit: adminBodyBytesMax }))
  v1.get('/status', (_, response) => {
    response.json({ ...status(), approvals_pending: listed(ledger, ['pending']).length })
  })
  v1.get('/approvals', (request, response) => {
    response.json({ approvals: listed(ledger, statesOf(request.query['state'])) })
  })
  v1.get('/approvals/:id', ({ params }, response) => void response.json(shown(ledger, params.id)))
  for (const says of ['approve', 'reject'] as const)
    v1.post(`/approvals/:id/${says}`, ({ params, body }, response) => {
      const approval = approvals[says](params.id, { by: approverIn(response), ...reasonIn(body) })
      response.json(shown(ledger, approval.request.id))
    })
  killRoutes(v1, ports, approverIn)
  router.use('/v1', v1)
  router.use('/v1', (_, response) => fail(response, 404, 'not_found', 'there is nothing at this path'))
  router.use('/v1', (error: unknown, _: Request, response: Response, __: NextFunction) => {
    const { status, code, message } = faultOf(error)
    if (status >= 500) ports.log(`a request to the admission API failed: ${message}`)
    fail(response, status, code, status === 500 ? 'the gate failed' : message)
  })
  return router
}

/** Undefined when calls can be decided. */
function notReady({ ledger, status }: AdmissionPorts): string | undefined {
  try {
    ledger.approvalsVersion()
  } catch {
    return 'the ledger cannot be read'
  }
  return status().revision === '' ? 'no policy is active' : undefined
}

function authenticated({ approverOf }: AdmissionPorts) {
  return async (request: Request, response: Response, next: NextFunction) => {
    const credential = bearerOf(request)
    const approver = credential === undefined ? undefined : await approverOf(credential)
    if (approver !== undefined) {
      response.locals['approver'] = approver
      return next()
    }
    response.setHeader('www-authenticate', 'Bearer realm="tollgate"')
    fail(response, 401, 'unauthenticated', 'a key is wanted: `Authorization: Bearer KEY`')
  }
}

function approverIn(response: Response): Approver {
  return response.locals['approver'] as Approver
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

function fail(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ error: { code, message } })
}
