/** What happens at the gate and becomes a record. `src/log` writes it down. */
import type { Call, Principal } from './call.ts'
import type { Decision } from './decision.ts'
import type { Policy } from './policy.ts'

export type GateEvent =
  | DecisionEvent
  | {
      readonly kind: 'refusal'
      readonly at: number
      readonly decision: Decision
      readonly about: RefusedMessage
      readonly policy?: PolicyName
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
      readonly policy: PolicyName
      readonly sources: readonly string[]
      readonly wasmDigest: string
    }
  | { readonly kind: 'start' | 'stop'; readonly at: number; readonly server: string }

/** A call that was judged. */
export interface DecisionEvent {
  readonly kind: 'decision' | 'check'
  readonly at: number
  readonly decision: Decision
  readonly call: Call
  /** The input document, as the canonical text that was evaluated. Absent when it could not be made. */
  readonly input?: string
  /** Absent when none was loaded. */
  readonly policy?: PolicyName
  readonly evaluationNs: number
}

export interface PolicyName extends Pick<Policy, 'id' | 'version'> {
  readonly revision: string
}

export interface RefusedMessage {
  readonly method?: string
  readonly name?: string
  readonly server: string
  readonly principal: Principal
  readonly session: string
}
