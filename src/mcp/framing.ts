/** Lines out of a byte stream, and back: one message a line. */

/** What stands where a line was longer than allowed: the line is gone. */
export const tooLong = Symbol('too long')

export type Frame = Buffer | typeof tooLong

const newline = 0x0a
const carriageReturn = 0x0d

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

  /** All lines that the chunk completes, without line ends; empty ones are left out. They may share its memory. */
  push(chunk: Buffer): readonly Frame[] {
    const frames: Frame[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#complete(chunk.subarray(start, end), frames)
      start = end + 1
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start))
    return frames
  }

  /** What stands after the last line end, once the stream has ended. */
  end(): readonly Frame[] {
    const frames: Frame[] = []
    this.#complete(Buffer.alloc(0), frames)
    return frames
  }

  #complete(rest: Buffer, frames: Frame[]): void {
    const alone = this.#length === 0 && !this.#discarding
    if (alone && rest.length <= this.#bytesMax) {
      addLine(rest, frames)
      return
    }
    this.#hold(rest)
    if (this.#discarding) frames.push(tooLong)
    else addLine(this.#takeHeld(), frames)
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
  const end = line.at(-1) === carriageReturn ? line.length - 1 : line.length
  if (end > 0) frames.push(line.subarray(0, end))
}

/** A message on its way: our own serialisation, or the server's bytes as they came. */
export type Line = string | Buffer

const lineEnd = Buffer.from('\n')

/** All lines as one write. */
export function joinLines(lines: readonly Line[]): string | Buffer {
  if (lines.every((line) => typeof line === 'string')) return `${lines.join('\n')}\n`
  return Buffer.concat(lines.flatMap((line) => [typeof line === 'string' ? Buffer.from(line) : line, lineEnd]))
}
