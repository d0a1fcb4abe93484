/** Requests that act on nothing, but name something that the caller may not know of. */

import { nameCharsMax, uriCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import { isObject } from '../model/message/json.ts'
import type { Act, JsonObject, Request } from '../model/message/message.ts'

export type Named = Pick<Act, 'method' | 'name'>

/** What a request names beside acting; a sentence for one that cannot be read. */
export function namedTargets({ method, params }: Request): readonly Named[] | string {
  switch (method) {
    case 'completion/complete':
      return completedTarget(params)
    case 'subscriptions/listen':
      return subscribedResources(params)
    default:
      return []
  }
}

function completedTarget(params: JsonObject | undefined): readonly Named[] | string {
  const ref = params?.['ref']
  if (!isObject(ref)) return '`params.ref` must be an object'
  const { type, name, uri } = ref
  if (type === 'ref/prompt') return nameTrouble('params.ref.name', name, nameCharsMax) ?? [prompt(name as string)]
  if (type === 'ref/resource') return nameTrouble('params.ref.uri', uri, uriCharsMax) ?? [resource(uri as string)]
  return '`params.ref.type` must be "ref/prompt" or "ref/resource"'
}

function subscribedResources(params: JsonObject | undefined): readonly Named[] | string {
  const wanted = params?.['notifications']
  if (!isObject(wanted)) return '`params.notifications` must be an object'
  const uris = wanted['resourceSubscriptions'] ?? []
  if (!Array.isArray(uris)) return '`params.notifications.resourceSubscriptions` must be an array'
  for (const uri of uris) {
    const trouble = nameTrouble('params.notifications.resourceSubscriptions', uri, uriCharsMax)
    if (trouble !== undefined) return trouble
  }
  return uris.map((uri) => resource(uri as string))
}

/** Which changes of lists a `subscriptions/listen` asks to hear of, as the methods of their notifications. */
export function listenedLists(params: JsonObject | undefined): readonly string[] {
  const wanted = params?.['notifications']
  if (!isObject(wanted)) return []
  return ['tools', 'prompts', 'resources']
    .filter((kind) => wanted[`${kind}ListChanged`] === true)
    .map((kind) => `notifications/${kind}/list_changed`)
}

function prompt(name: string): Named {
  return { method: 'prompts/get', name }
}

function resource(name: string): Named {
  return { method: 'resources/read', name }
}
