/** What a schema says of one place in the arguments. Where it does not say it plainly, nothing is known. */
import type { Path, Test } from '../model/policy.ts'
import { field, isObject, listOf, textOf } from './fields.ts'
import { schemaDepthMax } from './limits.ts'

export type Place =
  | { readonly kind: 'known'; readonly schema: unknown }
  /** The members that there are where this key would be. */
  | { readonly kind: 'missing'; readonly key: string; readonly members: readonly string[] }
  | { readonly kind: 'unclear' }

const unclear: Place = { kind: 'unclear' }

/** A step down: a member by its name, or the elements of an array. */
export type Step = string | typeof elements
export const elements = Symbol('elements')

/** The steps to each test of a condition, its own and those of elements. */
export function stepsOf(
  path: Path,
  test: Test,
  base: readonly Step[] = [],
): readonly { steps: readonly Step[]; test: Test }[] {
  const steps = [...base, ...path]
  const below =
    test.kind === 'each' || test.kind === 'any'
      ? test.conditions.flatMap((condition) => stepsOf(condition.path, condition.test, [...steps, elements]))
      : []
  return [{ steps, test }, ...below]
}

export function placeIn(root: unknown, steps: readonly Step[]): Place {
  let schema = resolved(root, root)
  for (const step of steps) {
    if (composed.some((keyword) => field(schema, keyword) !== undefined)) return unclear
    const next = step === elements ? elementsOf(schema) : memberOf(schema, step)
    if (next.kind !== 'known') return next
    schema = resolved(next.schema, root)
  }
  return { kind: 'known', schema }
}

/** Keywords that say more of the members than `properties` does. */
const composed = [
  'anyOf',
  'oneOf',
  'allOf',
  'if',
  'not',
  'patternProperties',
  'dependentSchemas',
  '$dynamicRef',
  '$ref',
]

function memberOf(schema: unknown, key: string): Place {
  const properties = field(schema, 'properties')
  const schemas = isObject(properties) ? properties : {}
  if (Object.hasOwn(schemas, key)) return { kind: 'known', schema: schemas[key] }
  const more = field(schema, 'additionalProperties')
  const open = more === undefined ? !isObject(properties) : more !== false
  return open ? unclear : { kind: 'missing', key, members: Object.keys(schemas) }
}

function elementsOf(schema: unknown): Place {
  const items = field(schema, 'items')
  return isObject(items) && field(schema, 'prefixItems') === undefined ? { kind: 'known', schema: items } : unclear
}

/** The values that a schema lists; undefined where it lists none. */
export function listedValues(schema: unknown): readonly unknown[] | undefined {
  if (composed.some((keyword) => field(schema, keyword) !== undefined)) return undefined
  const constant = field(schema, 'const')
  if (constant !== undefined) return [constant]
  const values = listOf(schema, 'enum')
  return values.length === 0 ? undefined : values
}

/** Follows references within the schema; one that leads elsewhere stays, and makes the place unclear. */
function resolved(schema: unknown, root: unknown): unknown {
  let found = schema
  for (let depth = 0; depth <= schemaDepthMax; depth++) {
    const reference = textOf(found, '$ref')
    if (reference === undefined || !reference.startsWith('#/')) return found
    found = reference
      .slice(2)
      .split('/')
      .reduce((value, key) => field(value, key.replaceAll('~1', '/').replaceAll('~0', '~')), root)
  }
  return found
}
