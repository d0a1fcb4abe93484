/**
 * A request to a person: may this call be made? It is granted or rejected once, for exactly these arguments, and a grant
 * lets one call through.
 */
import { hash } from 'node:crypto'
import type { Approved, Call, LayeredApproved, Principal } from './call.ts'
import { canonical, type Json } from './canonical.ts'
import type { RiskLevel } from './decision.ts'
import { approverCharsMax } from './limits.ts'
import type { Method } from './policy.ts'

/** `pending` and `approved` are not over yet: the others never change again. */
export type ApprovalState = 'pending' | 'approved' | 'rejected' | 'consumed' | 'expired'

export const approvalStates: readonly ApprovalState[] = ['pending', 'approved', 'rejected', 'consumed', 'expired']

/** What is asked, as it was when the call was held; names are those of `approvals --json`. */
export interface ApprovalRequest {
  /** `apr_` and the id of the decision that held the call first. */
  readonly id: string
  readonly decision_id: string
  readonly method: Method
  /** The method on the wire, where it is judged as another one. */
  readonly asked_method?: string
  readonly server: string
  /** Tool name, prompt name, or resource URI. */
  readonly name: string
  readonly arguments_sha256: string
  readonly principal: Principal
  readonly session_id: string
  /** The rule that held it, and what the caller was told. */
  readonly rule: string
  readonly message: string
  /** All that holds it: what an approval clears (`src/model/holds.ts`). */
  readonly holds: Approved | LayeredApproved
  readonly policy_id: string
  readonly policy_version: string
  readonly revision: string
  readonly risk_level?: RiskLevel
  /** Milliseconds. */
  readonly requested_at: number
  /** Milliseconds. From here on it is neither answered nor used. */
  readonly expires_at: number
  /** Persons who have to approve. */
  readonly quorum: number
  readonly not_requester: boolean
}

export interface Approver {
  readonly name: string
  /**
   * `os_user`: as the operating system calls the user. `command_line`: as the user said. `api_key`: by a key. `token`: by a token of an issuer.
   * `webhook`: as a program said that signs what it says. `slack`: as Slack said, of a user who stands for this name.
   */
  readonly known_by: 'os_user' | 'command_line' | 'api_key' | 'token' | 'webhook' | 'slack' | 'program'
  /** Who it was for the operating system, where the answer came from a process of this machine. */
  readonly os_user?: string
}

/** A name that a record can carry, and that a person can read. */
export function isApproverName(name: string): boolean {
  return name !== '' && name.trim() === name && name.length <= approverCharsMax && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name)
}

/** What one person said. */
export interface ApprovalAnswer {
  readonly says: 'approve' | 'reject'
  readonly by: Approver
  /** Milliseconds. */
  readonly at: number
  readonly reason?: string
}

export interface Approval {
  readonly request: ApprovalRequest
  /** Of the call and of what holds it: a call with the same key is the same call again. */
  readonly key: string
  /** Of the principal. */
  readonly caller: string
  readonly state: ApprovalState
  readonly answers: readonly ApprovalAnswer[]
  /** The arguments in canonical JSON, until the request is over. */
  readonly arguments?: string
}

export type ApprovalChange = Pick<Approval, 'state'> & Partial<Pick<Approval, 'answers'>>

/**
 * The same caller, server, target and arguments, held by the same rules. The session is not part of it: an agent that
 * starts anew asks about the same call. Nor is `_meta`, which is another one each time.
 */
export function approvalKey(call: Call, holds: Approved | LayeredApproved): string {
  const { method, asked, server, name, principal } = call
  const what = { method, asked, server, name, arguments: call.arguments, principal, more: moreOf(call), holds }
  return hash('sha256', canonical(what as unknown as Json))
}

export function callerKey(principal: Principal): string {
  return hash('sha256', canonical(principal as Json))
}

/** What goes on beside the arguments: a state, answers of a user, a task. */
function moreOf({ params }: Call): Json | undefined {
  if (params === undefined) return undefined
  const { name: _, uri: __, arguments: ___, _meta: ____, ...more } = params
  return Object.keys(more).length === 0 ? undefined : more
}

/** Names that read alike are one person's: nobody is two approvers by the case of a letter. */
export function isSamePerson(one: string, other: string): boolean {
  return one.normalize('NFKC').toLowerCase() === other.normalize('NFKC').toLowerCase()
}

/** Who approved so far. */
export function grantsOf({ answers }: Approval): readonly ApprovalAnswer[] {
  return answers.filter(({ says }) => says === 'approve')
}
