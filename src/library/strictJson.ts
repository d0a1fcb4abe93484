/**
 * A JavaScript value to JSON text, as strictly as a message on the wire is read: what JSON has no word for is refused
 * with its place, never left out or replaced, and nothing of the value is run (no getter, no `toJSON`). Every part is
 * read once, so what comes out is what is judged, whatever the value does afterwards.
 */
import { callBytesMax, jsonDepthMax, objectKeysMax } from '../model/limits.ts'
import { quoted } from '../model/message/quoted.ts'
import type { ReasonCode } from '../model/reasons.ts'

/** Why a value from the program cannot become a call. */
export class NotACall extends Error {
  readonly reason: ReasonCode

  constructor(message: string, reason: Extract<ReasonCode, 'MALFORMED_CALL' | 'CALL_TOO_LARGE'> = 'MALFORMED_CALL') {
    super(message)
    this.reason = reason
  }
}

/** `place` is what errors call the value. Throws a `NotACall`, or what a Proxy inside the value throws. */
export function strictJson(value: object, place: string): string {
  return new Writer(place).text(value)
}

class Writer {
  readonly #path: (string | number)[]
  #chars = 0

  constructor(place: string) {
    this.#path = [place]
  }

  text(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return this.#string(value)
      case 'number':
        if (!Number.isFinite(value)) this.#refuse(`is ${value}, which JSON has no word for`)
        return this.#counted(JSON.stringify(value))
      case 'boolean':
        return this.#counted(String(value))
      case 'object':
        if (value === null) return this.#counted('null')
        // The path has the root as well, and also ends what contains itself.
        if (this.#path.length > jsonDepthMax) this.#refuse(`is nested deeper than ${jsonDepthMax} levels`)
        return Array.isArray(value) ? this.#array(value) : this.#object(value)
    }
    return this.#refuse(value === undefined ? 'is undefined' : `is a ${typeof value}, which JSON has no word for`)
  }

  #string(value: string): string {
    this.#reserve(value.length)
    if (!value.isWellFormed()) this.#refuse('holds half of a surrogate pair')
    return this.#counted(JSON.stringify(value))
  }

  #array(value: readonly unknown[]): string {
    this.#reserve(2 * value.length)
    if (Reflect.ownKeys(value).length !== value.length + 1) this.#refuse('has holes, or members beside its elements')
    const items: string[] = []
    for (let index = 0; index < value.length; index++) items.push(this.#member(value, index))
    return this.#counted(`[${items.join(',')}]`, items.length + 2)
  }

  #object(value: object): string {
    if (!isPlain(value)) this.#refuse('is not a plain object')
    const keys = Reflect.ownKeys(value)
    if (keys.length > objectKeysMax) this.#refuse(`has more than ${objectKeysMax} keys`)
    const members = keys.map((key) => {
      if (typeof key === 'symbol') return this.#refuse('has a symbol for a key')
      return `${this.#string(key)}:${this.#member(value, key)}`
    })
    return this.#counted(`{${members.join(',')}}`, 2 * members.length + 2)
  }

  #member(owner: object, key: string | number): string {
    this.#path.push(key)
    const found = Object.getOwnPropertyDescriptor(owner, key)
    if (found === undefined || !('value' in found)) this.#refuse('is computed by a getter')
    else if (!found.enumerable) this.#refuse('is hidden from JSON, as it is not enumerable')
    const text = this.text(found?.value)
    this.#path.pop()
    return text
  }

  #counted(text: string, chars: number = text.length): string {
    this.#reserve(chars)
    this.#chars += chars
    return text
  }

  /** Stops before the work, not after it: shared parts may stand for more text than there is memory. */
  #reserve(chars: number): void {
    if (this.#chars + chars > callBytesMax)
      throw new NotACall(`the call is larger than ${callBytesMax} bytes`, 'CALL_TOO_LARGE')
  }

  #refuse(why: string): never {
    const [root, ...keys] = this.#path
    const steps = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')
    throw new NotACall(`${quoted(`${root}${steps}`)} ${why}`)
  }
}

/** Objects of another realm (a test runner's, a `vm`) have an `Object.prototype` of their own. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}
