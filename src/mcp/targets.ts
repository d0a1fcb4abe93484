/** Requests that act on nothing, but name something that the caller may not know of. */

import { uriCharsMax } from '../model/limits.ts'
import { nameTrouble } from '../model/message/acts.ts'
import { isObject } from '../model/message/json.ts'
import type { Act, JsonObject, Request } from '../model/message/message.ts'
import { subscribedUrisMax } from './limits.ts'

export type Named = Pick<Act, 'method' | 'name'>

/** What a request names beside acting; a sentence for one that cannot be read. */
export function namedTargets({ method, params }: Request): readonly Named[] | string {
  return method === 'subscriptions/listen' ? subscribedResources(params) : []
}

function subscribedResources(params: JsonObject | undefined): readonly Named[] | string {
  const wanted = params?.['notifications']
  if (!isObject(wanted)) return '`params.notifications` must be an object'
  const uris = wanted['resourceSubscriptions'] ?? []
  if (!Array.isArray(uris)) return '`params.notifications.resourceSubscriptions` must be an array'
  if (uris.length > subscribedUrisMax)
    return `\`params.notifications.resourceSubscriptions\` has more than ${subscribedUrisMax} items`
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

function resource(name: string): Named {
  return { method: 'resources/read', name }
}
