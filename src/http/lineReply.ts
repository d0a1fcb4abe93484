/** The answer to one message of a stdio client: what a caller over HTTP would read of it, as lines. */

import { parseExactly } from '../mcp/exact.ts'
import type { Line } from '../mcp/framing.ts'
import { errorCodes, errorLine } from '../mcp/refusal.ts'
import { isObject } from '../model/message/json.ts'
import type { Id } from '../model/message/message.ts'
import type { Fields } from './fields.ts'
import { retryMsDefault } from './limits.ts'
import type { Reply } from './reply.ts'

export interface LinePorts {
  readonly write: (line: string) => void
  /** Over when there is room for more. */
  readonly written: () => Promise<void>
  /** Hears the status and the headers of the answer. */
  readonly head: (status: number, fields: Fields) => void
  readonly log: (sentence: string) => void
}

export class LineReply implements Reply {
  readonly #ports: LinePorts
  readonly #id: Id | undefined
  readonly #stopped = new AbortController()
  readonly #left = new AbortController()
  hasBegun = false
  isOver = false
  /** By this id the stream can be taken up again, after this time. */
  lastEventId: string | undefined
  retryMs: number = retryMsDefault

  /** Undefined for what gets no answer. */
  constructor(id: Id | undefined, ports: LinePorts) {
    this.#id = id
    this.#ports = ports
  }

  get stopped(): AbortSignal {
    return this.#stopped.signal
  }

  get left(): AbortSignal {
    return this.#left.signal
  }

  /** The client is gone. */
  leave(): void {
    this.#left.abort()
  }

  json(status: number, line: Line, fields: Fields = {}): void {
    if (this.hasBegun || this.isOver) return
    this.#begin(status, fields)
    this.isOver = true
    if (status < 400 || this.#id === undefined) this.#write(line)
    else this.#write(withId(this.#id, line))
  }

  empty(status: number, fields: Fields = {}): void {
    if (this.hasBegun || this.isOver) return
    this.#begin(status, fields)
    this.isOver = true
  }

  error(status: number, code: number, message: string, id: Id | null = null, fields: Fields = {}): void {
    const to = this.#id ?? id
    if (to !== null) this.json(status, errorLine(to, code, message), fields)
    else if (!this.hasBegun && status !== 405) this.#ports.log(message)
    this.empty(status, fields)
  }

  fail(status: number, code: number, message: string, id: Id | null): void {
    if (this.hasBegun) this.event(errorLine(id, code, message))
    else this.error(status, code, message, id)
    this.end()
  }

  busy(message: string): void {
    this.error(429, errorCodes.busy, message)
  }

  openStream(fields: Fields): void {
    if (!this.hasBegun && !this.isOver) this.#begin(200, fields)
  }

  openEarly(): void {}

  async stillWaiting(lines: readonly Line[]): Promise<void> {
    for (const line of lines) this.event(line)
    await this.flush()
  }

  event(line: Line | undefined, fields: readonly string[] = []): void {
    for (const field of fields) this.#note(field)
    if (line !== undefined && !this.isOver) this.#write(line)
  }

  flush(): Promise<void> {
    return this.#ports.written()
  }

  end(): void {
    if (this.hasBegun) this.isOver = true
  }

  breakOff(why: string): void {
    this.leave()
    this.#stopped.abort(new Error(why))
  }

  /** The client wants to hear no more of it. */
  mute(): void {
    this.hasBegun = true
    this.isOver = true
  }

  #begin(status: number, fields: Fields): void {
    this.hasBegun = true
    this.#ports.head(status, fields)
  }

  #write(line: Line): void {
    this.#ports.write(inOneLine(line))
  }

  #note(field: string): void {
    const [, name, value = ''] = /^(id|retry): ?(.*)$/.exec(field) ?? []
    if (name === 'id') this.lastEventId = value
    if (name === 'retry' && /^\d{1,6}$/.test(value)) this.retryMs = Number(value)
  }
}

/** JSON over HTTP may have line ends in it; over stdio they would end the message. */
function inOneLine(line: Line): string {
  const text = String(line).trimEnd()
  return /[\r\n]/.test(text) ? JSON.stringify(parseExactly(text)) : text
}

/** An error that names no request is the answer to the one that was posted. */
function withId(id: Id, line: Line): Line {
  const value: unknown = JSON.parse(String(line))
  if (!isObject(value) || (value['id'] !== null && value['id'] !== undefined)) return line
  return JSON.stringify({ ...value, id })
}
