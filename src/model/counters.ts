/** Which counter rows a call reads and charges: a counter, split by what the policy counts `per`. */
import type { Call, Principal } from './call.ts'
import { canonical } from './canonical.ts'
import { valueAt } from './input.ts'
import { perValueCharsMax } from './limits.ts'
import type { Counter, PerField } from './policy.ts'
import { pathText } from './policy.ts'

/** One row of the ledger's counters, for one call. */
export interface CounterKey {
  readonly counter: Counter
  /** Counter id and the values it is split by, as one text: the identity of the row, with its window. */
  readonly key: string
}

/** Undefined when an argument that the counter is split by is missing or no plain value: then no rule can pass on it. */
export function counterKey(counter: Counter, call: Call): CounterKey | undefined {
  if (counter.per.length === 0 && (counter.measure === 'calls' || !counter.measure.currency))
    return { counter, key: counter.id }
  const values = counter.per.map((per) => perValue(per, call))
  if (counter.measure !== 'calls' && counter.measure.currency)
    values.push(argumentValue(counter.measure.currency, call))
  if (values.includes(undefined)) return undefined
  return { counter, key: `${counter.id} ${canonical(values as (string | number | boolean | null)[])}` }
}

/** What a call charges to a counter: one call, or its amount. */
export function chargeOf(counter: Counter, amounts: Readonly<Record<string, number>>): number | undefined {
  return counter.measure === 'calls' ? 1 : amounts[pathText(counter.measure.amount)]
}

/** A principal that is not known is one group: the unknown share a budget, they do not each get their own. */
function perValue(per: PerField, call: Call): string | number | boolean | null | undefined {
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

function argumentValue(path: readonly string[], call: Call): string | number | boolean | undefined {
  const value = valueAt(call.arguments, path)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  return typeof value === 'string' && value.length <= perValueCharsMax ? value : undefined
}
