/** Changes that change no decision, as far as it is plain: those mutants nobody could notice. */
import type { Condition, JsonType, Path, Rule, Scalar, Test } from '../../model/policy.ts'
import { samePath } from '../../policy/warnings/implied.ts'

/** Does a requirement ask as much by its other conditions? That something is there, or of which type it is. */
export function isAskedBeside({ path, optional, test }: Condition, others: readonly Condition[]): boolean {
  if (test.kind !== 'present' && test.kind !== 'type') return false
  return others.some((other) => {
    if (test.kind === 'type' && test.types.includes('object') && isMember(path, other))
      return optional || !(other.optional || other.test.kind === 'absent')
    if (!samePath(other.path, path) || (other.optional && !(optional && test.kind === 'type'))) return false
    const types = typesPassing(other.test)
    if (types === undefined) return false
    return test.kind === 'present' ? !types.includes('null') : types.every((type) => isOf(type, test.types))
  })
}

/** Does the rule refuse every call without the argument? Then it does not matter what another one of the entry makes of it. */
export function refusesWithout(rule: Rule, path: Path): boolean {
  const { effect, conditions, readings = [], spend, limits } = rule
  if (rule.for !== undefined || effect === 'hold') return false
  const asks = ({ path: own, optional, test }: Condition) =>
    !optional && samePath(own, path) && test.kind !== 'absent' && test.kind !== 'exists'
  // A rule that denies is cleared by proof against any of its conditions, and what is missing is not there for sure.
  if (effect === 'deny')
    return (
      conditions.length > 0 &&
      readings.length === 0 &&
      conditions.every((one) => asks(one) && one.test.kind !== 'present')
    )
  const counted = limits.flatMap(({ counter }) =>
    counter.per.flatMap((per) => (per.kind === 'argument' ? [per.path] : [])),
  )
  const needed = [...counted, ...(spend ? [spend.amount] : []), ...(spend?.currency ? [spend.currency.path] : [])]
  return conditions.some(asks) || needed.some((own) => samePath(own, path))
}

/** What has a member is an object; what may lack it may be missing itself. */
function isMember(path: Path, { path: own, test }: Condition): boolean {
  return own.length > path.length && samePath(own.slice(0, path.length), path) && test.kind !== 'exists'
}

function isOf(type: JsonType, types: readonly JsonType[]): boolean {
  return types.includes(type) || (type === 'integer' && types.includes('number'))
}

/** The types of the values that can pass; undefined where any may. */
function typesPassing(test: Test): readonly JsonType[] | undefined {
  switch (test.kind) {
    case 'type':
      return test.types
    case 'enum':
      return test.values.map(typeOf)
    case 'one_of':
      return test.negated ? undefined : test.values.map(typeOf)
    case 'range':
      return ['number']
    case 'length':
      return ['string', 'array']
    case 'prefix':
    case 'pattern':
    case 'search':
      return ['string']
    case 'contains':
      return test.text === undefined ? ['array'] : ['string', 'array']
    case 'each':
    case 'any':
      return ['array']
    case 'present':
    case 'absent':
    case 'exists':
      return undefined
  }
  return test satisfies never
}

function typeOf(value: Scalar): JsonType {
  if (value === null) return 'null'
  return Number.isSafeInteger(value) ? 'integer' : (typeof value as 'string' | 'number' | 'boolean')
}
