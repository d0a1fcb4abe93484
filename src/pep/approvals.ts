/**
 * Where persons answer: a request is approved or rejected once, in one transaction with its record. The gate that holds the
 * call may be another process; it finds the answer in the ledger.
 */
import {
  type Approval,
  type ApprovalAnswer,
  type Approver,
  grantsOf,
  isApproverName,
  isSamePerson,
} from '../model/approval.ts'
import { TollgateError } from '../model/errors.ts'
import type { GateEvent } from '../model/event.ts'
import type { Ledger, Transaction } from '../model/ledger.ts'
import { approvalReasonCharsMax, approverCharsMax } from '../model/limits.ts'
import { quoted } from '../model/message/quoted.ts'
import { expireOverdue } from './requests.ts'

export interface ApprovalPorts {
  readonly ledger: Pick<Ledger, 'transact'>
  /** The record of an event, as JSON text. */
  readonly describe: (event: GateEvent) => string
}

export interface Said {
  readonly by: Approver
  readonly reason?: string
}

export class Approvals {
  readonly #ports: ApprovalPorts

  constructor(ports: ApprovalPorts) {
    this.#ports = ports
  }

  /**
   * Gives the request as it is then: `pending` still, where others have to approve too. Throws a `TollgateError`
   * (`approval_*`) when the answer does not count, and those of the ledger.
   */
  approve(id: string, said: Said): Approval {
    return this.#answer(id, 'approve', said)
  }

  /** One no is enough, whoever else said yes. Throws as `approve` does. */
  reject(id: string, said: Said): Approval {
    return this.#answer(id, 'reject', said)
  }

  /** Records the requests whose time is over, so that nobody hears of it only when somebody next comes by. */
  expire(): void {
    this.#ports.ledger.transact((tx) => {
      for (const event of expireOverdue(tx)) this.#append(tx, event)
    })
  }

  #answer(id: string, says: ApprovalAnswer['says'], said: Said): Approval {
    requireReadable(said)
    const after = this.#ports.ledger.transact((tx) => {
      // Before anything is asked of it, and to stay where the answer is refused: it may be overdue.
      for (const event of expireOverdue(tx)) this.#append(tx, event)
      const approval = tx.approval(id)
      const refused = refusalOf(id, approval, says, said)
      return approval && !refused ? this.#answered(tx, approval, { ...said, says, at: tx.now }) : refused
    })
    if (after instanceof TollgateError) throw after
    return after as Approval
  }

  #answered(tx: Transaction, before: Approval, answer: ApprovalAnswer): Approval {
    const answers = [...before.answers, answer]
    const enough = grantsOf({ ...before, answers }).length >= before.request.quorum
    const state = answer.says === 'reject' ? 'rejected' : enough ? 'approved' : 'pending'
    const approval: Approval = { ...before, state, answers }
    tx.changeApproval(before.request.id, { state, answers })
    this.#append(tx, { kind: answer.says === 'reject' ? 'reject' : 'grant', at: tx.now, approval, answer })
    return approval
  }

  #append(tx: Transaction, event: GateEvent & { readonly approval: Approval }): void {
    const { decision_id: decisionId } = event.approval.request
    tx.append({ kind: event.kind as 'grant', body: this.#ports.describe(event), decisionId })
  }
}

export function unknownApproval(id: string): TollgateError {
  const message = `there is no request ${quoted(id)} in this ledger: \`tollgate approvals list --all\` shows them`
  return new TollgateError('approval_unknown', message)
}

/** Why the answer does not count; undefined when it does. */
function refusalOf(
  id: string,
  approval: Approval | undefined,
  says: ApprovalAnswer['says'],
  { by }: Said,
): TollgateError | undefined {
  if (!approval) return unknownApproval(id)
  if (approval.state !== 'pending')
    return new TollgateError('approval_settled', `the request ${quoted(id)} is ${approval.state} already`)
  if (says === 'reject') return undefined
  if (grantsOf(approval).some((grant) => isSamePerson(grant.by.name, by.name)))
    return new TollgateError(
      'approval_given',
      `${quoted(by.name)} has approved the request ${quoted(id)} already, and counts once`,
    )
  return approval.request.not_requester ? requesterRefusal(approval, by) : undefined
}

/** Who is not known cannot be told from who approves: then nobody can show to be another one. */
function requesterRefusal({ request: { id, principal } }: Approval, by: Approver): TollgateError | undefined {
  const { user, agent } = principal
  if (user === undefined) {
    const why = `the policy wants somebody other than the requester, and nobody knows who asked for ${quoted(id)}`
    return new TollgateError('approval_by_requester', `${why}: tell the gate with \`--user\``)
  }
  const names = namesOf(by)
  if (!names.some((name) => isSamePerson(name, user) || (agent !== undefined && isSamePerson(name, agent))))
    return undefined
  return new TollgateError(
    'approval_by_requester',
    `${quoted(by.name)} asked for ${quoted(id)}, and the policy wants somebody else`,
  )
}

function namesOf({ name, os_user }: Approver): readonly string[] {
  return os_user === undefined ? [name] : [name, os_user]
}

function requireReadable({ by, reason = '' }: Said): void {
  for (const name of namesOf(by))
    if (!isApproverName(name))
      throw new TollgateError(
        'approver_invalid',
        `${quoted(name)} is no name of a person: 1 to ${approverCharsMax} visible characters`,
      )
  if (reason.length > approvalReasonCharsMax || !reason.isWellFormed())
    throw new TollgateError('approver_invalid', `a reason has at most ${approvalReasonCharsMax} characters`)
}
