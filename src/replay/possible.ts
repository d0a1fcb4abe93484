/**
 * What calls may have taken of which nobody can tell whether the policy allows them: a counter is then not one number, but
 * the least and the most that it may stand at.
 */
import type { Call } from '../model/call.ts'
import { maxFor } from '../model/callers.ts'
import { type CounterKey, chargeOf, counterKey } from '../model/counters.ts'
import { amountsOf } from '../model/input.ts'
import { microMax } from '../model/limits.ts'
import type { Plan, PlannedCounter } from '../model/plan.ts'
import { type Charge, Counters } from './counters.ts'

export class PossibleCharges {
  readonly #amounts = new Counters()
  /** Calls of which not even the amount is known. */
  readonly #boundless = new Counters()
  readonly #ofCalls = new Map<string, { readonly counters: Counters; readonly charge: Charge }[]>()
  #isEmpty = true

  /** Nothing was ever added. */
  get isEmpty(): boolean {
    return this.#isEmpty
  }

  /** What this call would take, if it was allowed. `isKnown`: its arguments are. */
  add(decisionId: string, call: Call, plan: Plan, now: number, isKnown: boolean): void {
    const amounts = isKnown ? amountsOf(call, plan) : {}
    const taken = plan.counters
      .filter(({ bounds }) => maxFor(bounds, call.principal) !== undefined)
      .flatMap((planned) => {
        const key = isKnown ? counterKey(planned.policyId, planned.counter, call) : anyRow(planned)
        const amount = chargeOf(planned.counter, amounts)
        // What cannot be counted is not allowed, and takes nothing.
        if (!key || (isKnown && amount === undefined)) return []
        const counters = amount === undefined ? this.#boundless : this.#amounts
        return [{ counters, charge: counters.charge(key, amount ?? 1, now) }]
      })
    if (taken.length === 0) return
    this.#isEmpty = false
    this.#ofCalls.set(decisionId, taken)
  }

  /** The call has ended, if it was made; one that has failed has taken nothing in any case. */
  end(decisionId: string, failed: boolean): void {
    if (failed) for (const { counters, charge } of this.#ofCalls.get(decisionId) ?? []) counters.takeBack(charge)
    this.#ofCalls.delete(decisionId)
  }

  /** By how much more than it does a counter may stand. */
  most(key: CounterKey, now: number): number {
    const any = { counter: key.counter, key: anyText(JSON.parse(key.key)[0], key.counter.id) }
    if (this.#boundless.used(key, now) + this.#boundless.used(any, now) > 0) return microMax
    return Math.min(microMax, this.#amounts.used(key, now) + this.#amounts.used(any, now))
  }
}

/** Stands for all rows of a counter, where what it is kept apart by is not known. */
function anyRow({ policyId, counter }: PlannedCounter): CounterKey {
  return { counter, key: anyText(policyId, counter.id) }
}

function anyText(policyId: string, counterId: string): string {
  return `any of ${JSON.stringify([policyId, counterId])}`
}
