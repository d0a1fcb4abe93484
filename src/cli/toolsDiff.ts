/** What a tool says now beside what it said when it was accepted, member by member. */
import { isDeepStrictEqual } from 'node:util'
import type { Definition, ToolView } from '../log/tools.ts'
import { type Hidden, hiddenIn } from '../scan/hidden.ts'

/** A definition that is held back. */
export interface ToolDifference {
  readonly server: string
  readonly tool: string
  readonly state: 'changed' | 'new'
  readonly sha256: string
  /** Of the definition that it is compared with: the one that was accepted last. */
  readonly pinned_sha256: string | null
  /** The definitions are not there any more, or were too large to be kept. */
  readonly unkept: boolean
  readonly changes: readonly MemberChange[]
  /** What hides in its text. */
  readonly hidden_text: readonly Hidden[]
}

export interface MemberChange {
  /** Keys from the root downwards, with dots between them. */
  readonly path: string
  /** Absent: it was not there before, or is not there any more. */
  readonly before?: unknown
  readonly after?: unknown
}

export function toolDifferences({ server, tool, state, pinned, held }: ToolView): readonly ToolDifference[] {
  const last = pinned.at(-1)
  return held.map(({ sha256, definition }) => ({
    server,
    tool,
    state: state === 'new' ? 'new' : 'changed',
    sha256,
    pinned_sha256: last?.sha256 ?? null,
    unkept: definition === null || (last !== undefined && last.definition === null),
    changes: definition === null ? [] : changesBetween(last?.definition ?? {}, definition),
    hidden_text: hiddenIn(definition),
  }))
}

function changesBetween(before: Definition, after: Definition): readonly MemberChange[] {
  return membersChanged(before, after, [])
}

function membersChanged(before: Definition, after: Definition, path: readonly string[]): readonly MemberChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys.flatMap((key) => {
    const own = [...path, key]
    const [was, is] = [before, after].map((one) => (Object.hasOwn(one, key) ? one[key] : undefined))
    if (isDeepStrictEqual(was, is)) return []
    if (isMap(was) && isMap(is)) return membersChanged(was, is, own)
    return [{ path: own.join('.'), ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }]
  })
}

function isMap(value: unknown): value is Definition {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
