/** When ordered rules decide in which way: `src/reference/first.ts`, with what a call could be in the place of a call. */
import { canonical, type Json } from '../model/canonical.ts'
import type { Target } from '../model/match.ts'
import type { FirstPolicy, OrderedCondition, OrderedRule } from '../model/ordered.ts'
import { pythonText } from '../model/pythonText.ts'
import { speaksOf } from '../reference/first.ts'
import { compared, contains, matched } from '../reference/python.ts'
import type { Truth } from '../reference/truth.ts'
import { noteValues, type Probe, probed, type Space } from './ask.ts'
import type { About, Cases } from './cases.ts'
import { and, type Formula, no, not, or, where, yes } from './formula.ts'
import type { Place } from './place.ts'
import { rulesAbout } from './side.ts'
import { anywhere } from './texts/globs.ts'

/** What is asked of the time. */
export interface Times {
  readonly minutes: Set<number>
  weekdays: boolean
}

export function noteFirst({ root }: Pick<Space, 'root'>, policy: FirstPolicy, target: Target, times: Times): void {
  const asked = rulesAbout(policy, target)
  for (const condition of asked.flatMap(({ conditions }) => conditions)) {
    if ('minute' in condition) times.minutes.add(condition.minute)
    if (condition.kind === 'weekdays') times.weekdays = true
    if ('name' in condition) noteArgument(root.field(condition.name), condition)
  }
}

type OfArgument = Extract<OrderedCondition, { readonly name: string }>

function noteArgument(place: Place, condition: OfArgument): void {
  if (condition.kind === 'matches') {
    const { ascii, wide } = condition.pattern
    place.asText = true
    place.asAscii = true
    for (const pattern of [ascii, ...(wide === undefined ? [] : [wide])])
      place.patterns.set(`search ${pattern}`, { pattern, whole: false })
    return
  }
  const { value } = condition
  if (condition.kind === 'compare') {
    noteEqual(place, value)
    if (typeof value === 'string' && condition.by !== 'eq') place.orders.add(value)
    return
  }
  noteEqual(place.elements, value)
  if (typeof value !== 'string') return
  place.globs.set(`contains ${value}`, anywhere(value))
  place.field(value)
}

/** To Python true is 1. */
function noteEqual(place: Place, value: Json): void {
  noteValues(place, [typeof value === 'boolean' ? Number(value) : value])
  if (value !== null && typeof value === 'object') place.wholes.set(canonical(value), value)
}

export function casesOfFirst(space: Space, policy: FirstPolicy, { target, principal }: About): Cases {
  const { method, server, name } = target
  if (method !== 'tools/call') return { deny: [{ first: yes, alone: yes }], hold: [], allow: no }
  const about = { method, server, tool: name, principal } as Parameters<typeof speaksOf>[1]
  const cases = { deny: [] as Formula[], hold: [] as Formula[], allow: [] as Formula[] }
  let open = yes
  for (const rule of policy.rules.filter((one) => speaksOf(one, about))) {
    const { matches, unclear, passes } = answersOf(space, rule)
    cases[rule.effect].push(and(open, matches))
    cases.deny.push(and(open, unclear))
    open = and(open, passes)
  }
  cases[policy.otherwise.effect].push(open)
  const stops = (formulas: readonly Formula[]) => formulas.map((first) => ({ first, alone: first }))
  return { deny: stops(cases.deny), hold: stops(cases.hold), allow: or(...cases.allow) }
}

/** Conditions are asked in order: the first that is not met says whether the rule passes on or cannot be judged. */
function answersOf(space: Space, { conditions }: OrderedRule) {
  const unclear: Formula[] = []
  const passes: Formula[] = []
  let met = yes
  for (const condition of conditions) {
    const is = (wanted: Truth) => truthIs(space, condition, wanted)
    unclear.push(and(met, is('unclear')))
    passes.push(and(met, is('no')))
    met = and(met, is('yes'))
  }
  return { matches: met, unclear: or(...unclear), passes: or(...passes) }
}

function truthIs(space: Space, condition: OrderedCondition, wanted: Truth): Formula {
  switch (condition.kind) {
    case 'after':
      return answered(
        wanted,
        where(space.minute, (minute) => minute >= condition.minute),
      )
    case 'before':
      return answered(
        wanted,
        where(space.minute, (minute) => minute < condition.minute),
      )
    case 'weekdays':
      return answered(
        wanted,
        where(space.weekday, (day) => condition.days.includes(day)),
      )
    case 'words':
      return answered(wanted, or(...condition.words.map((word) => hasWord(space, word))))
    case 'compare':
    case 'matches':
      return probed(space, space.root.field(condition.name), probeOf(condition), wanted)
    case 'contains':
      return containing(space, condition, wanted)
  }
  return condition satisfies never
}

function answered(wanted: Truth, holds: Formula): Formula {
  return wanted === 'yes' ? holds : wanted === 'no' ? not(holds) : no
}

/** Any word can be in a call, in an argument that no rule asks about. Whether one is there already, an example shows. */
function hasWord({ words }: Space, word: string): Formula {
  const known = words.get(word) ?? { name: word, classes: [false, true] }
  words.set(word, known)
  return where(known, (there) => there)
}

function probeOf(condition: Extract<OfArgument, { kind: 'compare' | 'matches' }>): Probe {
  const there = (of: (value: Json) => Truth) => (value: Json | undefined) =>
    value === undefined || value === null ? 'no' : of(value)
  if (condition.kind === 'matches') {
    const { pattern } = condition
    const of = there((value) => matched(pattern, pythonText(value)))
    return { key: `matches ${JSON.stringify(pattern)}`, of, looksInto: true, asText: true }
  }
  const { by, value: other } = condition
  const of = there((value) => compared(by, value, other))
  const isWhole = other !== null && typeof other === 'object'
  return { key: `${by} ${canonical(other)}`, of, ...(isWhole && { looksInto: true as const }) }
}

function containing(space: Space, { name, value }: Extract<OfArgument, { kind: 'contains' }>, wanted: Truth): Formula {
  const place = space.root.field(name)
  const { variable } = place
  const of = (held: Json | undefined): Truth => (held === undefined || held === null ? 'no' : contains(held, value))
  const isKey = typeof value === 'string'
  const arrays = where(variable, ({ open }) => open === 'array')
  const objects = isKey ? where(variable, ({ open }) => open === 'object') : no
  const others = probed(space, place, { key: `contains ${canonical(value)}`, of }, wanted)
  const element: Probe = {
    key: `equals ${canonical(value)}`,
    of: (held) => contains([held as Json], value),
    ...(value !== null && typeof value === 'object' && { looksInto: true as const }),
  }
  const some: Formula = { kind: 'some', array: variable, of: probed(space, place.elements, element, 'yes') }
  const key = isKey ? where(place.field(value).variable, (one) => one.value !== undefined) : no
  return or(
    and(not(arrays), not(objects), others),
    and(arrays, answered(wanted, some)),
    and(objects, answered(wanted, key)),
  )
}
