/** What is asked of an argument, as formulas: first every question is noted, so that values can be told apart, then it is put. */
import type { Json } from '../model/canonical.ts'
import { microOf } from '../model/decimal.ts'
import { valueAt } from '../model/input.ts'
import { perValueCharsMax } from '../model/limits.ts'
import type { Condition, Path, Test } from '../model/policy.ts'
import { type Asker, type Truth, truthOf, within } from '../reference/truth.ts'
import { and, type Formula, isIn, maskOf, not, or, type Variable, where } from './formula.ts'
import type { Place, Value } from './place.ts'
import { anywhere, beginning, literal } from './texts/globs.ts'

/** Something that has one of three answers for each value. */
export interface Probe {
  /** The same for the same question, in whichever policy it stands. */
  readonly key: string
  readonly of: (value: Json | undefined) => Truth
  /** Its answer for an array or an object depends on what is in it. */
  readonly looksInto?: true
  /** Its answer depends on how a value is written down. */
  readonly asText?: true
  /** Its answer is the same for all texts, numbers, ... of a kind. */
  readonly byKind?: true
}

/** A question whose answer is not known: it may be any. */
export type FreeAnswers = Map<string, Variable<Truth>>

export interface Space {
  readonly root: Place
  readonly free: FreeAnswers
  /** Words that are looked for anywhere in the call. */
  readonly words: Map<string, Variable<boolean>>
  /** Minutes of the day, and days of the week from Monday, 1, on. */
  readonly minute: Variable<number>
  readonly weekday: Variable<number>
}

const truths: readonly Truth[] = ['no', 'yes', 'unclear']

export function freeAnswer({ free }: Space, name: string): Variable<Truth> {
  const known = free.get(name)
  if (known) return known
  const variable = { name, classes: truths }
  free.set(name, variable)
  return variable
}

/** The classes of which the probe says so. */
export function probed(space: Space, place: Place, probe: Probe, wanted: Truth): Formula {
  const { variable } = place
  const told = maskOf(variable, (one) => !isFree(one, probe) && probe.of(one.value) === wanted)
  const freeMask = maskOf(variable, (one) => isFree(one, probe))
  if (freeMask === 0n) return isIn(variable, told)
  const answer = freeAnswer(space, `${place.name} ${probe.key}`)
  return or(
    isIn(variable, told),
    and(
      isIn(variable, freeMask),
      where(answer, (one) => one === wanted),
    ),
  )
}

function isFree({ opaque, open, value }: Value, { byKind, looksInto, asText }: Probe): boolean {
  if (!opaque) return false
  if (open) return looksInto === true
  return typeof value === 'string' ? byKind === undefined : asText === true
}

/** What is at the end of a path: `inside` is asked there, `outside` of the value at which the path breaks off. */
export function along(
  place: Place,
  path: Path,
  outside: (value: Value, rest: Path) => boolean,
  inside: (place: Place) => Formula,
): Formula {
  const [key, ...rest] = path
  if (key === undefined) return inside(place)
  const { variable } = place
  const broken = where(variable, (one) => one.open !== 'object' && outside(one, path))
  const open = where(variable, (one) => one.open === 'object')
  return or(broken, and(open, along(place.field(key), rest, outside, inside)))
}

/** Everything that a condition asks is noted at the places that it asks. */
export function noteCondition(root: Place, { path, test }: Condition): void {
  noteTest(placeAt(root, path), test)
}

export function placeAt(root: Place, path: Path): Place {
  return path.reduce((place, key) => place.field(key), root)
}

function noteTest(place: Place, test: Test): void {
  switch (test.kind) {
    case 'enum':
    case 'one_of':
      noteValues(place, test.values)
      return
    case 'range':
      for (const bound of [test.min, test.max, test.above, test.below]) if (bound !== undefined) place.bounds.add(bound)
      return
    case 'length':
      for (const edge of lengthEdges(test)) {
        place.textLengths.add(edge)
        place.arrayLengths.add(edge)
      }
      return
    case 'prefix':
      place.globs.set(`prefix ${test.prefix}`, beginning(test.prefix))
      return
    case 'pattern':
    case 'search':
      place.patterns.set(JSON.stringify(test), { pattern: test.pattern, whole: test.kind === 'pattern' })
      return
    case 'contains':
      if (test.text !== undefined) place.globs.set(`contains ${test.text}`, anywhere(test.text))
      noteValues(place.elements, test.values)
      return
    case 'each':
    case 'any':
      for (const condition of test.conditions) noteCondition(place.elements, condition)
      return
    case 'present':
    case 'absent':
    case 'exists':
    case 'type':
      return
    default:
      test satisfies never
  }
}

function lengthEdges({ min, max }: { readonly min?: number; readonly max?: number }): readonly number[] {
  return [min, max === undefined ? undefined : Math.floor(max) + 1]
    .filter((edge) => edge !== undefined)
    .map((edge) => Math.max(0, Math.ceil(edge)))
}

export function noteValues(place: Place, values: readonly Json[]): void {
  for (const value of values) {
    if (typeof value === 'number') place.bounds.add(value)
    if (typeof value === 'string') place.globs.set(`is ${value}`, literal(value))
  }
}

/** The condition has this answer. */
export function conditionIs(space: Space, root: Place, condition: Condition, asker: Asker, wanted: Truth): Formula {
  const outside = ({ value }: Value, rest: Path) =>
    (value === undefined
      ? truthOf({ ...condition, path: ['nothing'] }, {}, asker)
      : truthOf({ ...condition, path: rest }, value, asker)) === wanted
  return along(root, condition.path, outside, (place) => testIs(space, place, condition, asker, wanted))
}

function testIs(space: Space, place: Place, condition: Condition, asker: Asker, wanted: Truth): Formula {
  const { test } = condition
  const here = { ...condition, path: [] }
  const probe: Probe = {
    key: JSON.stringify([test, asker]),
    of: (value) =>
      value === undefined ? truthOf({ ...condition, path: ['nothing'] }, {}, asker) : truthOf(here, value, asker),
    ...(kindAlone.has(test.kind) && { byKind: true as const }),
  }
  const arrays = where(place.variable, (one) => one.open === 'array')
  const others = and(not(arrays), probed(space, place, probe, wanted))
  switch (test.kind) {
    case 'length':
      return or(others, lengthIs(place, test, wanted))
    case 'contains': {
      const some: Formula = { kind: 'some', array: place.variable, of: isOneOf(space, place.elements, test.values) }
      return or(others, and(arrays, wanted === 'yes' ? some : wanted === 'no' ? not(some) : { kind: 'no' }))
    }
    case 'each':
    case 'any':
      return or(others, and(arrays, elementsAre(space, place, test, asker, wanted)))
    default:
      return probed(space, place, probe, wanted)
  }
}

const kindAlone: ReadonlySet<Test['kind']> = new Set(['present', 'absent', 'exists', 'type', 'each', 'any'])

function lengthIs({ variable }: Place, test: Extract<Test, { kind: 'length' }>, wanted: Truth): Formula {
  return where(
    variable,
    ({ open, lengths }) => open === 'array' && (within(lengths?.min ?? 0, test) ? 'yes' : 'no') === wanted,
  )
}

function isOneOf(space: Space, place: Place, values: readonly Json[]): Formula {
  const of = (value: Json | undefined): Truth => (value !== undefined && values.includes(value) ? 'yes' : 'no')
  return probed(space, place, { key: `one of ${JSON.stringify(values)}`, of }, 'yes')
}

function elementsAre(
  space: Space,
  { variable: array, elements }: Place,
  { kind, conditions }: Extract<Test, { kind: 'each' | 'any' }>,
  asker: Asker,
  wanted: Truth,
): Formula {
  const met = and(...conditions.map((one) => conditionIs(space, elements, one, asker, 'yes')))
  const failed = or(...conditions.map((one) => conditionIs(space, elements, one, asker, 'no')))
  const some = (of: Formula): Formula => ({ kind: 'some', array, of })
  const every = (of: Formula): Formula => ({ kind: 'every', array, of })
  if (kind === 'each') {
    if (wanted === 'yes') return every(met)
    return wanted === 'no' ? some(failed) : and(every(not(failed)), some(and(not(met), not(failed))))
  }
  if (wanted === 'yes') return some(met)
  return wanted === 'no' ? every(failed) : and(every(not(met)), some(not(failed)))
}

/** At the end of the path stands a value of which this holds. */
export function valueIs(space: Space, path: Path, key: string, holds: (value: Json) => boolean): Formula {
  const of = (value: Json | undefined): Truth => (value !== undefined && holds(value) ? 'yes' : 'no')
  const outside = (one: Value, rest: Path) => one.value !== undefined && of(valueAt(one.value, rest)) === 'yes'
  return along(space.root, path, outside, (place) => probed(space, place, { key, of }, 'yes'))
}

/** An argument that a counter is split by: as `src/model/counters.ts` takes it. */
export function isPlain(space: Space, path: Path): Formula {
  return valueIs(space, path, 'plain', (value) =>
    typeof value === 'string'
      ? value.length <= perValueCharsMax
      : typeof value === 'number' || typeof value === 'boolean',
  )
}

export function isAmount(space: Space, path: Path): Formula {
  return valueIs(space, path, 'amount', (value) => microOf(value) !== undefined)
}
