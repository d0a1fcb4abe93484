/** What a held call comes to, within the transaction that decides it: asked about anew, still waiting, approved or rejected. */
import { hash } from 'node:crypto'
import { type Approval, type ApprovalRequest, approvalKey, callerKey } from '../model/approval.ts'
import type { Call } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import type { ApprovalEvent } from '../model/event.ts'
import type { Transaction } from '../model/ledger.ts'
import { approvalArgumentsBytesMax, approvalsPendingMax, approvalsPendingPerCallerMax } from '../model/limits.ts'
import type { ReasonCode } from '../model/reasons.ts'
import type { Held } from './held.ts'

/** `event` is what has to be recorded behind the decision. */
export type HeldAnswer =
  | { readonly kind: 'wait' | 'approved'; readonly approval?: Approval; readonly event?: ApprovalEvent }
  | { readonly kind: 'refuse'; readonly reason: ReasonCode; readonly message: string }

/** What is known of the decision so far. */
export type About = Pick<
  ApprovalRequest,
  'decision_id' | 'rule' | 'message' | 'policy_id' | 'policy_version' | 'revision' | 'risk_level'
>

/** A call that is made: a grant is used up here, and a request made where there is none. */
export function answerHeld(tx: Transaction, call: Call, held: Held, about: About): HeldAnswer {
  const known = tx.approvalFor(approvalKey(call, held.holds))
  if (known?.state === 'rejected') return rejected(known)
  if (known?.state === 'pending') return { kind: 'wait', approval: known }
  if (known?.state !== 'approved') return requested(tx, call, held, about)
  tx.changeApproval(known.request.id, { state: 'consumed' })
  const approval: Approval = { ...known, state: 'consumed' }
  return {
    kind: 'approved',
    approval,
    event: { kind: 'consumption', at: tx.now, approval, consumedBy: about.decision_id },
  }
}

/** A call that is only asked about: nothing is used up and nobody is asked. */
export function foreseeHeld(tx: Transaction, call: Call, held: Held): HeldAnswer {
  const approval = tx.approvalFor(approvalKey(call, held.holds))
  if (approval?.state === 'rejected') return rejected(approval)
  return { kind: approval?.state === 'approved' ? 'approved' : 'wait', ...(approval && { approval }) }
}

/** Requests whose time is over, with what is to be recorded of each. */
export function expireOverdue(tx: Transaction): readonly ApprovalEvent[] {
  return tx.approvalsOverdue().map((overdue) => {
    tx.changeApproval(overdue.request.id, { state: 'expired' })
    return { kind: 'expiry', at: tx.now, approval: { ...overdue, state: 'expired' } }
  })
}

/** It stands until the request would have expired: who asks again and again is not heard each time. */
function rejected({ answers }: Approval): HeldAnswer {
  const reason = answers.find(({ says }) => says === 'reject')?.reason
  const message = `a person said no to this call${reason === undefined ? '' : `: ${reason}`}`
  return { kind: 'refuse', reason: 'APPROVAL_REJECTED', message }
}

function requested(tx: Transaction, call: Call, held: Held, about: About): HeldAnswer {
  const args = canonical(call.arguments as Json)
  const bytes = Buffer.byteLength(args)
  if (bytes > approvalArgumentsBytesMax) {
    const message = `a person has to approve this call, and its arguments have ${bytes} bytes: nobody is asked about more than ${approvalArgumentsBytesMax}`
    return { kind: 'refuse', reason: 'CALL_TOO_LARGE', message }
  }
  const caller = callerKey(call.principal)
  if (tx.approvalsPending() >= approvalsPendingMax || tx.approvalsPending(caller) >= approvalsPendingPerCallerMax)
    return { kind: 'refuse', reason: 'APPROVALS_FULL', message: 'too many calls wait for a person already' }
  const approval: Approval = {
    request: requestOf(tx.now, call, held, about, hash('sha256', args)),
    key: approvalKey(call, held.holds),
    caller,
    state: 'pending',
    answers: [],
    arguments: args,
  }
  tx.addApproval(approval)
  return { kind: 'wait', approval, event: { kind: 'hold', at: tx.now, approval } }
}

function requestOf(now: number, call: Call, { holds, demands }: Held, about: About, digest: string): ApprovalRequest {
  const { method, asked, server, name, principal, session } = call
  return {
    id: `apr_${about.decision_id}`,
    ...about,
    method,
    ...(asked !== undefined && { asked_method: asked }),
    server,
    name,
    arguments_sha256: digest,
    principal,
    session_id: session,
    holds,
    requested_at: now,
    expires_at: now + demands.approval_timeout_ms,
    quorum: demands.approval_quorum ?? 1,
    not_requester: demands.approval_not_requester ?? false,
  }
}
