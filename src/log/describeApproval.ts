/** What the records of a request to a person say: whose call it is, what was asked, who answered, what came of it. */
import { type ApprovalAnswer, grantsOf } from '../model/approval.ts'
import type { ApprovalEvent } from '../model/event.ts'

export function approvalMembers(event: ApprovalEvent): object {
  const { request, state } = event.approval
  const { id, decision_id, method, asked_method, server, name, session_id, principal, arguments_sha256 } = request
  const call = { method, asked_method, server, name, session_id, principal }
  const about = { decision_id, approval_id: id, state, ...call }
  switch (event.kind) {
    case 'hold':
      return { ...about, ...askedOf(event), arguments_sha256 }
    case 'grant':
    case 'reject':
      return { ...about, ...answerOf(event.answer), approvals: grantsOf(event.approval).length, quorum: request.quorum }
    case 'expiry':
      return { ...about, expires_at: timeText(request.expires_at), approvals: grantsOf(event.approval).length }
    case 'consumption':
      return { ...about, consumed_by: event.consumedBy }
  }
  return event satisfies never
}

function askedOf({ approval: { request } }: ApprovalEvent): object {
  const { policy_id, policy_version, revision, rule, message, holds, risk_level, quorum, not_requester } = request
  const policy = { policy_id, policy_version, revision }
  return {
    ...policy,
    rule,
    message,
    holds,
    risk_level,
    quorum,
    not_requester,
    expires_at: timeText(request.expires_at),
  }
}

function answerOf({ by, reason }: ApprovalAnswer): object {
  return { approver: by.name, approver_known_by: by.known_by, approver_os_user: by.os_user, reason }
}

function timeText(at: number): string {
  return new Date(at).toISOString()
}
