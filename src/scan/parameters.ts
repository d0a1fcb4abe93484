/** The parameters of a tool, from its input schema: as much as a reader of a policy needs. */
import { field, flagOf, isObject, listOf, textOf } from './fields.ts'
import { parametersMax, schemaChoicesMax, schemaDepthMax } from './limits.ts'

export interface Parameter {
  readonly name: string
  /** For a reader: `string`, `array of number`, `string or null`. */
  readonly type: string
  readonly required: boolean
  /** Of an enumeration; as JSON. */
  readonly values: readonly string[]
  readonly about: string
}

/** The first of them, and how many there are beyond. */
export interface Parameters {
  readonly first: readonly Parameter[]
  readonly more: number
}

export function parametersOf(schema: unknown): Parameters {
  const properties = field(schema, 'properties')
  const named = isObject(properties) ? Object.entries(properties) : []
  const required = new Set(listOf(schema, 'required'))
  return firstOf(named, ([name, written]) => ({ name, required: required.has(name), ...described(written, schema) }))
}

/** The arguments of a prompt: always texts. */
export function promptParametersOf(items: readonly unknown[]): Parameters {
  return firstOf(items, (item) => ({
    name: textOf(item, 'name') ?? '',
    type: 'string',
    required: flagOf(item, 'required') === true,
    values: [],
    about: textOf(item, 'description') || textOf(item, 'title') || '',
  }))
}

function firstOf<T>(items: readonly T[], read: (item: T) => Parameter): Parameters {
  return { first: items.slice(0, parametersMax).map(read), more: Math.max(0, items.length - parametersMax) }
}

function described(written: unknown, schema: unknown): Omit<Parameter, 'name' | 'required'> {
  const property = resolved(written, schema, 0)
  return {
    type: typeText(property, schema, 0),
    values: valuesOf(property),
    about: textOf(written, 'description') || textOf(property, 'description') || textOf(property, 'title') || '',
  }
}

function valuesOf(property: unknown): readonly string[] {
  const constant = field(property, 'const')
  const values = constant === undefined ? listOf(property, 'enum') : [constant]
  return values.filter((value) => !isObject(value) && !Array.isArray(value)).map((value) => JSON.stringify(value))
}

function typeText(property: unknown, root: unknown, depth: number): string {
  if (depth > schemaDepthMax) return 'any'
  const below = (schema: unknown) => typeText(resolved(schema, root, depth), root, depth + 1)
  const type = field(property, 'type')
  if (type === 'array') {
    const items = field(property, 'items')
    return items === undefined ? 'array' : `array of ${below(items)}`
  }
  if (typeof type === 'string') return type
  if (Array.isArray(type)) return either(type.filter((one) => typeof one === 'string'))
  const choices = [...listOf(property, 'anyOf'), ...listOf(property, 'oneOf')]
  if (choices.length > 0) return either(choices.slice(0, schemaChoicesMax).map(below))
  const types = listOf(property, 'enum').map((value) => (value === null ? 'null' : typeof value))
  return either(types)
}

function either(types: readonly string[]): string {
  return [...new Set(types)].join(' or ') || 'any'
}

/** What a reference within the schema stands for. A reference to anywhere else is never followed. */
function resolved(schema: unknown, root: unknown, depth: number): unknown {
  const reference = textOf(schema, '$ref')
  if (reference === undefined || depth > schemaDepthMax || !reference.startsWith('#/')) return schema
  const target = reference
    .slice(2)
    .split('/')
    .reduce((value, key) => field(value, key.replaceAll('~1', '/').replaceAll('~0', '~')), root)
  return resolved(target, root, depth + 1)
}
