/** What two JSON parsers could read differently: found in the text, since parsing has already chosen one reading. */
import { survivesDouble } from '../decimal.ts'
import { jsonDepthMax, objectKeysMax } from '../limits.ts'
import { foldedKey } from './folding.ts'
import { quoted } from './quoted.ts'

/** The longest double written out has 309 digits before the point; a literal beyond this has no honest use. */
const numberCharsMax = 400

/** Up to this many keys are compared one by one; beyond, a set is quicker. */
const fewKeys = 16

const quote = 0x22
const minus = 0x2d
const zero = 0x30
const nine = 0x39
const colon = 0x3a
const openArray = 0x5b
const backslash = 0x5c
const closeArray = 0x5d
const letterU = 0x75
const openObject = 0x7b
const closeObject = 0x7d

/**
 * The first thing in the text that two parsers could read differently, as a sentence; undefined when there is none.
 * The text must be JSON already (`JSON.parse` is the authority on grammar); on other text the answer means nothing.
 * Linear in the text.
 */
export function ambiguity(text: string, ascii: boolean): string | undefined {
  const keys = new KeyStack(ascii)
  let nextBackslash = findBackslash(text, 0)
  let at = 0
  while (at < text.length) {
    const char = text.charCodeAt(at)
    if (char === quote) {
      const start = at + 1
      if (nextBackslash < start) nextBackslash = findBackslash(text, start)
      const end = closingQuote(text, start)
      const escaped = nextBackslash < end
      if (escaped && !isWellFormed(text, nextBackslash, end)) return 'a string holds half of a surrogate pair'
      at = end + 1
      const isKey = text.charCodeAt(afterSpace(text, at)) === colon
      const trouble = isKey ? keys.add(text.slice(start, end), escaped) : undefined
      if (trouble !== undefined) return trouble
    } else if (char === openObject || char === openArray) {
      if (keys.open(char === openObject) > jsonDepthMax) return `it is nested deeper than ${jsonDepthMax} levels`
      at++
    } else if (char === closeObject || char === closeArray) {
      keys.close()
      at++
    } else if (char === minus || (char >= zero && char <= nine)) {
      const end = numberEnd(text, at)
      if (!survives(text, at, end)) return `the number ${quoted(text.slice(at, end))} does not fit a double exactly`
      at = end
    } else at++
  }
  return undefined
}

/** The keys of the objects that are open, innermost last. */
class KeyStack {
  readonly #ascii: boolean
  /** Keys of all open objects, one after the other; entries from `#count` on are stale. */
  readonly #keys: string[] = []
  #count = 0
  /** Where each open object's keys start; -1 for an array. */
  readonly #starts: number[] = []
  readonly #sets: (Set<string> | undefined)[] = []
  #start = -1
  #depth = 0

  constructor(ascii: boolean) {
    this.#ascii = ascii
  }

  open(isObject: boolean): number {
    this.#start = isObject ? this.#count : -1
    this.#starts[this.#depth] = this.#start
    this.#sets[this.#depth] = undefined
    return ++this.#depth
  }

  close(): void {
    if (this.#start >= 0) this.#count = this.#start
    this.#depth--
    this.#start = this.#starts[this.#depth - 1] ?? -1
  }

  /** Takes a key as it stands in the text; answers what is wrong with it. */
  add(raw: string, escaped: boolean): string | undefined {
    const key = escaped ? unescaped(raw) : raw
    if (escaped && key.includes('\0')) return `the key ${quoted(key)} holds a NUL`
    const folded = foldedKey(key, this.#ascii && !escaped)
    if (this.#has(folded)) return `the key ${quoted(key)} stands twice in one object, or differs only by letter case`
    this.#keys[this.#count++] = folded
    if (this.#count - this.#start > objectKeysMax) return `an object has more than ${objectKeysMax} keys`
    return undefined
  }

  #has(key: string): boolean {
    if (this.#count - this.#start > fewKeys) return this.#hasMany(key)
    for (let i = this.#start; i < this.#count; i++) if (this.#keys[i] === key) return true
    return false
  }

  #hasMany(key: string): boolean {
    const level = this.#depth - 1
    const set = this.#sets[level] ?? new Set(this.#keys.slice(this.#start, this.#count))
    this.#sets[level] = set
    return set.size === set.add(key).size
  }
}

/**
 * The quote that ends the string whose content starts at `from`; the end of the text when there is none. Most strings
 * hold no quote and are skipped at the speed of a search; the rest are walked.
 */
export function closingQuote(text: string, from: number): number {
  const end = text.indexOf('"', from)
  if (end < 0) return text.length
  return end === from || text.charCodeAt(end - 1) !== backslash ? end : walkedToQuote(text, from)
}

function walkedToQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === quote) return at
    if (char === backslash) at++
  }
  return text.length
}

export function afterSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++
  return at
}

export function unescaped(raw: string): string {
  return JSON.parse(`"${raw}"`) as string
}

function findBackslash(text: string, from: number): number {
  const at = text.indexOf('\\', from)
  return at < 0 ? Number.POSITIVE_INFINITY : at
}

/** Are all surrogates in pairs, in a string's content that ends at `end` and has its first escape at `from`? */
function isWellFormed(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    if (text.charCodeAt(at) !== backslash) continue
    at++
    if (text.charCodeAt(at) === letterU) return unescaped(text.slice(at - 1, end)).isWellFormed()
  }
  return true
}

function numberEnd(text: string, from: number): number {
  let at = from + 1
  while (isInNumber(text.charCodeAt(at))) at++
  return at
}

/** Digits, sign, point, exponent: `+` to `9` without `,` and `/`, which JSON puts after a number or nowhere. */
function isInNumber(char: number): boolean {
  return (
    (char >= zero && char <= nine) || char === 0x2e || char === 0x65 || char === 0x45 || char === 0x2b || char === minus
  )
}

/** Every decimal of up to 15 digits comes back from a double as it was; only longer ones and powers need a look. */
function survives(text: string, start: number, end: number): boolean {
  if (end - start <= 15 && !hasExponent(text, start, end)) return true
  return end - start <= numberCharsMax && survivesDouble(text.slice(start, end))
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((text.charCodeAt(at) | 0x20) === 0x65) return true
  return false
}
