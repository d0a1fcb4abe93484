/** One MCP server as callers reach it, whatever carries its messages. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Line } from '../mcp/framing.ts'
import type { Interceptor } from '../mcp/interceptor.ts'
import { isPassed } from '../mcp/methods.ts'
import type { Principal } from '../model/call.ts'
import { isActing } from '../model/message/acts.ts'
import type { Id, ReadMessage } from '../model/message/message.ts'
import type { Run } from '../model/pack/run.ts'
import type { Gatekeeper } from '../pep/gatekeeper.ts'
import { isStateless } from './agreement.ts'
import type { Reply } from './reply.ts'

/** Who asks, and the headers with which it does. */
export interface Asker {
  readonly headers: IncomingHttpHeaders
  readonly principal: Principal
}

export interface Posted extends Asker {
  readonly read: ReadMessage
}

export interface Endpoint {
  post(posted: Posted, reply: Reply): Promise<void>
  get(asker: Asker, reply: Reply): Promise<void>
  remove(asker: Asker, reply: Reply): Promise<void>
  /** Sessions and calls that nobody comes back for are over. */
  sweep(now: number): void
  /** Ends the streams that would never end by themselves. */
  endStreams(): void
  close(): Promise<void>
}

export interface EndpointOptions {
  readonly gate: Gatekeeper
  /** Name of the server, as the policy knows it. */
  readonly server: string
  /** Name of the session of all that has none: the stateless revision, and servers without sessions. */
  readonly session: string
  /** The run of a workflow that the calls belong to, as its host has registered it by now. */
  readonly run?: () => Run | undefined
  /** How long the server may be silent while it owes an answer. */
  readonly silenceMs: number
  readonly log: (sentence: string) => void
}

/**
 * Judges one message. Gives the line that goes on; undefined when none does: the caller is answered then.
 */
export function judged(interceptor: Interceptor, { read }: Posted, reply: Reply): Line | undefined {
  const { toServer, toClient } = interceptor.fromClient([read])
  const [line] = toServer
  if (line !== undefined) return line
  const [answer] = toClient
  if (answer !== undefined) reply.json(statusOfRefusal(read), answer)
  // A refused message without an id: there is nothing to answer but that.
  else reply.empty(400)
  interceptor.settle()
  return undefined
}

/** What policy refuses is an answer like others: clients take other statuses for a fault of the server. */
function statusOfRefusal(read: ReadMessage): number {
  if (!read.ok) return read.reason === 'CALL_TOO_LARGE' ? 413 : 400
  const { message } = read
  const unknown = message.kind === 'request' && !isActing(message.method) && !isPassed(message.method)
  return unknown && isStateless(message) ? 404 : 200
}

/** The id that an answer will have; undefined for what gets none. */
export function requestId(read: ReadMessage): Id | undefined {
  return read.ok && read.message.kind === 'request' ? read.message.id : undefined
}

export function methodOf(read: ReadMessage): string | undefined {
  return read.ok && read.message.kind !== 'response' ? read.message.method : undefined
}

export const unknownSession = 'there is no such session: initialize again'
