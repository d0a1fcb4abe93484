/** What a program calls a call, read as strictly as a message on the wire, and without trust in its type. */
import type { Call, Principal } from '../model/call.ts'
import { messageOf } from '../model/errors.ts'
import { callBytesMax, nameCharsMax, uriCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import { readJson } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'
import type { Method } from '../model/policy.ts'
import { principalKeys, readPrincipal } from '../model/principal.ts'
import type { Refusal } from '../pep/gatekeeper.ts'
import { type Fields, fieldsOf } from './fields.ts'
import { type Registration, registrationOf } from './run.ts'
import { NotACall, strictJson } from './strictJson.ts'

/** What holds for calls that do not say otherwise. */
export interface Caller {
  readonly server: string | undefined
  readonly principal: Principal
  readonly session: string
  /** The run that calls belong to. */
  readonly run: Registration
}

export type ReadRequest = { readonly ok: true; readonly call: Call } | { readonly ok: false; readonly refusal: Refusal }

const nouns: readonly { readonly key: string; readonly method: Method; readonly charsMax: number }[] = [
  { key: 'tool', method: 'tools/call', charsMax: nameCharsMax },
  { key: 'resource', method: 'resources/read', charsMax: uriCharsMax },
  { key: 'prompt', method: 'prompts/get', charsMax: nameCharsMax },
]

const requestKeys = ['server', 'tool', 'resource', 'prompt', 'arguments', 'principal', 'session', 'run']

/** Never throws; reads each field once, so that a call cannot show two faces. */
export function readRequest(request: unknown, caller: Caller): ReadRequest {
  // What is sure of the call when the next field cannot be read.
  const known: { -readonly [K in keyof Refusal]?: Refusal[K] } = {}
  try {
    const fields = fieldsOf(request, requestKeys, 'the call')
    const { principal, session, run: registration } = { ...caller, ...callerOf(fields) }
    Object.assign(known, { principal, session })
    const server = serverOf(fields) ?? caller.server
    if (server === undefined) throw new NotACall('`server` is missing: name the MCP server, here or in `openGate`')
    known.server = server
    const { method, name } = targetOf(fields)
    Object.assign(known, { method, name })
    const args = argumentsOf(fields, method)
    const run = registration()
    return { ok: true, call: { method, server, name, arguments: args, principal, session, ...(run && { run }) } }
  } catch (error) {
    const { server = '', principal, session } = caller
    const [reason, message] =
      error instanceof NotACall
        ? [error.reason, error.message]
        : (['MALFORMED_CALL', 'the call cannot be read'] as const)
    return { ok: false, refusal: { server, principal, session, ...known, reason, message } as Refusal }
  }
}

/** Those of the fields that say where a call goes and who makes it. Throws a `NotACall`. */
export function readContext(context: unknown): Partial<Caller> {
  const fields = fieldsOf(context, ['server', 'principal', 'session', 'run'], 'the options')
  const server = serverOf(fields)
  return { ...(server !== undefined && { server }), ...callerOf(fields) }
}

function serverOf(fields: Fields): string | undefined {
  return fields['server'] === undefined ? undefined : nameOf(fields, 'server')
}

function callerOf(fields: Fields): Partial<Omit<Caller, 'server'>> {
  return {
    ...(fields['principal'] !== undefined && { principal: principalOf(fields['principal']) }),
    ...(fields['session'] !== undefined && { session: nameOf(fields, 'session') }),
    ...(fields['run'] !== undefined && { run: registrationOf(fields['run']) }),
  }
}

function principalOf(value: unknown): Principal {
  const fields = fieldsOf(value, principalKeys, '`principal`')
  const read = readJson(Buffer.from(strictJson(fields, '`principal`')))
  if (!read.ok) throw new NotACall(read.message)
  try {
    return readPrincipal(read.value)
  } catch (error) {
    throw new NotACall(messageOf(error))
  }
}

function targetOf(fields: Fields): { readonly method: Method; readonly name: string } {
  const [noun, second] = nouns.filter(({ key }) => fields[key] !== undefined)
  if (noun === undefined || second !== undefined)
    throw new NotACall('one of `tool`, `resource` and `prompt` must be given')
  return { method: noun.method, name: nameOf(fields, noun.key, noun.charsMax) }
}

function nameOf(fields: Fields, key: string, charsMax: number = nameCharsMax): string {
  const name = fields[key]
  if (typeof name !== 'string') throw new NotACall(`\`${key}\` must be a string`)
  const trouble = nameTrouble(key, name, charsMax)
  if (trouble !== undefined) throw new NotACall(trouble)
  if (!name.isWellFormed()) throw new NotACall(`\`${key}\` holds half of a surrogate pair`)
  return name
}

/** A copy that nobody else holds: what was judged is what is passed on. */
function argumentsOf(fields: Fields, method: Method): JsonObject {
  const given = fields['arguments']
  if (given === undefined) return {}
  if (method === 'resources/read') throw new NotACall('a resource is read without `arguments`')
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new NotACall('`arguments` must be an object')
  const bytes = Buffer.from(strictJson(given, 'arguments'))
  if (bytes.length > callBytesMax)
    throw new NotACall(`the call has ${bytes.length} bytes, ${callBytesMax} are allowed`, 'CALL_TOO_LARGE')
  const read = readJson(bytes)
  if (!read.ok) throw new NotACall(read.message)
  return read.value as JsonObject
}
