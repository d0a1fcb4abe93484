/** One process of a stdio server and the calls of its caller: each line of the server finds the answer it belongs to. */
import type { Command } from '../mcp/child.ts'
import type { Line } from '../mcp/framing.ts'
import type { Interceptor } from '../mcp/interceptor.ts'
import { Pipe } from '../mcp/pipe.ts'
import type { About } from '../mcp/plan.ts'
import { errorCodes } from '../mcp/refusal.ts'
import { messageOf } from '../model/errors.ts'
import type { Id } from '../model/message/message.ts'
import type { Fields } from './fields.ts'
import type { Reply } from './reply.ts'

export interface ConversationPorts {
  readonly command: Command
  readonly interceptor: Interceptor
  /** Does anybody listen beside the calls? */
  readonly isHeard: () => boolean
  /** Takes what belongs to no call when somebody listens, or no call is under way. */
  readonly tell: (lines: readonly Line[]) => Promise<void>
  /** The process is over, and who waited for it was told. */
  readonly gone: () => void
  readonly log: (sentence: string) => void
}

/** A request that was sent to the server. */
export interface Sent {
  readonly id: Id
  readonly line: Line
  readonly token: unknown
  readonly reply: Reply
  /** How long the server may say nothing of it; 0: as long as it likes. */
  readonly silenceMs: number
  /** The status of an answer that is an error. */
  readonly statusOf: (errorCode: number) => number
  /** Headers of the answer, with its code when it is an error. */
  readonly fields: (errorCode?: number) => Fields
}

/** How the caller came out of it; `left`: without an answer. */
export type Ending = 'answered' | 'failed' | 'left'

interface Call extends Sent {
  readonly done: (ending: Ending) => void
  readonly timer: NodeJS.Timeout | undefined
}

const goneWhy = 'the MCP server ended before it answered'

export class Conversation {
  readonly #ports: ConversationPorts
  readonly #calls = new Map<Id, Call>()
  #pipe: Pipe | undefined
  /** It was asked something, and its answer was not waited for. */
  #wasLeft = false

  private constructor(ports: ConversationPorts) {
    this.#ports = ports
  }

  /** Rejects with `spawn_failed`. */
  static async start(ports: ConversationPorts): Promise<Conversation> {
    const conversation = new Conversation(ports)
    conversation.#pipe = await Pipe.start(ports.command, {
      take: (line) => conversation.#take(line),
      gone: () => conversation.#end(),
      log: ports.log,
    })
    return conversation
  }

  get interceptor(): Interceptor {
    return this.#ports.interceptor
  }

  get isStuck(): boolean {
    return this.#pipe?.isStuck ?? true
  }

  get isOver(): boolean {
    return this.#pipe === undefined
  }

  /** The server has answered all that it was asked. */
  get isClean(): boolean {
    return !this.isOver && !this.#wasLeft
  }

  write(line: Line): void {
    this.#pipe?.write(line)
  }

  /** Until the caller has its answer, or has left. How a call ends whose caller left is recorded all the same. */
  ask(sent: Sent): Promise<Ending> {
    return new Promise((done) => {
      const { id, reply, silenceMs, line } = sent
      const timer = silenceMs === 0 ? undefined : setTimeout(() => this.#giveUp(id), silenceMs)
      const call = { ...sent, timer, done }
      this.#calls.set(id, call)
      if (this.isOver) return this.#fail(call, 502, goneWhy)
      reply.stopped.addEventListener('abort', () => this.#stopped(call), { once: true })
      if (reply.stopped.aborted) this.#stopped(call)
      else this.write(line)
    })
  }

  /** The client wants no answer to this any more, and will get none. */
  release(id: unknown): void {
    const call = [...this.#calls.values()].find((one) => one.id === id)
    if (call === undefined) return
    this.#forget(call)
    call.reply.openStream(call.fields())
    call.reply.end()
    call.done('left')
  }

  /** The server is told that nobody waits, and what it still says of it is dropped. */
  cancel(id: Id, why: string): void {
    this.#wasLeft = true
    const call = this.#calls.get(id)
    if (call !== undefined) this.#forget(call)
    this.interceptor.unanswered(id, { status: 'unknown', detail: why }, why)
    this.interceptor.settle()
    this.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } }))
  }

  /** Ends the process; who waits is told so when it is over. */
  stop(): Promise<void> {
    this.#pipe?.stop()
    return this.#pipe?.over ?? Promise.resolve()
  }

  #take(line: Buffer): void {
    const plan = this.interceptor.fromServerOne(line)
    if (plan.kind === 'toServer') this.write(plan.line)
    else if (plan.kind === 'toClient') this.#pass(plan.line, plan.about)
    this.interceptor.settle()
  }

  #pass(line: Line, about: About | undefined): void {
    if (about !== undefined && 'answers' in about) {
      const call = this.#calls.get(about.answers)
      if (call !== undefined) this.#answer(call, line, about.errorCode)
      return
    }
    const calls = [...this.#calls.values()]
    const call = about ? calls.find(({ token }) => token === about.progress) : undefined
    const other = this.#ports.isHeard() ? undefined : calls[0]
    const heard = call ?? other
    this.#hold(heard === undefined ? this.#ports.tell([line]) : tellIn(heard, line))
  }

  /** A caller that reads slowly makes the server wait. */
  #hold(written: Promise<void>): void {
    void this.#pipe?.holdUntil(written)
  }

  #answer(call: Call, line: Line, errorCode: number | undefined): void {
    const { reply, statusOf, fields, done } = call
    this.#forget(call)
    if (reply.hasBegun) {
      reply.event(line)
      this.#hold(reply.flush())
      reply.end()
    } else reply.json(errorCode === undefined ? 200 : statusOf(errorCode), line, fields(errorCode))
    done(reply.stopped.aborted ? 'left' : errorCode === undefined ? 'answered' : 'failed')
  }

  #forget({ id, timer }: Call): void {
    clearTimeout(timer)
    this.#calls.delete(id)
  }

  /** The caller has left, or the gate breaks off what it waits for. */
  #stopped(call: Call): void {
    const { reply, done } = call
    if (!this.#calls.has(call.id)) return
    if (reply.isOver) done('left')
    else this.#fail(call, 502, messageOf(reply.stopped.reason))
  }

  #giveUp(id: Id): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    this.#fail(call, 504, 'the MCP server did not answer in time')
    this.cancel(id, '')
  }

  #fail(call: Call, status: number, why: string): void {
    const { id, reply, done } = call
    this.#wasLeft = true
    this.#forget(call)
    this.interceptor.unanswered(id, { status: 'unknown', detail: why }, why)
    this.interceptor.settle()
    reply.fail(status, errorCodes.internal, why, id)
    done('failed')
  }

  #end(): void {
    this.#pipe = undefined
    for (const call of this.#calls.values()) this.#fail(call, 502, goneWhy)
    this.interceptor.serverGone(goneWhy)
    this.interceptor.settle()
    this.#ports.gone()
  }
}

/** On the stream of a call, which has more time for its answer then. */
function tellIn({ timer, reply, fields }: Call, line: Line): Promise<void> {
  timer?.refresh()
  reply.openStream(fields())
  reply.event(line)
  return reply.flush()
}
