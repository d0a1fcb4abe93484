/**
 * A stdio server behind HTTP. Such a server has one caller for as long as it lives: what `initialize` said, subscriptions,
 * log levels and often more is state of the process. So each session has a process of its own, and in the stateless
 * revision each request has one for itself while it lasts: over a pipe, nothing but its id tells whose a message is.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Command } from '../mcp/child.ts'
import type { Line } from '../mcp/framing.ts'
import { Interceptor } from '../mcp/interceptor.ts'
import { errorCodes } from '../mcp/refusal.ts'
import type { Principal } from '../model/call.ts'
import { messageOf } from '../model/errors.ts'
import { isObject } from '../model/message/json.ts'
import type { ReadMessage } from '../model/message/message.ts'
import { isStateless } from './agreement.ts'
import { Conversation } from './conversation.ts'
import {
  type Asker,
  cancelledId,
  type Endpoint,
  type EndpointOptions,
  isRefused,
  judged,
  methodOf,
  type Posted,
  requestId,
} from './endpoint.ts'
import { type Fields, sessionField } from './fields.ts'
import { processIdleMsMin, sessionStreamsMax } from './limits.ts'
import { OwnStreams } from './ownStreams.ts'
import { Parameters } from './parameters.ts'
import { Processes } from './processes.ts'
import type { Reply } from './reply.ts'
import { ownerOf, type Session, Sessions } from './sessions.ts'
import { type Place, Shares } from './shares.ts'
import { Together } from './together.ts'
import { UnderWay } from './underWay.ts'

export interface LocalOptions extends EndpointOptions {
  readonly command: Command
}

/** A process that waits for the next stateless request of its caller. */
interface Free {
  readonly conversation: Conversation
  readonly principal: Principal
  readonly owner: string
  readonly since: number
}

export class Local implements Endpoint {
  readonly #options: LocalOptions
  readonly parameters = new Parameters()
  readonly #together: Together
  readonly #sessions = new Sessions()
  readonly #learn = (result: unknown) => this.parameters.learn(result)
  readonly #conversations = new Map<Session, Conversation>()
  readonly #ownStreams = new OwnStreams()
  readonly #processes: Processes
  #free: readonly Free[] = []
  /** Stateless requests under way. */
  readonly #stateless = new Map<Conversation, Reply>()
  /** Stateless streams that end when the gate does. */
  readonly #streams = new Set<Reply>()
  readonly #underWay = new UnderWay()
  readonly #shares: Shares

  constructor(options: LocalOptions) {
    this.#options = options
    this.#shares = new Shares(options)
    this.#processes = new Processes(options)
    this.#together = new Together(options.gate)
    options.gate.onPolicyChange(() => this.#tellOfChange())
    options.gate.onKill(() => this.#endStopped())
  }

  async post(posted: Posted, reply: Reply): Promise<void> {
    const exchange = this.#shares.exchanges.take(this.#shares.callerOf(posted.principal), reply)
    if (exchange === undefined) return
    try {
      await this.#post(posted, reply)
    } finally {
      exchange.leave()
    }
  }

  async #post(posted: Posted, reply: Reply): Promise<void> {
    const { read, principal } = posted
    if (read.ok && isStateless(read.message)) return this.#postStateless(posted, reply)
    const session = this.#sessionOf(posted, reply)
    if (session === null) return
    if (session !== undefined) return this.#postIn(session, posted, reply)
    if (methodOf(read) === 'initialize') return this.#open(posted, reply)
    if (!read.ok)
      return void (await judged(
        this.#together,
        this.#interceptor(principal, this.#sessionlessOf(principal)),
        posted,
        reply,
      ))
    reply.error(400, errorCodes.invalidRequest, 'there is no session: initialize first', requestId(read) ?? null)
  }

  async get(asker: Asker, reply: Reply): Promise<void> {
    const session = this.#sessionOf(asker, reply)
    if (session === null) return
    if (session === undefined) return needsSession(reply)
    if (session.streams >= sessionStreamsMax) return reply.busy('the session has too many streams')
    if (isRefused(session.interceptor, reply)) return
    const lost = this.#ownStreams.lost(session, asker.headers)
    if (lost && 'why' in lost) return reply.error(lost.status, errorCodes.invalidRequest, lost.why)
    const place = this.#shares.streams.take(this.#shares.callerOf(asker.principal), reply)
    if (place === undefined) return
    try {
      await this.#ownStreams.open(session, lost, reply)
    } finally {
      place.leave()
      reply.end()
    }
  }

  async remove(asker: Asker, reply: Reply): Promise<void> {
    const session = this.#sessionOf(asker, reply)
    if (session === null) return
    if (session === undefined) return needsSession(reply)
    this.#end(session, 'the client ended the session')
    reply.empty(200)
  }

  sweep(now: number): void {
    this.#ownStreams.sweep(now)
    for (const session of this.#sessions.sweep(now)) this.#end(session, 'the session was not used any more')
    const tooOld = this.#free.filter(({ since }) => now - since > processIdleMsMin)
    for (const free of tooOld) this.#drop(free)
  }

  endStreams(): void {
    for (const reply of this.#streams) reply.breakOff('the gate is ending')
    this.#ownStreams.endAll()
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.all) this.#end(session, 'the gate ended')
    for (const reply of this.#stateless.values()) reply.breakOff('the gate ended')
    for (const free of this.#free) this.#drop(free)
    await this.#processes.stopAll()
  }

  /** A process is started for the session; one that does not agree to it ends again. */
  async #open(posted: Posted, reply: Reply): Promise<void> {
    const place = this.#place(posted, reply)
    if (place === undefined) return
    try {
      await this.#openAt(place, posted, reply)
    } finally {
      place.leave()
    }
  }

  async #openAt(place: Place, posted: Posted, reply: Reply): Promise<void> {
    const { read, principal } = posted
    const interceptor = this.#interceptor(principal, randomUUID())
    const line = await judged(this.#together, interceptor, posted, reply)
    const id = requestId(read)
    if (line === undefined || id === undefined) return
    const session = this.#sessions.open({ id: randomUUID(), principal, interceptor }) as Session
    const release = session.use(reply)
    try {
      const isHeard = () => session.streams > 0
      const tell = (lines: readonly Line[]) => session.tell(lines)
      const gone = () => this.#end(session, 'the MCP server ended')
      const conversation = await this.#processes.start({ interceptor, isHeard, tell, gone }, place)
      this.#conversations.set(session, conversation)
      const fields = (errorCode?: number): Fields => (errorCode === undefined ? { [sessionField]: session.id } : {})
      const { silenceMs } = this.#options
      const ending = await conversation.ask({ id, line, token: undefined, reply, silenceMs, statusOf: fine, fields })
      if (ending !== 'answered') this.#end(session, 'the session was not opened')
    } catch (error) {
      this.#end(session, messageOf(error))
      this.#notStarted(error, interceptor, posted, reply)
    } finally {
      release()
    }
  }

  async #postIn(session: Session, posted: Posted, reply: Reply): Promise<void> {
    const { read } = posted
    const conversation = this.#conversations.get(session)
    if (conversation === undefined || conversation.isStuck) return reply.busy('too much is under way here')
    const id = requestId(read)
    const told = id === undefined ? undefined : this.#ownStreams.answer(session, id, posted.headers, reply)
    const release = session.use(told ?? reply)
    try {
      const line = await judged(this.#together, session.interceptor, posted, told ?? reply)
      if (line === undefined) return
      if (id === undefined || told === undefined) {
        conversation.write(line)
        conversation.release(cancelledId(read))
        return reply.empty(202)
      }
      const { silenceMs } = this.#options
      const { interceptor } = session
      const forget = this.#underWay.add({ interceptor, reply: told, id, cancel: (line) => conversation.write(line) })
      told.primeSoon()
      await conversation.ask({ id, line, token: tokenOf(read), reply: told, silenceMs, statusOf: fine, fields: none })
      forget()
    } finally {
      told?.done()
      release()
    }
  }

  async #postStateless(posted: Posted, reply: Reply): Promise<void> {
    const free = this.#free.find(({ owner }) => owner === ownerOf(posted.principal))
    if (free !== undefined) {
      this.#free = this.#free.filter((one) => one !== free)
      return this.#askStateless(free.conversation, posted, reply)
    }
    const place = this.#place(posted, reply)
    if (place === undefined) return
    try {
      await this.#askStateless(place, posted, reply)
    } finally {
      place.leave()
    }
  }

  /** Of a process that is free, or of a new one that has a place. */
  async #askStateless(asked: Conversation | Place, posted: Posted, reply: Reply): Promise<void> {
    const { read, principal } = posted
    const id = requestId(read)
    const free = asked instanceof Conversation ? asked : undefined
    const interceptor = free?.interceptor ?? this.#interceptor(principal, this.#sessionlessOf(principal))
    const line = await judged(this.#together, interceptor, posted, reply)
    if (line === undefined || id === undefined) {
      // The requests that it could speak of have a process of their own, and leaving them is what ends them.
      if (line !== undefined) reply.empty(202)
      if (free !== undefined) this.#release(free, principal)
      return
    }
    const listens = methodOf(read) === 'subscriptions/listen'
    const forget = this.#underWay.add({ interceptor, reply, id })
    try {
      const conversation = asked instanceof Conversation ? asked : await this.#startStateless(interceptor, asked)
      this.#stateless.set(conversation, reply)
      if (listens) this.#streams.add(reply)
      const silenceMs = listens ? 0 : this.#options.silenceMs
      const statusOf = statelessStatus
      const sent = { id, line, token: tokenOf(read), reply, silenceMs, statusOf, fields: none }
      const ending = await conversation.ask(sent)
      this.#stateless.delete(conversation)
      if (ending === 'left') conversation.cancel(id, messageOf(reply.stopped.reason))
      // What it still says of a request that got another answer could be taken for that of the next.
      if (conversation.isClean) this.#release(conversation, principal)
      else void conversation.stop()
    } catch (error) {
      this.#notStarted(error, interceptor, posted, reply)
    } finally {
      forget()
      this.#streams.delete(reply)
      reply.end()
    }
  }

  async #startStateless(interceptor: Interceptor, place: Place): Promise<Conversation> {
    const gone = () => {
      this.#free = this.#free.filter(({ conversation }) => conversation.interceptor !== interceptor)
    }
    return this.#processes.start({ interceptor, isHeard: () => false, tell: async () => {}, gone }, place)
  }

  #release(conversation: Conversation, principal: Principal): void {
    this.#free = [...this.#free, { conversation, principal, owner: ownerOf(principal), since: Date.now() }]
  }

  #drop(free: Free): void {
    this.#free = this.#free.filter((one) => one !== free)
    void free.conversation.stop()
  }

  #notStarted(error: unknown, interceptor: Interceptor, { read }: Posted, reply: Reply): void {
    const why = 'the MCP server cannot be started'
    const id = requestId(read)
    this.#options.log(messageOf(error))
    if (id !== undefined) interceptor.unanswered(id, { status: 'error', detail: 'not sent' }, why)
    interceptor.settle()
    reply.error(502, errorCodes.internal, why, id ?? null)
  }

  /** For one more process; undefined when there is none, and the caller is told. */
  #place({ principal }: Posted, reply: Reply): Place | undefined {
    const { callerOf, processes } = this.#shares
    const caller = callerOf(principal)
    if (processes.isFullFor(caller)) this.#makeRoom((other) => callerOf(other) === caller)
    else if (processes.isFull) this.#makeRoom(() => true)
    return processes.take(caller, reply)
  }

  /** SDK clients do not end the sessions that they leave: those that were not used for some time make room. */
  #makeRoom(isAsked: (principal: Principal) => boolean): void {
    const free = this.#free.find(({ principal }) => isAsked(principal))
    const now = Date.now()
    const longest = this.#sessions.all
      .filter((session) => isAsked(session.principal) && session.idleMs(now) > processIdleMsMin)
      .sort((one, other) => other.idleMs(now) - one.idleMs(now))[0]
    const conversation = free?.conversation ?? (longest && this.#conversations.get(longest))
    if (conversation !== undefined) this.#processes.makeRoom(conversation)
    if (free !== undefined) this.#drop(free)
    else if (longest !== undefined) this.#end(longest, 'the session made room for another')
  }

  #end(session: Session, why: string): void {
    const conversation = this.#conversations.get(session)
    this.#conversations.delete(session)
    this.#sessions.end(session, why)
    this.#ownStreams.end(session)
    void conversation?.stop()
  }

  #sessionOf(asker: Asker, reply: Reply): Session | undefined | null {
    const session = this.#sessions.named(asker, reply)
    if (!session || !isOtherRevision(asker.headers, session)) return session
    reply.error(400, errorCodes.invalidRequest, otherRevision)
    return null
  }

  #sessionlessOf(principal: Principal): string {
    const { session, sessionFor } = this.#options
    return sessionFor?.(principal) ?? session
  }

  #interceptor(principal: Principal, session: string): Interceptor {
    const { command: _, silenceMs: __, sessionFor: ___, ...common } = this.#options
    return new Interceptor({ ...common, principal, session, unasked: 'drop', onTools: this.#learn })
  }

  /** Their calls first, so that whoever waits for one is told why. */
  #endStopped(): void {
    this.#underWay.endStopped()
    for (const session of this.#sessions.all) {
      const { stopped } = session.interceptor
      if (stopped !== undefined) this.#end(session, stopped.message)
    }
    for (const free of this.#free) if (free.conversation.interceptor.stopped !== undefined) this.#drop(free)
  }

  #tellOfChange(): void {
    this.#ownStreams.policyChanged()
    for (const session of this.#sessions.all) void session.tell(session.interceptor.policyChanged().toClient)
    for (const [{ interceptor }, reply] of this.#stateless) {
      for (const line of interceptor.policyChanged().toClient) reply.event(line)
      void reply.flush()
    }
  }
}

/** Over HTTP a session is spoken in the revision that its handshake ended with. */
function isOtherRevision(headers: IncomingHttpHeaders, { interceptor }: Session): boolean {
  const said = headers['mcp-protocol-version']
  return said !== undefined && interceptor.protocolVersion !== undefined && said !== interceptor.protocolVersion
}

const otherRevision = 'the header `MCP-Protocol-Version` is not the revision of this session'

function fine(): number {
  return 200
}

function none(): Fields {
  return {}
}

/** In the stateless revision a request that makes no sense has a status that says so. */
function statelessStatus(errorCode: number): number {
  if (errorCode === errorCodes.unknownMethod) return 404
  return errorCode <= -32_020 && errorCode >= -32_022 ? 400 : 200
}

function tokenOf(read: ReadMessage): unknown {
  if (!read.ok || read.message.kind !== 'request') return undefined
  const meta = read.message.params?.['_meta']
  return isObject(meta) ? meta['progressToken'] : undefined
}

function needsSession(reply: Reply): void {
  reply.error(405, errorCodes.invalidRequest, 'only POST is known here without a session', null, { allow: 'POST' })
}
