/** What a recorded call took from which counter: its own policy says so, as it was kept, with its own input. */
import type { Charged } from '../log/activity.ts'
import { type Body, objectIn, textIn } from '../log/body.ts'
import { layersNamedIn, policyNamedIn } from '../log/policies.ts'
import type { Principal } from '../model/call.ts'
import { maxFor } from '../model/callers.ts'
import type { Json } from '../model/canonical.ts'
import { chargeOf } from '../model/counters.ts'
import { valueAt } from '../model/input.ts'
import { planForSet } from '../model/layers.ts'
import type { Plan, PlannedCounter } from '../model/plan.ts'
import type { Method } from '../model/policy.ts'
import { RecordedPolicies } from './recordedPolicies.ts'

export class RecordedCharges {
  readonly #policies: RecordedPolicies
  readonly #plans = new Map<string, Plan | undefined>()

  /** `stored` gives the compiled policy of a revision, as it was kept. */
  constructor(stored: (revision: string) => Uint8Array | undefined) {
    this.#policies = new RecordedPolicies(stored)
  }

  /** Of an allowed call. Undefined when its policy is not kept, or cannot be read. */
  of(body: Body): readonly Charged[] | undefined {
    const plan = this.#planOf(body)
    if (!plan) return undefined
    const input = objectIn(body, 'input')
    const principal = objectIn(body, 'principal') as Principal
    return plan.counters
      .filter(({ bounds }) => maxFor(bounds, principal) !== undefined)
      .flatMap((planned) => chargedTo(planned, input) ?? [])
  }

  #planOf(body: Body): Plan | undefined {
    const layers = layersNamedIn(body)
    const revisions = layers?.map(({ name, revision }) => `${name}=${revision}`) ?? [
      policyNamedIn(body)?.revision ?? '',
    ]
    const [method, server, name] = ['method', 'server', 'name'].map((key) => textIn(body, key) ?? '')
    const key = JSON.stringify([...revisions, method, server, name])
    if (this.#plans.has(key)) return this.#plans.get(key)
    const set = this.#policies.setOf(body)
    const plan = set && planForSet(set, { method: method as Method, server: server ?? '', name: name ?? '' })
    if (this.#plans.size >= plansMax) this.#plans.clear()
    this.#plans.set(key, plan)
    return plan
  }
}

/** Names come from outside. */
const plansMax = 10_000

function chargedTo({ counter, policyId }: PlannedCounter, input: Body): Charged | undefined {
  const { measure } = counter
  const amount = chargeOf(counter, objectIn(input, 'amounts') as Readonly<Record<string, number>>)
  if (amount === undefined) return undefined
  const isAmount = measure !== 'calls' && 'amount' in measure
  const path = isAmount ? measure.currency : undefined
  const currency = path && valueAt((input['arguments'] ?? null) as Json, path)
  return {
    policy_id: policyId,
    counter: counter.id,
    unit: isAmount ? 'amount' : 'calls',
    currency: currency === undefined ? null : String(currency),
    amount,
  }
}
