/**
 * JSON as OPA hashes it: keys in the order of their UTF-8 bytes, no white space, numbers as they were written, strings as
 * Go prints them. Text that two parsers could read differently is refused.
 */
import { isUtf8 } from 'node:buffer'
import type { Json } from '../model/canonical.ts'
import { afterSpace, closingQuote } from '../model/message/ambiguity.ts'
import { BundleError } from './errors.ts'
import { bundleJsonBytesMax, bundleJsonDepthMax } from './limits.ts'

/** What is hashed of a structured file. `name` is what errors call it. Throws `bundle_json_refused`. */
export function hashedText(name: string, bytes: Uint8Array): string {
  const text = textOf(name, bytes)
  parsed(name, text)
  return new Hashed(name, text).value()
}

/** The value as JavaScript has it, once it is known to have one reading. Throws `bundle_json_refused`. */
export function readValue(name: string, bytes: Uint8Array): Json {
  const text = textOf(name, bytes)
  const value = parsed(name, text)
  new Hashed(name, text).value()
  return value
}

function textOf(name: string, bytes: Uint8Array): string {
  if (bytes.length > bundleJsonBytesMax)
    throw new BundleError(
      'bundle_too_large',
      `\`${name}\` has ${bytes.length} bytes, at most ${bundleJsonBytesMax} are read`,
    )
  if (!isUtf8(bytes)) throw refused(name, 'is not UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** `JSON.parse` is the authority on grammar. */
function parsed(name: string, text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw refused(name, 'is not JSON')
  }
}

function refused(name: string, why: string): BundleError {
  return new BundleError('bundle_json_refused', `\`${name}\` ${why}`)
}

/** Go escapes the two line separators, and JavaScript does not. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
}

/** Walks text that is known to be JSON, and writes it again: no value is built, whose size nobody has vouched for. */
class Hashed {
  readonly #name: string
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(name: string, text: string) {
    this.#name = name
    this.#text = text
  }

  /** What begins here. */
  value(): string {
    switch (this.#peek()) {
      case '{':
        return this.#nested(() => this.#members())
      case '[':
        return this.#nested(() => this.#elements())
      case '"':
        return quoted(this.#string())
    }
    const start = this.#at
    while (this.#at < this.#text.length && !',]} \t\r\n'.includes(this.#text[this.#at] as string)) this.#at++
    return this.#text.slice(start, this.#at)
  }

  #peek(): string {
    this.#at = afterSpace(this.#text, this.#at)
    return this.#text[this.#at] ?? ''
  }

  #nested(write: () => string): string {
    if (++this.#depth > bundleJsonDepthMax) throw this.#wrong(`is nested deeper than ${bundleJsonDepthMax} levels`)
    this.#at++
    const text = write()
    this.#at++
    this.#depth--
    return text
  }

  #members(): string {
    const members = new Map<string, string>()
    while (this.#peek() !== '}') {
      if (this.#peek() === ',') this.#at++
      this.#peek()
      const key = this.#string()
      if (members.has(key)) throw this.#wrong(`has the key \`${key}\` twice in one object`)
      this.#peek()
      this.#at++
      members.set(key, this.value())
    }
    const inOrder = [...members].map(([key, text]) => ({ bytes: Buffer.from(key), text: `${quoted(key)}:${text}` }))
    inOrder.sort((one, other) => Buffer.compare(one.bytes, other.bytes))
    return `{${inOrder.map(({ text }) => text).join(',')}}`
  }

  #elements(): string {
    const elements: string[] = []
    while (this.#peek() !== ']') {
      if (this.#peek() === ',') this.#at++
      elements.push(this.value())
    }
    return `[${elements.join(',')}]`
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
