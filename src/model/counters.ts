/** Which counter rows a call reads and charges: a counter, split by what the policy counts `per`. */
import type { Call, Principal } from './call.ts'
import { valueAt } from './input.ts'
import { perValueCharsMax } from './limits.ts'
import type { Counter, PerField } from './policy.ts'
import { pathText } from './policy.ts'

/** One row of the ledger's counters, for one call. */
export interface CounterKey {
  readonly counter: Counter
  /** Policy, counter and the values it is split by, as one text: the identity of the row, with its window. */
  readonly key: string
}

/**
 * The row of a counter for a call, under the id of its policy: policies that share a ledger do not share their budgets.
 * Undefined when an argument that the counter is split by is missing or no plain value: then no rule can pass on it.
 */
export function counterKey(policyId: string, counter: Counter, call: Call): CounterKey | undefined {
  const values = counter.per.map((per) => perValue(per, call))
  const { measure } = counter
  if (measure !== 'calls' && 'amount' in measure && measure.currency) values.push(argumentValue(measure.currency, call))
  return values.includes(undefined) ? undefined : { counter, key: JSON.stringify([policyId, counter.id, ...values]) }
}

/** What a call charges to a counter: one, a number of the policy's, or its amount. */
export function chargeOf({ measure }: Counter, amounts: Readonly<Record<string, number>>): number | undefined {
  if (measure === 'calls') return 1
  if ('step' in measure) return measure.step
  const amount = pathText(measure.amount)
  return Object.hasOwn(amounts, amount) ? amounts[amount] : undefined
}

/** A principal that is not known is one group: the unknown share a budget, they do not each get their own. */
function perValue(per: PerField, call: Call): string | null | undefined {
  switch (per.kind) {
    case 'principal':
      return principalValue(call.principal, per.field)
    case 'session':
      return call.session
    case 'server':
      return call.server
    case 'tool':
      return call.name
    case 'argument':
      return argumentValue(per.path, call)
  }
  return per satisfies never
}

function principalValue(principal: Principal, field: 'agent' | 'user' | 'project'): string | null {
  return principal[field] ?? null
}

/** As text: to many a server `1` and `"1"` are the same account, and it must not have two budgets. */
function argumentValue(path: readonly string[], call: Call): string | undefined {
  const value = valueAt(call.arguments, path)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value.length <= perValueCharsMax ? value : undefined
}
