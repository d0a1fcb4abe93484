/**
 * What judging a call of one target takes: which arguments are read, which amounts counted, which counters asked. All of
 * it in the order of canonical JSON, so that the input made from it needs no sorting.
 */
import { isListed, matchingEntries, type Target } from './match.ts'
import { foldedKey } from './message/folding.ts'
import type { Condition, Counter, Entry, Path, Policy, Spend } from './policy.ts'
import { pathText } from './policy.ts'

export interface Plan {
  readonly entries: readonly Entry[]
  readonly listed: boolean
  readonly shape: Shape
  readonly names: Names
  /** Arguments that hold an amount, and their paths as one text. */
  readonly amounts: readonly { readonly path: Path; readonly text: string }[]
  /** Each once, though several rules may ask it. */
  readonly counters: readonly Counter[]
}

/** What the policy reads at one place of the arguments. */
export interface Shape {
  /** Members that are read, if the value is an object. */
  readonly fields: ReadonlyMap<string, Shape>
  /** What is read of each element, if the value is an array; absent: only how many there are. */
  readonly elements?: Shape
  /** Is the value itself read, not only what lies below it? */
  readonly read: boolean
}

/** The members that the policy knows by name, whatever it knows them for. */
export interface Names {
  readonly fields: ReadonlyMap<string, Names>
  /** Their names as a parser compares them that ignores letter case. */
  readonly folded: ReadonlySet<string>
  readonly elements?: Names
}

export function planFor(policy: Policy, target: Target): Plan {
  const entries = matchingEntries(policy, target)
  const rules = entries.flatMap((entry) => entry.rules)
  const counters = new Map(rules.flatMap((rule) => rule.limits.map(({ counter }) => [counter.id, counter] as const)))
  const spends = rules.flatMap((rule) => (rule.spend ? [rule.spend] : []))
  const amounts = new Map(spends.map(({ amount }) => [pathText(amount), { path: amount, text: pathText(amount) }]))
  const builder = newBuilder()
  for (const rule of rules) for (const condition of rule.conditions) addCondition(builder, condition)
  for (const spend of spends) if (spend.currency) at(builder, spend.currency.path).read = true
  const known = newBuilder()
  for (const rule of rules) for (const condition of rule.conditions) addCondition(known, condition)
  for (const path of [...spends.flatMap(spendPaths), ...[...counters.values()].flatMap(perPaths)]) at(known, path)
  return {
    entries,
    listed: isListed(entries),
    shape: inOrder(builder),
    names: namesOf(known),
    amounts: sortedValues(amounts),
    counters: sortedValues(counters),
  }
}

interface Builder {
  fields: Map<string, Builder>
  elements?: Builder
  read: boolean
}

/** By key as UTF-16 code units compare. */
function sortedEntries<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

function sortedValues<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return sortedEntries(map).map(([, value]) => value)
}

function spendPaths({ amount, currency }: Spend): readonly Path[] {
  return currency ? [amount, currency.path] : [amount]
}

function perPaths({ per }: Counter): readonly Path[] {
  return per.flatMap((field) => (field.kind === 'argument' ? [field.path] : []))
}

function namesOf({ fields, elements }: Builder): Names {
  return {
    fields: new Map([...fields].map(([key, below]) => [key, namesOf(below)])),
    folded: new Set([...fields.keys()].map((key) => foldedKey(key, false))),
    ...(elements && { elements: namesOf(elements) }),
  }
}

const newBuilder = (): Builder => ({ fields: new Map(), read: false })

function addCondition(root: Builder, { path, test }: Condition): void {
  const place = at(root, path)
  place.read = true
  if (test.kind !== 'each' && test.kind !== 'any') return
  place.elements ??= newBuilder()
  for (const condition of test.conditions) addCondition(place.elements, condition)
}

function at(root: Builder, path: Path): Builder {
  let place = root
  for (const key of path) {
    const next = place.fields.get(key) ?? newBuilder()
    place.fields.set(key, next)
    place = next
  }
  return place
}

function inOrder({ fields, elements, read }: Builder): Shape {
  return {
    fields: new Map(sortedEntries(fields).map(([key, below]) => [key, inOrder(below)])),
    ...(elements && { elements: inOrder(elements) }),
    read,
  }
}
