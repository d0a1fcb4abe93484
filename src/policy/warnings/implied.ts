/** What follows from what: when a rule leaves nothing for another one to decide. Where it is not plain, nothing follows. */
import type { Condition, Path, Rule, Scalar, Test } from '../../model/policy.ts'
import { comparedRulesMax, comparedValuesMax } from '../limits.ts'

/** Few enough to compare each with each. */
export function isComparable(rules: readonly Rule[]): boolean {
  return rules.reduce((sum, { conditions }) => sum + 1 + conditions.length, 0) <= comparedRulesMax
}

/** Does the first stop every call that the second would stop? Both deny or hold, unless a condition is proved to fail. */
export function stopsAll(first: Rule, second: Rule): boolean {
  // What a counter stands at is another matter each time.
  if (first.readings !== undefined) return false
  return first.conditions.every((one) => second.conditions.some((other) => failsWith(one, other)))
}

/** Does every call that meets the first conditions meet the second? */
export function meetsAll(first: readonly Condition[], second: readonly Condition[]): boolean {
  return second.every((one) => first.some((other) => holdsWith(other, one)))
}

/** Is the other proved to fail whenever the one is? */
function failsWith(one: Condition, other: Condition): boolean {
  if (same(one, other)) return true
  if (!samePath(one.path, other.path) || (one.optional && !other.optional)) return false
  const [wide, narrow] = [one.test, other.test]
  // A value of a kind that an `enum` does not have proves nothing of it.
  if (wide.kind === 'enum' && narrow.kind === 'enum' && !sameKinds(wide.values, narrow.values)) return false
  return isWithin(narrow, wide)
}

/** Does the other hold whenever the one does? */
function holdsWith(one: Condition, other: Condition): boolean {
  if (same(one, other)) return true
  if (!samePath(one.path, other.path) || (one.optional && !other.optional)) return false
  return isWithin(one.test, other.test)
}

/** Does every value that passes the narrow test pass the wide one? */
function isWithin(narrow: Test, wide: Test): boolean {
  if (narrow.kind === 'enum' && wide.kind === 'enum') return isSubset(narrow.values, wide.values)
  if (narrow.kind === 'type' && wide.kind === 'type') return narrow.types.every((type) => wide.types.includes(type))
  if (narrow.kind === 'prefix' && wide.kind === 'prefix') return narrow.prefix.startsWith(wide.prefix)
  if (narrow.kind === 'range' && wide.kind === 'range') return isInside(narrow, wide)
  return narrow.kind === 'length' && wide.kind === 'length' && isInside(narrow, wide)
}

function isSubset(narrow: readonly Scalar[], wide: readonly Scalar[]): boolean {
  if (narrow.length > comparedValuesMax || wide.length > comparedValuesMax) return false
  return narrow.every((value) => wide.includes(value))
}

interface Bounds {
  readonly min?: number
  readonly max?: number
  readonly above?: number
  readonly below?: number
}

function isInside(narrow: Bounds, wide: Bounds): boolean {
  if ([narrow, wide].some(({ above, below }) => above !== undefined || below !== undefined)) return false
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = narrow
  return min >= (wide.min ?? Number.NEGATIVE_INFINITY) && max <= (wide.max ?? Number.POSITIVE_INFINITY)
}

const texts = new WeakMap<Condition, string>()

function same(one: Condition, other: Condition): boolean {
  return one.test.kind === other.test.kind && textOf(one) === textOf(other)
}

function textOf(condition: Condition): string {
  const text = texts.get(condition) ?? JSON.stringify(condition)
  texts.set(condition, text)
  return text
}

export function samePath(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index])
}

function sameKinds(one: readonly Scalar[], other: readonly Scalar[]): boolean {
  const kinds = (values: readonly Scalar[]) => [...new Set(values.map(kindOf))].sort().join()
  return kinds(one) === kinds(other)
}

function kindOf(value: Scalar): string {
  return value === null ? 'null' : typeof value
}
