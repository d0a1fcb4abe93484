/** Tool pinning at the gate: what a list of a server shows is noted and looked through, and what nobody has accepted is not called. */
import type { Call, Principal } from '../model/call.ts'
import type { PinEvent } from '../model/event.ts'
import type { Ledger, Transaction } from '../model/ledger.ts'
import { definitionBytesMax, heldDefinitionsMax, nameCharsMax, toolsKnownMax } from '../model/limits.ts'
import { isObject } from '../model/message/json.ts'
import { quoted } from '../model/message/quoted.ts'
import {
  type Definition,
  definitionOf,
  heldFor,
  noPins,
  type Pinning,
  pinsAfter,
  samePins,
  type ToolPins,
  type Wanted,
  wantedOf,
} from '../model/pinning.ts'
import type { ReasonCode } from '../model/reasons.ts'
import type { Stopped } from './stopped.ts'

/** A list of tools, or a page of one, that a server gave. */
export interface ToolList {
  readonly server: string
  readonly tools: readonly unknown[]
  /** No page comes after it. */
  readonly isLast: boolean
  /** Who asked for it. */
  readonly principal: Principal
  readonly session: string
}

/** What a list comes to. */
export interface Looked {
  /** For each of its tools: may it be shown? */
  readonly shown: readonly boolean[]
  /** Tools of which something else is known than before. */
  readonly changes: readonly Change[]
  /** Nobody has seen all of its server before. */
  readonly isWhole: boolean
}

interface Change {
  readonly tool: string
  readonly before: ToolPins
  readonly after: ToolPins
  /** Does another list show the tool, or not show it any more? */
  readonly turns: boolean
}

interface SeenTool {
  readonly tool: string
  /** Absent: it cannot be written down. */
  readonly definition?: Definition
}

type Known = Pick<Ledger & Transaction, 'pinsOf' | 'isSeenWhole'>

export function lookThrough(list: ToolList, pinning: Pinning, known: Known, room = Number.POSITIVE_INFINITY): Looked {
  const { server, tools, isLast } = list
  const seen = tools.map(seenTool)
  const isFirst = pinning.mode !== undefined && !known.isSeenWhole(server)
  const judged = new Map<string, { readonly wanted: Wanted; readonly after: ToolPins }>()
  const changes: Change[] = []
  for (const [tool, same] of Map.groupBy(seen, (one) => one?.tool)) {
    const wanted = tool === undefined ? undefined : wantedOf(pinning, { server, tool })
    if (tool === undefined || wanted === undefined) continue
    const digests = [...new Set(same.flatMap((one) => one?.definition?.sha256 ?? []))]
    const before = known.pinsOf({ server, tool })
    const isKnown = !samePins(before, noPins)
    const next = isKnown || changes.length < room ? limited(pinsAfter(before, digests, wanted, isFirst)) : before
    const after = samePins(before, next) ? before : next
    judged.set(tool, { wanted, after })
    if (after !== before)
      changes.push({ tool, before, after, turns: isKnown && !heldFor(before, wanted) !== !heldFor(after, wanted) })
  }
  const shown = seen.map((one) => {
    const found = one && judged.get(one.tool)
    if (!found) return one !== undefined
    const digest = one.definition?.sha256
    return digest !== undefined && found.after.pinned.includes(digest) && !heldFor(found.after, found.wanted)
  })
  return { shown, changes, isWhole: isFirst && isLast }
}

/** Writes down what a list comes to. */
export function noteList(tx: Transaction, list: ToolList, pinning: Pinning, append: (event: PinEvent) => void): Looked {
  const looked = lookThrough(list, pinning, tx, Math.max(0, toolsKnownMax - tx.toolsKnown(list.server)))
  const definitions = new Map(list.tools.flatMap((item) => definitionEntry(item)))
  for (const { tool, after } of looked.changes) {
    tx.setPins({ server: list.server, tool }, after)
    for (const digest of [...after.pinned, ...after.held]) {
      const definition = definitions.get(digest)
      if (definition && Buffer.byteLength(definition.text) <= definitionBytesMax) tx.keepDefinition(definition)
    }
  }
  if (looked.isWhole) tx.markSeenWhole(list.server)
  for (const event of eventsOf(looked, list, tx.now)) append(event)
  return looked
}

/** Why a call is refused whose tool is not what somebody has accepted. */
export function notPinned(
  tx: Pick<Transaction, 'pinsOf'>,
  { method, server, name }: Call,
  pinning: Pinning,
): Stopped | undefined {
  if (method !== 'tools/call') return undefined
  const tool = { server, tool: name }
  const wanted = wantedOf(pinning, tool)
  if (!wanted) return undefined
  const pins = tx.pinsOf(tool)
  const reason = heldFor(pins, wanted)
  return reason && { reason, message: sentence(reason, name, pins) }
}

const whatToDo =
  'an operator looks at it with `tollgate tools diff`, and accepts it with `tollgate tools accept` or in the policy'

function sentence(reason: ReasonCode, name: string, { pinned, held }: ToolPins): string {
  if (reason === 'TOOL_CHANGED') return `${quoted(name)} is not described as it was when it was accepted: ${whatToDo}`
  if (pinned.length === 0 && held.length === 0)
    return `no list of the server has shown ${quoted(name)} to the gate: list the tools, then call it`
  return `nobody has accepted what ${quoted(name)} says of itself: ${whatToDo}`
}

function seenTool(item: unknown): SeenTool | undefined {
  const name = isObject(item) ? item['name'] : undefined
  if (!isObject(item) || typeof name !== 'string' || name.length > nameCharsMax) return undefined
  const definition = definitionOf(item)
  return { tool: name, ...(definition && { definition }) }
}

function definitionEntry(item: unknown): readonly (readonly [string, Definition])[] {
  const definition = seenTool(item)?.definition
  return definition ? [[definition.sha256, definition]] : []
}

/** A server that shows another definition each time fills nothing: the tool is held back already. */
function limited({ pinned, held }: ToolPins): ToolPins {
  return { pinned, held: held.slice(0, heldDefinitionsMax) }
}

function eventsOf(
  { changes, isWhole }: Looked,
  { server, principal, session }: ToolList,
  at: number,
): readonly PinEvent[] {
  const drifts = changes.filter(({ before, after }) => after.held.some((digest) => !before.held.includes(digest)))
  const pins = changes.filter((change) => !drifts.includes(change))
  const kinds = [
    { kind: 'pin', own: pins },
    { kind: 'drift', own: drifts },
  ] as const
  const said = kinds.filter(({ own }) => own.length > 0)
  const due = said.length > 0 || !isWhole ? said : kinds.slice(0, 1)
  return due.map(({ kind, own }, index) => ({
    kind,
    at,
    server,
    principal,
    session,
    tools: own.map(({ tool, after }) => ({ tool, ...after })),
    ...(isWhole && index === 0 && { whole: true as const }),
  }))
}
