/** Requests as they are shown: what was asked, what is known of it by now, and what the policy read when it held the call. */

import { type ApprovalView, approvalView } from '../log/approvals.ts'
import { bodyOf } from '../log/body.ts'
import type { Approval, ApprovalState } from '../model/approval.ts'
import { messageOf } from '../model/errors.ts'
import { unknownApproval } from '../pep/approvals.ts'
import { approvalsListedItemsMax } from './limits.ts'
import type { AdmissionPorts } from './ports.ts'

/** One request with the input document of the decision that held the call first: `null` where it is not known any more. */
export interface Shown extends ApprovalView {
  readonly input: unknown
}

type Ledger = AdmissionPorts['ledger']

/** In the order in which they were asked; of too many, the last. */
export function listed(ledger: Ledger, states: readonly ApprovalState[]): readonly ApprovalView[] {
  const now = Date.now()
  // One that is overdue may be pending still, as far as the ledger says.
  const asked = states.includes('expired') ? [...states, 'pending' as const, 'approved' as const] : states
  const views = ledger.approvals(asked).map((approval) => approvalView(approval, now))
  return views.filter(({ state }) => states.includes(state)).slice(-approvalsListedItemsMax)
}

/** Throws `approval_unknown`. */
export function shown(ledger: Ledger, id: string): Shown {
  const approval = ledger.approval(id)
  if (!approval) throw unknownApproval(id)
  return { ...approvalView(approval, Date.now()), input: inputOf(ledger, approval) }
}

function inputOf(ledger: Ledger, { request }: Approval): unknown {
  const held = ledger.recordsOf(request.decision_id).find(({ kind }) => kind === 'decision')
  return (held && bodyOf(held)['input']) ?? null
}

/** Requests whose time is over are recorded as such: who is told of requests hears of it then. */
export function expireOverdue({ ledger, approvals, log }: AdmissionPorts): void {
  try {
    const now = Date.now()
    if (ledger.approvals(['pending', 'approved']).some(({ request }) => request.expires_at <= now)) approvals.expire()
  } catch (error) {
    log(`what has expired could not be recorded: ${messageOf(error)}`)
  }
}
