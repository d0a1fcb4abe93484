/** A request to a person as people and programs read it. `docs/approvals.md` is the table of its members. */
import { type Approval, type ApprovalRequest, type ApprovalState, grantsOf } from '../model/approval.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { bodyOf, objectIn, textIn } from './body.ts'

export interface ApprovalView extends Omit<ApprovalRequest, 'requested_at' | 'expires_at'> {
  readonly state: ApprovalState
  /** RFC 3339, UTC, milliseconds. */
  readonly requested_at: string
  readonly expires_at: string
  /** Persons who have approved so far. */
  readonly approvals: number
  readonly answers: readonly AnswerView[]
  /** Null where they are not kept any more: the request is over. */
  readonly arguments: unknown
}

export interface AnswerView {
  readonly says: 'approve' | 'reject'
  readonly approver: string
  readonly approver_known_by: string
  readonly approver_os_user: string | null
  readonly at: string
  readonly reason: string | null
}

/** `now`: what is overdue is over, whether or not the ledger says so by now. */
export function approvalView(approval: Approval, now: number): ApprovalView {
  const { request, state, answers, arguments: args } = approval
  const isOpen = state === 'pending' || state === 'approved'
  return {
    ...request,
    state: isOpen && request.expires_at <= now ? 'expired' : state,
    requested_at: timeText(request.requested_at),
    expires_at: timeText(request.expires_at),
    approvals: grantsOf(approval).length,
    answers: answers.map(({ says, by, at, reason = null }) => ({
      says,
      approver: by.name,
      approver_known_by: by.known_by,
      approver_os_user: by.os_user ?? null,
      at: timeText(at),
      reason,
    })),
    arguments: args === undefined ? null : JSON.parse(args),
  }
}

function timeText(at: number): string {
  return new Date(at).toISOString()
}

const requestPrefix = 'apr_'

/** The decision that a request is named after: the one that held the call first. */
export function decisionOfRequest(id: string | null): string | undefined {
  return id?.startsWith(requestPrefix) ? id.slice(requestPrefix.length) : undefined
}

/** Kinds of records of a request. */
export const requestKinds: ReadonlySet<string> = new Set(['hold', 'grant', 'reject', 'expiry', 'consumption'])

/** What became of the request that a held call waits for: it may have been made for an earlier call. */
export function requestRecords(
  record: StoredRecord,
  recordsOf: (decisionId: string) => readonly StoredRecord[],
): readonly StoredRecord[] {
  const result = objectIn(bodyOf(record), 'result')
  const first = decisionOfRequest(textIn(objectIn(result, 'approval'), 'id'))
  if (result['decision'] !== 'hold' || first === undefined) return []
  return recordsOf(first).filter(({ kind }) => requestKinds.has(kind))
}
