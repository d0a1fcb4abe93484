/** Bytes to a JSON value that has one reading only. */
import { isUtf8 } from 'node:buffer'
import type { Json } from '../canonical.ts'
import { messageOf } from '../errors.ts'
import { ambiguity } from './ambiguity.ts'
import type { JsonObject } from './message.ts'

/** Shorter texts are printed as fast by `JSON.stringify` as by us. */
const shortChars = 1_024

export type ReadJson =
  /** `plain`: no string in the value needs an escape, and there is enough of it for that to matter. */
  | { readonly ok: true; readonly value: Json; readonly plain: boolean }
  /** `text` is given when it is JSON, but of more than one reading. */
  | { readonly ok: false; readonly message: string; readonly text?: string }

export function readJson(bytes: Uint8Array): ReadJson {
  const buffer = bufferOf(bytes)
  if (!isUtf8(buffer)) return { ok: false, message: 'the message is not UTF-8' }
  const text = buffer.toString('utf8')
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (error) {
    return { ok: false, message: `the message is not JSON: ${syntaxTrouble(text, error)}` }
  }
  const trouble = ambiguity(text, text.length === buffer.length)
  if (trouble !== undefined) return { ok: false, message: `the message has more than one reading: ${trouble}`, text }
  return { ok: true, value, plain: text.length > shortChars && !text.includes('\\') }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The same memory as a `Buffer`. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** V8 quotes the text in its error; it may hold secrets and control characters, so only the place is told. */
function syntaxTrouble(text: string, error: unknown): string {
  if (text.charCodeAt(0) === 0xfeff) return 'it begins with a byte order mark'
  const place = /at position (\d+)/.exec(messageOf(error))?.[1]
  return place === undefined ? 'it ends too early or holds an unexpected character' : `unexpected character at ${place}`
}
