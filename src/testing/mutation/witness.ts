/** For a change that no case notices: a call that would notice it, or a proof that no call is decided otherwise by it. */
import { compare } from '../../diff/compare.ts'
import type { ExampleCall } from '../../diff/example.ts'
import { type ReportedChange, reportOf } from '../../diff/report.ts'
import { sideOf } from '../../diff/side.ts'
import { isLayered } from '../../model/layers.ts'
import type { Counter, PolicySet } from '../../model/policy.ts'

export interface Witness {
  /** A line of `tollgate eval`. */
  readonly call: ExampleCall
  /** It is decided so when it is made for this many times. */
  readonly times?: number
  readonly decision: string
  /** With the change. */
  readonly changed: string
}

/** `none`: it is proved that there is no such call. Undefined: it is not known. */
export type Sought = Witness | 'none' | undefined

/** Looks until the time is up. */
export function seek(policy: PolicySet, mutant: PolicySet, isTimeUp: () => boolean): Sought {
  const [old, now] = [sideOf(policy), sideOf(mutant)]
  // What was counted before is what is compared: where something else is counted, it says nothing.
  if (!old || !now || !countsTheSame(policy, mutant)) return undefined
  const { result, changes, faults } = reportOf(old, now, compare(old, now, { deadline: () => isTimeUp }))
  if (result === 'unchanged' && faults.length === 0) return 'none'
  const [best] = changes.filter(isShown).sort((one, other) => (one.times ?? 1) - (other.times ?? 1))
  return best && witnessOf(best)
}

/** A call that comes to it by itself, and that is no other spelling of an argument. */
function isShown({ counters, respelt }: ReportedChange): boolean {
  return counters === undefined && respelt === undefined
}

function witnessOf({ call, times, old, new: now }: ReportedChange): Witness {
  return { call, ...(times !== undefined && { times }), decision: old.decision, changed: now.decision }
}

/** Every limit and every reading has the counter that it had, and no limit is missing whose counter something reads. */
function countsTheSame(policy: PolicySet, mutant: PolicySet): boolean {
  const [before, after] = [countersOf(policy), countersOf(mutant)]
  const isAsBefore = [...after.known].every(([id, text]) => (before.known.get(id) ?? text) === text)
  return isAsBefore && (!before.isRead || before.limited === after.limited)
}

function countersOf(set: PolicySet) {
  const policies = isLayered(set) ? set.layers.map(({ policy }) => policy) : [set]
  const rules = policies.flatMap((one) => (one.strategy === 'all' ? one.entries.flatMap((entry) => entry.rules) : []))
  const limited = rules.flatMap(({ limits }) => limits.map(({ counter }) => counter))
  const read = rules.flatMap(({ readings = [] }) => readings.map(({ counter }) => counter))
  const textOf = ({ id, ...what }: Counter) => [id, JSON.stringify(what)] as const
  return {
    known: new Map([...limited, ...read].map(textOf)),
    isRead: read.length > 0,
    limited: limited.map(({ id }) => id).join('\n'),
  }
}
