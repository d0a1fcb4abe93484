/** What the active policy says of a call, with the facts as they are in the transaction, and what it would charge. */
import type { Approved, Call, Input, LayeredApproved } from '../model/call.ts'
import { maxFor } from '../model/callers.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { type CounterKey, chargeOf, counterKey } from '../model/counters.ts'
import type { Verdict } from '../model/decision.ts'
import type { DecisionEvent } from '../model/event.ts'
import { amountsOf, inputOf, oddSpelling } from '../model/input.ts'
import type { LayersVerdict } from '../model/layers.ts'
import type { Transaction } from '../model/ledger.ts'
import { inputBytesMax } from '../model/limits.ts'
import { quoted } from '../model/message/quoted.ts'
import type { Plan } from '../model/plan.ts'
import type { ReasonCode } from '../model/reasons.ts'
import { unsafeUri } from '../model/uri.ts'
import type { ActiveLayers, ActivePolicy } from './active.ts'
import { factsByLayer, factsOf } from './facts.ts'
import { type Asked, type Held, heldBy } from './held.ts'
import type { Remembered } from './remembered.ts'

export interface Judged {
  readonly verdict: Verdict | LayersVerdict
  readonly input?: DecisionEvent['input']
  readonly plan?: Plan
  /** What holds the call, and what it is judged as once that is approved. */
  readonly held?: Held
  readonly cleared?: Judged
  readonly charges: readonly { readonly key: CounterKey; readonly amount: number }[]
  /** What stops the call, whatever the policy says. */
  readonly kill_id?: string
}

export function judge(
  tx: Transaction,
  call: Call,
  active: ActivePolicy | ActiveLayers | undefined,
  plans: Remembered<Plan>,
  report: (error: unknown) => void,
): Judged {
  if (!active) return stop('POLICY_UNAVAILABLE', 'no valid policy is loaded')
  const plan = plans.of(active.policy, call)
  const unfit = unfitToJudge(call, plan)
  if (unfit) return unfit
  const amounts = amountsOf(call, plan)
  const keys = plan.counters.map(({ counter, policyId }) => counterKey(policyId, counter, call))
  const facts = plan.layers ? factsByLayer(tx, plan, keys) : factsOf(tx, keys)
  const textOf = (approved?: Approved | LayeredApproved) =>
    canonical(inputOf(call, plan, facts, amounts, tx.now, approved) as unknown as Json)
  const ask = (input: string): Asked => ({ input, verdict: active.evaluate(input) })
  try {
    const input = textOf()
    if (Buffer.byteLength(input) > inputBytesMax)
      return stop('CALL_TOO_LARGE', 'what the policy reads of this call is too large')
    const first = ask(input)
    const held = first.verdict.decision === 'hold' ? heldBy(first, (approved) => ask(textOf(approved))) : undefined
    const judged = charged(first, call, plan, keys, amounts)
    return held ? { ...judged, held, cleared: charged(held.cleared, call, plan, keys, amounts) } : judged
  } catch (error) {
    report(error)
    return stop('ENGINE_FAILED', 'the policy gave no decision')
  }
}

/** The no to a call that another reader could take for another one than the policy does. */
export function unfitToJudge(call: Call, plan: Plan): Judged | undefined {
  const unsafe = call.method === 'resources/read' ? unsafeUri(call.name) : undefined
  if (unsafe !== undefined) return stop('RESOURCE_URI_UNSAFE', `the resource cannot be judged by its URI: ${unsafe}`)
  const odd = oddSpelling(call.arguments, plan.names)
  if (odd === undefined) return undefined
  return stop('MALFORMED_CALL', `the argument ${quoted(odd)} differs by letter case alone from one that is judged`)
}

/** The gate's own no. */
export function stop(reason: ReasonCode, message: string): Judged {
  return { verdict: { decision: 'deny', reason_code: reason, rule: 'gate', message }, charges: [] }
}

/** A verdict with what it charges: an allowed call whose counters cannot be charged is not allowed. */
function charged(
  { verdict, input }: Asked,
  { principal }: Call,
  plan: Plan,
  keys: readonly (CounterKey | undefined)[],
  amounts: Input['amounts'],
): Judged {
  if (verdict.decision !== 'allow') return { verdict, input, plan, charges: [] }
  const charges = keys.flatMap((key, index) => {
    if (maxFor(plan.counters[index]?.bounds ?? [], principal) === undefined) return []
    const amount = key && chargeOf(key.counter, amounts)
    if (amount === undefined) throw new Error('an allowed call cannot be counted')
    return [{ key: key as CounterKey, amount }]
  })
  return { verdict, input, plan, charges }
}
