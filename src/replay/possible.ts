/**
 * What calls may have taken of which nobody can tell whether the policy allows them: a counter is then not one number, but
 * the least and the most that it may stand at.
 */
import type { Call } from '../model/call.ts'
import { maxFor } from '../model/callers.ts'
import { type CounterKey, chargeOf, counterKey } from '../model/counters.ts'
import { amountsOf } from '../model/input.ts'
import { microMax } from '../model/limits.ts'
import type { Plan } from '../model/plan.ts'
import { windowStart } from '../model/time.ts'

interface Possible {
  readonly decisionId: string
  readonly policyId: string
  /** Absent: it may be any row of the counter, as what it is split by is not known. */
  readonly key?: string
  readonly at: number
  readonly amount: number
}

export class PossibleCharges {
  /** By the id of the counter. */
  readonly #charges = new Map<string, Possible[]>()

  get isEmpty(): boolean {
    return this.#charges.size === 0
  }

  /** What this call would take, if it was allowed. `isKnown`: its arguments are. */
  add(decisionId: string, call: Call, plan: Plan, at: number, isKnown: boolean): void {
    const amounts = amountsOf(call, plan)
    for (const { counter, policyId, bounds } of plan.counters) {
      if (maxFor(bounds, call.principal) === undefined) continue
      const key = isKnown ? counterKey(policyId, counter, call) : undefined
      const amount = chargeOf(counter, isKnown ? amounts : {}) ?? (isKnown ? undefined : microMax)
      // What cannot be counted is not allowed, and takes nothing.
      if (amount === undefined || (isKnown && !key)) continue
      const charge = { decisionId, policyId, ...(key && { key: key.key }), at, amount }
      this.#charges.set(counter.id, [...(this.#charges.get(counter.id) ?? []), charge])
    }
  }

  /** The call has come to nothing, whether or not it was let through. */
  remove(decisionId: string): void {
    for (const [id, charges] of this.#charges)
      this.#keep(
        id,
        charges.filter((charge) => charge.decisionId !== decisionId),
      )
  }

  /** How much more than it does a counter may stand at. */
  most(key: CounterKey, now: number): number {
    const { counter } = key
    const charges = this.#charges.get(counter.id)
    if (!charges) return 0
    const current = charges.filter(({ at }) => isInWindow(key, at, now))
    if (current.length < charges.length) this.#keep(counter.id, current)
    const own = current.filter((charge) =>
      charge.key === undefined ? isOfPolicy(key, charge) : charge.key === key.key,
    )
    return own.reduce((sum, { amount }) => Math.min(microMax, sum + amount), 0)
  }

  #keep(id: string, charges: Possible[]): void {
    if (charges.length > 0) this.#charges.set(id, charges)
    else this.#charges.delete(id)
  }
}

function isInWindow({ counter: { window } }: CounterKey, at: number, now: number): boolean {
  if (window.kind === 'sliding') return at > now - window.ms
  return windowStart(window, at) === windowStart(window, now)
}

function isOfPolicy({ key }: CounterKey, { policyId }: Possible): boolean {
  return key.startsWith(`[${JSON.stringify(policyId)},`)
}
