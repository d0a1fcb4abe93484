/** Changes of what a rule asks of arguments. */
import { type Condition, type Path, pathText, type Rule, type Scalar, type Test } from '../../model/policy.ts'
import { conditionText } from '../../reference/conditionText.ts'
import { valuesChangedMax } from '../limits.ts'
import { type Edit, each, fewer, neighbours, within } from './edit.ts'
import { isAskedBeside } from './implied.ts'

type Conditions = readonly Condition[]

/** What the conditions stand in. */
interface Around {
  /** Without any, the rule would be another mutant. */
  readonly keepOne: boolean
  /** Does something else refuse every call without the argument, whatever these say? */
  readonly refusesMissing?: (path: Path) => boolean
}

/** Of the conditions of one rule, or of the elements of an array. */
export function conditionEdits(
  conditions: Conditions,
  effect: Rule['effect'],
  { keepOne, refusesMissing = () => false }: Around,
): readonly Edit<Conditions>[] {
  const dropped = conditions.flatMap((condition, index) => {
    const rest = conditions.toSpliced(index, 1)
    if (keepOne && rest.length === 0) return []
    const isIdle = effect === 'require' && isAskedBeside(condition, rest)
    const change = `not asked: ${conditionText(condition)}`
    return [{ to: rest, change, parts: [condition], ...(isIdle && { isIdle }) }]
  })
  return [...dropped, ...each(conditions, (one) => testEdits(one, effect)), ...missingEdits(conditions, refusesMissing)]
}

/** What a file says once of an argument, whether it may be missing, is said of each of its conditions. */
function missingEdits(
  conditions: Conditions,
  refusesMissing: NonNullable<Around['refusesMissing']>,
): readonly Edit<Conditions>[] {
  const byPath = Map.groupBy(conditions.filter(dependsOnMissing), ({ path }) => pathText(path))
  return [...byPath].flatMap(([path, same]) => {
    const [first] = same
    const settled = conditions.some(({ path: own, test }) => pathText(own) === path && settles(test))
    if (!first || first.path.length === 0 || settled) return []
    const optional = !first.optional
    const to = conditions.map((condition) => (same.includes(condition) ? { ...condition, optional } : condition))
    const change = `argument \`${path}\` ${optional ? 'may' : 'must not'} be missing`
    return [{ to, change, parts: [first], ...(refusesMissing(first.path) && { isIdle: true }) }]
  })
}

function dependsOnMissing({ test }: Condition): boolean {
  return !settles(test)
}

/** Says itself what becomes of an argument that is missing. */
function settles({ kind }: Test): boolean {
  return kind === 'present' || kind === 'absent' || kind === 'exists'
}

function testEdits(condition: Condition, effect: Rule['effect']): readonly Edit<Condition>[] {
  const changed = (test: Test): Edit<Condition> => {
    const to = { ...condition, test }
    return { to, change: `${conditionText(condition)}; now: ${conditionText(to)}` }
  }
  const { test } = condition
  if (test.kind !== 'each' && test.kind !== 'any') return testsFor(test).map(changed)
  const inner = conditionEdits(test.conditions, effect, { keepOne: true })
  return [
    changed({ ...test, kind: test.kind === 'each' ? 'any' : 'each' }),
    ...within(inner, (conditions) => ({ ...condition, test: { ...test, conditions } })),
  ]
}

function testsFor(test: Exclude<Test, { kind: 'each' | 'any' }>): readonly Test[] {
  switch (test.kind) {
    case 'present':
      return [{ kind: 'absent' }]
    case 'absent':
      return [{ kind: 'present' }]
    case 'exists':
      return [{ ...test, there: !test.there }]
    case 'type':
      return [
        ...fewer(test.types, String).map(({ to }): Test => ({ ...test, types: to })),
        ...(test.types.includes('integer')
          ? [{ ...test, types: test.types.map((type) => (type === 'integer' ? 'number' : type)) }]
          : []),
      ]
    case 'enum':
      return [{ kind: 'one_of', values: test.values, negated: true }, ...fewerValues(test)]
    case 'one_of':
      return [{ ...test, negated: !test.negated }, ...fewerValues(test)]
    case 'contains':
      return fewerValues(test)
    case 'range':
      return [...contraries(test), ...bounds(test, ['min', 'max', 'above', 'below'])]
    case 'length':
      return bounds(test, ['min', 'max']).filter(({ min = 0, max = 0 }) => min >= 0 && max >= 0)
    case 'prefix':
      return [...test.prefix].length < 2 ? [] : [{ ...test, prefix: [...test.prefix].slice(0, -1).join('') }]
    case 'pattern':
      return /^\.\*.*\.\*$/.test(test.pattern) ? [] : [{ ...test, kind: 'search' }]
    case 'search':
      return /^\^[^|]*\$$/.test(test.pattern) ? [] : [{ ...test, kind: 'pattern' }]
  }
  return test satisfies never
}

function fewerValues<T extends Test & { readonly values: readonly Scalar[] }>(test: T): readonly T[] {
  return fewer(test.values, String)
    .slice(0, valuesChangedMax)
    .map(({ to }) => ({ ...test, values: to }))
}

type Bounds = 'min' | 'max' | 'above' | 'below'

function bounds<K extends Bounds, T extends Test & { readonly [key in K]?: number }>(
  test: T,
  keys: readonly K[],
): readonly T[] {
  return keys.flatMap((key) => {
    const value = test[key]
    return value === undefined ? [] : neighbours(value).map((next) => ({ ...test, [key]: next }))
  })
}

type Range = Extract<Test, { kind: 'range' }>

/** Of one bound alone: with two of them the contrary is no range. */
function contraries(test: Range): readonly Range[] {
  const { min, max, above, below } = test
  const given = [min, max, above, below].filter((bound) => bound !== undefined)
  if (given.length !== 1) return []
  if (min !== undefined) return [{ kind: 'range', below: min }]
  if (max !== undefined) return [{ kind: 'range', above: max }]
  return [above !== undefined ? { kind: 'range', max: above } : { kind: 'range', min: below as number }]
}
