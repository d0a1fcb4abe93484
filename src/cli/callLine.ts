/** One line of `eval`: a call as JSON, read as strictly as a message on the wire. */
import type { Call } from '../model/call.ts'
import { readCallObject } from '../model/callObject.ts'
import type { Json } from '../model/canonical.ts'
import { callBytesMax } from '../model/limits.ts'
import { isObject, readJson } from '../model/message/json.ts'
import { instantOf } from '../model/time.ts'

/** A call with its time in milliseconds, or why it is none. */
export type CallLine =
  | { readonly call: Call; readonly at?: number }
  | { readonly reason: 'MALFORMED_CALL' | 'CALL_TOO_LARGE'; readonly message: string; readonly at?: undefined }

export function readCallLine(line: Uint8Array): CallLine {
  if (line.length > callBytesMax) return tooLarge(`${line.length}`)
  const read = readJson(line)
  if (!read.ok) return malformed(read.message)
  if (!isObject(read.value)) return malformed('a call must be a JSON object')
  try {
    const call = readCallObject(read.value, ['time'])
    const at = timeOf(read.value)
    return at === undefined ? { call } : { call, at }
  } catch (error) {
    return malformed((error as Error).message)
  }
}

/** `size` says how many bytes the call has. */
export function tooLarge(size: string): CallLine {
  return { reason: 'CALL_TOO_LARGE', message: `the call has ${size} bytes, ${callBytesMax} are allowed` }
}

function malformed(message: string): CallLine {
  return { reason: 'MALFORMED_CALL', message }
}

function timeOf(line: { readonly [key: string]: Json }): number | undefined {
  const time = line['time']
  if (time === undefined) return undefined
  const at = typeof time === 'string' ? instantOf(time) : undefined
  if (at === undefined || at < 0) throw new Error('`time` must be an RFC 3339 time')
  return at
}
