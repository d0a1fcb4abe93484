/**
 * JSON as OPA hashes it: keys in the order of their UTF-8 bytes, no white space, numbers as they were written, strings as
 * Go prints them. Text that two parsers could read differently is refused.
 */
import { isUtf8 } from 'node:buffer'
import type { Json } from '../model/canonical.ts'
import { afterSpace, closingQuote } from '../model/message/ambiguity.ts'
import { BundleError } from './errors.ts'
import { bundleJsonDepthMax } from './limits.ts'

/** A number keeps the digits that it was written with: `1.0` is not `1`. */
export type Lossless = null | boolean | string | { readonly number: string } | readonly Lossless[] | Members
type Members = ReadonlyMap<string, Lossless>

/** `name` is what errors call the text. Throws `bundle_json_refused`. */
export function readLossless(name: string, bytes: Uint8Array): Lossless {
  const text = textOf(name, bytes)
  parsed(name, text)
  return new Reader(name, text).value()
}

/** The value as JavaScript has it, once it is known to have one reading. */
export function readValue(name: string, bytes: Uint8Array): Json {
  const text = textOf(name, bytes)
  const value = parsed(name, text)
  new Reader(name, text).value()
  return value
}

/** `JSON.parse` is the authority on grammar. */
function parsed(name: string, text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw refused(name, 'is not JSON')
  }
}

function textOf(name: string, bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw refused(name, 'is not UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** What is hashed of a structured file. */
export function hashedText(value: Lossless): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(hashedText).join(',')}]`
  if (value instanceof Map) {
    const members = [...value].map(([key, member]) => ({
      bytes: Buffer.from(key),
      text: `${quoted(key)}:${hashedText(member)}`,
    }))
    return `{${members
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
      .map(({ text }) => text)
      .join(',')}}`
  }
  return (value as { readonly number: string }).number
}

/** Go escapes the two line separators, and JavaScript does not. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
}

function refused(name: string, why: string): BundleError {
  return new BundleError('bundle_json_refused', `\`${name}\` ${why}`)
}

/** Walks text that is known to be JSON. */
class Reader {
  readonly #name: string
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(name: string, text: string) {
    this.#name = name
    this.#text = text
  }

  /** What begins here, and the place behind it. */
  value(): Lossless {
    switch (this.#peek()) {
      case '{':
        return this.#nested(() => this.#members())
      case '[':
        return this.#nested(() => this.#elements())
      case '"':
        return this.#string()
    }
    const start = this.#at
    while (this.#at < this.#text.length && !',]} \t\r\n'.includes(this.#text[this.#at] as string)) this.#at++
    const word = this.#text.slice(start, this.#at)
    return word === 'null' ? null : word === 'true' || word === 'false' ? word === 'true' : { number: word }
  }

  #peek(): string {
    this.#at = afterSpace(this.#text, this.#at)
    return this.#text[this.#at] ?? ''
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > bundleJsonDepthMax) throw this.#wrong(`is nested deeper than ${bundleJsonDepthMax} levels`)
    this.#at++
    const value = read()
    this.#at++
    this.#depth--
    return value
  }

  #members(): Members {
    const members = new Map<string, Lossless>()
    while (this.#peek() !== '}') {
      if (this.#peek() === ',') this.#at++
      this.#peek()
      const key = this.#string()
      if (members.has(key)) throw this.#wrong(`has the key \`${key}\` twice in one object`)
      this.#peek()
      this.#at++
      members.set(key, this.value())
    }
    return members
  }

  #elements(): readonly Lossless[] {
    const elements: Lossless[] = []
    while (this.#peek() !== ']') {
      if (this.#peek() === ',') this.#at++
      elements.push(this.value())
    }
    return elements
  }

  #string(): string {
    const end = closingQuote(this.#text, this.#at + 1)
    const text = JSON.parse(this.#text.slice(this.#at, end + 1)) as string
    if (!text.isWellFormed()) throw this.#wrong('has half of a surrogate pair in a string')
    this.#at = end + 1
    return text
  }

  #wrong(why: string): BundleError {
    return refused(this.#name, `${why} (line ${this.#text.slice(0, this.#at).split('\n').length})`)
  }
}
