/** Calls of one target and caller that the two sides decide differently: each thing that stops some is asked about. */
import type { Principal } from '../model/call.ts'
import { binds } from '../model/callers.ts'
import { canonical, type Json } from '../model/canonical.ts'
import type { Rule } from '../model/policy.ts'
import type { About, Cases, Stop } from './cases.ts'
import { anyOf, casesOf } from './cases.ts'
import type { Example } from './example.ts'
import { exampleFor, isPossible, type Search } from './find.ts'
import { and, type Formula, or } from './formula.ts'
import { type Compiled, gateRule, judged, type Said } from './judge.ts'
import type { Place } from './place.ts'
import type { Side } from './side.ts'
import { Undecided } from './solve.ts'
import { isObjectAt, respellings, respelt } from './spelling.ts'

export type ChangeKind = 'newly-allowed' | 'newly-held' | 'newly-denied'

export interface Change {
  readonly kind: ChangeKind
  readonly old: Said
  readonly new: Said
  readonly example: Example
  /** The name of an argument that one side alone knows, so that it alone refuses another spelling of it. */
  readonly respelt?: string
}

export interface ChangesFound {
  readonly changes: readonly Change[]
  /** Why there may be more. */
  readonly unproved?: string
  readonly faults: readonly string[]
}

export interface Work extends Search {
  /** The whole policies, which examples are held against. */
  readonly old: Side
  readonly now: Side
  /** Both, narrowed to the target. */
  readonly sides: readonly [Side, Side]
  readonly ports: { readonly old?: Compiled; readonly new?: Compiled }
}

/** Why something is not known, when there was no time to find out. */
export const timeUp = 'not decided in the time that was given'

export function changesFor(about: About, work: Work): ChangesFound {
  const changes = new Map<string, Change>()
  const faults: string[] = []
  let unproved = otherDemands(work.sides, about)
  try {
    const [old, now] = work.sides.map((side) => casesOf(work.space, side, about)) as [Cases, Cases]
    for (const sought of soughtIn(old, now)) {
      const shown = shownBy(sought.plainer, about, work) ?? shownBy(sought.wanted, about, work)
      if (shown === undefined) {
        if (isPossible(sought.wanted, work)) unproved ??= whyOpen(work)
      } else if (typeof shown === 'string') faults.push(shown)
      else if (kindOf(shown) !== sought.kind) faults.push(`${sought.kind} it was to be: ${JSON.stringify(shown)}`)
      else remember(changes, { kind: sought.kind, ...shown })
    }
    unproved = respeltChanges(old, now, about, work, changes) ?? unproved
  } catch (error) {
    if (!(error instanceof Undecided)) throw error
    unproved = timeUp
  }
  return { changes: [...changes.values()], faults, ...(unproved !== undefined && { unproved }) }
}

/** One example is enough of what is stopped, or was, by the same rules. */
function remember(changes: Map<string, Change>, change: Change): void {
  const { kind, old, new: now, respelt: spelling } = change
  const key = JSON.stringify([kind, old.rule, old.reason_code, now.rule, now.reason_code, spelling])
  if (!changes.has(key)) changes.set(key, change)
}

interface Sought {
  readonly kind: ChangeKind
  readonly wanted: Formula
  /** The same where nothing else is in the way. */
  readonly plainer: Formula
}

/** Every call that is decided otherwise is one of these; the stricter side says what for. */
function* soughtIn(old: Cases, now: Cases): Generator<Sought> {
  const sought = (kind: ChangeKind, { first, alone }: Stop, other: Formula): Sought => ({
    kind,
    wanted: and(first, other),
    plainer: and(alone, other),
  })
  for (const stopped of [...old.deny, ...old.hold]) yield sought('newly-allowed', stopped, now.allow)
  for (const stopped of old.deny) yield sought('newly-held', stopped, anyOf(now.hold))
  for (const stopping of now.hold) yield sought('newly-held', stopping, old.allow)
  const passed = or(old.allow, anyOf(old.hold))
  for (const stopping of now.deny) yield sought('newly-denied', stopping, passed)
}

type Shown = Omit<Change, 'kind'>

/** Undefined when no value that can be shown does it; a sentence when the two that know what is meant do not agree. */
function shownBy(wanted: Formula, about: About, work: Work): Shown | string | undefined {
  const example = exampleFor(wanted, about, work)
  if (!example) return undefined
  const shown = bothOn(example, work)
  // What the gate refuses itself shows nothing of the policies.
  return typeof shown === 'object' && [shown.old, shown.new].some(({ rule }) => rule === gateRule) ? undefined : shown
}

function bothOn(example: Example, { old, now, ports }: Work): Shown | string {
  try {
    return { old: judged(old, example, ports.old), new: judged(now, example, ports.new), example }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}: ${JSON.stringify(example.call)}`
  }
}

function kindOf({ old, new: now }: Shown): ChangeKind | undefined {
  if (old.decision === now.decision) return undefined
  return now.decision === 'allow' ? 'newly-allowed' : now.decision === 'hold' ? 'newly-held' : 'newly-denied'
}

/** Calls that the one side lets through, with another spelling of a name that the other knows. Gives why there may be more. */
function respeltChanges(
  old: Cases,
  now: Cases,
  about: About,
  work: Work,
  changes: Map<string, Change>,
): string | undefined {
  const { members, inElements } = respellings(...work.sides, about.target)
  for (const one of members) {
    const passing = one.refusedBy === 'new' ? old : now
    const passes = or(passing.allow, anyOf(passing.hold))
    const example = exampleFor(and(isObjectAt(work.space, one.path), passes), about, work)
    const shown = example && bothOn(respelt(example, one), work)
    const kind = typeof shown === 'object' ? kindOf(shown) : undefined
    if (typeof shown === 'object' && kind) remember(changes, { kind, ...shown, respelt: one.text })
  }
  return inElements
    ? 'one side alone knows names in elements of arrays, and refuses other spellings of them'
    : undefined
}

/** What an approval needs is not compared call by call: that it differs is told, and that other calls may be meant. */
function otherDemands(sides: readonly [Side, Side], { principal }: About): string | undefined {
  const [was, is] = sides.map((side) => holdingIn(side, principal)) as [readonly Holding[], readonly Holding[]]
  const [needed, needs] = [was, is].map((holding) => [...new Set(holding.map(({ demands }) => demands))].sort())
  const isSame = canonical(needed as Json) === canonical(needs as Json)
  const isOne = needed?.length === 1 || canonical(was as Json) === canonical(is as Json)
  return was.length === 0 || is.length === 0 || (isSame && isOne)
    ? undefined
    : 'what an approval of held calls needs (`approval_quorum`, `approval_timeout`, ...) is another'
}

/** A rule that holds calls: which, and what an approval of them needs. As text. */
type Holding = { readonly demands: string; readonly about: string }

function holdingIn({ layers }: Side, principal: Principal): readonly Holding[] {
  return layers.flatMap(({ policy }) => {
    if (policy.strategy === 'first') {
      const answers = [...policy.rules, policy.otherwise].filter(({ effect }) => effect === 'hold')
      return answers.length === 0 ? [] : [{ demands: demandsOf({}), about: JSON.stringify(policy) }]
    }
    const rules = policy.entries.filter((entry) => binds(entry, principal)).flatMap((entry) => entry.rules)
    return rules
      .filter((rule) => rule.effect === 'hold' && binds(rule, principal))
      .map((rule) => ({ demands: demandsOf(rule), about: JSON.stringify([rule.conditions, rule.readings]) }))
  })
}

type Demands = Pick<Rule, 'approvalQuorum' | 'approvalNotRequester' | 'approvalTimeoutMs' | 'approvalWaitMs'>

function demandsOf({ approvalQuorum = 1, approvalNotRequester, approvalTimeoutMs, approvalWaitMs }: Demands): string {
  return JSON.stringify([approvalQuorum, approvalNotRequester ?? false, approvalTimeoutMs, approvalWaitMs])
}

function whyOpen({ space: { root } }: Work): string {
  const blurred = blurredIn(root)
  return blurred.length > 0 ? blurred.join('; ') : 'words that are looked for anywhere in a call'
}

function blurredIn(place: Place): readonly string[] {
  return [...(place.blurred ? [place.blurred] : []), ...place.below.flatMap(blurredIn)]
}
