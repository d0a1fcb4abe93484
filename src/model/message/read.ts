/** One line from the agent's side to one message, or to the reason why it is not acted upon. */
import type { Json } from '../canonical.ts'
import { callBytesMax, nameCharsMax } from '../limits.ts'
import { readAct } from './acts.ts'
import { ambiguity } from './ambiguity.ts'
import { foldedKey } from './folding.ts'
import { bufferOf, isObject, readJson } from './json.ts'
import { members, memberText } from './members.ts'
import type { Id, JsonObject, ReadMessage, Unreadable } from './message.ts'
import { quoted } from './quoted.ts'

/** Keys with a meaning; another spelling of one of them would mean the same to a server that ignores letter case. */
const envelopeKeys: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
const paramsKeys: ReadonlySet<string> = new Set([
  'name',
  'arguments',
  'uri',
  'ref',
  'argument',
  'context',
  'task',
  'cursor',
  'notifications',
  'requestId',
  'inputResponses',
  'requestState',
  '_meta',
])
const paramsKeysFolded = folded(paramsKeys)

/** The same for members of params that are judged by what stands in them. */
const nestedKeys: ReadonlyMap<string, Spellings> = new Map([
  ['ref', spellings('type', 'name', 'uri')],
  ['argument', spellings('name', 'value')],
  ['context', spellings('arguments')],
  [
    'notifications',
    spellings('toolsListChanged', 'promptsListChanged', 'resourcesListChanged', 'resourceSubscriptions'),
  ],
])

interface Spellings {
  readonly known: ReadonlySet<string>
  readonly folded: ReadonlySet<string>
}

function spellings(...keys: readonly string[]): Spellings {
  const known = new Set(keys)
  return { known, folded: folded(known) }
}

function folded(keys: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...keys].map((key) => foldedKey(key, true)))
}

const badId = `\`id\` must be a number, or a string of at most ${nameCharsMax} characters`

export function readMessage(line: Uint8Array): ReadMessage {
  if (line.length > callBytesMax) return tooLarge(line)
  const json = readJson(line)
  if (!json.ok) {
    if (json.text === undefined) return { ok: false, reason: 'MALFORMED_CALL', message: json.message, json: false }
    return malformed(json.message, whatIsSure(json.text))
  }
  if (Array.isArray(json.value)) return malformed('a batch is not accepted: send each message on its own')
  if (!isObject(json.value)) return malformed('a message must be a JSON object')
  return readEnvelope(json.value, json.plain)
}

/** A message that was too long to be kept: nothing of it is known. */
export function unreadLine(bytesMax: number): Unreadable {
  const message = `the message is larger than ${bytesMax} bytes`
  return { ok: false, reason: 'CALL_TOO_LARGE', message, json: true }
}

function readEnvelope(value: JsonObject, plain: boolean): ReadMessage {
  const { jsonrpc, id, method, params } = value
  const sure = sureOf(id, method, Object.keys(value))
  const odd = oddSpelling(value, envelopeKeys, envelopeKeys)
  if (odd !== undefined) return malformed(odd, sure)
  if (jsonrpc !== '2.0') return malformed('`jsonrpc` must be "2.0"', sure)
  if (method === undefined) return readResponse(value, plain, sure)
  if (typeof method !== 'string') return malformed('`method` must be a string', sure)
  if (method.length > nameCharsMax) return malformed(`\`method\` is longer than ${nameCharsMax} characters`, sure)
  if (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error'))
    return malformed('a message is a request or a response, not both', sure)
  if (id !== undefined && !isId(id)) return malformed(badId, sure)
  if (params !== undefined && !isObject(params)) return malformed('`params` must be an object', sure)
  if (params !== undefined) {
    const oddParam = oddSpelling(params, paramsKeys, paramsKeysFolded) ?? oddNested(params)
    if (oddParam !== undefined) return malformed(oddParam, sure)
  }
  if (id === undefined) return { ok: true, message: { kind: 'notification', method, params, value, plain } }
  const act = readAct(method, params)
  if (typeof act === 'string') return malformed(act, sure)
  return { ok: true, message: { kind: 'request', id, method, params, value, plain, ...(act && { act }) } }
}

function readResponse(value: JsonObject, plain: boolean, sure: Sure): ReadMessage {
  const id = value['id']
  if (!Object.hasOwn(value, 'result') && !Object.hasOwn(value, 'error'))
    return malformed('a message needs a `method`, a `result` or an `error`', sure)
  if (id !== null && !isId(id)) return malformed(badId, sure)
  return { ok: true, message: { kind: 'response', id, value, plain } }
}

function oddNested(params: JsonObject): string | undefined {
  for (const [name, { known, folded }] of nestedKeys) {
    const value = params[name]
    const odd = isObject(value) ? oddSpelling(value, known, folded) : undefined
    if (odd !== undefined) return odd
  }
  return undefined
}

function oddSpelling(value: JsonObject, known: ReadonlySet<string>, folded: ReadonlySet<string>): string | undefined {
  for (const key of Object.keys(value)) {
    if (known.has(key)) continue
    if (folded.has(foldedKey(key, false))) return `the key ${quoted(key)} differs from a known one only by letter case`
  }
  return undefined
}

interface Sure {
  readonly id?: Id
  readonly method?: string
  readonly response?: boolean
}

function malformed(message: string, sure: Sure = {}): Unreadable {
  return { ok: false, reason: 'MALFORMED_CALL', message, json: true, ...sure }
}

/** The id is still looked for, so that the caller gets an answer; nothing else of the call is read. */
function tooLarge(line: Uint8Array): Unreadable {
  const message = `the message has ${line.length} bytes, ${callBytesMax} are allowed`
  // One byte becomes one character: quick, and enough, since all that is looked for is read as UTF-8 again.
  const sure = whatIsSure(bufferOf(line).toString('latin1'), (text) => Buffer.from(text, 'latin1').toString('utf8'))
  return { ok: false, reason: 'CALL_TOO_LARGE', message, json: true, ...sure }
}

/** The id and the method, as far as the text says them once and clearly. */
function whatIsSure(text: string, decoded = (part: string) => part): Sure {
  const found = members(text)
  const read = (name: string) => readShort(decoded(memberText(found, name) ?? ''))
  const id = read('id')
  const method = read('method')
  return sureOf(
    id,
    method,
    found.map(({ key }) => key),
  )
}

function sureOf(id: unknown, method: unknown, keys: readonly string[]): Sure {
  const response = !keys.includes('method') && (keys.includes('result') || keys.includes('error'))
  return { ...(isId(id) && { id }), ...(isShort(method) && { method }), ...(response && { response }) }
}

function readShort(text: string): Json | undefined {
  try {
    const value = text.length > 1_024 ? undefined : (JSON.parse(text) as Json)
    return ambiguity(text, false) === undefined ? value : undefined
  } catch {
    return undefined
  }
}

/** Ids are held while a request waits, and methods are recorded: neither may grow as a whole message may. */
function isId(id: unknown): id is Id {
  return isShort(id) || typeof id === 'number'
}

function isShort(text: unknown): text is string {
  return typeof text === 'string' && text.length <= nameCharsMax
}
