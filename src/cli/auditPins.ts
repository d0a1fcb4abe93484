/** Tool pinning on its way through a proof: what is held back is not called, and nothing is accepted that nobody accepted. */
import { type Body, bodyOf, objectIn, textIn } from '../log/body.ts'
import { messageOf } from '../model/errors.ts'
import type { StoredRecord } from '../model/ledger.ts'
import {
  heldFor,
  isNamed,
  noPins,
  type Pinning,
  pinningIn,
  type ToolPins,
  type Wanted,
  wantedOf,
} from '../model/pinning.ts'
import type { KeptPolicies } from './auditPolicies.ts'
import type { Findings } from './auditReport.ts'

interface RecordedTool extends ToolPins {
  readonly tool: string
}

export class FollowedPins {
  readonly #policies: KeptPolicies
  readonly #findings: Findings
  readonly #known = new Map<string, ToolPins>()
  /** Servers that were seen whole. */
  readonly #whole = new Set<string>()

  /** `before` are the records of pins before the first that is looked at. */
  constructor(policies: KeptPolicies, before: Iterable<StoredRecord>, findings: Findings) {
    this.#policies = policies
    this.#findings = findings
    for (const record of before) this.#note(bodyOf(record))
  }

  /** A record of what is known of tools. */
  follow({ seq, kind }: StoredRecord, body: Body): void {
    this.#findings.of(seq, 'pin', this.#fault(kind, body))
    this.#note(body)
  }

  /** A decision: the policy is asked about nothing that is held back, and only that is refused for it. */
  decide({ seq }: StoredRecord, body: Body): void {
    const [server, tool, method] = ['server', 'name', 'method'].map((key) => textIn(body, key))
    if (body['type'] === 'refusal' || method !== 'tools/call' || server == null || tool == null) return
    const said = textIn(objectIn(body, 'result'), 'reason_code')
    const isAsked = Object.hasOwn(body, 'input')
    const isRefused = !isAsked && (said === 'TOOL_CHANGED' || said === 'TOOL_NOT_PINNED')
    if (!isAsked && !isRefused) return
    const pinning = this.#pinningOf(seq, body, isAsked)
    if (pinning === 'unknown') return
    const wanted = pinning && wantedOf(pinning, { server, tool })
    const reason = wanted && heldFor(this.#of(server, tool), wanted)
    if (isAsked && reason !== undefined)
      this.#findings.of(seq, 'pin', `it was decided though the tool is held back (${reason})`)
    if (isRefused && reason !== said)
      this.#findings.of(seq, 'pin', `it was refused for ${said}, which is ${reason ?? 'not so'}`)
  }

  #fault(kind: string, body: Body): string | undefined {
    if (body['type'] !== kind) return `its type is \`${body['type']}\`, the record is of the kind \`${kind}\``
    const server = textIn(body, 'server')
    const tools = toolsIn(body)
    if (server === null || !tools) return 'it does not say what it is about'
    const policy = kind === 'accept' ? undefined : this.#policies.setNamedIn(body)
    const pinning = policy && pinningIn(policy)
    for (const { tool, ...after } of tools) {
      const before = this.#of(server, tool)
      const wanted = pinning && wantedOf(pinning, { server, tool })
      const fault = kind === 'accept' ? acceptFault(before, after) : this.#seenFault(server, before, after, wanted)
      if (fault !== undefined) return `\`${tool}\`: ${fault}`
    }
    return undefined
  }

  /** By a list nothing is accepted but what the policy names, and the first that is seen of a server where it says so. */
  #seenFault(server: string, before: ToolPins, after: ToolPins, wanted: Wanted | undefined): string | undefined {
    if (!wanted) return 'no policy asks for it'
    const { mode, named } = wanted
    const isFirst = before.pinned.length + before.held.length === 0 && !this.#whole.has(server)
    const isGiven = (digest: string) =>
      named.length > 0 ? isNamed(digest, named) : mode === 'first_use' && isFirst && after.pinned.length === 1
    const added = after.pinned.filter((digest) => !before.pinned.includes(digest))
    if (!added.every(isGiven)) return 'a definition is accepted that nobody accepted'
    const dropped = before.pinned.filter((digest) => !after.pinned.includes(digest))
    if (dropped.some((digest) => named.length === 0 || isNamed(digest, named)))
      return 'a definition is dropped that was accepted'
    const freed = before.held.filter((digest) => !after.held.includes(digest))
    return freed.every((digest) => after.pinned.includes(digest)) ? undefined : 'a definition is not held back any more'
  }

  #pinningOf(seq: number, body: Body, isAsked: boolean): Pinning | undefined | 'unknown' {
    try {
      const policy = this.#policies.setNamedIn(body)
      return policy && pinningIn(policy)
    } catch (thrown) {
      // Of a decision that the policy made it has been said.
      if (!isAsked) this.#findings.of(seq, 'policy', messageOf(thrown))
      return 'unknown'
    }
  }

  #of(server: string, tool: string): ToolPins {
    return this.#known.get(keyOf(server, tool)) ?? noPins
  }

  #note(body: Body): void {
    const server = textIn(body, 'server')
    if (server === null) return
    for (const { tool, pinned, held } of toolsIn(body) ?? []) this.#known.set(keyOf(server, tool), { pinned, held })
    if (body['whole'] === true) this.#whole.add(server)
  }
}

/** A person accepts what was seen. */
function acceptFault(before: ToolPins, after: ToolPins): string | undefined {
  const seen = [...before.pinned, ...before.held]
  if (!after.pinned.every((digest) => seen.includes(digest))) return 'a definition is accepted that no list has shown'
  return after.held.every((digest) => before.held.includes(digest)) ? undefined : 'a definition is held back anew'
}

function keyOf(server: string, tool: string): string {
  return JSON.stringify([server, tool])
}

function toolsIn(body: Body): readonly RecordedTool[] | undefined {
  const tools = body['tools']
  if (!Array.isArray(tools)) return undefined
  return tools.every(isRecordedTool) ? tools : undefined
}

function isRecordedTool(value: unknown): value is RecordedTool {
  if (typeof value !== 'object' || value === null) return false
  const { tool, pinned, held } = value as Body
  return typeof tool === 'string' && areDigests(pinned) && areDigests(held)
}

function areDigests(value: unknown): boolean {
  return Array.isArray(value) && value.every((digest) => typeof digest === 'string')
}
