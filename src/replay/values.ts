/** JSON values out of a stream of bytes: one after the other, one a line, or as the elements of one array. */
import { TollgateError } from '../model/errors.ts'
import { valueBytesMax } from './limits.ts'

export interface FoundValue {
  /** Counts from 1. */
  readonly place: number
  readonly bytes: Buffer
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [objectStart, objectEnd, arrayStart, arrayEnd] = [0x7b, 0x7d, 0x5b, 0x5d]

/**
 * Tells values apart by their brackets: what is inside them is for a parser to read. Throws `decisions_unreadable`, with the
 * place of the value.
 */
export class ValueSplitter {
  readonly #file: string
  #place = 0
  #depth = 0
  #inText = false
  #escaped = false
  /** Of the value that is being read. */
  #parts: Buffer[] = []
  #bytes = 0
  /** Undefined until the first byte says whether the values are elements of an array. */
  #isArray: boolean | undefined
  #ended = false

  constructor(file: string) {
    this.#file = file
  }

  *push(chunk: Buffer): Generator<FoundValue> {
    let from = this.#depth === this.#base ? -1 : 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.#inText) {
        if (this.#escaped) this.#escaped = false
        else if (byte === backslash) this.#escaped = true
        else if (byte === quote) this.#inText = false
        continue
      }
      if (byte === quote && this.#depth > this.#base) this.#inText = true
      else if (byte === objectStart || byte === arrayStart) {
        if (this.#opens(byte)) from = at
      } else if (byte === objectEnd || byte === arrayEnd) {
        if (this.#closes(byte)) {
          yield this.#value(chunk.subarray(from, at + 1))
          from = -1
        }
      } else if (this.#depth === this.#base && !this.#isBetween(byte)) throw this.#odd()
    }
    if (from >= 0) this.#keep(chunk.subarray(from))
  }

  /** Throws when a value, or the array, has not ended. */
  end(): void {
    if (this.#depth === 0) return
    const what = this.#depth > this.#base ? `in the middle of value ${this.#place + 1}` : 'before the end of its array'
    throw unreadable(`${this.#file} ends ${what}: it is cut off`)
  }

  /** How deep the values stand. */
  get #base(): number {
    return this.#isArray ? 1 : 0
  }

  /** Does a value begin? */
  #opens(byte: number): boolean {
    if (this.#ended) throw this.#odd()
    if (this.#isArray === undefined) {
      this.#isArray = byte === arrayStart
      this.#depth = 1
      return !this.#isArray
    }
    this.#depth += 1
    return this.#depth === this.#base + 1
  }

  /** Does a value end? */
  #closes(byte: number): boolean {
    this.#depth -= 1
    if (this.#isArray && this.#depth === 0 && byte === arrayEnd) {
      this.#ended = true
      return false
    }
    if (this.#depth < this.#base) throw this.#odd()
    return this.#depth === this.#base
  }

  #isBetween(byte: number): boolean {
    return (
      byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d || (byte === comma && this.#isArray === true)
    )
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > valueBytesMax)
      throw unreadable(`value ${this.#place + 1} of ${this.#file} has more than ${valueBytesMax} bytes`)
    // The stream may use its buffer again.
    this.#parts.push(Buffer.from(part))
  }

  #value(last: Buffer): FoundValue {
    this.#place += 1
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last])
    this.#parts = []
    this.#bytes = 0
    return { place: this.#place, bytes }
  }

  #odd(): TollgateError {
    const where = this.#place === 0 ? 'does not begin with' : `has after value ${this.#place} something else than`
    return unreadable(`${this.#file} ${where} a JSON object or an array of such`)
  }
}

export function unreadable(message: string, cause?: unknown): TollgateError {
  return new TollgateError('decisions_unreadable', message, cause === undefined ? undefined : { cause })
}
