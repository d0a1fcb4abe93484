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

/** Judged as a use of the prompt or the resource that it completes an argument of: it is answered from the same data. */
const completion = 'completion/complete'

export function isActing(method: string): boolean {
  return judgedAs.has(method) || method === completion
}

/** What the request does; undefined for one that does not act, a sentence for one that cannot be judged. */
export function readAct(method: string, params: JsonObject | undefined): Act | string | undefined {
  if (method === completion) return readCompletion(params)
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

/** Its arguments are those that are known so far: the one that is completed, and those of its context. */
function readCompletion(params: JsonObject | undefined): Act | string {
  const target = completedTarget(params?.['ref'])
  if (typeof target === 'string') return target
  const argument = params?.['argument']
  if (!isObject(argument)) return '`params.argument` must be an object'
  const { name, value } = argument
  if (typeof name !== 'string') return '`params.argument.name` must be a string'
  const context = params?.['context'] ?? {}
  const known = isObject(context) ? (context['arguments'] ?? {}) : undefined
  if (!isObject(known)) return '`params.context.arguments` must be an object'
  const given = Object.fromEntries([...Object.entries(known), [name, value ?? null]])
  return { ...target, arguments: given, asked: completion }
}

function completedTarget(ref: Json | undefined): Pick<Act, 'method' | 'name'> | string {
  if (!isObject(ref)) return '`params.ref` must be an object'
  const { type, name, uri } = ref
  if (type === 'ref/prompt')
    return nameTrouble('params.ref.name', name, nameCharsMax) ?? { method: 'prompts/get', name: name as string }
  if (type === 'ref/resource')
    return nameTrouble('params.ref.uri', uri, uriCharsMax) ?? { method: 'resources/read', name: uri as string }
  return '`params.ref.type` must be "ref/prompt" or "ref/resource"'
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

/** Is there more in the params than what is judged? */
export function saysMore(params: JsonObject, { method, asked }: Act): boolean {
  if (asked !== undefined && asked !== 'resources/subscribe') return true
  const noun = method === 'resources/read' ? 'uri' : 'name'
  return Object.keys(params).some((key) => key !== noun && key !== 'arguments')
}
