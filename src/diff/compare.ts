/** What a change of policies means: for each target and caller the calls that are decided otherwise, or a proof that none is. */
import type { Principal } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import type { Target } from '../model/match.ts'
import { pinningIn } from '../model/pinning.ts'
import type { Entry, Method } from '../model/policy.ts'
import type { Space } from './ask.ts'
import { callersOf } from './callers.ts'
import { noteAll } from './casesOfAll.ts'
import { noteFirst, type Times } from './casesOfFirst.ts'
import { type Change, changesFor, timeUp } from './changes.ts'
import type { Compiled } from './judge.ts'
import { Place, type TellingApart } from './place.ts'
import { narrowed, type Side } from './side.ts'
import { saidOfTarget, type TargetClass, targetsOf } from './targets.ts'
import type { TextsFound } from './texts/walk.ts'
import { Thresholds } from './thresholds.ts'

/** What was found of one kind of callers of one target. */
export interface Found {
  readonly target: TargetClass
  readonly principal: Principal
  readonly callers?: string
  readonly changes: readonly Change[]
  /** There is no other change than these, as far as their rules go; else why that is not known. */
  readonly unproved?: string
  /** An example that came out otherwise than it was meant to: a fault of ours. */
  readonly faults: readonly string[]
}

export interface Comparison {
  readonly found: readonly Found[]
  /** Why something was not looked at, though it may differ. */
  readonly unproved: readonly string[]
}

export interface Ports {
  readonly old?: Compiled
  readonly new?: Compiled
  /** Starts the clock of one target, and says when its time is up. */
  readonly deadline: () => () => boolean
  /** Tools to look at, and no others. */
  readonly tools?: readonly string[]
  /** After so many states of texts that are told apart together the walk gives up. */
  readonly statesMax?: number
}

const statesMaxDefault = 200_000

export function compare(old: Side, now: Side, ports: Ports): Comparison {
  const sides = [old, now]
  const { statesMax = statesMaxDefault, tools } = ports
  const { classes, incomplete } = targetsOf(sides, { statesMax, expired: ports.deadline() })
  const known = new Map<string, TextsFound>()
  const found = classes
    .flatMap((one) => (tools ? namedIn(one, tools, sides) : [one]))
    .flatMap((target) => compareTarget(old, now, target, ports, known))
  return { found, unproved: [...incomplete.map(tooMany), ...otherPinning(old, now)] }
}

function tooMany(method: Method): string {
  return `names of ${method} are of too many kinds to be told apart`
}

function otherPinning(old: Side, now: Side): readonly string[] {
  const [was, is] = [old, now].map(({ set }) => canonical((pinningIn(set) ?? null) as Json))
  return was === is ? [] : ['what tools have to say of themselves (`pinning`, `pinned`) is another']
}

/** The tools that are of this kind, each for itself. */
function namedIn(one: TargetClass, tools: readonly string[], sides: readonly Side[]): readonly TargetClass[] {
  if (one.target.method !== 'tools/call') return []
  return tools.flatMap((name) => {
    const target = { ...one.target, name }
    return saidOfTarget(sides, target) === one.said ? [{ ...one, target, names: [name], isOne: true }] : []
  })
}

function compareTarget(
  old: Side,
  now: Side,
  target: TargetClass,
  ports: Ports,
  known: Map<string, TextsFound>,
): readonly Found[] {
  const sides = [narrowed(old, target.target), narrowed(now, target.target)] as const
  const [was, is] = sides.map((side) => canonical(meaningOf(side, target.target) as Json))
  if (was === is) return [{ target, principal: {}, changes: [], faults: [] }]
  const expired = ports.deadline()
  const { statesMax = statesMaxDefault } = ports
  const { classes, complete } = callersOf(sides, target.target, { statesMax, expired })
  const { space, order } = spaceOf(sides, target.target, { statesMax, expired, known })
  const unproved = complete ? undefined : 'callers are of too many kinds to be told apart'
  return classes.map(({ principal, text }) => {
    const about = { target: target.target, principal }
    const one = changesFor(about, { old, now, sides, space, order, expired, ports })
    const why = one.unproved ?? unproved
    // Whatever was given up after that was given up for it.
    const isLate = why !== undefined && expired()
    return {
      ...one,
      target,
      principal,
      ...(text !== undefined && { callers: text }),
      ...(why !== undefined && { unproved: isLate ? timeUp : why }),
    }
  })
}

/** All that decides calls of the target, without where it stands and what it is called. */
function meaningOf({ layers }: Side, { method }: Target): unknown {
  const said = layers.map(({ policy }) => {
    if (policy.strategy === 'all') return [policy.default, policy.entries.map(meaningOfEntry)]
    if (method !== 'tools/call') return 'deny'
    return [policy.rules.map(({ place: _, name: __, ...rule }) => rule), policy.otherwise.effect]
  })
  // Without members that are undefined.
  return JSON.parse(JSON.stringify(said))
}

function meaningOfEntry({ place: _, match: __, rules, ...entry }: Entry): object {
  return { ...entry, rules: rules.map(({ place: ___, ...rule }) => rule) }
}

/** Everything that the two ask of calls of the target, told apart. */
function spaceOf(sides: readonly Side[], target: Target, options: TellingApart) {
  const root = new Place('', 'arguments')
  const times: Times = { minutes: new Set([0]), weekdays: false }
  const thresholds = new Thresholds()
  for (const { policy } of sides.flatMap(({ layers }) => layers)) {
    if (policy.strategy === 'all') noteAll({ root }, policy, target, thresholds)
    else noteFirst({ root }, policy, target, times)
  }
  thresholds.noteIn(root)
  root.tellApart(options)
  const minutes = [...times.minutes].flatMap((one) => [one, one - 1]).filter((one) => one >= 0)
  const space: Space = {
    root,
    free: new Map(),
    words: new Map(),
    minute: { name: 'minute', classes: minutes },
    weekday: { name: 'weekday', classes: times.weekdays ? [1, 2, 3, 4, 5, 6, 7] : [1] },
  }
  return { space, order: new Map(thresholds.order) }
}
