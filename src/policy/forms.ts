/**
 * A language as data: a form says what a value may be, and reads it. Maps are tables of keys, so that the keys that are
 * read, the keys that an error lists and the keys that the reference explains are the same list.
 */
import type { Json } from '../model/canonical.ts'
import { type Advice, literal, oneOf, quote, type Report, type Spot } from './diagnostics.ts'
import { listItemsMax } from './limits.ts'
import type { Node } from './source.ts'
import { hint, nearest } from './spelling.ts'

export interface Form<T> {
  /** What is allowed, to follow "must be". */
  readonly says: string
  /** The same for editors, as far as JSON Schema can say it. */
  readonly schema: Schema
  /** Undefined when the value is not allowed; then the report says so. `label` is how a sentence calls the value. */
  readonly read: (node: Node, label: string, report: Report) => T | undefined
}

/** JSON Schema, draft 2020-12. */
export interface Schema {
  readonly [keyword: string]: Json | undefined
}

/** Reports that a value is not what its form says. */
export function mistake(
  node: Node,
  label: string,
  says: string,
  report: Report,
  more = '',
  advice: Advice = {},
): undefined {
  report.error(node.at, 'wrong_value', `${label} must be ${says}, got ${found(node)}${more}${trap(node)}`, advice)
}

/** Reports a value that is none of some words, and the word that was probably meant. */
export function misspelt(node: Node, label: string, says: string, report: Report, known: readonly string[]): undefined {
  const said = node.kind === 'scalar' ? node.text : ''
  return mistake(node, label, says, report, hint(said, known), { suggestion: nearest(said, known) })
}

/** A value as an error shows it. */
export function found(node: Node): string {
  if (node.kind === 'map') return node.entries.length === 0 ? 'an empty map' : 'a map'
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list'
  if (typeof node.value === 'string') return literal(node.value)
  return node.text === '' ? 'nothing' : quote(node.text)
}

/** Where a map or a list should be and nothing is, its lines mostly are there and not indented. */
function hollow(node: Node): string {
  return node.kind === 'scalar' && node.value === null && node.text === ''
    ? ' (is what belongs to it indented further?)'
    : ''
}

/** Words that YAML 1.1 took for yes and no. */
export const oldYesNo = /^(?:y|yes|n|no|on|off)$/i

function trap(node: Node): string {
  if (node.kind !== 'scalar' || !node.plain || typeof node.value !== 'string' || !oldYesNo.test(node.text)) return ''
  return ` (YAML 1.2 reads ${quote(node.text)} as text)`
}

/** One of some words. */
export function choice<const W extends string>(...words: readonly W[]): Form<W> {
  const says = oneOf(words)
  return {
    says,
    schema: { enum: words },
    read(node, label, report) {
      const word = words.find((w) => node.kind === 'scalar' && node.value === w)
      return word ?? misspelt(node, label, says, report, words)
    },
  }
}

/** `true` or `false`. */
export const flag: Form<boolean> = {
  says: '`true` or `false`',
  schema: { type: 'boolean' },
  read(node, label, report) {
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
    return mistake(node, label, flag.says, report)
  },
}

/** A value and where it stands. */
export interface Located<T> {
  readonly value: T
  readonly at: Spot
}

/** A list of one or more. */
export function listOf<T>(form: Form<T>, says: string, itemsMin = 1): Form<readonly Located<T>[]> {
  return {
    says,
    schema: { type: 'array', items: form.schema, minItems: itemsMin, maxItems: listItemsMax },
    read(node, label, report) {
      if (node.kind !== 'list') return mistake(node, label, says, report, hollow(node))
      if (node.items.length < itemsMin) {
        const items = node.items.length === 0 ? 'an empty list' : `a list of ${node.items.length}`
        report.error(node.at, 'wrong_value', `${label} must be ${says}, got ${items}`)
        return undefined
      }
      return readItems(node.items, form, `each of ${label}`, report)
    },
  }
}

function readItems<T>(
  nodes: readonly Node[],
  form: Form<T>,
  label: string,
  report: Report,
): readonly Located<T>[] | undefined {
  if (nodes.length > listItemsMax) {
    report.error(
      (nodes[listItemsMax] as Node).at,
      'too_large',
      `${label} is one too many, at most ${listItemsMax} are read`,
    )
    return undefined
  }
  const items = nodes.map((node) => ({ value: form.read(node, label, report), at: node.at }))
  return items.every((item): item is Located<T> => item.value !== undefined) ? items : undefined
}

/** One, or a list of one or more. */
export function oneOrMore<T>(form: Form<T>): Form<readonly Located<T>[]> {
  const list = listOf(form, `${form.says}, or a list of these`)
  return {
    says: list.says,
    schema: { anyOf: [form.schema, list.schema] },
    read(node, label, report) {
      if (node.kind === 'list') return list.read(node, label, report)
      const value = form.read(node, label, report)
      return value === undefined ? undefined : [{ value, at: node.at }]
    },
  }
}

/** What a key of a map means. */
export interface Key<T> {
  readonly form: Form<T>
  readonly about: string
  /** What to write where the key is missing; absent: the map may do without it. */
  readonly required?: string
}

export type Keys = Readonly<Record<string, Key<unknown>>>

/** A key that is there: its value is undefined when it is wrong, which the report then knows. */
export interface Field<T> {
  readonly value: T | undefined
  readonly keyAt: Spot
  readonly at: Spot
}

export type FieldsOf<K extends Keys> = { readonly [P in keyof K]?: Field<K[P] extends Key<infer T> ? T : never> }

export interface Filled<F> {
  readonly at: Spot
  readonly fields: F
  /** Some key is unknown: what seems to be missing may be what was misspelt. */
  readonly misspelt: boolean
}

export interface RecordWords {
  /** What has these keys, where the label would not say it well. */
  readonly owner?: string
  /** Keys that stand elsewhere, and where: to follow "`key` stands". */
  readonly elsewhere?: { readonly keys: Keys; readonly place: string }
}

/** A map with known keys. */
export function record<K extends Keys>(
  says: string,
  keys: K,
  { owner, elsewhere }: RecordWords = {},
): Form<Filled<FieldsOf<K>>> {
  const names = Object.keys(keys)
  return {
    says,
    schema: recordSchema(keys),
    read(node, label, report) {
      if (node.kind !== 'map') return mistake(node, label, says, report, hollow(node))
      const fields: [string, Field<unknown>][] = []
      const guesses = new Set<string | undefined>()
      for (const { key, keyAt, value } of node.entries) {
        if (Object.hasOwn(keys, key)) {
          const { form } = keys[key] as Key<unknown>
          fields.push([key, { value: form.read(value, quote(key), report), keyAt, at: value.at }])
        } else if (elsewhere && Object.hasOwn(elsewhere.keys, key)) {
          report.error(keyAt, 'misplaced_key', `${quote(key)} stands ${elsewhere.place}`)
          guesses.add(undefined)
        } else guesses.add(unknownKey(key, keyAt, names, owner ?? label, report))
      }
      const given = Object.fromEntries(fields)
      for (const name of names) {
        const words = (keys[name] as Key<unknown>).required
        if (words && !Object.hasOwn(given, name) && !guesses.has(name))
          report.error(node.at, 'missing_key', `${quote(name)} is missing: ${words}`)
      }
      return { at: node.at, fields: given as FieldsOf<K>, misspelt: guesses.size > 0 }
    },
  }
}

function recordSchema(keys: Keys): Schema {
  const names = Object.keys(keys)
  const properties = Object.entries(keys).map(([name, { about, form }]) => [
    name,
    { description: about, ...form.schema },
  ])
  const required = names.filter((name) => keys[name]?.required !== undefined)
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}

/** Returns the key that was probably meant. */
function unknownKey(
  key: string,
  at: Spot,
  names: readonly string[],
  owner: string,
  report: Report,
): string | undefined {
  const near = nearest(key, names)
  const rest = near === undefined ? `${owner} has ${oneOf(names)}` : `did you mean ${quote(near)}?`
  report.error(at, 'unknown_key', `unknown key ${quote(key)}, ${rest}`, { suggestion: near })
  return near
}

/** An entry of a map whose keys are the file's own words. */
export interface Named<T> {
  readonly name: string
  readonly nameAt: Spot
  readonly value: T
}

/** A map with free keys; entries whose value is wrong are left out, and reported. */
export function mapOf<T>(form: Form<T>, says: string, entriesMin = 0): Form<readonly Named<T>[]> {
  return {
    says,
    schema: { type: 'object', additionalProperties: form.schema, minProperties: entriesMin },
    read(node, label, report) {
      if (node.kind !== 'map') return mistake(node, label, says, report, hollow(node))
      if (node.entries.length < entriesMin)
        report.error(node.at, 'wrong_value', `${label} must be ${says}, got an empty map`)
      return node.entries.flatMap(({ key, keyAt, plain, value }) => {
        if (plain && bareNull.test(key))
          report.error(keyAt, 'bad_name', `a bare ${quote(key)} is no text in YAML: put it in quotes if it is a name`)
        const read = form.read(value, quote(key), report)
        return read === undefined ? [] : [{ name: key, nameAt: keyAt, value: read }]
      })
    },
  }
}

/** What YAML 1.2 (core schema, 10.3.2) takes for null: a reader of another language sees no name, or an empty one. */
const bareNull = /^(?:null|Null|NULL|~)$/

/** One map, or a list of maps that is read like one: a key may stand in each of them. */
export function mapsOf<T>(map: Form<readonly Named<T>[]>): Form<readonly Named<T>[]> {
  const list = listOf(map, 'a list of maps')
  return {
    says: map.says,
    schema: { anyOf: [map.schema, list.schema] },
    read(node, label, report) {
      if (node.kind !== 'list') return map.read(node, label, report)
      return list.read(node, label, report)?.flatMap(({ value }) => value)
    },
  }
}

/** A form that mentions itself; `name` is its place among the definitions of the schema. */
export function later<T>(name: string, says: string, form: () => Form<T>): Form<T> {
  return {
    says,
    schema: { $ref: `#/$defs/${name}` },
    read: (node, label, report) => form().read(node, label, report),
  }
}
