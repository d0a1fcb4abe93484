/** The answer to one HTTP request: JSON, or a stream of events, or nothing but a status. */
import type { ServerResponse } from 'node:http'
import type { Line } from '../mcp/framing.ts'
import { errorCodes, errorLine } from '../mcp/refusal.ts'
import type { Id } from '../model/message/message.ts'
import { eventText } from './events.ts'
import type { Fields } from './fields.ts'
import { retryAfterSeconds } from './limits.ts'

/** No cache and no compressor on the way may hold an event back. */
const streamFields = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

export class Reply {
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

  /** Aborted when the caller leaves before the end, or the gate breaks off. */
  get stopped(): AbortSignal {
    return this.#stopped.signal
  }

  /** Has an answer begun? */
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
    else this.#response.writeHead(status, { ...fields, ...own }).end(line)
  }

  empty(status: number, fields: Fields = {}): void {
    if (this.hasBegun || this.isOver) return
    if (this.#isEarly) this.#endEarly()
    else this.#response.writeHead(status, { ...fields, 'content-length': 0 }).end()
  }

  /** A JSON-RPC error with an HTTP status of its own. */
  error(status: number, code: number, message: string, id: Id | null = null, fields: Fields = {}): void {
    this.json(status, errorLine(id, code, message), fields)
  }

  /** A limit is reached that does not last. */
  busy(message: string): void {
    this.error(429, errorCodes.busy, message, null, { 'retry-after': String(retryAfterSeconds) })
  }

  openStream(fields: Fields): void {
    if (this.hasBegun || this.isOver) return
    if (!this.#isEarly) this.#response.writeHead(200, { ...fields, ...streamFields })
    this.#isEarly = false
    this.#response.flushHeaders()
  }

  /** Opens a stream before there is an answer; whatever the answer then is, it comes on it. */
  openEarly(): void {
    this.openStream({})
    this.#isEarly = true
  }

  /** A sign of life, for who listens: these events, or a comment that keeps what is between us from closing. */
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

  /** Notes an event; `flush` writes all that are noted. */
  event(line: Line | undefined, fields: readonly string[] = []): void {
    this.#text.push(eventText(fields, line))
  }

  /** One write for all events; over when there is room for more, or nobody to read it. */
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

  /** What is under way for it stops, with this as the reason; whoever runs it says so and ends it. */
  breakOff(why: string): void {
    this.#stopped.abort(new Error(why))
  }
}
