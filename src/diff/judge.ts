/** What a side says of an example: as the gate judges a call, with counters that stand where they are said to. */
import type { Call, Facts, Input, LayeredFacts, LayeredInput } from '../model/call.ts'
import { maxFor } from '../model/callers.ts'
import { readCallObject } from '../model/callObject.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { chargeOf, counterKey } from '../model/counters.ts'
import type { Verdict } from '../model/decision.ts'
import { amountsOf, inputOf, oddSpelling } from '../model/input.ts'
import { type LayersVerdict, planForSet } from '../model/layers.ts'
import { inputBytesMax } from '../model/limits.ts'
import type { JsonObject } from '../model/message/message.ts'
import type { Plan } from '../model/plan.ts'
import { instantOf } from '../model/time.ts'
import { unsafeUri } from '../model/uri.ts'
import { evaluate } from '../reference/evaluate.ts'
import { evaluateLayers } from '../reference/layers.ts'
import type { Example } from './example.ts'
import type { Side } from './side.ts'

export type Said = Pick<Verdict, 'decision' | 'reason_code' | 'rule' | 'message'>

/** The compiled policy, asked with the input document as its text. */
export type Compiled = (input: string) => Verdict | LayersVerdict

/** A call that was judged, and what judging it took. */
export interface Judged {
  readonly said: Said
  readonly read: Call
  readonly plan: Plan
}

/** Throws an `Error`, when the two that know what the policy means do not agree, or the call is none. */
export function judged(side: Side, example: Example, compiled: Compiled | undefined): Said {
  return judgedCall(side, example, compiled).said
}

/** The same, for one that goes on with it. */
export function judgedCall(side: Side, { call, counts }: Example, compiled: Compiled | undefined): Judged {
  const { time, ...said } = call
  const read = readCallObject(said as JsonObject, [])
  const at = time === undefined ? 0 : instantOf(time)
  if (at === undefined) throw new Error('the example is at no time')
  const unsafe = read.method === 'resources/read' ? unsafeUri(read.name) : undefined
  const plan = planForSet(side.set, read)
  const refused = (reason_code: string, message: string) => ({
    said: { decision: 'deny' as const, reason_code, rule: gateRule, message },
    read,
    plan,
  })
  if (unsafe !== undefined) return refused('RESOURCE_URI_UNSAFE', unsafe)
  const odd = oddSpelling(read.arguments, plan.names)
  if (odd !== undefined) return refused('MALFORMED_CALL', odd)
  const facts = factsOf(
    side,
    plan,
    (planned) => counterKey(planned.policyId, planned.counter, read) !== undefined,
    counts,
  )
  const input = inputOf(read, plan, facts as Facts, amountsOf(read, plan), at)
  const text = canonical(input as unknown as Json)
  if (Buffer.byteLength(text) > inputBytesMax) return refused('CALL_TOO_LARGE', 'the input is too large')
  const meant =
    'layers' in side.set
      ? evaluateLayers(side.set, input as unknown as LayeredInput)
      : evaluate(side.set, JSON.parse(text) as Input)
  const other = compiled?.(text)
  if (other && (other.decision !== meant.decision || other.rule !== meant.rule))
    throw new Error(`the compiled policy says ${other.decision}, the reference ${meant.decision}`)
  const { decision, reason_code, rule, message } = meant
  return { said: { decision, reason_code, rule, message }, read, plan }
}

/** What the gate refuses before it asks a policy. */
export const gateRule = 'gate'

/** What the call adds to the counters of a side, where it is allowed: by the keys under which both sides count. */
export function chargesOf(side: Side, { read, plan }: Judged): ReadonlyMap<string, number> {
  const amounts = amountsOf(read, plan)
  const charged = plan.counters.flatMap(({ counter, policyId, bounds, layer }) => {
    if (maxFor(bounds, read.principal) === undefined || !counterKey(policyId, counter, read)) return []
    const own = side.layers.find(({ name }) => name === layer)
    return [[own?.countedAs(counter.id) ?? counter.id, chargeOf(counter, amounts) ?? 0] as const]
  })
  return new Map(charged)
}

function factsOf(
  side: Side,
  { counters, layers }: Plan,
  isKept: (planned: Plan['counters'][number]) => boolean,
  counts: Example['counts'],
): Facts | LayeredFacts {
  const of = (layer: string | undefined): Facts => {
    const own = side.layers.find(({ name }) => name === layer)
    const kept = counters.filter((planned) => planned.layer === layer && isKept(planned))
    return Object.fromEntries(kept.map(({ counter: { id } }) => [id, counts.get(own?.countedAs(id) ?? id) ?? 0]))
  }
  return layers ? Object.fromEntries(layers.map((name) => [name, of(name)])) : of(undefined)
}
