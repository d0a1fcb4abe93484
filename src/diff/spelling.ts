/**
 * Names of arguments that the gate knows because a policy reads them: one that differs from such a name by letter case
 * alone is refused before the policy is asked. A policy that reads more names has more such refusals.
 */

import type { Json } from '../model/canonical.ts'
import { planForSet } from '../model/layers.ts'
import type { Target } from '../model/match.ts'
import { foldedKey } from '../model/message/folding.ts'
import { type Path, pathText } from '../model/policy.ts'
import type { Names } from '../model/shape.ts'
import { along, type Space } from './ask.ts'
import type { Example } from './example.ts'
import { type Formula, where } from './formula.ts'
import type { Place } from './place.ts'
import type { Side } from './side.ts'

export interface Respelt {
  /** Of the object that it is a member of. */
  readonly path: Path
  /** Another spelling of a name that is read. */
  readonly name: string
  readonly text: string
  /** The side that refuses it. */
  readonly refusedBy: 'old' | 'new'
}

/** The call, with that member beside what it has. */
export function respelt({ call, counts }: Example, { path, name }: Respelt): Example {
  return { call: { ...call, arguments: withMember(call.arguments ?? {}, [...path, name]) }, counts }
}

type Members = { readonly [key: string]: Json }

function withMember(args: Members, [key = '', ...rest]: Path): Members {
  const below = Object.hasOwn(args, key) ? (args[key] as Members) : {}
  const others = Object.entries(args).filter(([other]) => other !== key)
  return Object.fromEntries([...others, [key, rest.length === 0 ? null : withMember(below, rest)]])
}

/** There is an object to which the member can be added. */
export function isObjectAt({ root }: Space, path: Path): Formula {
  const isObject = ({ variable }: Place) => where(variable, ({ open }) => open === 'object')
  return along(root, path, () => false, isObject)
}

export interface Respellings {
  readonly members: readonly Respelt[]
  /** Names in elements of arrays differ: no call is made up for these. */
  readonly inElements: boolean
}

export function respellings(old: Side, now: Side, target: Target): Respellings {
  const [was, is] = [old, now].map((side) => planForSet(side.set, target).names) as [Names, Names]
  return {
    members: [...more(was, is, [], 'new'), ...more(is, was, [], 'old')],
    inElements: elementsText(was) !== elementsText(is),
  }
}

/** Spellings that the other one refuses and this one does not. */
function more(one: Names | undefined, other: Names, path: Path, refusedBy: Respelt['refusedBy']): readonly Respelt[] {
  const own = [...other.fields.keys()].flatMap((name): Respelt[] => {
    const spelt = otherSpelling(name)
    const isKnown = one?.folded.has(foldedKey(name, false)) || one?.fields.has(name)
    return spelt === undefined || isKnown || other.fields.has(spelt)
      ? []
      : [{ path, name: spelt, text: pathText([...path, spelt]), refusedBy }]
  })
  const below = [...other.fields].flatMap(([key, names]) =>
    more(one?.fields.get(key), names, [...path, key], refusedBy),
  )
  return [...own, ...below]
}

/** `Amount` for `amount`; undefined for what has no letter case. */
function otherSpelling(name: string): string | undefined {
  const first = name.slice(0, 1)
  const other = first === first.toUpperCase() ? first.toLowerCase() : first.toUpperCase()
  const spelt = other === first ? name.toUpperCase() : `${other}${name.slice(1)}`
  return spelt === name ? undefined : spelt
}

/** What is read of elements of arrays, by where they are. */
function elementsText(names: Names): string {
  return JSON.stringify(elementsIn(names, []))
}

function elementsIn({ fields, elements }: Names, path: Path): readonly unknown[] {
  const keys = [...fields.keys()].sort()
  const below = keys.flatMap((key) => elementsIn(fields.get(key) as Names, [...path, key]))
  if (!elements || (elements.folded.size === 0 && !elements.elements)) return below
  return [[path, [...elements.folded].sort(), elementsIn(elements, []), membersIn(elements)], ...below]
}

function membersIn({ fields }: Names): unknown {
  return [...fields.keys()].sort().map((key) => [key, membersIn(fields.get(key) as Names)])
}
