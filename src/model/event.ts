/** What happens at the gate and becomes a record. `src/log` writes it down. */
import type { Approval, ApprovalAnswer, Approver } from './approval.ts'
import type { Call, Principal } from './call.ts'
import type { Decision } from './decision.ts'
import type { Kill } from './kill.ts'
import type { ServerTool, ToolPins } from './pinning.ts'
import type { Policy } from './policy.ts'

export type GateEvent =
  | DecisionEvent
  | {
      readonly kind: 'refusal'
      readonly at: number
      readonly decision: Decision
      readonly about: RefusedMessage
      readonly policy?: PolicyName | LayersName
    }
  | {
      readonly kind: 'outcome'
      readonly at: number
      readonly decisionId: string
      readonly status: 'success' | 'error' | 'unknown'
      readonly detail?: string
    }
  | {
      readonly kind: 'activation'
      readonly at: number
      readonly policy: ActivationName
    }
  | {
      readonly kind: 'deactivation'
      readonly at: number
      readonly detail: string
      /** The one that was active; absent when none was. */
      readonly policy?: PolicyName | LayersName
    }
  | (ActivationFailure & {
      readonly kind: 'activation_failure'
      readonly at: number
      /** The one that stays active; absent when there is none. */
      readonly policy?: PolicyName | LayersName
    })
  | ApprovalEvent
  | KillEvent
  | PinEvent
  | { readonly kind: 'start' | 'stop'; readonly at: number; readonly server: string }

/** What becomes of a request to a person. `approval` is the request as it is from then on. */
export type ApprovalEvent =
  | { readonly kind: 'hold' | 'expiry'; readonly at: number; readonly approval: Approval }
  | {
      readonly kind: 'grant' | 'reject'
      readonly at: number
      readonly approval: Approval
      readonly answer: ApprovalAnswer
    }
  | {
      readonly kind: 'consumption'
      readonly at: number
      readonly approval: Approval
      /** The decision that lets the call through. */
      readonly consumedBy: string
    }

/** Somebody, or something, is stopped; or is so no longer. */
export type KillEvent =
  | {
      readonly kind: 'kill'
      readonly at: number
      readonly kill: Kill
      /** What was stopped already is said to be stopped once more: by whom, and why. */
      readonly again?: Pick<Kill, 'by' | 'reason'>
    }
  | {
      readonly kind: 'lift'
      readonly at: number
      /** The one that is over. */
      readonly kill: Kill
      readonly by: Approver
      readonly reason?: string
    }

/** What is known of the definitions of tools from here on; `tools` has those of which that changed. */
export type PinEvent = {
  readonly at: number
  readonly server: string
  readonly tools: readonly (ToolPins & Pick<ServerTool, 'tool'>)[]
} & (
  | {
      /** `pin`: a list showed tools, and all that changed is accepted. `drift`: it showed what nobody has accepted. */
      readonly kind: 'pin' | 'drift'
      /** Who asked for the list. */
      readonly principal: Principal
      readonly session: string
      /** What asks for it. */
      readonly policy?: PolicyName | LayersName
      /** All that the server lists was seen, for the first time. */
      readonly whole?: true
    }
  | { readonly kind: 'accept'; readonly by: Approver; readonly reason?: string }
)

/** A policy that was to become active and did not. */
export interface ActivationFailure {
  /** Its files, those that changed, or the name of its text. */
  readonly sources: readonly string[]
  /** Of an error; empty for one that has none. */
  readonly code: string
  /** Why not, with the place of every mistake where the error has them. */
  readonly detail: string
}

/** A call that was judged. */
export interface DecisionEvent {
  readonly kind: 'decision' | 'check'
  readonly at: number
  readonly decision: Decision
  readonly call: Call
  /** The input document, as the canonical text that was evaluated. Absent when it could not be made. */
  readonly input?: string
  /** Absent when none was loaded. */
  readonly policy?: PolicyName | LayersName
  readonly evaluationNs: number
}

export interface PolicyName extends Pick<Policy, 'id' | 'version'> {
  readonly revision: string
}

/** The policies of layers, in their order, and which of them decided, where one did. */
export interface LayersName {
  readonly layers: readonly (PolicyName & { readonly name: string })[]
  readonly deciding?: string
}

/** A policy that became active: its name, its files, the digest of its module, and the bundle that it came in. */
export interface ActivatedPolicy extends PolicyName {
  readonly sources: readonly string[]
  readonly wasmDigest: string
  readonly bundle?: BundleName
}

/** A bundle, as those who made it call it. */
export interface BundleName {
  /** What it is called here. */
  readonly name: string
  readonly revision: string
  readonly sequence?: number
}

export type ActivationName =
  | ActivatedPolicy
  | { readonly layers: readonly (ActivatedPolicy & { readonly name: string })[] }

export interface RefusedMessage {
  readonly method?: string
  readonly name?: string
  readonly server: string
  readonly principal: Principal
  readonly session: string
  readonly run_id?: string
}
