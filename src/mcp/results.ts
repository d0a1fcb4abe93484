/** What of the server's results must change on the way, and how a result settles the call that it answers. */
import { isObject } from '../model/message/json.ts'
import { members, memberText } from '../model/message/members.ts'
import { instructionsName } from '../model/pinning.ts'
import type { Outcome } from '../pep/gatekeeper.ts'
import { repeatedKey } from './answers.ts'
import { parseExactly } from './exact.ts'
import { cacheChanges, filteredList, type Visible } from './lists.ts'
import { isList } from './methods.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a changed result needs to know of the line it came in. */
export interface Answer {
  readonly value: Fields
  readonly text: string
}

/** The line with its result changed; undefined when it may pass as it came. */
export function changedAnswer(
  method: string | undefined,
  { value, text }: Answer,
  visible: Visible,
  listed: Listed,
): string | undefined {
  const result = value['result']
  if (!isObject(result)) return undefined
  const shown = showsList(method) ? shownTools(result, listed) : undefined
  const told = mayInstruct(method) ? instructionsShown(result, listed) : undefined
  const changeOthers = changerOf(method, visible, shown)
  const change = (fields: Fields) => ({ ...changeOthers(fields), ...(told === false && withoutInstructions(fields)) })
  const changes = change(result)
  // What was pinned is what is sent: a definition that says something twice could be read otherwise there.
  const isOurs = shown !== undefined || told !== undefined || (showsList(method) && isRepeating(text))
  if (Object.keys(changes).length === 0 && !isOurs) return undefined
  const exact = parseExactly(text) as Fields
  const exactResult = exact['result'] as Fields
  return JSON.stringify({ ...exact, result: { ...exactResult, ...change(exactResult), ...cacheOf(changes) } })
}

/** Which tools of a list may be shown by what they say of themselves; all, where nothing is said. */
export type Listed = (tools: readonly unknown[], isLast: boolean) => readonly boolean[] | undefined

function shownTools({ tools, nextCursor }: Fields, listed: Listed): readonly boolean[] | undefined {
  return Array.isArray(tools) ? listed(tools, nextCursor === undefined || nextCursor === null) : undefined
}

/** Undefined where nothing is said, or nobody asks. */
function instructionsShown(result: Fields, listed: Listed): boolean | undefined {
  const said = instructionsIn(result)
  const [first, ...others] = said
  if (first === undefined) return undefined
  const description = first[0] === 'instructions' && others.length === 0 ? first[1] : Object.fromEntries(said)
  return listed([{ name: instructionsName, description }], false)?.[0]
}

function withoutInstructions(result: Fields): Fields {
  return Object.fromEntries(instructionsIn(result).map(([key]) => [key, undefined]))
}

/** In another letter case too: some clients read them so. */
function instructionsIn(result: Fields): readonly (readonly [string, unknown])[] {
  return Object.entries(result).filter(([key]) => key.toLowerCase() === 'instructions')
}

function changerOf(
  method: string | undefined,
  visible: Visible,
  shown: readonly boolean[] | undefined,
): (result: Fields) => Fields {
  if (showsList(method)) return (result) => filteredList(result, visible, shown)
  if (method === 'initialize') return listChangedDeclared
  if (method === 'resources/read') return cacheChanges
  return () => ({})
}

/** An answer whose request is not known may be a list too: a resumed stream replays them. */
function showsList(method: string | undefined): boolean {
  return method === undefined || isList(method)
}

/** What a client shows its model of a server as a whole. */
function mayInstruct(method: string | undefined): boolean {
  return method === undefined || method === 'initialize' || method === 'server/discover'
}

/** A list that stands twice in its result was filtered in one of its two readings only. */
function isRepeating(text: string): boolean {
  return repeatedKey(memberText(members(text), 'result') ?? '') !== undefined
}

/** An exact parse keeps a number like 1e400 as text, where no cap applies. */
function cacheOf({ cacheScope, ttlMs }: Fields): Fields {
  return { ...(cacheScope !== undefined && { cacheScope }), ...(ttlMs !== undefined && { ttlMs }) }
}

const listKinds = ['tools', 'prompts', 'resources']

/** Lists change with the policy, so clients are told to listen even where the server's own lists never change. */
function listChangedDeclared(result: Fields): Fields {
  const capabilities = result['capabilities']
  if (!isObject(capabilities)) return {}
  const changed = listKinds.filter((kind) => {
    const declared = capabilities[kind]
    return isObject(declared) && declared['listChanged'] !== true
  })
  if (changed.length === 0) return {}
  const listening = changed.map((kind) => [kind, { ...(capabilities[kind] as Fields), listChanged: true }])
  return { capabilities: { ...capabilities, ...Object.fromEntries(listening) } }
}

/** Which `list_changed` notifications the server's `initialize` result lets the client expect. */
export function declaredLists(value: Fields): readonly string[] {
  const result = value['result']
  const capabilities = isObject(result) ? result['capabilities'] : undefined
  if (!isObject(capabilities)) return []
  return listKinds.filter((kind) => isObject(capabilities[kind])).map((kind) => `notifications/${kind}/list_changed`)
}

/**
 * How the call ended. `input_required` is no word that nothing happened, only that more is to come: what was reserved
 * stays charged, and the retry is judged and charged as a call of its own. Released, a cheap retry could carry on what
 * an expensive first round had begun. A task has been started: it counts.
 */
export function outcomeOf(value: Fields): Omit<Outcome, 'decisionId'> {
  const error = value['error']
  if (error !== undefined && error !== null) return { status: 'error', detail: `error ${errorCode(error)}` }
  const result = value['result']
  if (!isObject(result)) return { status: 'success' }
  if (result['isError'] === true) return { status: 'error', detail: 'isError' }
  if (result['resultType'] === 'input_required') return { status: 'unknown', detail: 'input_required' }
  return { status: 'success' }
}

function errorCode(error: unknown): string {
  const code = isObject(error) ? error['code'] : undefined
  return typeof code === 'number' ? String(code) : 'without a code'
}
