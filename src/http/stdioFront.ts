/** A stdio client before a server over HTTP: its lines are posted, and what comes back is written as lines. */
import type { Readable, Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { Outlet } from '../mcp/flow.ts'
import { type Frame, LineSplitter, tooLong } from '../mcp/framing.ts'
import { stopGraceMs } from '../mcp/limits.ts'
import { errorCodes } from '../mcp/refusal.ts'
import type { Principal } from '../model/call.ts'
import { messageOf } from '../model/errors.ts'
import { lineBytesMax } from '../model/limits.ts'
import { isObject } from '../model/message/json.ts'
import type { Message, ReadMessage, Request } from '../model/message/message.ts'
import { readMessage, unreadLine } from '../model/message/read.ts'
import { isStateless, repeatedFields } from './agreement.ts'
import type { Endpoint } from './endpoint.ts'
import { type Fields, sessionField } from './fields.ts'
import { resumeMsMax, retryMsMax } from './limits.ts'
import { LineReply } from './lineReply.ts'
import { pause } from './pause.ts'

export interface StdioFrontOptions {
  readonly endpoint: Endpoint
  readonly principal: Principal
  readonly log: (sentence: string) => void
  readonly clientIn?: Readable
  readonly clientOut?: Writable
}

/** A request of the client that has no answer yet. */
interface Asked {
  readonly reply: LineReply
  readonly isStateless: boolean
  isAnswered: boolean
}

/** How a stream that was asked for with GET ended. */
interface Heard {
  readonly status: number
  readonly lastEventId: string | undefined
  readonly retryMs: number
}

export class StdioFront {
  readonly #options: StdioFrontOptions
  readonly #in: Readable
  readonly #stdout: Writable
  readonly #out: Outlet
  readonly #lines = new LineSplitter(lineBytesMax)
  readonly #asked = new Map<string, Asked>()
  readonly #posts = new Set<Promise<void>>()
  readonly #ending = new AbortController()
  /** What must have arrived before the next message may go. */
  #before: Promise<void> = Promise.resolve()
  #session: string | undefined
  #version: string | undefined
  #code = 0

  constructor(options: StdioFrontOptions) {
    this.#options = options
    this.#in = options.clientIn ?? process.stdin
    this.#stdout = options.clientOut ?? process.stdout
    this.#out = new Outlet(this.#stdout, () => this.end())
  }

  /** Until the client is gone, or the server has ended the session. */
  async run(): Promise<{ readonly code: number }> {
    this.#in.on('data', (chunk: Buffer) => this.#take(this.#lines.push(chunk)))
    this.#in.once('end', () => {
      this.#take(this.#lines.end())
      this.end()
    })
    this.#in.once('error', () => this.end())
    this.#in.once('close', () => this.end())
    const { signal } = this.#ending
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    this.#in.pause()
    await Promise.race([Promise.all(this.#posts), wait(stopGraceMs, undefined, { ref: false })])
    this.#options.endpoint.endStreams()
    // A call that waits for a person has no other end; it is made again, of the next gate.
    for (const { reply } of this.#asked.values()) reply.breakOff('the client is gone')
    await Promise.race([this.#leave(), wait(stopGraceMs, undefined, { ref: false })])
    await this.#options.endpoint.close()
    await Promise.all(this.#posts)
    await this.#out.flushed()
    return { code: this.#code }
  }

  /** Calls under way have some time to finish. */
  end(): void {
    for (const { reply } of this.#asked.values()) reply.leave()
    this.#ending.abort()
  }

  #take(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (this.#ending.signal.aborted) return
      this.#post(frame === tooLong ? unreadLine(lineBytesMax) : readMessage(frame.subarray(0, -1)))
    }
  }

  #post(read: ReadMessage): void {
    const message = read.ok ? read.message : undefined
    if (message !== undefined && this.#takesBack(message)) return
    const sent = this.#before.then(() => this.#send(read))
    const kept = sent.finally(() => this.#posts.delete(kept))
    this.#posts.add(kept)
    // Requests may overtake each other, but not what opens the session or prepares for them.
    if (message?.kind !== 'request' || message.method === 'initialize') this.#before = sent
  }

  async #send(read: ReadMessage): Promise<void> {
    const { endpoint, principal, log } = this.#options
    const message = read.ok ? read.message : undefined
    const asked = message?.kind === 'request' ? this.#noteAsked(message) : undefined
    const reply = asked?.reply ?? new LineReply(undefined, this.#ports())
    try {
      await endpoint.post({ headers: this.#headers(message), principal, read }, reply)
      if (asked !== undefined) await this.#resume(asked)
    } catch (error) {
      log(`a message failed: ${messageOf(error)}`)
      reply.error(500, errorCodes.internal, 'the gate failed')
    }
    if (message?.kind === 'request' && this.#asked.get(String(message.id)) === asked)
      this.#asked.delete(String(message.id))
    if (message?.kind === 'notification' && message.method === 'notifications/initialized') void this.#listen()
  }

  #noteAsked(message: Request): Asked {
    const { id, method } = message
    const head = (status: number, fields: Fields) => {
      if (method === 'initialize') this.#session = fields[sessionField]
      else if (status === 404 && this.#session !== undefined && !isStateless(message)) this.#lost()
    }
    const asked = {
      reply: new LineReply(id, { ...this.#ports(), head }),
      isStateless: isStateless(message),
      isAnswered: false,
    }
    if (this.#ending.signal.aborted) asked.reply.leave()
    // Of two with one id the second is refused.
    if (!this.#asked.has(String(id))) this.#asked.set(String(id), asked)
    return asked
  }

  /** Over HTTP nobody can be told that the session is over; a client whose server ends starts it again. */
  #lost(): void {
    this.#options.log('the MCP server ended the session')
    this.#session = undefined
    this.#code = 1
    this.end()
  }

  /** The stream of a call ended before its answer, and can be taken up again. */
  async #resume(asked: Asked): Promise<void> {
    const { reply } = asked
    const since = Date.now()
    let { lastEventId, retryMs } = reply
    while (!asked.isAnswered && lastEventId !== undefined && !reply.stopped.aborted) {
      if (Date.now() - since > resumeMsMax || !(await this.#pause(retryMs))) return
      const heard = await this.#get(lastEventId, false)
      lastEventId = heard.lastEventId ?? lastEventId
      retryMs = heard.retryMs
    }
  }

  /** What belongs to no call comes on a stream of its own, which is opened again whenever it ends. */
  async #listen(): Promise<void> {
    let lastEventId: string | undefined
    for (let failures = 0; ; ) {
      const { status, retryMs, ...heard } = await this.#get(lastEventId, failures > 0)
      failures = status === 200 ? 0 : failures + 1
      if (status >= 400 && status < 500 && status !== 429) return
      if (!(await this.#pause(Math.min(retryMs * 2 ** failures, retryMsMax)))) return
      lastEventId = heard.lastEventId ?? lastEventId
    }
  }

  /** `again`: that it fails was said before. */
  async #get(lastEventId: string | undefined, again: boolean): Promise<Heard> {
    const { endpoint, principal } = this.#options
    const resumed = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    let status = 0
    const head = (got: number) => {
      status = got
    }
    const log = again ? () => {} : this.#options.log
    const reply = new LineReply(undefined, { ...this.#ports(), head, log })
    const headers = { ...this.#headers(undefined), accept: 'text/event-stream', ...resumed }
    await endpoint.get({ headers, principal }, reply)
    return { status, lastEventId: reply.lastEventId, retryMs: reply.retryMs }
  }

  /** False when it is all over. */
  #pause(ms: number): Promise<boolean> {
    return pause(ms, this.#ending.signal)
  }

  /** Over HTTP a request of the stateless revision is taken back by leaving it. */
  #takesBack(message: Message): boolean {
    if (message.kind !== 'notification' || message.method !== 'notifications/cancelled') return false
    const asked = this.#asked.get(String(message.params?.['requestId']))
    if (asked === undefined || !asked.isStateless) return false
    asked.reply.mute()
    asked.reply.breakOff('cancelled by the client')
    return true
  }

  #ports() {
    return {
      write: (line: string) => this.#write(line),
      written: () => this.#written(),
      head: () => {},
      log: this.#options.log,
    }
  }

  #write(line: string): void {
    const value: unknown = JSON.parse(line)
    if (isObject(value) && value['method'] === undefined) this.#noteAnswer(value)
    this.#out.write([line])
  }

  #noteAnswer({ id, result }: Readonly<Record<string, unknown>>): void {
    const asked = this.#asked.get(String(id))
    if (asked !== undefined) asked.isAnswered = true
    const version = isObject(result) ? result['protocolVersion'] : undefined
    if (typeof version === 'string' && this.#version === undefined) this.#version = version
  }

  /** A client that reads slowly makes the server wait. */
  async #written(): Promise<void> {
    if (this.#out.isFull) await this.#out.flushed()
  }

  #headers(message: Message | undefined): Record<string, string> {
    return {
      accept: 'application/json, text/event-stream',
      ...(this.#session !== undefined && { [sessionField]: this.#session }),
      ...(this.#version !== undefined && { 'mcp-protocol-version': this.#version }),
      ...(message && { ...repeatedFields(message), ...this.#options.endpoint.parameters.fieldsFor(message) }),
    }
  }

  async #leave(): Promise<void> {
    if (this.#session === undefined) return
    const { endpoint, principal } = this.#options
    const reply = new LineReply(undefined, { ...this.#ports(), log: () => {} })
    await endpoint.remove({ headers: this.#headers(undefined), principal }, reply)
  }
}
