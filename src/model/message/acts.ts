/** The requests that act, and the shape that each must have to be judged. */
import type { Json } from '../canonical.ts'
import { nameCharsMax, uriCharsMax } from '../limits.ts'
import type { Method } from '../policy.ts'
import { isObject } from './json.ts'
import type { Act, JsonObject } from './message.ts'
import { quoted } from './quoted.ts'

/** Under which method of the policy each request is judged. */
const judgedAs: ReadonlyMap<string, Method> = new Map([
  ['tools/call', 'tools/call'],
  ['prompts/get', 'prompts/get'],
  ['resources/read', 'resources/read'],
  ['resources/subscribe', 'resources/read'],
])

export function isActing(method: string): boolean {
  return judgedAs.has(method)
}

/** What the request does; undefined for one that does not act, a sentence for one that cannot be judged. */
export function readAct(method: string, params: JsonObject | undefined): Act | string | undefined {
  const judged = judgedAs.get(method)
  if (judged === undefined) return undefined
  const noun = judged === 'resources/read' ? 'uri' : 'name'
  const name = params?.[noun]
  const trouble = nameTrouble(`params.${noun}`, name, noun === 'uri' ? uriCharsMax : nameCharsMax)
  if (trouble !== undefined) return trouble
  const given = params !== undefined && Object.hasOwn(params, 'arguments') ? params['arguments'] : {}
  if (!isObject(given)) return '`params.arguments` must be an object'
  return { method: judged, name: name as string, arguments: given, ...(judged !== method && { asked: method }) }
}

/** What is wrong with a name or a URI that comes from outside. */
export function nameTrouble(place: string, name: Json | undefined, charsMax: number): string | undefined {
  if (typeof name !== 'string') return `\`${place}\` must be a string`
  if (name === '') return `\`${place}\` is empty`
  if (name.length > charsMax) return `\`${place}\` is longer than ${charsMax} characters`
  if (hasControl(name)) return `\`${place}\` holds a control character: ${quoted(name)}`
  return undefined
}

/** C0, DEL and C1: no name needs them, logs and terminals obey them, and a NUL undoes the dispatch in the WASM. */
function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char < 0x20 || (char >= 0x7f && char <= 0x9f)) return true
  }
  return false
}
