/** What a transport asks of the gate. `Gate` in `gate.ts` is the real one. */
import type { Call, Principal } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import type { Stoppable } from '../model/kill.ts'
import type { Target } from '../model/match.ts'
import type { ReasonCode } from '../model/reasons.ts'
import type { ToolList } from './pins.ts'
import type { Stopped } from './stopped.ts'

export interface Gatekeeper {
  /**
   * Judges calls in order, in one transaction: facts, decision, reservation and record of each. When this returns,
   * every decision is recorded, and only then may a byte of an allowed call go upstream. Never throws: what fails is
   * a deny.
   */
  admit(calls: readonly Call[]): readonly Decision[]
  /** Records the refusals of messages that cannot be judged, in one transaction. Never throws. */
  refuse(refusals: readonly Refusal[]): readonly Decision[]
  /** Records how allowed calls ended, and settles what they reserved. Never throws. */
  settle(outcomes: readonly Outcome[]): void
  /** A held call is kept open for a person from here on, or is so no longer; for who follows calls. */
  keptOpen?(decisionId: string, isOpen: boolean): void
  /** May a list show this to the caller? */
  visible(target: Target, principal: Principal): boolean
  /**
   * Takes note of a list of tools that a server gave, where the policy pins tools: for each whether it may be shown. Undefined
   * where all may. Never throws: where it cannot be told, none is shown.
   */
  listed(list: ToolList): readonly boolean[] | undefined
  /** Called after another policy became active, or another tool was pinned or held back: lists may show other things. */
  onPolicyChange(listener: () => void): void
  /**
   * Why nothing of this caller passes, or nothing to this tool, if the kill switch says so. Never throws: where it cannot
   * be told, nothing passes. `admit` asks by itself.
   */
  stopped(who: Stoppable): Stopped | undefined
  /** Called when somebody was stopped, or is so no longer: whoever has calls under way asks of each. */
  onKill(listener: () => void): void
}

/** A message that is refused without being judged: what is known of it, and why. */
export interface Refusal {
  readonly reason: ReasonCode
  /** A sentence for the caller: what was found, what to do. */
  readonly message: string
  readonly method?: string
  readonly name?: string
  readonly server: string
  readonly principal: Principal
  readonly session: string
  /** The run of its sender. */
  readonly run_id?: string
  /** What stops its sender. */
  readonly kill_id?: string
}

export interface Outcome {
  readonly decisionId: string
  /**
   * `success`: it happened. `error`: the upstream said that nothing happened (a JSON-RPC error, or `isError: true`).
   * `unknown`: no answer (time-out, crash, lost connection, cancelled): what was reserved stays charged.
   */
  readonly status: 'success' | 'error' | 'unknown'
  /** What went wrong, in a few words. */
  readonly detail?: string
}
