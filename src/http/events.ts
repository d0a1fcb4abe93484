/** Server-sent events out of a byte stream, and back: one message an event. */
import type { Line } from '../mcp/framing.ts'

export interface ServerEvent {
  /** Undefined when the event has none, as a comment or a `retry` alone. */
  readonly data: Buffer | undefined
  /** Its `id`, `event` and `retry` lines and its comments, as they stood. */
  readonly fields: readonly string[]
}

const newline = 0x0a
const carriageReturn = 0x0d
const colon = 0x3a
const space = 0x20
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** Holds no more than one unfinished event of `bytesMax` bytes; throws on a longer one. */
export class EventSplitter {
  readonly #bytesMax: number
  #line: Buffer[] = []
  #data: Buffer[] = []
  #fields: string[] = []
  #bytes = 0
  #afterReturn = false
  #isFirst = true

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** All events that the chunk completes. They may share its memory. */
  push(chunk: Buffer): readonly ServerEvent[] {
    const events: ServerEvent[] = []
    let start = this.#afterReturn && chunk[0] === newline ? 1 : 0
    if (chunk.length > 0) this.#afterReturn = false
    let nextNewline = chunk.indexOf(newline, start)
    let nextReturn = chunk.indexOf(carriageReturn, start)
    while (nextNewline >= 0 || nextReturn >= 0) {
      const end = nextReturn < 0 || (nextNewline >= 0 && nextNewline < nextReturn) ? nextNewline : nextReturn
      this.#endLine(chunk.subarray(start, end), events)
      start = end + 1
      if (end === nextReturn) {
        if (chunk[start] === newline) start++
        else this.#afterReturn = start === chunk.length
      }
      if (nextNewline >= 0 && nextNewline < start) nextNewline = chunk.indexOf(newline, start)
      if (nextReturn >= 0 && nextReturn < start) nextReturn = chunk.indexOf(carriageReturn, start)
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start))
    return events
  }

  #hold(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > this.#bytesMax) throw new Error(`an event is larger than ${this.#bytesMax} bytes`)
    this.#line.push(part)
  }

  #endLine(rest: Buffer, events: ServerEvent[]): void {
    this.#hold(rest)
    let line = this.#line.length === 1 ? rest : Buffer.concat(this.#line)
    this.#line = []
    if (this.#isFirst && line.subarray(0, 3).equals(byteOrderMark)) line = line.subarray(3)
    this.#isFirst = false
    if (line.length > 0) this.#takeField(line)
    else {
      if (this.#data.length > 0 || this.#fields.length > 0) events.push(this.#taken())
      this.#bytes = 0
    }
  }

  #takeField(line: Buffer): void {
    const at = line.indexOf(colon)
    const name = line.toString('latin1', 0, at < 0 ? line.length : at)
    if (name === 'data') {
      const from = at < 0 ? line.length : line[at + 1] === space ? at + 2 : at + 1
      this.#data.push(line.subarray(from))
    } else if (keptFields.has(name)) this.#fields.push(line.toString('utf8'))
  }

  #taken(): ServerEvent {
    const data = this.#data.length === 0 ? undefined : joined(this.#data)
    const event = { data, fields: this.#fields }
    this.#data = []
    this.#fields = []
    return event
  }
}

/** A comment's name is empty. Others mean nothing to anybody, and are left out. */
const keptFields: ReadonlySet<string> = new Set(['', 'id', 'event', 'retry'])

function joined(lines: readonly Buffer[]): Buffer {
  if (lines.length === 1) return lines[0] as Buffer
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [lineEnd, line])))
}

const lineEnd = Buffer.from('\n')

/** What is left to pass of an event whose message goes nowhere: the id, by which its stream can be resumed. */
export function withoutMessage({ fields }: ServerEvent): readonly string[] {
  return fields.filter((field) => !field.startsWith('event'))
}

/** An event as it is written: in our own spelling, so that no reader finds another event in it than we did. */
export function eventText(fields: readonly string[], line: Line | undefined): string {
  const head = fields.map((field) => `${field}\n`).join('')
  if (line === undefined) return fields.some((field) => field.startsWith('id')) ? `${head}data: \n\n` : `${head}\n`
  const text = String(line)
  return `${head}data: ${text.includes('\n') ? text.trimEnd().replaceAll('\n', '\ndata: ') : text}\n\n`
}
