/** Conditions on arguments, as the native language writes them. */
import { canonical, type Json } from '../model/canonical.ts'
import type { Condition, Path, Rule, Test } from '../model/policy.ts'
import { pathText } from '../model/policy.ts'
import { Report } from '../policy/diagnostics.ts'
import { conditionsOf, constraints } from '../policy/native/arguments.ts'
import { readSource } from '../policy/source.ts'
import { boolean, type Entry, entry, flow, list, map, number, type Out, scalar, text, word } from './yaml.ts'

type Effect = Rule['effect']
export type LineOf = (condition: Condition) => number | undefined

/** One map where it can say the conditions in their order, else a list of maps. */
export function argumentsOut(conditions: readonly Condition[], effect: Effect, lineOf: LineOf): Out {
  const maps: Entry[][] = []
  let known = new Set<string>()
  for (const group of groupsOf(conditions, effect)) {
    const first = group[0] as Condition
    const path = pathText(first.path)
    if (maps.length === 0 || known.has(path)) {
      maps.push([])
      known = new Set()
    }
    known.add(path)
    maps.at(-1)?.push(entry(path, map(constraintEntries(group, effect)), lineOf(first)))
  }
  const outs = maps.map(map)
  return outs.length === 1 ? (outs[0] as Out) : list(outs)
}

/** Conditions that stand in one map of constraints: the language is asked whether it reads them back. */
function groupsOf(conditions: readonly Condition[], effect: Effect): readonly Condition[][] {
  const groups: Condition[][] = []
  for (const condition of conditions) {
    const last = groups.at(-1)
    if (last && isAlike(last[0] as Condition, condition) && readsBack([...last, condition], effect))
      last.push(condition)
    else groups.push([condition])
  }
  return groups
}

function isAlike(one: Condition, other: Condition): boolean {
  return one.optional === other.optional && samePath(one.path, other.path)
}

function samePath(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index])
}

function readsBack(group: readonly Condition[], effect: Effect): boolean {
  const entries = constraintEntries(group, effect)
  if (new Set(entries.map(({ key }) => key)).size < entries.length) return false
  const report = new Report('')
  const node = readSource(flow(map(entries)), report)
  const value = node && constraints.read(node, '', report)
  if (!value) return false
  const read = conditionsOf([{ name: 'a', nameAt: value.at, value }], effect, report)
  const same = read.length === group.length && read.every((one, index) => sameTest(one, group[index] as Condition))
  return same && !report.failed
}

function sameTest(one: Condition, other: Condition): boolean {
  return (
    one.optional === other.optional &&
    canonical(one.test as unknown as Json) === canonical(other.test as unknown as Json)
  )
}

function constraintEntries(group: readonly Condition[], effect: Effect): readonly Entry[] {
  const entries = group.flatMap(({ test }) => testEntries(test, effect))
  return group[0]?.optional ? [...entries, entry('required', boolean(false))] : entries
}

function testEntries(test: Test, effect: Effect): readonly Entry[] {
  switch (test.kind) {
    case 'present':
      return [entry('required', boolean(true))]
    case 'absent':
      return [entry('forbidden', boolean(true))]
    case 'exists':
      return [entry('exists', boolean(test.there))]
    case 'type': {
      const [first, ...more] = test.types.map(typeWord)
      return [entry('type', first && more.length === 0 ? first : list(test.types.map(typeWord)))]
    }
    case 'enum':
      return [entry('enum', list(test.values.map(scalar)))]
    case 'one_of':
      return [entry(test.negated ? 'none_of' : 'one_of', list(test.values.map(scalar)))]
    case 'range':
      return (['min', 'max', 'above', 'below'] as const).flatMap((key) =>
        test[key] === undefined ? [] : [entry(key, number(test[key]))],
      )
    case 'length':
      return [entry('length', lengthOut(test))]
    case 'prefix':
      return [entry('prefix', text(test.prefix))]
    case 'pattern':
    case 'search':
      return [entry(test.kind, text(test.pattern))]
    case 'contains':
      return [entry('contains', containedOut(test))]
    case 'each':
    case 'any':
      return [entry(test.kind, elementOut(test.conditions, effect))]
  }
  return test satisfies never
}

function typeWord(type: string): Out {
  return word(type === 'null' ? '"null"' : type)
}

function lengthOut({ min, max }: Extract<Test, { kind: 'length' }>): Out {
  if (min !== undefined && min === max) return number(min)
  return map([
    min === undefined ? undefined : entry('min', number(min)),
    max === undefined ? undefined : entry('max', number(max)),
  ])
}

function containedOut({ text: inText, values }: Extract<Test, { kind: 'contains' }>): Out {
  const [value] = values
  const isOne = values.length === 1 && value !== undefined
  if (isOne && (typeof value === 'string' ? inText === value : inText === undefined)) return scalar(value)
  return map([
    inText === undefined ? undefined : entry('text', text(inText)),
    values.length === 0 && inText !== undefined ? undefined : entry('elements', list(values.map(scalar))),
  ])
}

/** What is said of an element itself, and then of its members: that it is an object is said by `fields`. */
function elementOut(conditions: readonly Condition[], effect: Effect): Out {
  const below = conditions.findIndex(({ path }) => path.length > 0)
  if (below === -1) return map(constraintEntries(conditions, effect))
  const own = conditions.slice(0, effect === 'require' ? Math.max(0, below - 1) : below)
  const fields = argumentsOut(conditions.slice(below), effect, () => undefined)
  return map([...constraintEntries(own, effect), entry('fields', fields)])
}
