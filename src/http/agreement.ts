/** Headers that repeat what the body says must say the same: the body decides, and nobody behind us is told otherwise. */
import type { IncomingHttpHeaders } from 'node:http'
import { protocolVersionKey } from '../mcp/methods.ts'
import { isModern } from '../mcp/refusal.ts'
import type { JsonObject, Message } from '../model/message/message.ts'
import { quoted } from '../model/message/quoted.ts'

/** What `Mcp-Name` repeats, by method. */
const named: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
  ['tasks/result', 'taskId'],
])

/** The one revision that is. */
export const statelessVersion = '2026-07-28'

/** Is the message of the stateless revision? */
export function isStateless(message: Message): boolean {
  return message.kind !== 'response' && isModern(message.params)
}

/**
 * The first header that says something else than the message, as a sentence. The revision of 2026-07-28 requires these
 * headers on requests; in the eras before it nobody has to send them, and whoever does must not lie.
 */
export function disagreement(headers: IncomingHttpHeaders, message: Message): string | undefined {
  const modern = isStateless(message)
  const required = modern && message.kind === 'request'
  const { method, params } = message.kind === 'response' ? { method: undefined, params: undefined } : message
  const noun = named.get(method ?? '')
  return (
    (modern ? differs(headers, 'MCP-Protocol-Version', versionOf(params), required) : undefined) ??
    differs(headers, 'Mcp-Method', method, required) ??
    (noun === undefined ? undefined : differs(headers, 'Mcp-Name', params?.[noun], required && isCore(method)))
  )
}

/** The headers that repeat what a message says, where its revision has them. */
export function repeatedFields(message: Message): Record<string, string> {
  if (message.kind === 'response' || !isStateless(message)) return {}
  const { method, params } = message
  const name = params?.[named.get(method) ?? '']
  return {
    'mcp-protocol-version': String(versionOf(params)),
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': encodedField(name) }),
  }
}

/** May this header go on with a message of this method? One that repeats nothing of the body was compared with nothing. */
export function repeatsBody(field: string, method: string | undefined): boolean {
  return field !== 'mcp-name' || named.has(method ?? '')
}

function isCore(method: string | undefined): boolean {
  return method !== undefined && !method.startsWith('tasks/')
}

function versionOf(params: JsonObject | undefined): unknown {
  return (params?.['_meta'] as JsonObject | undefined)?.[protocolVersionKey]
}

function differs(headers: IncomingHttpHeaders, name: string, body: unknown, required: boolean): string | undefined {
  const value = headers[name.toLowerCase()]
  if (value === undefined) return required ? `the header \`${name}\` is missing` : undefined
  if (typeof value !== 'string') return `the header \`${name}\` stands twice`
  const said = name === 'Mcp-Name' ? decodedField(value) : value
  if (said === body) return undefined
  const found = typeof body === 'string' ? quoted(body) : 'nothing'
  return `the header \`${name}\` says ${quoted(said ?? value)}, and the body says ${found}`
}

export function encodedField(value: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?base64?')
  return isPlain ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`
}

/** A value that no header can hold stands in it as Base64. Only one spelling of it is taken. */
export function decodedField(value: string): string | undefined {
  const [, text] = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value) ?? []
  if (text === undefined) return value
  const bytes = Buffer.from(text, 'base64')
  const name = bytes.toString('utf8')
  return bytes.toString('base64') === text && Buffer.from(name, 'utf8').equals(bytes) ? name : undefined
}
