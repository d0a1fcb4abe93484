/** What a comparison comes to, in the words of `tollgate diff --json`. */
import type { Principal } from '../model/call.ts'
import type { PackPolicy } from '../model/pack/policy.ts'
import type { Method } from '../model/policy.ts'
import type { Change, ChangeKind } from './changes.ts'
import type { Comparison, Found } from './compare.ts'
import type { ExampleCall } from './example.ts'
import type { Said } from './judge.ts'
import { type PackDifference, packDifferences } from './packs.ts'
import { timesUntil } from './repeated.ts'
import { narrowed, type Side } from './side.ts'

/** Targets and callers of one kind: what the policies say of one of them they say of all. */
export interface About {
  readonly method: Method
  /** The one name, or how the policies know the names; empty: all that they do not name. */
  readonly names: readonly string[]
  /** One of these targets. */
  readonly example: { readonly server: string; readonly name: string }
  readonly is_one: boolean
  /** Absent: whoever calls. */
  readonly callers?: { readonly text: string; readonly example: Principal }
}

export interface ReportedChange extends About {
  readonly kind: ChangeKind
  readonly old: Said
  readonly new: Said
  /** A line of `tollgate eval`. */
  readonly call: ExampleCall
  /** The call is decided so when it is made for this many times. Absent with `counters`. */
  readonly times?: number
  /** What has been counted before it, where repeating the call does not come to it. */
  readonly counters?: Readonly<Record<string, number>>
  /** The argument that one side alone knows: it refuses this spelling of it. */
  readonly respelt?: string
}

export interface Unproved extends Partial<About> {
  readonly why: string
}

export interface Report {
  readonly result: 'unchanged' | 'changed' | 'not_proved'
  readonly changes: readonly ReportedChange[]
  /** Of these no call is decided otherwise. */
  readonly unchanged: readonly About[]
  /** Of these a call may be, beside the changes that are listed. */
  readonly not_proved: readonly Unproved[]
  /** Mistakes of this program, found as it checked its examples. */
  readonly faults: readonly string[]
  /** For which calls the proofs hold. */
  readonly holds_for: readonly string[]
  /** Of two policy packs, in place of calls: where they differ. */
  readonly differences?: readonly PackDifference[]
}

export const holdsFor: readonly string[] = [
  'calls that the gate hands to the policy: well-formed, within its size limits, of tools that are not held back, of callers that are not stopped',
  'arguments of any type, with texts and arrays of any length, numbers that a double holds, objects with any members',
  'counters that stand anywhere, but a shorter window no higher than a longer one of the same calls; a counter of the same name is the same one in both',
  'calls that nobody has approved',
]

export function reportOf(old: Side, now: Side, { found, unproved }: Comparison): Report {
  const changes = found.flatMap((one) => one.changes.map((change) => reported(old, now, one, change)))
  const open = found.filter((one) => one.unproved !== undefined || one.faults.length > 0)
  const not_proved = [
    ...unproved.map((why) => ({ why })),
    ...open.map((one) => ({ ...aboutOf(one), why: one.unproved ?? 'an example was not what it was to be' })),
  ]
  return {
    result: changes.length > 0 ? 'changed' : not_proved.length > 0 ? 'not_proved' : 'unchanged',
    changes,
    unchanged: found.filter((one) => one.changes.length === 0 && !open.includes(one)).map(aboutOf),
    not_proved,
    faults: found.flatMap(({ faults }) => faults),
    holds_for: holdsFor,
  }
}

/** Of packs that do not say the same: nothing is claimed of any call. */
export function reportOfPacks(old: PackPolicy, now: PackPolicy): Report {
  const why = 'what a policy pack decides depends on the runs that hosts register, and is not solved for'
  const nothing = { changes: [], unchanged: [], faults: [], holds_for: [] }
  return { result: 'not_proved', ...nothing, not_proved: [{ why }], differences: packDifferences(old, now) }
}

function aboutOf({ target: { target, names, isOne }, callers, principal }: Found): About {
  const { method, server, name } = target
  return {
    method,
    names,
    example: { server, name },
    is_one: isOne,
    ...(callers !== undefined && { callers: { text: callers, example: principal } }),
  }
}

function reported(old: Side, now: Side, found: Found, change: Change): ReportedChange {
  const { kind, example, respelt } = change
  const { target } = found.target
  const times = timesUntil(narrowed(old, target), narrowed(now, target), example, change)
  const counters = Object.fromEntries([...example.counts].filter(([, count]) => count > 0))
  return {
    kind,
    ...aboutOf(found),
    old: change.old,
    new: change.new,
    call: example.call,
    ...(times === undefined ? { counters } : times > 1 && { times }),
    ...(respelt !== undefined && { respelt }),
  }
}
