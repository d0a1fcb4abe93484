/** Tool pinning as persons use it: what a server says of a tool is accepted, from the next list and the next call on. */
import { TollgateError } from '../model/errors.ts'
import type { GateEvent } from '../model/event.ts'
import type { Ledger, Transaction } from '../model/ledger.ts'
import { quoted } from '../model/message/quoted.ts'
import { instructionsName, type ServerTool, type ToolPins } from '../model/pinning.ts'
import { type Said, unreadable } from './said.ts'

export interface ToolPorts {
  readonly ledger: Pick<Ledger, 'transact'>
  /** The record of an event, as JSON text. */
  readonly describe: (event: GateEvent) => string
}

export interface Acceptance {
  readonly server: string
  readonly tools: readonly string[]
  /** The first digits of the digest of the definition, where a tool has several. */
  readonly digest?: string
  /** What was accepted before stays so: the server shows several definitions, to different callers. */
  readonly also?: boolean
}

export interface AcceptedTool extends ServerTool, ToolPins {
  /** The definition that was accepted now. */
  readonly sha256: string
}

export class Tools {
  readonly #ports: ToolPorts

  constructor(ports: ToolPorts) {
    this.#ports = ports
  }

  /** All of them or none. Throws `tool_unknown`, `tool_ambiguous`, `tool_invalid`, and those of the ledger. */
  accept(wish: Acceptance, said: Said): readonly AcceptedTool[] {
    const fault = unreadable(said)
    if (fault !== undefined) throw new TollgateError('tool_invalid', fault)
    const { server } = wish
    return this.#ports.ledger.transact((tx) => {
      const accepted = [...new Set(wish.tools)].map((tool) => acceptedTool(tx, { server, tool }, wish))
      if (accepted.length === 0) return accepted
      for (const one of accepted) tx.setPins(one, one)
      const tools = accepted.map(({ tool, pinned, held }) => ({ tool, pinned, held }))
      const event = { kind: 'accept', at: tx.now, server, tools, ...said } as const
      tx.append({ kind: 'accept', body: this.#ports.describe(event) })
      return accepted
    })
  }
}

function acceptedTool(tx: Transaction, at: ServerTool, { digest: begins, also }: Acceptance): AcceptedTool {
  const { pinned, held } = tx.pinsOf(at)
  const digest = digestOf(at, { pinned, held }, begins)
  const before = also ? pinned.filter((one) => one !== digest) : []
  const left = also ? held.filter((one) => one !== digest) : []
  return { ...at, sha256: digest, pinned: [...before, digest], held: left }
}

function digestOf({ tool }: ServerTool, { pinned, held }: ToolPins, begins: string | undefined): string {
  const name = tool === instructionsName ? 'the instructions' : `the tool ${quoted(tool)}`
  if (pinned.length + held.length === 0) throw new TollgateError('tool_unknown', `no list has shown ${name}`)
  if (begins === undefined) {
    if (held.length === 0) throw new TollgateError('tool_unknown', `nothing of ${name} is held back`)
    if (held.length > 1) {
      const digests = held.map((one) => quoted(one.slice(0, 12))).join(', ')
      const message = `${name} was shown with ${held.length} definitions: say which one with \`--digest\`: ${digests}`
      throw new TollgateError('tool_ambiguous', message)
    }
    return held[0] as string
  }
  const found = [...held, ...pinned].filter((one) => one.startsWith(begins))
  if (found.length > 1)
    throw new TollgateError('tool_ambiguous', `several definitions of ${name} begin with ${quoted(begins)}`)
  if (found[0] === undefined)
    throw new TollgateError('tool_unknown', `no definition of ${name} begins with ${quoted(begins)}`)
  return found[0]
}
