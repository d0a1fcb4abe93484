/** A program that is told of requests, and answers for persons: both signed, as Standard Webhooks has it. */
import { approvalView } from '../log/approvals.ts'
import type { Approval } from '../model/approval.ts'
import { TollgateError } from '../model/errors.ts'
import type { RecordKind, StoredRecord } from '../model/ledger.ts'
import { isObject } from '../model/message/json.ts'
import { tellMsMax } from './limits.ts'
import { post } from './outbox.ts'
import { webhookSignature } from './signatures.ts'

export interface Webhook {
  readonly url: URL
  readonly key: Buffer
}

/** What a program is told of, by the kind of the record. */
const types: ReadonlyMap<RecordKind, string> = new Map([
  ['hold', 'approval.requested'],
  ['grant', 'approval.granted'],
  ['reject', 'approval.rejected'],
  ['expiry', 'approval.expired'],
  ['consumption', 'approval.consumed'],
])

export const toldKinds: readonly RecordKind[] = [...types.keys()]

/** The message of a record, with the request as it is now. */
export function webhookMessage(record: StoredRecord, approval: Approval | undefined, page: string | undefined): string {
  const view = approval && approvalView(approval, Date.now())
  const data = { decision_id: record.decisionId, ...view, ...(page !== undefined && { page }) }
  return JSON.stringify({ type: types.get(record.kind), timestamp: new Date(record.at).toISOString(), data })
}

/** The same record has the same id, however often it is told. Rejects when it was not heard. */
export function tellWebhook(
  { url, key }: Webhook,
  record: StoredRecord,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const id = `msg_${record.hash.slice(0, 32)}`
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': webhookSignature(key, { id, timestamp, body }),
  }
  return post(url, body, headers, signal, tellMsMax)
}

export interface Said {
  readonly id: string
  readonly says: 'approve' | 'reject'
  readonly approver: string
  readonly reason?: string
}

/** What a signed callback says. Throws `request_invalid`. */
export function saidIn(body: Uint8Array): Said {
  const value = parsed(Buffer.from(body).toString('utf8'))
  const { id, says, approver, reason, ...others } = value
  const isSaid = typeof id === 'string' && typeof approver === 'string' && (says === 'approve' || says === 'reject')
  if (!isSaid || (reason !== undefined && typeof reason !== 'string') || Object.keys(others).length > 0)
    throw invalid('a callback has `id`, `says` (`approve` or `reject`), `approver`, and `reason` if there is one')
  return { id, says, approver, ...(reason !== undefined && { reason }) }
}

export function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // said below
  }
  throw invalid('it is no JSON object')
}

export function invalid(why: string): TollgateError {
  return new TollgateError('request_invalid', why)
}
