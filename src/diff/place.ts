/**
 * A place in the arguments of a call, and the classes of values that can stand there: each is a value that stands for all
 * that the policies cannot tell from it. What they say of a class is what the reference evaluator says of that value.
 */
import type { Json } from '../model/canonical.ts'
import { microOf } from '../model/decimal.ts'
import { elementsShownMax } from './elements.ts'
import type { Variable } from './formula.ts'
import { numbersFor } from './numbers.ts'
import type { Solvable } from './solve.ts'
import { asciiReader, lengthReader, orderReader } from './texts/counted.ts'
import { type Glob, globReader } from './texts/globs.ts'
import { patternReader } from './texts/patterns.ts'
import type { Reader } from './texts/reader.ts'
import { type TextsFound, walkTexts } from './texts/walk.ts'

export interface Value extends Solvable {
  /** Undefined: nothing stands there. */
  readonly value: Json | undefined
  /** An object whose members, or an array whose elements, are places of their own. */
  readonly open?: 'object' | 'array'
  /** It stands for values that are not told apart here: what is asked of its content may have any answer. */
  readonly opaque?: true
}

export interface TellingApart {
  readonly statesMax: number
  readonly expired: () => boolean
  /** Texts that were told apart before, by what is asked of them. */
  readonly known: Map<string, TextsFound>
}

/** `arguments` is the object of them all; an element is there, a member need not be. */
type PlaceKind = 'arguments' | 'member' | 'element'

const openObject: Value = { value: {}, open: 'object' }

/** What is asked of a place, as far as it decides which values must be told apart. */
export class Place {
  /** For people: `tags[].name`. */
  readonly name: string
  readonly #kind: PlaceKind
  readonly #fields = new Map<string, Place>()
  #elements: Place | undefined
  #variable: Variable<Value> | undefined
  readonly bounds = new Set<number>()
  readonly globs = new Map<string, Glob>()
  readonly patterns = new Map<string, { readonly pattern: string; readonly whole: boolean }>()
  readonly orders = new Set<string>()
  readonly textLengths = new Set<number>()
  readonly halves = new Set<number>()
  readonly arrayLengths = new Set<number>()
  /** Lists and maps that are compared with as they are. */
  readonly wholes = new Map<string, Json>()
  /** Something is asked of the value as a text, whatever it is. */
  asText = false
  asAscii = false
  /** Why not all of its values could be told apart. */
  blurred: string | undefined

  constructor(name: string, kind: PlaceKind) {
    this.name = name
    this.#kind = kind
  }

  field(key: string): Place {
    const known = this.#fields.get(key)
    if (known) return known
    const place = new Place(this.name === '' ? key : `${this.name}.${key}`, 'member')
    this.#fields.set(key, place)
    return place
  }

  get fields(): ReadonlyMap<string, Place> {
    return this.#fields
  }

  /** Members and elements. */
  get below(): readonly Place[] {
    return [...this.#fields.values(), ...(this.#elements ? [this.#elements] : [])]
  }

  get elements(): Place {
    this.#elements ??= new Place(`${this.name}[]`, 'element')
    return this.#elements
  }

  get variable(): Variable<Value> {
    if (!this.#variable) throw new TypeError(`the values of \`${this.name}\` have not been told apart`)
    return this.#variable
  }

  /** After everything was asked. */
  tellApart(options: TellingApart): void {
    for (const place of this.below) place.tellApart(options)
    this.#variable = { name: this.name, classes: this.#kind === 'arguments' ? [openObject] : this.#classes(options) }
  }

  #classes(options: TellingApart): readonly Value[] {
    const { texts, complete } = this.#texts(options)
    const numbers = numbersFor(this.bounds).map(numberOf)
    const classes = [
      ...(this.#kind === 'member' ? [{ value: undefined }] : []),
      ...(this.bounds.size > 0 ? numbers : []),
      ...texts.map((value) => ({ value })),
      ...(complete && !this.blurred ? [] : [{ value: texts[0] ?? 'a', opaque: true as const }]),
      ...(this.bounds.size > 0 ? [] : numbers),
      { value: true },
      { value: false },
      ...this.#objects(),
      ...this.#arrays(),
      { value: null },
    ]
    // What cannot be told apart by its kind alone, where it is asked as a text.
    const twins = this.asText ? classes.filter(({ value }) => typeof value === 'number').map(opaqueOf) : []
    if (!complete) this.blurred ??= `texts of \`${this.name}\` are of too many kinds`
    if (this.asText) this.blurred ??= `\`${this.name}\` is matched as a text, whatever it is`
    if (this.wholes.size > 0) this.blurred ??= `\`${this.name}\` is compared with a list or a map`
    return [...classes, ...twins]
  }

  #texts(options: TellingApart): TextsFound {
    const { globs, patterns, textLengths, halves, orders, asAscii } = this
    const sets = [globs.keys(), patterns.keys(), textLengths, halves, orders].map((one) => [...one].sort())
    const key = JSON.stringify([sets, asAscii])
    const readers = this.#readers()
    const found = options.known.get(key) ?? walkTexts(readers, options)
    // What was given up for want of time may be found when there is more of it.
    if (found.complete || !options.expired()) options.known.set(key, found)
    return found
  }

  #readers(): readonly Reader<never>[] {
    const readers: Reader<never>[] = []
    const add = <State>(reader: Reader<State>) => readers.push(reader as unknown as Reader<never>)
    if (this.globs.size > 0) add(globReader([...this.globs.values()]))
    if (this.textLengths.size > 0) add(lengthReader([...this.textLengths], 'points'))
    if (this.halves.size > 0) add(lengthReader([...this.halves], 'halves'))
    if (this.asAscii) add(asciiReader)
    for (const text of this.orders) add(orderReader(text))
    for (const { pattern, whole } of this.patterns.values()) {
      const reader = patternReader(pattern, whole)
      if (reader) add(reader)
      else this.blurred = `the pattern \`${pattern}\` is not understood`
    }
    return readers
  }

  /** An object or a list that is asked about as a whole is one of those that are named, or opaque. */
  #objects(): readonly Value[] {
    const wholes = [...this.wholes.values()].filter((one) => typeof one === 'object' && !Array.isArray(one))
    const isWhole = this.asText || wholes.length > 0
    const given = isWhole ? [...(this.asText ? [{}] : []), ...wholes].map((value) => ({ value })) : []
    return [...given, { ...openObject, ...(isWhole && { opaque: true as const }) }]
  }

  #arrays(): readonly Value[] {
    const wholes = [...this.wholes.values()].filter(Array.isArray)
    const isWhole = this.asText || wholes.length > 0
    const given = isWhole ? [...(this.asText ? [[]] : []), ...wholes].map((value) => ({ value: value as Json })) : []
    const edges = [...this.arrayLengths].filter((one) => one > 0).flatMap((one) => [one, one + 1])
    const starts = [...new Set([0, 1, ...edges.map(Math.floor)])].sort((a, b) => a - b)
    const open = starts.map(
      (min, index): Value => ({
        value: [],
        open: 'array',
        lengths: { min, max: (starts[index + 1] ?? Number.POSITIVE_INFINITY) - 1 },
        ...((isWhole || min > elementsShownMax) && { opaque: true as const }),
      }),
    )
    return [...given, ...open]
  }
}

function numberOf(value: number): Value {
  const micro = microOf(value)
  return { value, ...(micro !== undefined && { micro }) }
}

function opaqueOf(one: Value): Value {
  return { ...one, opaque: true }
}
