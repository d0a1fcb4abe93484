/** What a person says at the command line or at the page, before it is written down. */
import { type Approver, isApproverName } from '../model/approval.ts'
import { approvalReasonCharsMax, approverCharsMax } from '../model/limits.ts'
import { quoted } from '../model/message/quoted.ts'

export interface Said {
  readonly by: Approver
  readonly reason?: string
}

/** Why a record cannot have the name or the reason, if it cannot. */
export function unreadable({ by, reason = '' }: Said): string | undefined {
  const name = [by.name, by.os_user ?? by.name].find((one) => !isApproverName(one))
  if (name !== undefined) return `${quoted(name)} is no name of a person: 1 to ${approverCharsMax} visible characters`
  if (reason.length <= approvalReasonCharsMax && reason.isWellFormed()) return undefined
  return `a reason has at most ${approvalReasonCharsMax} characters`
}
