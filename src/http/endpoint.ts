/** One MCP server as callers reach it, whatever carries its messages. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Line } from '../mcp/framing.ts'
import type { Interceptor } from '../mcp/interceptor.ts'
import { isPassed } from '../mcp/methods.ts'
import { errorCodes } from '../mcp/refusal.ts'
import type { WaitOptions } from '../mcp/scope.ts'
import type { Principal } from '../model/call.ts'
import { messageOf } from '../model/errors.ts'
import { isActing } from '../model/message/acts.ts'
import type { Id, ReadMessage } from '../model/message/message.ts'
import type { Run } from '../model/pack/run.ts'
import type { Gatekeeper } from '../pep/gatekeeper.ts'
import { isStateless } from './agreement.ts'
import type { Parameters } from './parameters.ts'
import type { Reply } from './reply.ts'
import type { SharesOptions } from './shares.ts'
import type { Together } from './together.ts'

/** Who asks, and the headers with which it does. */
export interface Asker {
  readonly headers: IncomingHttpHeaders
  readonly principal: Principal
}

export interface Posted extends Asker {
  readonly read: ReadMessage
  /** When the credential is over, in milliseconds since 1970: nobody waits for a person longer. */
  readonly endsAt?: number | undefined
}

export interface Endpoint {
  /** What callers repeat in headers of the parameters of its tools. */
  readonly parameters: Parameters
  post(posted: Posted, reply: Reply): Promise<void>
  get(asker: Asker, reply: Reply): Promise<void>
  remove(asker: Asker, reply: Reply): Promise<void>
  /** Sessions and calls that nobody comes back for are over. */
  sweep(now: number): void
  /** Ends the streams that would never end by themselves. */
  endStreams(): void
  close(): Promise<void>
}

export interface EndpointOptions extends SharesOptions, WaitOptions {
  readonly gate: Gatekeeper
  /** Name of the server, as the policy knows it. */
  readonly server: string
  /** Name of the session of all that has none: the stateless revision, and servers without sessions. */
  readonly session: string
  /** The same where callers are told apart: each has one. */
  readonly sessionFor?: (principal: Principal) => string
  /** The run of a workflow that the calls belong to, as its host has registered it by now. */
  readonly run?: (principal: Principal) => Run | undefined
  /** How long the server may be silent while it owes an answer. */
  readonly silenceMs: number
  readonly log: (sentence: string) => void
}

/**
 * Judges one message. Gives the line that goes on, at once or when a person has approved it; undefined when none does: the
 * caller is answered then.
 */
export async function judged(
  together: Together,
  interceptor: Interceptor,
  posted: Posted,
  reply: Reply,
): Promise<Line | undefined> {
  const { read, headers } = posted
  const { traceparent, tracestate } = headers
  const begun = interceptor.begin([read], { traceparent, tracestate })
  const { toServer, toClient, kept, taken } = await together.decide(begun)
  const [line] = toServer
  if (line !== undefined) return line
  if (kept?.[0] !== undefined) return waited(interceptor, kept[0], posted, reply)
  const [answer] = toClient
  if (answer !== undefined) reply.json(statusOfRefusal(read), answer)
  // A refused message without an id: there is nothing to answer but that.
  else reply.empty(taken ? 202 : 400)
  interceptor.settle()
  return undefined
}

/** A call that a person was asked about: its caller hears that it waits, if it can be told, and leaves it by leaving. */
async function waited(interceptor: Interceptor, id: Id, posted: Posted, reply: Reply): Promise<Line | undefined> {
  if (takesEvents(posted.headers)) reply.openEarly()
  const line = await endingWith(posted, reply, async () => {
    for await (const { toServer, toClient, isLast } of interceptor.wait(id, reply.left)) {
      const [line] = toServer
      if (!isLast) await reply.stillWaiting(toClient)
      else {
        // What goes on is not held back by a caller that reads slowly: it may leave meanwhile.
        const before = line === undefined ? toClient.slice(0, -1) : toClient
        if (before.length > 0) void reply.stillWaiting(before)
        if (line !== undefined) return line
        reply.json(200, toClient.at(-1) ?? '')
      }
    }
    return undefined
  })
  if (line !== undefined) return line
  // It was broken off, cancelled, or answered.
  if (reply.stopped.aborted) reply.error(502, errorCodes.internal, messageOf(reply.stopped.reason), id)
  else reply.empty(202)
  interceptor.settle()
  return undefined
}

/** The longest that a timer of Node waits. */
const timerMsMax = 2 ** 31 - 1

/** What would not end by itself ends with the credential of its caller: whoever has a new one comes back. */
export async function endingWith<T>(
  { endsAt }: { readonly endsAt?: number | undefined },
  reply: Reply,
  work: () => Promise<T>,
): Promise<T> {
  if (endsAt === undefined) return work()
  const why = 'the credential of the caller is over'
  const timer = setTimeout(() => reply.breakOff(why), Math.min(endsAt - Date.now(), timerMsMax))
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}

export function takesEvents({ accept = '' }: IncomingHttpHeaders): boolean {
  return accept.includes('text/event-stream')
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

/** The id of the request that a client gives up. */
export function cancelledId(read: ReadMessage): unknown {
  if (!read.ok || read.message.kind !== 'notification') return undefined
  return read.message.method === 'notifications/cancelled' ? read.message.params?.['requestId'] : undefined
}

export function methodOf(read: ReadMessage): string | undefined {
  return read.ok && read.message.kind !== 'response' ? read.message.method : undefined
}

/** Is the caller stopped? Then it is told so. */
export function isRefused({ stopped }: Interceptor, reply: Reply): boolean {
  if (stopped !== undefined) reply.error(403, errorCodes.refused, stopped.message)
  return stopped !== undefined
}
