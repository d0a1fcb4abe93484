/**
 * Calls that were let through for others, and whose outcome they still have to tell. What is not told in time is unknown,
 * and stays charged. When the process ends, whoever opens the ledger next says so of those that are left.
 */
import { TollgateError } from '../model/errors.ts'
import { quoted } from '../model/message/quoted.ts'
import type { Gatekeeper, Outcome } from '../pep/gatekeeper.ts'
import { reservationsOpenMax } from './limits.ts'
import type { AdmissionPorts } from './ports.ts'

interface Reservation {
  /** The name of the key that asked: nobody else says how its calls ended. */
  readonly by: string
  readonly timer: NodeJS.Timeout
}

export class Reservations {
  readonly #gate: Pick<Gatekeeper, 'settle'>
  readonly #ledger: Pick<AdmissionPorts['ledger'], 'recordsOf'>
  readonly #open = new Map<string, Reservation>()

  constructor(gate: Pick<Gatekeeper, 'settle'>, ledger: Pick<AdmissionPorts['ledger'], 'recordsOf'>) {
    this.#gate = gate
    this.#ledger = ledger
  }

  get open(): number {
    return this.#open.size
  }

  /** Throws `reservations_full`; to be asked before a call is let through. */
  requireRoom(): void {
    if (this.#open.size >= reservationsOpenMax)
      throw new TollgateError(
        'reservations_full',
        `${reservationsOpenMax} calls wait for their outcome: tell some first`,
      )
  }

  add(decisionId: string, by: string, withinMs: number): void {
    const timer = setTimeout(() => {
      this.#open.delete(decisionId)
      this.#gate.settle([{ decisionId, status: 'unknown', detail: 'the outcome was not told in time' }])
    }, withinMs).unref()
    this.#open.set(decisionId, { by, timer })
  }

  /** Throws `decision_unknown`, and `outcome_settled` for what has an outcome already. */
  settle(outcome: Outcome, by: string): void {
    const { decisionId } = outcome
    const reservation = this.#open.get(decisionId)
    if (reservation?.by !== by) throw this.#trouble(decisionId, reservation !== undefined)
    clearTimeout(reservation.timer)
    this.#open.delete(decisionId)
    this.#gate.settle([outcome])
  }

  /** Nobody can tell their outcome any more. */
  end(): void {
    const left = [...this.#open]
    this.#open.clear()
    for (const [, { timer }] of left) clearTimeout(timer)
    this.#gate.settle(
      left.map(([decisionId]) => ({
        decisionId,
        status: 'unknown',
        detail: 'the gate ended before its outcome was told',
      })),
    )
  }

  #trouble(decisionId: string, isOfOthers: boolean): TollgateError {
    const hasEnded = !isOfOthers && this.#ledger.recordsOf(decisionId).some(({ kind }) => kind === 'outcome')
    if (hasEnded) return new TollgateError('outcome_settled', `the call ${quoted(decisionId)} has its outcome already`)
    return new TollgateError(
      'decision_unknown',
      `no call ${quoted(decisionId)} waits for an outcome of yours: give the \`decision_id\` of a call that this key reserved`,
    )
  }
}
