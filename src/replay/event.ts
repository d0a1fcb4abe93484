/** What was recorded, as far as a replay goes by it, whichever file it stood in. */
import type { ApprovalAnswer } from '../model/approval.ts'
import type { Call, Input } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import type { Decision } from '../model/decision.ts'
import type { Kill, KillTarget } from '../model/kill.ts'
import type { ServerTool, ToolPins } from '../model/pinning.ts'
import type { Path, PolicySet } from '../model/policy.ts'

export type RecordedEvent =
  | RecordedCall
  | { readonly kind: 'outcome'; readonly at: number; readonly decisionId: string; readonly status: string }
  | {
      readonly kind: 'answer'
      readonly at: number
      readonly approvalId: string
      readonly answer: Pick<ApprovalAnswer, 'says' | 'by' | 'reason'>
    }
  | { readonly kind: 'kill'; readonly at: number; readonly kill: Kill }
  | { readonly kind: 'lift'; readonly at: number; readonly target: KillTarget }
  | {
      readonly kind: 'pins'
      readonly at: number
      readonly tools: readonly (ServerTool & ToolPins)[]
      /** All of this server was seen. */
      readonly whole?: string
    }
  /** A message that was refused and was no call: no policy was asked, and none would be. */
  | { readonly kind: 'message'; readonly at: number }
  /** Nothing that a call depends on. */
  | { readonly kind: 'other'; readonly at: number }

/** A call that was judged. */
export interface RecordedCall {
  readonly kind: 'call'
  readonly at: number
  readonly decisionId: string
  /** Where it stands: the number of its record, or of its value in a file. */
  readonly place: number
  /** It was only asked about: nothing was charged. */
  readonly isCheck: boolean
  /** Its arguments are `{}` where they are not kept whole. */
  readonly call: Call
  readonly arguments: RecordedArguments
  /** SHA-256 of all that was sent, where that is more than the name and the arguments. */
  readonly params?: string
  /** What the policy saw; absent where none was asked, or it was not kept. */
  readonly input?: Input
  readonly decided: Decided
  /** The request to a person that held it, or let it through. */
  readonly approvalId?: string
  /** A person has approved it, and no record says who: it stands in the decision alone. */
  readonly isApproved?: boolean
  /** What decided, where it is kept. */
  readonly policy?: PolicySet
  /** Members of the document that were masked or erased before it came here. */
  readonly hidden: readonly Path[]
}

export type RecordedArguments =
  | { readonly kept: 'whole'; readonly value: { readonly [key: string]: Json } }
  | { readonly kept: 'digest'; readonly sha256: string }
  | { readonly kept: 'none' }

/** What is compared. */
export type Decided = Pick<Decision, 'decision' | 'variant' | 'reason_code' | 'rule'> & { readonly message?: string }
