/** Lists show what the caller may use, and nothing else. */
import type { Target } from '../model/match.ts'
import { isObject } from '../model/message/json.ts'
import type { Method } from '../model/policy.ts'
import { listTtlMsMax } from './limits.ts'

export type Visible = (target: Omit<Target, 'server'>) => boolean

/** Where a result holds its list, and what names an item of it. */
const lists: readonly { readonly key: string; readonly noun: string; readonly method: Method }[] = [
  { key: 'tools', noun: 'name', method: 'tools/call' },
  { key: 'prompts', noun: 'name', method: 'prompts/get' },
  { key: 'resources', noun: 'uri', method: 'resources/read' },
  { key: 'resourceTemplates', noun: 'uriTemplate', method: 'resources/read' },
]

type Result = Readonly<Record<string, unknown>>

/**
 * The members of a list's result that must change; none when it may pass as it is. An emptied page keeps its
 * `nextCursor`: the next one may have items. An item without a name cannot be judged and is not shown; nor is a tool that
 * is held back by what it says of itself (`shown`).
 */
export function filteredList(result: Result, visible: Visible, shown?: readonly boolean[]): Result {
  const changes: Record<string, unknown> = {}
  for (const { key, noun, method } of lists) {
    const items = result[key]
    if (!Array.isArray(items)) continue
    const kept = items.filter((item: unknown, index) => {
      const name = isObject(item) ? item[noun] : undefined
      const isHeldBack = key === 'tools' && shown?.[index] === false
      return typeof name === 'string' && !isHeldBack && visible({ method, name })
    })
    if (kept.length !== items.length) changes[key] = kept
  }
  return { ...changes, ...cacheChanges(result) }
}

/** Does it hold a list, which shows what the policy of its time allowed? */
export function holdsList(result: Result): boolean {
  return lists.some(({ key }) => Array.isArray(result[key]))
}

/** What depends on the caller and the policy must not be served to others from a shared cache, nor for long. */
export function cacheChanges(result: Result): Result {
  const { cacheScope, ttlMs } = result
  return {
    ...(cacheScope !== undefined && cacheScope !== 'private' && { cacheScope: 'private' }),
    ...(typeof ttlMs === 'number' && ttlMs > listTtlMsMax && { ttlMs: listTtlMsMax }),
  }
}
