/** What the kill switch says of a call, before any policy is asked; and what a policy that ends a session leaves behind. */
import type { Call } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import type { KillEvent } from '../model/event.ts'
import { type Kill, killReason, killSentence } from '../model/kill.ts'
import type { Transaction } from '../model/ledger.ts'
import type { ReasonCode } from '../model/reasons.ts'
import type { Judged } from './judged.ts'

/** Why nothing of a caller passes. */
export interface Stopped {
  readonly reason: ReasonCode
  readonly message: string
  readonly kill_id?: string
}

export function stoppedBy(kill: Kill): Stopped {
  return { reason: killReason(kill), message: killSentence(kill), kill_id: kill.id }
}

/** The gate's own no. A stopped tool leaves the session be, all else ends it. */
export function refusalVerdict({ reason, message }: Stopped): Judged['verdict'] {
  return { decision: reason === 'KILLED' ? 'kill' : 'deny', reason_code: reason, rule: 'gate', message }
}

/** A policy ended the session of this call: it stays ended. Undefined where nobody knows which session it is. */
export function endSession(
  tx: Transaction,
  { session }: Call,
  { decision_id, message }: Decision,
): KillEvent | undefined {
  if (session === '') return undefined
  const target = { kind: 'session', name: session } as const
  const kill: Kill = { id: `kill_${decision_id}`, target, at: tx.now, decision_id, reason: message }
  tx.addKill(kill)
  return { kind: 'kill', at: tx.now, kill }
}
