/** One line of `eval`: a call as JSON, read as strictly as a message on the wire. */
import type { Call } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import { callBytesMax, nameCharsMax, uriCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import { isObject, readJson } from '../model/message/json.ts'
import { judgedMethods, type Method } from '../model/policy.ts'
import { readPrincipal } from '../model/principal.ts'
import { instantOf } from '../model/time.ts'

/** A call with its time in milliseconds, or why it is none. */
export type CallLine =
  | { readonly call: Call; readonly at?: number }
  | { readonly reason: 'MALFORMED_CALL' | 'CALL_TOO_LARGE'; readonly message: string; readonly at?: undefined }

const nameKeys: Readonly<Record<Method, string>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
}
const keys = new Set([
  'server',
  'tool',
  'resource',
  'prompt',
  'arguments',
  'method',
  'principal',
  'session',
  'run',
  'time',
])

export function readCallLine(line: Uint8Array): CallLine {
  if (line.length > callBytesMax) return tooLarge(`${line.length}`)
  const read = readJson(line)
  if (!read.ok) return malformed(read.message)
  if (!isObject(read.value)) return malformed('a call must be a JSON object')
  try {
    return callOf(read.value)
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

function callOf(line: { readonly [key: string]: Json }): CallLine {
  const unknown = Object.keys(line).find((key) => !keys.has(key))
  if (unknown !== undefined) throw new Error(`unknown key ${JSON.stringify(unknown)}`)
  const method = methodOf(line)
  const name = line[nameKeys[method]]
  const trouble = nameTrouble(nameKeys[method], name, method === 'resources/read' ? uriCharsMax : nameCharsMax)
  if (trouble !== undefined) throw new Error(trouble)
  const args = line['arguments'] ?? {}
  if (!isObject(args)) throw new Error('`arguments` must be an object')
  const at = timeOf(line)
  const run = line['run'] ?? undefined
  if (run !== undefined && !isObject(run)) throw new Error('`run` must be an object')
  const call: Call = {
    method,
    server: text(line, 'server') ?? '',
    name: name as string,
    arguments: args,
    principal: readPrincipal(line['principal'] ?? {}),
    session: text(line, 'session') ?? '',
    ...(run && { run }),
  }
  return at === undefined ? { call } : { call, at }
}

function methodOf(line: { readonly [key: string]: Json }): Method {
  const named = judgedMethods.filter((method) => line[nameKeys[method]] !== undefined)
  if (named.length !== 1) throw new Error('one of `tool`, `resource` and `prompt` must be given')
  const said = text(line, 'method')
  if (said !== undefined && said !== named[0])
    throw new Error(`\`method\` and \`${nameKeys[named[0] as Method]}\` do not agree`)
  return named[0] as Method
}

function text(line: { readonly [key: string]: Json }, key: string): string | undefined {
  const value = line[key]
  if (value !== undefined && typeof value !== 'string') throw new Error(`\`${key}\` must be a text`)
  return value
}

function timeOf(line: { readonly [key: string]: Json }): number | undefined {
  const time = line['time']
  if (time === undefined) return undefined
  const at = typeof time === 'string' ? instantOf(time) : undefined
  if (at === undefined || at < 0) throw new Error('`time` must be an RFC 3339 time')
  return at
}
