/** What a rule says about arguments, as conditions of the model. */
import type { Condition, JsonType, Path, Rule, Scalar, Test } from '../../model/policy.ts'
import { quote, type Report } from '../diagnostics.ts'
import { expression } from '../expressions.ts'
import {
  choice,
  type Field,
  type Filled,
  type Form,
  flag,
  type Located,
  later,
  listOf,
  mapOf,
  mapsOf,
  mistake,
  type Named,
  oneOrMore,
  record,
} from '../forms.ts'
import { readPath } from '../paths.ts'
import { anyText, number, scalar, text, wholeNumber } from '../scalars.ts'
import { reportContradictions } from './contradictions.ts'

const typeWords = choice('string', 'number', 'integer', 'boolean', 'array', 'object', 'null')

/** `null` is a word here, with quotes or without. */
const type: Form<JsonType> = {
  says: typeWords.says,
  schema: { anyOf: [typeWords.schema, { type: 'null' }] },
  read(node, label, report) {
    return node.kind === 'scalar' && node.text === 'null' ? 'null' : typeWords.read(node, label, report)
  },
}

const lengthMap = record('a map with `min` and `max`', {
  min: { form: wholeNumber(0), about: 'The least length.' },
  max: { form: wholeNumber(0), about: 'The greatest length.' },
})

export interface Length {
  readonly min?: number
  readonly max?: number
}

const exactLength = wholeNumber(0)

const length: Form<Length> = {
  says: 'a whole number, or a map with `min` and `max`',
  schema: { anyOf: [exactLength.schema, lengthMap.schema] },
  read(node, label, report) {
    if (node.kind !== 'map') {
      const exact = exactLength.read(node, label, report)
      return exact === undefined ? undefined : { min: exact, max: exact }
    }
    const read = lengthMap.read(node, label, report)
    const fields = read?.fields
    const [min, max] = [fields?.min?.value, fields?.max?.value]
    if (read && !read.misspelt && !fields?.min && !fields?.max)
      report.error(node.at, 'says_nothing', `${label} needs a \`min\` or a \`max\``)
    if (min !== undefined && max !== undefined && min > max)
      report.error(node.at, 'contradiction', `${label} has a \`min\` of ${min} above its \`max\` of ${max}`)
    return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) }
  },
}

const values = listOf(scalar, 'a list of values', 0)

export interface Contained {
  /** For a text. */
  readonly text?: string
  /** For an array. */
  readonly values: readonly Scalar[]
}

const containedMap = record('a map with `text` and `elements`', {
  text: { form: anyText, about: 'What must be in the text.' },
  elements: { form: values, about: 'The values of which one must be an element of the array.' },
})

/** One value for texts and arrays alike, or what is looked for in each. */
const contained: Form<Contained> = {
  says: 'a value, or a map with `text` and `elements`',
  schema: { anyOf: [scalar.schema, containedMap.schema] },
  read(node, label, report) {
    if (node.kind !== 'map') {
      if (node.kind === 'list') return mistake(node, label, contained.says, report)
      const read = scalar.read(node, label, report)
      return read && { ...(typeof read.value === 'string' && { text: read.value }), values: [read.value] }
    }
    const read = containedMap.read(node, label, report)
    if (read && !read.misspelt && !read.fields.text && !read.fields.elements)
      report.error(node.at, 'says_nothing', `${label} needs a \`text\` or \`elements\``)
    const [inText, elements] = [read?.fields.text?.value, read?.fields.elements?.value ?? []]
    return { ...(inText !== undefined && { text: inText }), values: distinct(elements) }
  },
}

function distinct(listed: readonly Located<{ readonly value: Scalar }>[]): readonly Scalar[] {
  return [...new Set(listed.map(({ value }) => value.value))]
}

const onlyTrue: Form<true> = {
  says: '`true`, or left out',
  schema: { const: true },
  read(node, label, report) {
    return node.kind === 'scalar' && node.value === true ? true : mistake(node, label, onlyTrue.says, report)
  },
}

/** What the file says of one argument. */
export interface ConstraintFields {
  readonly type?: Field<readonly Located<JsonType>[]>
  readonly enum?: Field<readonly Located<{ readonly value: Scalar }>[]>
  readonly min?: Field<number>
  readonly max?: Field<number>
  readonly above?: Field<number>
  readonly below?: Field<number>
  readonly length?: Field<Length>
  readonly pattern?: Field<string>
  readonly search?: Field<string>
  readonly prefix?: Field<string>
  readonly one_of?: Field<readonly Located<{ readonly value: Scalar }>[]>
  readonly none_of?: Field<readonly Located<{ readonly value: Scalar }>[]>
  readonly contains?: Field<Contained>
  readonly exists?: Field<boolean>
  readonly required?: Field<boolean>
  readonly forbidden?: Field<true>
  readonly each?: Field<Constraints>
  readonly any?: Field<Constraints>
  readonly fields?: Field<readonly Named<Constraints>[]>
}

export type Constraints = Filled<ConstraintFields>

const constraintsSay = 'a map of what the argument must be, for example `enum: [GBP, USD]`'
const nested: Form<Constraints> = later('argument', constraintsSay, () => constraints)

/** The arguments of a rule, or the members of an object: paths, and what is said of each. */
export const argumentsForm = mapsOf(mapOf(nested, 'a map from arguments to what they must be', 1))

export const constraintKeys = {
  type: { form: oneOrMore(type), about: 'The JSON types it may have.' },
  enum: { form: listOf(scalar, 'a list of values'), about: 'The values it may have.' },
  min: { form: number, about: 'The least number it may be.' },
  max: { form: number, about: 'The greatest number it may be.' },
  above: { form: number, about: 'The number it must be greater than.' },
  below: { form: number, about: 'The number it must be less than.' },
  length: { form: length, about: 'How many characters the text, or elements the array, may have.' },
  pattern: { form: expression, about: 'A regular expression (RE2) that the whole text must match.' },
  search: { form: expression, about: 'A regular expression (RE2) that must match somewhere in the text.' },
  prefix: { form: text, about: 'How the text must begin.' },
  one_of: { form: values, about: 'The values it may have; whatever else it is, it is none of them.' },
  none_of: { form: values, about: 'The values it must not have; whatever else it is, it is none of them.' },
  contains: { form: contained, about: 'What must be in the text, or an element of the array.' },
  exists: { form: flag, about: '`true`: it must be there and not `null`; `false`: it must be missing or `null`.' },
  required: {
    form: flag,
    about: '`false`: it may be missing; `true`: it must be there. Without it, a missing argument fails.',
  },
  forbidden: { form: onlyTrue, about: '`true`: it must not be given. Stands alone.' },
  each: { form: nested, about: 'What every element of the array must be.' },
  any: { form: nested, about: 'What some element of the array must be.' },
  fields: { form: argumentsForm, about: 'What the members of the object must be, by their paths.' },
} as const

export const constraints: Form<Constraints> = record(constraintsSay, constraintKeys)

interface Context {
  readonly report: Report
  readonly effect: Rule['effect']
  /** The argument that these are members of may be missing. */
  readonly mayBeMissing?: string
}

/** The conditions of a rule. */
export function conditionsOf(args: readonly Named<Constraints>[], effect: Rule['effect'], report: Report): Condition[] {
  return membersOf(args, [], { report, effect })
}

function membersOf(args: readonly Named<Constraints>[], base: Path, context: Context): Condition[] {
  return args.flatMap(({ name, nameAt, value }) => {
    const path = readPath(name, nameAt, context.report)
    if (path === undefined) return []
    const { required } = value.fields
    if (context.mayBeMissing !== undefined && required?.value !== false && !value.fields.forbidden)
      context.report.error(nameAt, 'contradiction', memberOfMissing(name, context.mayBeMissing))
    const conditions = conditionsAt([...base, ...path], name, value, context)
    for (const condition of conditions) context.report.locate(condition, nameAt)
    return conditions
  })
}

function memberOfMissing(name: string, parent: string): string {
  return `${quote(name)} needs \`required: false\`: it is missing whenever ${quote(parent)} is`
}

function conditionsAt(path: Path, name: string, constraint: Constraints, context: Context): Condition[] {
  const { report } = context
  const { fields, at, misspelt } = constraint
  const said = Object.keys(fields)
  if (!misspelt && (said.length === 0 || (said.length === 1 && fields.required?.value === false)))
    report.error(at, 'says_nothing', `${quote(name)} must be something: say what, or \`required: true\``)
  if (fields.forbidden && said.length > 1)
    report.error(fields.forbidden.keyAt, 'contradiction', '`forbidden` stands alone: the argument is not there')
  if (fields.forbidden) return [{ path, optional: false, test: { kind: 'absent' } }]
  if (fields.exists?.value === false && said.length > 1)
    report.error(fields.exists.keyAt, 'contradiction', '`exists: false` stands alone: the argument is not there')
  reportContradictions(fields, report)
  const optional = fields.required?.value === false
  const own = testsOf(fields, context).map((test) => ({ path, optional, test }))
  if (!fields.fields) return own
  // That it is an object is a demand; a rule that denies would be cleared by an argument that is none.
  const object: Condition = { path, optional, test: { kind: 'type', types: ['object'] } }
  const below = { report, effect: context.effect, ...(optional && { mayBeMissing: name }) }
  return [
    ...own,
    ...(context.effect === 'require' ? [object] : []),
    ...membersOf(fields.fields.value ?? [], path, below),
  ]
}

function testsOf(fields: ConstraintFields, context: Context): Test[] {
  const tests: Test[] = []
  const bounds = boundsOf(fields)
  if (fields.required?.value === true) tests.push({ kind: 'present' })
  if (fields.type?.value) tests.push({ kind: 'type', types: [...new Set(fields.type.value.map(({ value }) => value))] })
  if (fields.exists?.value !== undefined) tests.push({ kind: 'exists', there: fields.exists.value })
  if (fields.enum?.value) tests.push({ kind: 'enum', values: distinct(fields.enum.value) })
  if (fields.one_of?.value) tests.push({ kind: 'one_of', values: distinct(fields.one_of.value), negated: false })
  if (fields.none_of?.value) tests.push({ kind: 'one_of', values: distinct(fields.none_of.value), negated: true })
  if (Object.keys(bounds).length > 0) tests.push({ kind: 'range', ...bounds })
  if (fields.length?.value) tests.push({ kind: 'length', ...fields.length.value })
  if (fields.prefix?.value !== undefined) tests.push({ kind: 'prefix', prefix: fields.prefix.value })
  if (fields.pattern?.value !== undefined) tests.push({ kind: 'pattern', pattern: fields.pattern.value })
  if (fields.search?.value !== undefined) tests.push({ kind: 'search', pattern: fields.search.value })
  if (fields.contains?.value) tests.push({ kind: 'contains', ...fields.contains.value })
  if (fields.each?.value)
    tests.push({ kind: 'each', conditions: elementConditions('each', fields.each.value, context) })
  if (fields.any?.value) tests.push({ kind: 'any', conditions: elementConditions('any', fields.any.value, context) })
  return tests
}

function boundsOf(fields: ConstraintFields): { min?: number; max?: number; above?: number; below?: number } {
  const words = ['min', 'max', 'above', 'below'] as const
  return Object.fromEntries(
    words.flatMap((word) => (fields[word]?.value === undefined ? [] : [[word, fields[word].value]])),
  )
}

function elementConditions(key: string, element: Constraints, { report, effect }: Context): Condition[] {
  for (const word of ['required', 'forbidden'] as const) {
    const field = element.fields[word]
    if (field) report.error(field.keyAt, 'misplaced_key', `\`${word}\` says nothing of an element: it is always there`)
  }
  const conditions = conditionsAt([], key, element, { report, effect })
  for (const condition of conditions) report.locate(condition, element.at)
  return conditions
}
