/** Lines out of a byte stream, and back: one message a line. */

/** What stands where a line was longer than allowed: the line is gone. */
export const tooLong = Symbol('too long')

export type Frame = Buffer | typeof tooLong

const newline = 0x0a
const carriageReturn = 0x0d
const lineEnd = Buffer.from('\n')

/** Above this the buffer of an unfinished line is given back once the line is complete. */
const keptBytes = 1 << 20

/** Holds no more than one unfinished line of `bytesMax` bytes, in a buffer at most twice as long. */
export class LineSplitter {
  readonly #bytesMax: number
  #held = Buffer.alloc(0)
  #length = 0
  #discarding = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** All lines that the chunk completes, each with its line end, without empty ones. They may share its memory. */
  push(chunk: Buffer): readonly Frame[] {
    const frames: Frame[] = []
    let start = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      this.#complete(chunk.subarray(start, at + 1), frames)
      start = at + 1
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start))
    return frames
  }

  /** What stands after the last line end, once the stream has ended. */
  end(): readonly Frame[] {
    return this.#length > 0 || this.#discarding ? this.push(lineEnd) : []
  }

  #complete(rest: Buffer, frames: Frame[]): void {
    const whole = this.#length === 0 && !this.#discarding && rest.length <= this.#bytesMax
    if (!whole) this.#hold(rest)
    if (this.#discarding) frames.push(tooLong)
    else addLine(whole ? rest : this.#takeHeld(), frames)
    this.#discarding = false
    this.#length = 0
  }

  #hold(part: Buffer): void {
    if (this.#discarding) return
    const length = this.#length + part.length
    if (length > this.#bytesMax) {
      this.#discarding = true
      this.#length = 0
      this.#held = Buffer.alloc(0)
      return
    }
    if (length > this.#held.length) this.#grow(length)
    part.copy(this.#held, this.#length)
    this.#length = length
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafe(Math.max(4_096, length, Math.min(2 * this.#held.length, this.#bytesMax)))
    this.#held.copy(larger, 0, 0, this.#length)
    this.#held = larger
  }

  /** A copy of a short line, so that its buffer serves again; a long line takes its buffer along. */
  #takeHeld(): Buffer {
    const line = this.#held.subarray(0, this.#length)
    if (this.#held.length <= keptBytes) return Buffer.from(line)
    this.#held = Buffer.alloc(0)
    return line
  }
}

function addLine(line: Buffer, frames: Frame[]): void {
  const isEmpty = line.length === 1 || (line.length === 2 && line[0] === carriageReturn)
  if (!isEmpty) frames.push(line)
}

/** A message on its way: our own serialisation, or the bytes of the server with their line end. */
export type Line = string | Buffer

/** All lines as few pieces to write: what arrived together and goes on unchanged is not even copied. */
export function piecesOf(lines: readonly Line[]): readonly (string | Buffer)[] {
  const pieces: (string | Buffer)[] = []
  for (const line of lines) {
    const before = pieces.at(-1)
    if (typeof line === 'string') {
      if (typeof before === 'string') pieces[pieces.length - 1] = `${before}${line}\n`
      else pieces.push(`${line}\n`)
    } else if (typeof before === 'object' && isFollowedBy(before, line)) {
      pieces[pieces.length - 1] = Buffer.from(before.buffer, before.byteOffset, before.length + line.length)
    } else pieces.push(line)
  }
  return pieces
}

function isFollowedBy(before: Buffer, after: Buffer): boolean {
  return before.buffer === after.buffer && before.byteOffset + before.length === after.byteOffset
}
