/**
 * The answer to a request of a session, when the gate makes its stream: once an event of it has an id, its caller may lose the
 * connection and come back for the rest. Before that, who leaves has left: a call that waits for a person has no id to come
 * back with, and does not run.
 */
import type { Line } from '../mcp/framing.ts'
import { errorLine } from '../mcp/refusal.ts'
import type { Id } from '../model/message/message.ts'
import type { Backlog } from './backlog.ts'
import type { Fields } from './fields.ts'
import { primeMs } from './limits.ts'
import type { Reply } from './reply.ts'
import type { Track } from './track.ts'

export interface ResumablePorts {
  readonly id: Id
  readonly backlog: () => Backlog
  /** Does the client take an event that says nothing? Those of older revisions stumble over it. */
  readonly primes: boolean
}

export class ResumableReply implements Reply {
  readonly #first: Reply
  readonly #ports: ResumablePorts
  readonly #stopped = new AbortController()
  /** Null when there are too many streams. */
  #track: Track | null | undefined
  #timer: NodeJS.Timeout | undefined
  #isEnded = false

  constructor(first: Reply, ports: ResumablePorts) {
    this.#first = first
    this.#ports = ports
    first.stopped.addEventListener('abort', () => this.#lost(), { once: true })
  }

  get stopped(): AbortSignal {
    return this.#stopped.signal
  }

  get left(): AbortSignal {
    return this.#first.left
  }

  get hasBegun(): boolean {
    return Boolean(this.#track) || this.#first.hasBegun
  }

  get isOver(): boolean {
    return this.#track ? this.#isEnded : this.#first.isOver
  }

  /** It goes on. One that is not answered soon becomes a stream, so that it can be resumed. */
  primeSoon(): void {
    if (!this.#ports.primes) return
    this.#timer = setTimeout(() => this.#prime(), primeMs)
    this.#timer.unref()
  }

  /** It is over for whoever asked for it. */
  done(): void {
    clearTimeout(this.#timer)
  }

  json(status: number, line: Line, fields?: Fields): void {
    this.#first.json(status, line, fields)
  }

  empty(status: number, fields?: Fields): void {
    this.#first.empty(status, fields)
  }

  error(status: number, code: number, message: string, id?: Id | null, fields?: Fields): void {
    this.#first.error(status, code, message, id, fields)
  }

  fail(status: number, code: number, message: string, id: Id | null): void {
    if (this.#track) {
      this.#track.say(errorLine(id, code, message))
      void this.flush()
      this.end()
    } else this.#first.fail(status, code, message, id)
  }

  busy(message: string): void {
    this.#first.busy(message)
  }

  openStream(fields: Fields): void {
    if (!this.#track) this.#first.openStream(fields)
  }

  openEarly(): void {
    this.#first.openEarly()
  }

  stillWaiting(lines: readonly Line[]): Promise<void> {
    return this.#first.stillWaiting(lines)
  }

  event(line: Line | undefined): void {
    const track = this.#begun()
    if (!track) this.#first.event(line)
    else if (line !== undefined) track.say(line)
  }

  flush(): Promise<void> {
    return this.#track ? this.#track.flush() : this.#first.flush()
  }

  end(): void {
    this.#isEnded = true
    clearTimeout(this.#timer)
    if (this.#track) this.#track.end()
    else this.#first.end()
  }

  breakOff(why: string): void {
    this.#stopped.abort(new Error(why))
    this.#first.breakOff(why)
  }

  #prime(): void {
    if (this.hasBegun || this.isOver) return
    this.#first.openStream({})
    this.#begun()
    void this.flush()
  }

  /** With its first event it becomes a stream of its session. */
  #begun(): Track | null {
    if (this.#track !== undefined) return this.#track
    const { backlog, id, primes } = this.#ports
    const isGone = this.#first.isOver || this.#stopped.signal.aborted
    this.#track = isGone ? null : (backlog().open(id, () => this.#abandoned()) ?? null)
    void this.#track?.connect(this.#first)
    if (primes) this.#track?.prime()
    return this.#track
  }

  /** The connection that it began with is gone. */
  #lost(): void {
    if (!this.#track) this.#stopped.abort(this.#first.stopped.reason)
  }

  #abandoned(): void {
    this.#isEnded = true
    this.#stopped.abort(new Error('the caller left'))
  }
}
