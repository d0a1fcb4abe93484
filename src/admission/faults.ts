/** How a request is refused: a status, a code, and a sentence on what to do. */
import type { Response } from 'express'
import { messageOf, TollgateError } from '../model/errors.ts'

export interface Fault {
  readonly status: number
  readonly code: string
  readonly message: string
}

const statuses: Readonly<Record<string, number>> = {
  activity_unknown: 404,
  approval_unknown: 404,
  approval_settled: 409,
  approval_given: 409,
  approval_by_requester: 403,
  approver_invalid: 400,
  body_too_large: 413,
  body_type_unsupported: 415,
  callback_replayed: 409,
  callback_unsigned: 401,
  decision_unknown: 404,
  gate_missing: 503,
  kill_invalid: 400,
  kill_unknown: 404,
  not_found: 404,
  outcome_settled: 409,
  request_invalid: 400,
  reservations_full: 429,
  run_invalid: 400,
  run_unknown: 404,
  runs_full: 429,
  scope_missing: 403,
}

export function faultOf(error: unknown): Fault {
  const message = messageOf(error)
  if (error instanceof TollgateError) {
    const status = statuses[error.code] ?? (error.code.startsWith('ledger_') ? 503 : 500)
    return { status, code: error.code, message }
  }
  // Express says of a request that it cannot read what is wrong with it.
  const { status } = error as { status?: unknown }
  if (typeof status === 'number' && status >= 400 && status < 500) return { status, code: 'request_invalid', message }
  return { status: 500, code: 'failed', message }
}

/** In the form of OPA's errors where OPA's own clients ask, and in ours everywhere else. */
export function fail(response: Response, fault: Fault, decisionId?: string): void {
  const { code, message } = fault
  const status = (response.locals['statusOfAll'] as number | undefined) ?? fault.status
  if (fault.status === 429) response.setHeader('retry-after', '1')
  // What was not read to its end cannot be followed by another request.
  if (fault.status === 413) response.setHeader('connection', 'close')
  const error = { code, message, ...(decisionId !== undefined && { decision_id: decisionId }) }
  response.status(status).json(response.locals['asOpa'] === true ? { code: opaCode(status), message } : { error })
}

function opaCode(status: number): string {
  if (status >= 500) return 'internal_error'
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 404) return 'resource_not_found'
  return status === 429 ? 'too_many_requests' : 'invalid_parameter'
}
