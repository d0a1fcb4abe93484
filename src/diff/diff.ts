/** What a change of policies means: for each target and caller the calls that are decided otherwise, or a proof that none is. */
import type { Principal } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import { matchesGlob } from '../model/fnmatch.ts'
import { matchingEntries, type Target } from '../model/match.ts'
import { pinningIn } from '../model/pinning.ts'
import { type Path, pathText } from '../model/policy.ts'
import { along, type Space } from './ask.ts'
import { callersOf } from './callers.ts'
import { type About, anyOf, type Cases, casesOf, type Stop } from './cases.ts'
import { noteAll } from './casesOfAll.ts'
import { noteFirst, type Times } from './casesOfFirst.ts'
import type { Order } from './counts.ts'
import { type Example, exampleOf, wrongWords } from './example.ts'
import { and, type Formula, fullMask, maskOf, or, type Variable, where } from './formula.ts'
import { type Compiled, gateRule, judged, type Said } from './judge.ts'
import { Place, type TellingApart, type Value } from './place.ts'
import type { Side } from './side.ts'
import { type Budget, solve, Undecided } from './solve.ts'
import { type Respelt, respellings } from './spelling.ts'
import { saidOfTarget, type TargetClass, targetsOf } from './targets.ts'
import type { TextsFound } from './texts/walk.ts'
import { Thresholds } from './thresholds.ts'

export type ChangeKind = 'newly-allowed' | 'newly-held' | 'newly-denied'

export interface Change {
  readonly kind: ChangeKind
  readonly old: Said
  readonly new: Said
  readonly example: Example
  /** The name of an argument that one side alone knows, so that it alone refuses another spelling of it. */
  readonly respelt?: string
}

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
  readonly statesMax?: number
}

/** After so many states of texts that are told apart together the walk gives up. */
const statesMaxDefault = 20_000

export function compare(old: Side, now: Side, ports: Ports): Comparison {
  const sides = [old, now]
  const { statesMax = statesMaxDefault } = ports
  const { classes, incomplete } = targetsOf(sides, { statesMax, expired: ports.deadline() })
  const known = new Map<string, TextsFound>()
  const found = classes
    .flatMap((one) => (ports.tools ? namedIn(one, ports.tools, sides) : [one]))
    .flatMap((target) => compareTarget(old, now, target, ports, known))
  const pinnings = sides.map(({ set }) => canonical((pinningIn(set) ?? null) as Json))
  const unproved = [
    ...incomplete.map((method) => `names of ${method} are of too many kinds to be told apart`),
    ...(pinnings[0] === pinnings[1] ? [] : ['what tools have to say of themselves (`pinning`, `pinned`) is another']),
  ]
  return { found, unproved }
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
  if (canonical(saidOf(old, target.target) as Json) === canonical(saidOf(now, target.target) as Json))
    return [{ target, principal: {}, changes: [], faults: [] }]
  const expired = ports.deadline()
  const { statesMax = statesMaxDefault } = ports
  const { classes, complete } = callersOf([old, now], target.target, { statesMax, expired })
  const { space, order } = spaceOf([old, now], target.target, { statesMax, expired, known })
  const unproved = complete ? undefined : 'callers are of too many kinds to be told apart'
  return classes.map(({ principal, text }) => {
    const one = compareCaller(old, now, { target: target.target, principal }, { space, order, expired, ports })
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

/** All that a side says of a target, without where it stands. */
function saidOf({ layers }: Side, target: Target): unknown {
  return layers.map(({ policy }) => {
    if (policy.strategy === 'all')
      return [policy.default, JSON.parse(JSON.stringify(matchingEntries(policy, target).map(meaning)))]
    if (target.method !== 'tools/call') return 'deny'
    const about = policy.rules.filter(
      ({ match }) => matchesGlob(match.type, target.name) && matchesGlob(match.target, target.server),
    )
    const rules = about.map(({ place: _, name: __, ...rule }) => rule)
    return [JSON.parse(JSON.stringify(rules)), policy.otherwise.effect]
  })
}

function meaning({ place: _, rules, match: __, ...entry }: ReturnType<typeof matchingEntries>[number]): object {
  return { ...entry, rules: rules.map(({ place: ___, ...rule }) => rule) }
}

/** Why something is not known, when there was no time to find out. */
export const timeUp = 'not decided in the time that was given'

interface Work {
  readonly space: Space
  readonly order: Order
  readonly expired: () => boolean
  readonly ports: Ports
}

function spaceOf(sides: readonly Side[], target: Target, options: TellingApart) {
  const root = new Place('', 'arguments')
  const times: Times = { minutes: new Set([0]), weekdays: false }
  const thresholds = new Thresholds()
  const layers = sides.flatMap((side) => side.layers)
  for (const { policy } of layers) {
    if (policy.strategy === 'all') noteAll({ root }, policy, target, thresholds)
    else noteFirst({ root }, policy, target, times)
  }
  thresholds.noteIn(root)
  root.tellApart(options)
  const space: Space = {
    root,
    free: new Map(),
    words: new Map(),
    minute: { name: 'minute', classes: [...times.minutes].flatMap((one) => [one, one - 1]).filter((one) => one >= 0) },
    weekday: { name: 'weekday', classes: times.weekdays ? [1, 2, 3, 4, 5, 6, 7] : [1] },
  }
  return { space, order: new Map(thresholds.order) }
}

function compareCaller(old: Side, now: Side, about: About, work: Work): Pick<Found, 'changes' | 'faults' | 'unproved'> {
  const changes = new Map<string, Change>()
  const faults: string[] = []
  let unproved: string | undefined
  try {
    const [was, is] = [casesOf(work.space, old, about), casesOf(work.space, now, about)]
    for (const { wanted, plainer, kind } of questionsOf(was, is)) {
      const shown = shownBy(plainer, about, old, now, work) ?? shownBy(wanted, about, old, now, work)
      if (shown === undefined) {
        if (find(wanted, work, fullMask)) unproved ??= whyOpen(work.space)
        continue
      }
      if (typeof shown === 'string') faults.push(shown)
      else if (kindOf(shown) !== kind)
        faults.push(`a call was to be ${kind}, and is not: ${JSON.stringify([shown, [...shown.example.counts]])}`)
      else {
        const key = JSON.stringify([kind, shown.old.rule, shown.old.reason_code, shown.new.rule, shown.new.reason_code])
        if (!changes.has(key)) changes.set(key, { kind, ...shown })
      }
    }
    const { members, inElements } = respellings(old, now, about.target)
    if (inElements) unproved ??= 'one side alone knows names in elements of arrays, and refuses other spellings of them'
    for (const respelt of members) {
      const change = respeltChange(respelt, respelt.refusedBy === 'new' ? was : is, about, old, now, work)
      if (change) changes.set(JSON.stringify(respelt), change)
    }
  } catch (error) {
    if (!(error instanceof Undecided)) throw error
    unproved = timeUp
  }
  return { changes: [...changes.values()], faults, ...(unproved !== undefined && { unproved }) }
}

interface Sought {
  readonly kind: ChangeKind
  readonly wanted: Formula
  readonly plainer: Formula
}

/** Every call that is decided otherwise is one of these; the stricter side says what for. */
function* questionsOf(old: Cases, now: Cases): Generator<Sought> {
  const ask = (kind: ChangeKind, { first, alone }: Stop, other: Formula): Sought => ({
    kind,
    wanted: and(first, other),
    plainer: and(alone, other),
  })
  for (const stopped of [...old.deny, ...old.hold]) yield ask('newly-allowed', stopped, now.allow)
  for (const stopped of old.deny) yield ask('newly-held', stopped, anyOf(now.hold))
  for (const stopping of now.hold) yield ask('newly-held', stopping, old.allow)
  const passed = or(old.allow, anyOf(old.hold))
  for (const stopping of now.deny) yield ask('newly-denied', stopping, passed)
}

/** A call that the one side lets through, with another spelling of a name that the other knows. */
function respeltChange(
  { path, name }: Respelt,
  passing: Cases,
  about: About,
  old: Side,
  now: Side,
  work: Work,
): Change | undefined {
  const isObject = along(
    work.space.root,
    path,
    () => false,
    ({ variable }) => where(variable, ({ open }) => open === 'object'),
  )
  const example = exampleFor(and(isObject, or(passing.allow, anyOf(passing.hold))), about, work)
  if (!example) return undefined
  const args = withMember(example.call.arguments ?? {}, [...path, name])
  const spelt = { ...example, call: { ...example.call, arguments: args } }
  const shown = { old: judged(old, spelt, work.ports.old), new: judged(now, spelt, work.ports.new), example: spelt }
  const kind = kindOf(shown)
  return kind && { kind, ...shown, respelt: pathText([...path, name]) }
}

function withMember(
  args: { readonly [key: string]: Json },
  [key = '', ...rest]: Path,
): { readonly [key: string]: Json } {
  const below = Object.hasOwn(args, key) ? (args[key] as { readonly [key: string]: Json }) : {}
  const value = rest.length === 0 ? null : withMember(below, rest)
  return Object.fromEntries([...Object.entries(args).filter(([other]) => other !== key), [key, value]]) as {
    readonly [key: string]: Json
  }
}

type Shown = Omit<Change, 'kind'>

/** Undefined when no value that can be shown does it; a sentence when the example says something else than was meant. */
function shownBy(wanted: Formula, about: About, old: Side, now: Side, work: Work): Shown | string | undefined {
  const example = exampleFor(wanted, about, work)
  if (!example) return undefined
  try {
    const [was, is] = [judged(old, example, work.ports.old), judged(now, example, work.ports.new)]
    // What the gate refuses itself shows nothing of the policies.
    return was.rule === gateRule || is.rule === gateRule ? undefined : { old: was, new: is, example }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}: ${JSON.stringify(example.call)}`
  }
}

/** Words that stand in a call by what else is in it are found out by looking at it. */
function exampleFor(wanted: Formula, about: About, work: Work): Example | undefined {
  let asked = wanted
  for (let tries = 0; tries <= triesMax; tries++) {
    const solution = find(asked, work, concrete)
    if (!solution) return undefined
    const example = exampleOf(work.space, about, solution, concrete)
    const wrong = wrongWords(work.space, solution, example)
    if (wrong.length === 0) return example
    asked = and(asked, ...wrong)
  }
  return undefined
}

const triesMax = 8

function kindOf({ old, new: now }: Shown): ChangeKind | undefined {
  if (old.decision === now.decision) return undefined
  return now.decision === 'allow' ? 'newly-allowed' : now.decision === 'hold' ? 'newly-held' : 'newly-denied'
}

/** Values that can be shown. */
function concrete(variable: Variable): bigint {
  const known = concreteMasks.get(variable)
  if (known !== undefined) return known
  const mask = maskOf(variable as Variable<Partial<Value>>, (one) => one?.opaque !== true)
  concreteMasks.set(variable, mask)
  return mask
}

const concreteMasks = new WeakMap<Variable, bigint>()

function find(wanted: Formula, { order, expired }: Work, allows: (variable: Variable) => bigint) {
  const budget: Budget = {
    spend() {
      if (expired()) throw new Undecided()
    },
  }
  return solve(wanted, { order, budget, allows })
}

function whyOpen({ root }: Space): string {
  const blurred = blurredIn(root)
  return blurred.length > 0 ? blurred.join('; ') : 'words that are looked for anywhere in a call'
}

function blurredIn(place: Place): readonly string[] {
  return [...(place.blurred ? [place.blurred] : []), ...[...place.fields.values()].flatMap(blurredIn)]
}
