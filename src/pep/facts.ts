/** What the ledger knows of a call: how far its counters are used, and when there is room again. */
import type { Call, Facts, LayeredFacts } from '../model/call.ts'
import { maxFor } from '../model/callers.ts'
import { type CounterKey, chargeOf, counterKey } from '../model/counters.ts'
import type { Verdict } from '../model/decision.ts'
import { amountsOf } from '../model/input.ts'
import type { LayersVerdict } from '../model/layers.ts'
import type { Transaction } from '../model/ledger.ts'
import type { Plan } from '../model/plan.ts'

/** By counter id; a counter whose row cannot be told has none. */
export function factsOf(tx: Transaction, keys: readonly (CounterKey | undefined)[]): Facts {
  const facts: Record<string, number> = {}
  for (const key of keys) if (key) facts[key.counter.id] = tx.used(key).used
  return facts
}

/** The same, kept apart: two layers may count something else under one id. In the order of canonical JSON. */
export function factsByLayer(
  tx: Transaction,
  { counters, layers = [] }: Plan,
  keys: readonly (CounterKey | undefined)[],
): LayeredFacts {
  const facts = new Map(layers.map((name): [string, Record<string, number>] => [name, {}]))
  for (const [index, key] of keys.entries()) {
    const own = facts.get(counters[index]?.layer ?? '')
    if (key && own) own[key.counter.id] = tx.used(key).used
  }
  return Object.fromEntries(facts)
}

/** Milliseconds until there is room in every counter that refused the call; undefined when waiting does not help. */
export function waitFor(tx: Transaction, call: Call, plan: Plan, verdict: Verdict | LayersVerdict): number | undefined {
  if (!('layers' in verdict)) return verdict.counter === undefined ? undefined : waitForRoom(tx, call, plan, verdict)
  const waits = verdict.full.map((full) => waitForRoom(tx, call, plan, full))
  return waits.length === 0 || waits.includes(undefined) ? undefined : Math.max(...(waits as number[]))
}

function waitForRoom(
  tx: Transaction,
  call: Call,
  plan: Plan,
  full: { readonly counter?: string; readonly layer?: string },
): number | undefined {
  const asked = plan.counters.find(({ counter, layer }) => counter.id === full.counter && layer === full.layer)
  const key = asked && counterKey(asked.policyId, asked.counter, call)
  const amount = key && chargeOf(key.counter, amountsOf(call, plan))
  const max = asked && maxFor(asked.bounds, call.principal)
  if (!key || amount === undefined || max === undefined || max < 0) return undefined
  const at = tx.roomAt(key, amount, max)
  return at === undefined ? undefined : Math.max(0, at - tx.now)
}
