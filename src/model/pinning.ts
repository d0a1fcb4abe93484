/**
 * Tool pinning: a tool is what it said it was when somebody first looked. A definition that nobody has accepted is shown to
 * nobody, and its tool is not called, where the policy asks for that.
 */
import { hash } from 'node:crypto'
import { canonical, type Json } from './canonical.ts'
import { targetMatches } from './match.ts'
import type { PolicySet, TargetPattern } from './policy.ts'
import type { ReasonCode } from './reasons.ts'

/** `first_use`: the first whole list of a server is taken as it is, all that is new later is held back. `strict`: all is. */
export type PinningMode = 'first_use' | 'strict'

/** What a policy says of the definitions of tools. */
export interface Pinning {
  /** Absent: only the tools that `pinned` names are asked about. */
  readonly mode?: PinningMode
  readonly pinned: readonly PinnedTool[]
}

/** The definitions that the policy itself accepts, by their digests: no other one is. */
export interface PinnedTool {
  /** As written in the file. */
  readonly key: string
  readonly match: readonly TargetPattern[]
  readonly sha256: readonly string[]
}

/** A tool where it is: names of servers are those of the gate. */
export interface ServerTool {
  readonly server: string
  readonly tool: string
}

/** Definitions of one tool that a ledger knows, by their digests. */
export interface ToolPins {
  /** Accepted. More than one where the server is known to show several. */
  readonly pinned: readonly string[]
  /** Seen, and accepted by nobody. */
  readonly held: readonly string[]
}

/** The `instructions` of a server are pinned as a tool whose name no tool has. */
export const instructionsName = ''

export const noPins: ToolPins = { pinned: [], held: [] }

/** What is asked of one tool. */
export interface Wanted {
  readonly mode?: PinningMode
  /** Each names all digests that it accepts; the definition must be among them every time. */
  readonly named: readonly (readonly string[])[]
}

/** What a policy, or the layers together, ask; undefined when they ask nothing. */
export function pinningIn(policy: PolicySet): Pinning | undefined {
  const all = 'layers' in policy ? policy.layers.map((layer) => layer.policy) : [policy]
  return strictest(all.map(({ pinning }) => pinning))
}

export function strictest(all: readonly (Pinning | undefined)[]): Pinning | undefined {
  const asked = all.filter((one) => one !== undefined)
  if (asked.length === 0) return undefined
  const mode = (['strict', 'first_use'] as const).find((one) => asked.some((pinning) => pinning.mode === one))
  return { ...(mode && { mode }), pinned: asked.flatMap(({ pinned }) => pinned) }
}

/** Undefined: the tool may be whatever it is. */
export function wantedOf({ mode, pinned }: Pinning, { server, tool }: ServerTool): Wanted | undefined {
  const matching = pinned.filter(({ match }) => match.some((one) => targetMatches(one, { server, name: tool })))
  if (mode === undefined && matching.length === 0) return undefined
  return { ...(mode && { mode }), named: matching.map(({ sha256 }) => sha256) }
}

/** Why the tool is held back, if it is. */
export function heldFor({ pinned, held }: ToolPins, { named }: Wanted): ReasonCode | undefined {
  if (pinned.length === 0) return 'TOOL_NOT_PINNED'
  const isPinned = held.length === 0 && pinned.every((digest) => isNamed(digest, named))
  return isPinned ? undefined : 'TOOL_CHANGED'
}

/** What is known of a tool once a list has shown these definitions of it. `isFirst`: nobody has seen its server whole before. */
export function pinsAfter(
  before: ToolPins,
  seen: readonly string[],
  { mode, named }: Wanted,
  isFirst: boolean,
): ToolPins {
  if (named.length > 0) return namedAfter(before, seen, named)
  const isNew = before.pinned.length === 0 && before.held.length === 0
  // Of two definitions in one list nobody knows which one is meant.
  if (isNew && isFirst && mode === 'first_use' && seen.length === 1) return { pinned: seen, held: [] }
  const held = seen.filter((digest) => !before.pinned.includes(digest))
  return { pinned: before.pinned, held: united(before.held, held) }
}

/** The policy says by itself which definitions are accepted. One that it has dropped is no longer. */
function namedAfter(before: ToolPins, seen: readonly string[], named: Wanted['named']): ToolPins {
  const good = seen.filter((digest) => isNamed(digest, named))
  const other = seen.filter((digest) => !isNamed(digest, named))
  const kept = good.length > 0 ? before.pinned.filter((digest) => isNamed(digest, named)) : before.pinned
  const pinned = united(kept, good).filter((digest) => !other.includes(digest))
  return { pinned, held: united(before.held, other).filter((digest) => !pinned.includes(digest)) }
}

/** Does the policy name it everywhere where it names any? */
export function isNamed(digest: string, named: Wanted['named']): boolean {
  return named.every((digests) => digests.includes(digest))
}

function united(one: readonly string[], other: readonly string[]): readonly string[] {
  return [...new Set([...one, ...other])]
}

export function samePins(one: ToolPins, other: ToolPins): boolean {
  return sameMembers(one.pinned, other.pinned) && sameMembers(one.held, other.held)
}

function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((digest) => other.includes(digest))
}

/** A tool as a list shows it: what it says, as canonical JSON, and the digest of that. */
export interface Definition {
  readonly text: string
  /** Lower-case hex. */
  readonly sha256: string
}

/** What a model or a client goes by. Other members may differ from list to list. */
const defining: ReadonlySet<string> = new Set([
  'name',
  'title',
  'description',
  'inputschema',
  'outputschema',
  'annotations',
])

/** Undefined for what cannot be written down, so that nobody could say later what it was. */
export function definitionOf(item: { readonly [member: string]: unknown }): Definition | undefined {
  // A member in another letter case is one more: some clients read it in the place of the right one.
  const kept = Object.entries(item).filter(([key]) => defining.has(key.toLowerCase()))
  try {
    const text = canonical(Object.fromEntries(kept) as Json)
    return { text, sha256: hash('sha256', text) }
  } catch {
    return undefined
  }
}
