/**
 * Names of arguments that the gate knows because a policy reads them: one that differs from such a name by letter case
 * alone is refused before the policy is asked. A policy that reads more names has more such refusals.
 */
import { planForSet } from '../model/layers.ts'
import type { Target } from '../model/match.ts'
import { foldedKey } from '../model/message/folding.ts'
import type { Path } from '../model/policy.ts'
import type { Names } from '../model/shape.ts'
import type { Side } from './side.ts'

export interface Respelt {
  /** Of the object that it is a member of. */
  readonly path: Path
  /** Another spelling of a name that is read. */
  readonly name: string
  /** The side that refuses it. */
  readonly refusedBy: 'old' | 'new'
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
    return spelt === undefined || isKnown || other.fields.has(spelt) ? [] : [{ path, name: spelt, refusedBy }]
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
