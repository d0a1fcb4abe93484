/** What went wrong, as the status of an answer and its words. */
import { messageOf, TollgateError } from '../model/errors.ts'

const statuses: Readonly<Record<string, number>> = {
  approval_unknown: 404,
  approval_settled: 409,
  approval_given: 409,
  approval_by_requester: 403,
  approver_invalid: 400,
  kill_unknown: 404,
  kill_invalid: 400,
  activity_unknown: 404,
  request_invalid: 400,
  callback_unsigned: 401,
  callback_replayed: 409,
  not_found: 404,
}

export interface Fault {
  readonly status: number
  readonly code: string
  readonly message: string
}

export function faultOf(error: unknown): Fault {
  const message = messageOf(error)
  if (error instanceof TollgateError) {
    const status = statuses[error.code] ?? (error.code.startsWith('ledger_') ? 503 : 500)
    return { status, code: error.code, message }
  }
  // Express says of a body that it cannot read what is wrong with it.
  const { status } = error as { status?: unknown }
  if (typeof status === 'number' && status >= 400 && status < 500) return { status, code: 'request_invalid', message }
  return { status: 500, code: 'failed', message }
}
