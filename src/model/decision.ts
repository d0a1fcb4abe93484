/** What the policy says of one call, and what the gate makes of it. */
import type { Variant } from './pack/words.ts'

export type RiskLevel = 'low' | 'medium' | 'high' | 'critical'

export const riskLevels: readonly RiskLevel[] = ['low', 'medium', 'high', 'critical']

/** The result of the policy, as `data.tollgate.decision` gives it: small, flat, the same in Rego and in the reference. */
export interface Verdict {
  readonly decision: 'allow' | 'deny' | 'hold' | 'kill'
  /** A policy pack's own word for the decision. */
  readonly variant?: Variant
  /** A `ReasonCode`, or the policy's own word for it. */
  readonly reason_code: string
  /** Name of the rule that decided, or the entry that allows, or `default`. */
  readonly rule: string
  /** For the model and the person behind it: plain words, nothing of the policy's inside. */
  readonly message: string
  readonly risk_level?: RiskLevel
  /** Id of the counter whose limit refused the call: the gate computes `retry_after_ms` from it. */
  readonly counter?: string
  /** What holds the call: an approval is for this (`src/model/holds.ts`). Absent where no approval given here clears it. */
  readonly hold?: string
  /** How long an approval of a held call may take. */
  readonly approval_timeout_ms?: number
  /** How long the held call is kept open for the answer. */
  readonly approval_wait_ms?: number
  /** How many persons have to approve; one, if not given. */
  readonly approval_quorum?: number
  /** Whoever asked does not approve. */
  readonly approval_not_requester?: true
}

/** What one layer says of a call. */
export interface LayerDecision extends Pick<Verdict, 'decision' | 'reason_code' | 'rule' | 'risk_level'> {
  readonly name: string
}

/** A layer that would have let more through than another one did. */
export interface LayerConflict {
  readonly layer: string
  readonly decision: Verdict['decision']
  /** The layer whose decision counts. */
  readonly overruled_by: string
}

export interface DecisionApproval {
  readonly id: string
  /** RFC 3339, UTC. */
  readonly expires_at: string
  /** How long the policy wants the held call to be kept open; absent where it says nothing. */
  readonly wait_ms?: number
}

/** One decision of the gate; field names are the wire's. */
export interface Decision {
  readonly decision: 'allow' | 'deny' | 'hold' | 'kill'
  /** A policy pack's own word for it. */
  readonly variant?: Variant
  readonly reason_code: string
  readonly rule: string
  readonly message: string
  readonly risk_level?: RiskLevel
  /** For a held call: what a person approves. For one that is let through because a person approved it: what was approved. */
  readonly approval?: DecisionApproval
  readonly retry_after_ms?: number
  /** What stopped the call before any policy was asked. */
  readonly kill_id?: string
  /** What each layer says, in their order, where the policy has layers. */
  readonly layers?: readonly LayerDecision[]
  /** Where they do not agree; empty when they do. */
  readonly conflicts?: readonly LayerConflict[]
  /** UUID; the record and the outcome carry the same one. */
  readonly decision_id: string
  /** Revision of the policy that decided; empty when none was loaded. */
  readonly revision: string
  /** SHA-256 of the policy pack that decided. */
  readonly pack_sha256?: string
}
