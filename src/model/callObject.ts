/** A call that an operator's program hands in as a JSON object, under the names that the policy has for what is called. */
import type { Call } from './call.ts'
import type { Json } from './canonical.ts'
import { nameCharsMax, uriCharsMax } from './limits.ts'
import { nameTrouble } from './message/acts.ts'
import { isObject } from './message/json.ts'
import type { JsonObject } from './message/message.ts'
import { judgedMethods, type Method } from './policy.ts'
import { readPrincipal } from './principal.ts'

const nameKeys: Readonly<Record<Method, string>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
}

/** What says something of the call itself; whoever reads one may know more keys. */
const callKeys = ['server', 'tool', 'resource', 'prompt', 'arguments', 'method', 'principal', 'session', 'run'] as const

/** `others` are keys that somebody else reads. Throws an `Error` that says what is wrong. */
export function readCallObject(said: JsonObject, others: readonly string[]): Call {
  const known: readonly string[] = [...callKeys, ...others]
  const unknown = Object.keys(said).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new Error(`unknown key ${JSON.stringify(unknown)}`)
  const method = methodOf(said)
  const name = said[nameKeys[method]]
  const trouble = nameTrouble(nameKeys[method], name, method === 'resources/read' ? uriCharsMax : nameCharsMax)
  if (trouble !== undefined) throw new Error(trouble)
  const args = said['arguments'] ?? {}
  if (!isObject(args)) throw new Error('`arguments` must be an object')
  const run = said['run'] ?? undefined
  if (run !== undefined && !isObject(run)) throw new Error('`run` must be an object')
  return {
    method,
    server: textIn(said, 'server') ?? '',
    name: name as string,
    arguments: args,
    principal: readPrincipal(said['principal'] ?? {}),
    session: textIn(said, 'session') ?? '',
    ...(run && { run }),
  }
}

function methodOf(said: JsonObject): Method {
  const named = judgedMethods.filter((method) => said[nameKeys[method]] !== undefined)
  if (named.length !== 1) throw new Error('one of `tool`, `resource` and `prompt` must be given')
  const method = textIn(said, 'method')
  if (method !== undefined && method !== named[0])
    throw new Error(`\`method\` and \`${nameKeys[named[0] as Method]}\` do not agree`)
  return named[0] as Method
}

/** Throws an `Error` for what is there and no text. */
export function textIn(said: { readonly [key: string]: Json | undefined }, key: string): string | undefined {
  const value = said[key]
  if (value !== undefined && typeof value !== 'string') throw new Error(`\`${key}\` must be a text`)
  return value
}
