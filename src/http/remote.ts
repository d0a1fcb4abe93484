/** An MCP server over Streamable HTTP: what callers post is judged and posted on, what it streams is looked through. */
import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { Line } from '../mcp/framing.ts'
import { Interceptor, notificationLine } from '../mcp/interceptor.ts'
import { errorCodes } from '../mcp/refusal.ts'
import type { Principal } from '../model/call.ts'
import { isStateless, repeatsBody, statelessVersion } from './agreement.ts'
import { Deciding } from './deciding.ts'
import {
  type Asker,
  type Endpoint,
  type EndpointOptions,
  isRefused,
  judged,
  methodOf,
  type Posted,
  requestId,
} from './endpoint.ts'
import { answeredWith, Exchange } from './exchange.ts'
import { type Fields, fieldsForCaller, fieldsForUpstream, isPacked, mediaType, sessionField } from './fields.ts'
import type { Answered } from './incoming.ts'
import { sessionStreamsMax } from './limits.ts'
import { Parameters } from './parameters.ts'
import { type Reply, untilStopped } from './reply.ts'
import { type Session, Sessions } from './sessions.ts'
import { type Place, Shares } from './shares.ts'
import { EventStream } from './stream.ts'
import { Together } from './together.ts'
import { UnderWay } from './underWay.ts'
import { faultOf, Upstream } from './upstream.ts'

export interface RemoteOptions extends EndpointOptions {
  readonly url: URL
  /** Headers by which the server knows the gate; undefined while they cannot be had. */
  readonly credential?: (() => Fields | undefined) | undefined
  /** Of the one caller that there is: the name of its session, in the record and for limits. A fresh one for each session without it. */
  readonly newSession?: () => string
}

/** A stream of the stateless revision that hears of changed lists. */
interface Listening {
  readonly interceptor: Interceptor
  readonly reply: Reply
}

export class Remote implements Endpoint {
  readonly #options: RemoteOptions
  readonly #upstream: Upstream
  readonly parameters = new Parameters()
  readonly #together: Together
  readonly #sessions = new Sessions()
  readonly #learn = (result: unknown) => this.parameters.learn(result)
  readonly #listening = new Set<Listening>()
  readonly #underWay = new UnderWay()
  readonly #deciding = new Deciding()
  /** Of the one caller that there is, where the server opened no session for it. */
  #only: Interceptor | undefined
  /** Streams that end when the gate does. */
  readonly #streams = new Set<Reply>()
  /** Streams of the gate's own, of callers whose server has no sessions. */
  readonly #sessionless = new Set<Reply>()
  /** What such a server lets its clients expect. */
  readonly #declared = new Set<string>()
  readonly #shares: Shares

  constructor(options: RemoteOptions) {
    this.#options = options
    this.#together = new Together(options.gate)
    this.#shares = new Shares(options)
    this.#upstream = new Upstream(options.url, options.credential)
    options.gate.onPolicyChange(() => this.#tellOfChange())
    options.gate.onKill(() => this.#endStopped())
  }

  async post(posted: Posted, reply: Reply): Promise<void> {
    const stateless = posted.read.ok && isStateless(posted.read.message)
    const session = stateless ? undefined : this.#sessions.named(posted, reply)
    if (session === null) return
    const opens = !stateless && session === undefined && methodOf(posted.read) === 'initialize'
    const caller = this.#shares.callerOf(posted.principal)
    const exchange = this.#shares.exchanges.take(caller, reply)
    if (exchange === undefined) return
    const place = opens ? this.#shares.sessions.take(caller, reply) : undefined
    if (opens && place === undefined) return exchange.leave()
    const known = session?.interceptor ?? (opens || stateless ? undefined : this.#only)
    const interceptor = known ?? this.#interceptor(posted.principal, opens)
    const release = session?.use(reply)
    try {
      const line = await this.#judged(posted, interceptor, reply, known !== undefined || stateless)
      if (line !== undefined) await this.#exchange({ ...posted, line, interceptor, session, place }, reply)
    } finally {
      release?.()
      place?.leave()
      exchange.leave()
    }
  }

  /** `correlated`: what gives the call up reaches its own scope. */
  #judged(posted: Posted, interceptor: Interceptor, reply: Reply, correlated: boolean): Promise<Line | undefined> {
    const judge = () => judged(this.#together, interceptor, posted, reply)
    if (correlated) return judge()
    this.#deciding.cancel(posted)
    return this.#deciding.during(posted, interceptor, judge)
  }

  async #exchange(judged: Judged, reply: Reply): Promise<void> {
    const { read, headers, line, interceptor, place } = judged
    const opens = place !== undefined
    const method = methodOf(read)
    const listens = method === 'subscriptions/listen' ? { interceptor, reply } : undefined
    let { session } = judged
    const fields = fieldsForUpstream(headers, session?.id)
    if (!repeatsBody('mcp-name', method)) delete fields['mcp-name']
    const silenceMs = listens ? 0 : this.#options.silenceMs
    const tellServer = (answer: Line) => this.#tellServer(answer, session?.id)
    const id = requestId(read)
    const exchange = new Exchange({ interceptor, reply, id, session: () => session, tellServer })
    // Where there are sessions, to leave a call is not to cancel it.
    const forget = this.#underWay.add({
      interceptor,
      reply,
      id,
      ...(!(read.ok && isStateless(read.message)) && { cancel: tellServer }),
    })
    if (listens) {
      this.#listening.add(listens)
      this.#streams.add(reply)
    }
    await exchange.run(
      () => this.#upstream.send('POST', { fields, body: line, signal: reply.stopped, silenceMs }),
      (answer) => {
        if (opens) session = this.#opened(judged, answer)
        if (session !== undefined && answer.status === 404)
          this.#sessions.end(session, 'the MCP server ended the session')
        return opens && session !== undefined ? { [sessionField]: session.id } : {}
      },
    )
    forget()
    if (opens && session === undefined && this.#options.newSession) this.#only = interceptor
    if (opens && session === undefined) for (const method of interceptor.listsDeclared) this.#declared.add(method)
    if (listens) {
      this.#listening.delete(listens)
      this.#streams.delete(reply)
    }
  }

  /** The session that the server opened, if it has sessions. */
  #opened({ principal, interceptor, place }: Judged, { status, headers }: Answered): Session | undefined {
    const id = headers[sessionField]
    if (id === undefined || status >= 300) return undefined
    const session = typeof id === 'string' ? this.#sessions.open({ id, principal, interceptor, place }) : undefined
    if (session === undefined) throw new Error('its session id is none, or is taken')
    return session
  }

  async get(asker: Asker, reply: Reply): Promise<void> {
    const session = this.#sessions.named(asker, reply)
    if (session === null) return
    if (session !== undefined && session.streams >= sessionStreamsMax)
      return reply.busy('the session has too many streams')
    const interceptor = session?.interceptor ?? this.#interceptor(asker.principal, false)
    if (isRefused(interceptor, reply)) return
    const place = this.#shares.streams.take(this.#shares.callerOf(asker.principal), reply)
    if (place === undefined) return
    this.#streams.add(reply)
    const ended = this.#underWay.add({ interceptor, reply, id: undefined })
    try {
      const fields = fieldsForUpstream(asker.headers, session?.id)
      const answer = await this.#upstream.send('GET', { fields, signal: reply.stopped, silenceMs: 0 })
      if (answer.status === 405 && !resumes(asker) && asker.headers['mcp-protocol-version'] !== statelessVersion) {
        await answer.body.discard()
        return await this.#ownStream(session, reply)
      }
      if (!isStream(answer)) {
        if (session !== undefined && resumes(asker)) await tellBroken(session, answeredWith(answer), reply)
        return await this.#passStatus(answer, session, reply)
      }
      reply.openStream(fieldsForCaller(answer.headers))
      const forget = await session?.listen(reply)
      const unasked = resumes(asker) ? 'pass' : 'drop'
      const tellServer = (line: Line) => this.#tellServer(line, session?.id)
      await new EventStream({ interceptor, reply, unasked, tellServer }).pipe(answer.body).finally(forget)
    } catch (error) {
      const { status, why } = faultOf(error)
      if (!reply.hasBegun && session !== undefined && resumes(asker)) await tellBroken(session, why, reply)
      reply.error(status, errorCodes.internal, why)
    } finally {
      this.#streams.delete(reply)
      place.leave()
      ended()
      reply.end()
      interceptor.settle()
    }
  }

  /** A server without such a stream has nothing to tell on it. The gate has: the lists change with the policy. */
  async #ownStream(session: Session | undefined, reply: Reply): Promise<void> {
    reply.openStream({})
    const forget = await session?.listen(reply)
    if (session === undefined) this.#sessionless.add(reply)
    await untilStopped(reply)
    this.#sessionless.delete(reply)
    forget?.()
  }

  async remove(asker: Asker, reply: Reply): Promise<void> {
    const session = this.#sessions.named(asker, reply)
    if (session === null) return
    try {
      const fields = fieldsForUpstream(asker.headers, session?.id)
      const { silenceMs } = this.#options
      const answer = await this.#upstream.send('DELETE', { fields, signal: reply.stopped, silenceMs })
      if (session !== undefined && answer.status < 300) this.#sessions.end(session, 'the client ended the session')
      await this.#passStatus(answer, session, reply)
    } catch (error) {
      const { status, why } = faultOf(error)
      reply.error(status, errorCodes.internal, why)
    }
  }

  sweep(now: number): void {
    for (const session of this.#sessions.sweep(now)) this.#leave(session)
  }

  endStreams(): void {
    for (const reply of this.#streams) reply.breakOff('the gate is ending')
  }

  async close(): Promise<void> {
    await this.#upstream.close()
    await turn() // what was under way is answered first
    for (const session of this.#sessions.all) this.#sessions.end(session, 'the gate ended')
  }

  #interceptor(principal: Principal, opens: boolean): Interceptor {
    const { url: _, silenceMs: __, session, sessionFor, newSession, ...common } = this.#options
    // The id of a session is a secret of its caller; the record knows it by a name of ours.
    const name = opens ? (newSession?.() ?? randomUUID()) : (sessionFor?.(principal) ?? session)
    return new Interceptor({ ...common, principal, session: name, unasked: 'drop', onTools: this.#learn })
  }

  /** Words of the server beside MCP go nowhere; what its status says does. */
  async #passStatus(answer: Answered, session: Session | undefined, reply: Reply): Promise<void> {
    await answer.body.discard()
    const { status } = answer
    if (session !== undefined && status === 404) this.#sessions.end(session, 'the MCP server ended the session')
    const fields = fieldsForCaller(answer.headers)
    if (status < 300) return reply.empty(status, fields)
    const passed = status >= 400 && status !== 401 && status !== 407 ? status : 502
    reply.error(passed, errorCodes.internal, answeredWith(answer), null, fields)
  }

  /** The gate's own answer to a request of the server. */
  #tellServer(line: Line, session: string | undefined): void {
    const fields = fieldsForUpstream({ accept: 'application/json, text/event-stream' }, session)
    this.#upstream
      .send('POST', { fields, body: line, silenceMs: this.#options.silenceMs })
      .then(({ body }) => body.discard())
      .catch((error) => this.#options.log(`the server was not answered: ${faultOf(error).why}`))
  }

  /** A session that nobody uses any more is ended at the server as well. */
  #leave({ id }: Session): void {
    const fields = fieldsForUpstream({}, id)
    this.#upstream
      .send('DELETE', { fields, silenceMs: this.#options.silenceMs })
      .then(({ body }) => body.discard())
      .catch((error) => this.#options.log(`a session of the server was not ended: ${faultOf(error).why}`))
  }

  /** Their calls first, so that whoever waits for one is told why. */
  #endStopped(): void {
    this.#underWay.endStopped()
    for (const session of this.#sessions.all) {
      const { stopped } = session.interceptor
      if (stopped === undefined) {
        this.#endBroken(session)
        continue
      }
      this.#sessions.end(session, stopped.message)
      this.#leave(session)
    }
  }

  /** Calls of a stopped tool that nobody waits for at this moment: their streams broke, and may be resumed. */
  #endBroken(session: Session): void {
    const { toServer, toClient } = session.interceptor.endStopped()
    for (const line of toServer) this.#tellServer(line, session.id)
    if (toClient.length > 0) void session.tell(toClient)
    session.interceptor.settle()
  }

  #tellOfChange(): void {
    for (const session of this.#sessions.all) void session.tell(session.interceptor.policyChanged().toClient)
    for (const reply of this.#sessionless) {
      for (const method of this.#declared) reply.event(notificationLine(method))
      void reply.flush()
    }
    for (const { interceptor, reply } of this.#listening) {
      for (const line of interceptor.policyChanged().toClient) reply.event(line)
      void reply.flush()
    }
  }
}

interface Judged extends Posted {
  readonly line: Line
  readonly interceptor: Interceptor
  readonly session: Session | undefined
  /** Of the session that this is to open. */
  readonly place: Place | undefined
}

function resumes({ headers }: Asker): boolean {
  return headers['last-event-id'] !== undefined
}

/** The server does not take the stream up again: who waits for a call of it is told, instead of waiting on. */
async function tellBroken(session: Session, why: string, reply: Reply): Promise<void> {
  const lines = session.giveUpBroken(Number.POSITIVE_INFINITY, why)
  if (lines.length === 0) return
  reply.openStream({})
  for (const line of lines) reply.event(line)
  await reply.flush()
}

function isStream({ status, headers }: Answered): boolean {
  return status === 200 && mediaType(headers) === 'text/event-stream' && !isPacked(headers)
}
