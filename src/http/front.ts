/** The gate as an HTTP server: who may ask, what is well formed, and which server it is for. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { errorCodes } from '../mcp/refusal.ts'
import type { Principal } from '../model/call.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { callBytesMax } from '../model/limits.ts'
import type { Unreadable } from '../model/message/message.ts'
import { readMessage, unreadLine } from '../model/message/read.ts'
import type { Gatekeeper } from '../pep/gatekeeper.ts'
import { disagreement } from './agreement.ts'
import { readBody } from './body.ts'
import { type Endpoint, endingWith, methodOf, requestId } from './endpoint.ts'
import { type Fields, isPacked, mediaType } from './fields.ts'
import { isKnownHost, isKnownOrigin, type Names } from './hosts.ts'
import {
  connectionsCheckMs,
  connectionsMax,
  drainMsMax,
  headerBytesMax,
  headersMsMax,
  keepAliveMs,
  lastWordsMs,
  requestMsMax,
  sweepMs,
} from './limits.ts'
import { probed } from './probes.ts'
import { HttpReply, type Reply } from './reply.ts'

/** A server behind the gate, and how the policy and the record call it. */
export interface Route {
  readonly endpoint: Endpoint
  readonly server: string
  readonly session: string
}

export interface FrontOptions {
  readonly gate: Gatekeeper
  /** By path, as `/mcp`. */
  readonly routes: ReadonlyMap<string, Route>
  readonly names: Names
  /** Who asks. All that the gate knows of its callers comes through here. */
  readonly identify: (request: IncomingMessage) => Caller | Promise<Caller>
  /** What else is answered than MCP, by path: a JSON document, for everybody. */
  readonly document?: (request: IncomingMessage, path: string) => string | undefined
  /** Why no call can be decided now; undefined when calls can. */
  readonly notReady?: () => string | undefined
  /** How long a caller may take; for tests. */
  readonly patience?: { readonly headersMs: number; readonly requestMs: number }
  /** With it the gate speaks TLS. */
  readonly tls?: TlsOptions
  readonly log: (sentence: string) => void
}

/** Who asks, or why nobody is let in, in the words of an answer. */
export type Caller = Known | Unknown

export interface Known {
  readonly principal: Principal
  /** When the credential is over, in milliseconds since 1970: no stream outlives it. */
  readonly endsAt?: number
}

export interface Unknown {
  readonly status: number
  readonly message: string
  readonly fields?: Fields
}

export class Front {
  readonly #options: FrontOptions
  readonly #server: Server
  readonly #sweeper: NodeJS.Timeout
  readonly #answers = new WeakMap<Socket, ServerResponse>()
  #draining = false
  #underWay = 0
  #whenIdle = () => {}

  constructor(options: FrontOptions) {
    this.#options = options
    const { headersMs, requestMs } = options.patience ?? { headersMs: headersMsMax, requestMs: requestMsMax }
    const limits = {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(headersMs, connectionsCheckMs),
      keepAliveTimeout: keepAliveMs,
      // Finds out that a machine is gone which had a stream open.
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    }
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      if (this.#isEarly(request, response)) request.socket.destroy()
      else void this.#answer(request, new HttpReply(response), response)
    }
    const { tls } = options
    this.#server = tls ? createTlsServer({ ...tls, ...limits }, answer) : createServer(limits, answer)
    this.#server.maxConnections = connectionsMax
    this.#sweeper = setInterval(() => this.#each((endpoint) => endpoint.sweep(Date.now())), sweepMs)
    this.#sweeper.unref()
  }

  /** Rejects with `listen_failed`. */
  listen(address: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const why = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'it is in use' : messageOf(cause)
        reject(new TollgateError('listen_failed', `cannot listen on \`${address}:${port}\`: ${why}`, { cause }))
      })
      this.#server.listen(port, address, () => resolve(this.#server.address() as AddressInfo))
    })
  }

  /** Connections from now on are made with this. */
  secure(tls: TlsOptions): void {
    if ('setSecureContext' in this.#server) (this.#server as TlsServer).setSecureContext(tls)
  }

  /** No new calls; those under way finish, or their outcome is unknown when their time is over. */
  async drain(): Promise<void> {
    this.#draining = true
    clearInterval(this.#sweeper)
    this.#server.close()
    this.#server.closeIdleConnections()
    this.#each((endpoint) => endpoint.endStreams())
    await this.#finished(drainMsMax)
    await Promise.all([...this.#options.routes.values()].map(({ endpoint }) => endpoint.close()))
    await this.#finished(lastWordsMs)
    this.#server.closeAllConnections()
  }

  #finished(ms: number): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#whenIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #each(act: (endpoint: Endpoint) => void): void {
    for (const { endpoint } of this.#options.routes.values()) act(endpoint)
  }

  /** Before the last answer is written: no client of MCP does that, and one connection would have any number of streams. */
  #isEarly({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const last = this.#answers.get(socket)
    this.#answers.set(socket, response)
    return last !== undefined && !last.writableEnded
  }

  async #answer(request: IncomingMessage, reply: Reply, response: ServerResponse): Promise<void> {
    this.#underWay++
    try {
      if (this.#draining) response.setHeader('connection', 'close')
      await this.#serve(request, reply)
    } catch (error) {
      if (!reply.stopped.aborted) this.#options.log(`a request failed: ${messageOf(error)}`)
      reply.error(500, errorCodes.internal, 'the gate failed')
      reply.end()
    } finally {
      if (!request.complete) leaveUnread(request, response)
      if (--this.#underWay === 0) this.#whenIdle()
    }
  }

  async #serve(request: IncomingMessage, reply: Reply): Promise<void> {
    const { routes, names, identify, document } = this.#options
    const { headers, method } = request
    const path = pathOf(request.url)
    const probe = method === 'GET' ? probed(path, () => this.#notReady()) : undefined
    if (probe !== undefined) return reply.json(probe.status, probe.text)
    if (!isKnownHost(headers.host, names))
      return refuse(reply, 403, 'the host is not one of this gate: call it by a name that its operator allows')
    if (!isKnownOrigin(headers.origin, names))
      return refuse(reply, 403, 'the origin may not call this gate: its operator can allow it')
    const text = method === 'GET' ? document?.(request, path) : undefined
    if (text !== undefined) return reply.json(200, text)
    const route = routes.get(path)
    if (route === undefined)
      return refuse(reply, 404, 'there is no MCP server at this path: ask the operator for the URL')
    if (this.#draining) return reply.error(503, errorCodes.internal, 'the gate is ending: try again in a while')
    const caller = await identify(request)
    if (!('principal' in caller)) return unknown(reply, caller)
    const asker = { headers, principal: caller.principal }
    if (method === 'GET') return endingWith(caller, reply, () => route.endpoint.get(asker, reply))
    if (method === 'DELETE') return route.endpoint.remove(asker, reply)
    if (method === 'POST') return this.#post(request, caller, route, reply)
    reply.error(405, errorCodes.invalidRequest, 'only POST, GET and DELETE are known here', null, allowed)
  }

  #notReady(): string | undefined {
    return this.#draining ? 'the gate is ending' : this.#options.notReady?.()
  }

  async #post(request: IncomingMessage, caller: Known, route: Route, reply: Reply): Promise<void> {
    const { headers } = request
    const { principal, endsAt } = caller
    if (mediaType(headers) !== 'application/json')
      return refuse(reply, 415, 'the content type must be application/json')
    if (isPacked(headers)) return refuse(reply, 415, 'a packed body is not accepted: send it as it is')
    const body = await readBody(request, callBytesMax)
    const read = body === undefined ? unreadLine(callBytesMax) : readMessage(body)
    const { parameters } = route.endpoint
    const lie = read.ok
      ? (disagreement(headers, read.message) ?? parameters.disagreement(headers, read.message))
      : undefined
    const method = methodOf(read)
    if (lie === undefined) {
      const post = () => route.endpoint.post({ headers, principal, endsAt, read }, reply)
      return method === 'subscriptions/listen' ? endingWith(caller, reply, post) : post()
    }
    const refusal = { reason: 'MALFORMED_CALL' as Unreadable['reason'], message: lie, ...(method && { method }) }
    this.#options.gate.refuse([{ ...refusal, principal, server: route.server, session: route.session }])
    reply.error(400, errorCodes.headerMismatch, lie, requestId(read) ?? null)
  }
}

const allowed = { allow: 'GET, POST, DELETE' }

function refuse(reply: Reply, status: number, why: string): void {
  reply.error(status, errorCodes.invalidRequest, why)
}

function unknown(reply: Reply, { status, message, fields = {} }: Unknown): void {
  reply.error(status, errorCodes.unknownCaller, message, null, fields)
}

/**
 * A call is answered before its body was looked at, where it is refused by its headers: the body may be on its way, and the
 * connection serves the next request once it has come. A longer one ends the connection, as does one that was broken off.
 */
function leaveUnread(request: IncomingMessage, response: ServerResponse): void {
  const hangUp = () => request.socket.destroySoon()
  if (request.readableDidRead || Number(request.headers['content-length'] ?? 0) > callBytesMax) {
    if (response.writableFinished) hangUp()
    else response.once('finish', hangUp)
    return
  }
  let bytesLeft = callBytesMax
  request.on('data', (chunk: Buffer) => {
    bytesLeft -= chunk.length
    if (bytesLeft < 0) hangUp()
  })
}

function pathOf(url: string | undefined): string {
  return (url ?? '').split('?', 1)[0] ?? ''
}
