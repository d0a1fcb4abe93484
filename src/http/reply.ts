/** The answer to one message: JSON, or a stream of events, or nothing but a status. */
import type { ServerResponse } from 'node:http'
import type { Line } from '../mcp/framing.ts'
import { errorCodes, errorLine } from '../mcp/refusal.ts'
import type { Id } from '../model/message/message.ts'
import { eventText } from './events.ts'
import type { Fields } from './fields.ts'
import { oneWriteBytesMax, retryAfterSeconds } from './limits.ts'

/** No cache and no compressor on the way may hold an event back. */
const streamFields = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

export interface Reply {
  /** Aborted when the caller leaves before the end, or the gate breaks off. */
  readonly stopped: AbortSignal
  /** Aborted when the caller is gone: what is under way may finish, but nobody waits for a person any more. */
  readonly left: AbortSignal
  /** Has an answer begun? */
  readonly hasBegun: boolean
  readonly isOver: boolean
  json(status: number, line: Line, fields?: Fields): void
  empty(status: number, fields?: Fields): void
  /** A JSON-RPC error with a status of its own. */
  error(status: number, code: number, message: string, id?: Id | null, fields?: Fields): void
  /** The same, at the end of its stream when the answer has begun. */
  fail(status: number, code: number, message: string, id: Id | null): void
  /** A limit is reached that does not last. */
  busy(message: string): void
  openStream(fields: Fields): void
  /** Opens a stream before there is an answer; whatever the answer then is, it comes on it. */
  openEarly(): void
  /** A sign of life, for who listens: these events, or a comment that keeps what is between us from closing. */
  stillWaiting(lines: readonly Line[]): Promise<void>
  /** Notes an event; `flush` writes all that are noted. */
  event(line: Line | undefined, fields?: readonly string[]): void
  /** One write for all events; over when there is room for more, or nobody to read it. */
  flush(): Promise<void>
  end(): void
  /** What is under way for it stops, with this as the reason; whoever runs it says so and ends it. */
  breakOff(why: string): void
}

/** To an HTTP request. */
export class HttpReply implements Reply {
  readonly #response: ServerResponse
  readonly #stopped = new AbortController()
  #text: string[] = []
  /** The stream was opened so that its caller hears that it waits; no answer has begun. */
  #isEarly = false

  constructor(response: ServerResponse) {
    this.#response = response
    response.once('close', () => {
      if (!response.writableFinished) this.breakOff('the caller left')
    })
    response.on('error', () => {}) // a caller that is gone: `close` follows
  }

  get stopped(): AbortSignal {
    return this.#stopped.signal
  }

  get left(): AbortSignal {
    return this.stopped
  }

  get hasBegun(): boolean {
    return this.#response.headersSent && !this.#isEarly
  }

  get isOver(): boolean {
    return this.#response.writableEnded || this.#response.destroyed
  }

  json(status: number, line: Line, fields: Fields = {}): void {
    if (this.hasBegun || this.isOver) return
    const length = Buffer.byteLength(line)
    const own = { 'content-type': 'application/json', 'content-length': length }
    if (this.#isEarly) this.#endEarly(line)
    else if (typeof line === 'string' || line.length > oneWriteBytesMax)
      this.#response.writeHead(status, { ...fields, ...own }).end(line)
    // A text goes out in one piece with its headers: small bytes are one, each a character.
    else this.#response.writeHead(status, { ...fields, ...own }).end(line.toString('latin1'), 'latin1')
  }

  empty(status: number, fields: Fields = {}): void {
    if (this.hasBegun || this.isOver) return
    if (this.#isEarly) this.#endEarly()
    else this.#response.writeHead(status, { ...fields, 'content-length': 0 }).end()
  }

  error(status: number, code: number, message: string, id: Id | null = null, fields: Fields = {}): void {
    this.json(status, errorLine(id, code, message), fields)
  }

  fail(status: number, code: number, message: string, id: Id | null): void {
    if (this.hasBegun) {
      this.event(errorLine(id, code, message))
      void this.flush()
      this.end()
    } else this.error(status, code, message, id)
  }

  busy(message: string): void {
    this.error(429, errorCodes.busy, `${message}: try again in ${retryAfterSeconds} s`, null, {
      'retry-after': String(retryAfterSeconds),
    })
  }

  openStream(fields: Fields): void {
    if (this.hasBegun || this.isOver) return
    if (!this.#isEarly) this.#response.writeHead(200, { ...fields, ...streamFields })
    this.#isEarly = false
    // With the first event they go out in one write. Often that is there in this very turn.
    setImmediate(() => {
      if (!this.isOver) this.#response.flushHeaders()
    })
  }

  openEarly(): void {
    this.openStream({})
    this.#isEarly = true
  }

  async stillWaiting(lines: readonly Line[]): Promise<void> {
    if (!this.#isEarly) return
    for (const line of lines) this.event(line)
    if (lines.length === 0) this.event(undefined, [': waiting'])
    await this.flush()
  }

  #endEarly(line?: Line): void {
    this.#isEarly = false
    this.#response.end(line === undefined ? undefined : eventText([], line))
  }

  event(line: Line | undefined, fields: readonly string[] = []): void {
    this.#text.push(eventText(fields, line))
  }

  async flush(): Promise<void> {
    if (this.#text.length === 0) return
    const text = this.#text.join('')
    this.#text = []
    if (this.isOver || this.#response.write(text)) return
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#response.off('drain', go)
        this.#response.off('close', go)
        resolve()
      }
      this.#response.on('drain', go)
      this.#response.on('close', go)
    })
  }

  end(): void {
    if (this.#response.headersSent && !this.isOver) this.#response.end()
  }

  breakOff(why: string): void {
    this.#stopped.abort(new Error(why))
  }
}

/** For streams that have no end of their own. */
export function untilStopped({ stopped }: Reply): Promise<void> {
  return new Promise((resolve) => {
    if (stopped.aborted) resolve()
    else stopped.addEventListener('abort', () => resolve(), { once: true })
  })
}
