/** Values to try for an argument, from what the policy asks of it: at its bounds, just over them, of other kinds, none. */
import type { Json } from '../../model/canonical.ts'
import { microPerUnit } from '../../model/limits.ts'
import type { Condition, JsonType, Path, Scalar, Test } from '../../model/policy.ts'
import { all, truthOf } from '../../reference/truth.ts'
import { textsMatching } from './pattern.ts'

/** `undefined`: the argument is not there. */
export type Value = Json | undefined

/** Those that pass stand first, those at a bound before others. */
export function valuesFor(test: Test): readonly Value[] {
  switch (test.kind) {
    case 'present':
    case 'exists':
      return ['some', 1, undefined]
    case 'absent':
      return [undefined, 'some']
    case 'type':
      return [...test.types.map((type) => ofType[type]), ...Object.values(ofType)]
    case 'enum':
    case 'one_of':
      return [...test.values.slice(0, 3), ...test.values.slice(0, 1).map(otherThan), 'other']
    case 'range':
      return rangeValues(test)
    case 'length':
      return lengths(test).flatMap((length) => ['x'.repeat(length), Array.from({ length }, () => 'x')])
    case 'prefix':
      return [`${test.prefix}x`, test.prefix, 'other']
    case 'pattern':
      return [...textsMatching(test.pattern, true), 'other', '..', '']
    case 'search':
      return [...textsMatching(test.pattern, false), 'other', '']
    case 'contains':
      return [
        ...(test.text === undefined ? [] : [test.text, `some ${test.text}`]),
        [...test.values.slice(0, 1)],
        'other',
        [],
      ]
    case 'each':
    case 'any':
      return elementsFor(test.conditions)
  }
  return test satisfies never
}

const ofType: Readonly<Record<JsonType, Json>> = {
  string: 'some',
  number: 1.5,
  integer: 1,
  boolean: true,
  array: ['some'],
  object: { some: 1 },
  null: null,
}

function otherThan(value: Scalar): Json {
  if (typeof value === 'number') return value + 1_000
  if (typeof value === 'boolean') return !value
  return typeof value === 'string' ? `${value}-other` : 'other'
}

function rangeValues({ min, max, above, below }: Extract<Test, { kind: 'range' }>): readonly Json[] {
  const bounds = [min, max, above, below].filter((bound) => bound !== undefined)
  const step = bounds.every(Number.isInteger) ? 1 : 0.01
  const at = (bound: number | undefined, by: number) => (bound === undefined ? [] : [tidy(bound + by)])
  return [
    ...[...at(max, 0), ...at(below, -step), ...at(min, 0), ...at(above, step)],
    ...[...at(max, step), ...at(below, 0), ...at(min, -step), ...at(above, 0)],
  ]
}

/** Without the tail that binary fractions leave. */
function tidy(value: number): number {
  return Number(value.toFixed(6))
}

/** Texts and lists that nobody would read are not written. */
const lengthMax = 2_000

function lengths({ min, max }: { readonly min?: number; readonly max?: number }): readonly number[] {
  const wanted = [max ?? min ?? 0, min ?? 0, (max ?? 0) + 1, (min ?? 0) - 1]
  return [...new Set(wanted)].filter((length) => length >= 0 && length <= lengthMax)
}

/** Lists of one element that passes all, of one that fails one of them, and the empty one. */
function elementsFor(conditions: readonly Condition[]): readonly Json[] {
  const fine = elementWith(conditions)
  const odd = conditions.flatMap(({ path, test }) =>
    valuesFor(test)
      .map((value) => withValue(fine, path, value) ?? null)
      .filter((element) => truthOfAll(conditions, element) === 'no')
      .slice(0, 1),
  )
  return [[fine], ...odd.map((element) => [element]), ...odd.map((element) => [fine, element]), []]
}

function elementWith(conditions: readonly Condition[]): Json {
  let element: Json = conditions.every(({ path }) => path.length === 0) ? 'some' : {}
  for (const { path } of conditions) {
    const tries = conditions.filter((one) => String(one.path) === String(path)).flatMap(({ test }) => valuesFor(test))
    const score = (value: Json) => conditions.filter((one) => truthOf(one, value, 'require') === 'yes').length
    for (const value of tries) {
      const next: Json = withValue(element, path, value) ?? null
      if (score(next) > score(element)) element = next
    }
  }
  return element
}

function truthOfAll(conditions: readonly Condition[], element: Json) {
  return all(conditions.map((condition) => truthOf(condition, element, 'require')))
}

/** Amounts to try, in units: a cap, over it, a small one, and what is none. */
export function amountsFor(capsMicro: readonly number[]): readonly Value[] {
  const caps = capsMicro.filter((cap) => cap >= 0).map((cap) => cap / microPerUnit)
  return [...caps, 1, ...caps.map((cap) => tidy(cap + 0.01)), undefined, 'none', -1]
}

/** The same with another value at a path; what is on the way and no map becomes one. */
export function withValue(root: Json | undefined, [key, ...rest]: Path, value: Value): Json | undefined {
  if (key === undefined) return value
  const isMap = typeof root === 'object' && root !== null && !Array.isArray(root)
  const members = new Map(isMap ? Object.entries(root as Record<string, Json>) : [])
  const below = withValue(members.get(key), rest, value)
  if (below === undefined) members.delete(key)
  else members.set(key, below)
  return Object.fromEntries(members)
}
