/** One line from the server: what it is, as far as the gate has to know. The line itself passes as it came. */
import { isUtf8 } from 'node:buffer'
import { isObject } from '../model/message/json.ts'
import { members } from '../model/message/members.ts'

type Fields = Readonly<Record<string, unknown>>

export type FromServer =
  /** Not a message: nothing that a client could use. */
  | { readonly kind: 'noise'; readonly why: string }
  /** A message that two clients could read differently; `asks` when all agree that it is a request. */
  | { readonly kind: 'unclear'; readonly why: string; readonly id: unknown; readonly asks: boolean }
  | { readonly kind: 'request'; readonly value: Fields }
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown }
  | { readonly kind: 'response'; readonly id: unknown; readonly value: Fields; readonly text: string }

export function readFromServer(line: Buffer): FromServer {
  const text = line.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'noise', why: isUtf8(line) ? 'it is not JSON' : 'it is not UTF-8' }
  }
  if (!isObject(value)) return { kind: 'noise', why: Array.isArray(value) ? 'it is a batch' : 'it is not an object' }
  const { id, method } = value
  const answers = Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')
  const unclear = twoReadings(value, text, answers)
  if (unclear !== undefined) return { kind: 'unclear', why: unclear, id, asks: typeof method === 'string' && !answers }
  if (typeof method !== 'string') return { kind: 'response', id, value, text }
  if (id === undefined) return { kind: 'notification', method, params: value['params'] }
  return { kind: 'request', value }
}

function twoReadings(value: Fields, text: string, answers: boolean): string | undefined {
  const twice = repeatedKey(text)
  if (twice !== undefined) return `its member \`${twice}\` stands twice`
  const asks = Object.hasOwn(value, 'method')
  if (asks && typeof value['method'] !== 'string') return 'its `method` is not a string'
  if (asks && answers) return 'it is a request and a response at once'
  if (!asks && !answers) return 'it has no `method`, no `result` and no `error`'
  const failed = value['error'] !== undefined && value['error'] !== null
  if (failed && value['result'] !== undefined && value['result'] !== null) return 'it has a `result` and an `error`'
  return undefined
}

/** A key of the outermost object that stands there twice, in whatever letter case. */
export function repeatedKey(text: string): string | undefined {
  const keys = new Set<string>()
  for (const { key } of members(text)) {
    const folded = key.toLowerCase()
    if (keys.has(folded)) return folded
    keys.add(folded)
  }
  return undefined
}
