/** Reading stops while what is read cannot be written: memory stays bounded when either end does not read. */
import type { Readable, Writable } from 'node:stream'
import { type Line, piecesOf } from './framing.ts'
import { unreadBytesMax } from './limits.ts'

/** A stream that is read, unless something holds it. */
export class Tap {
  readonly #stream: Readable
  #holds = 0

  constructor(stream: Readable) {
    this.#stream = stream
  }

  hold(): void {
    if (this.#holds++ === 0) this.#stream.pause()
  }

  release(): void {
    if (--this.#holds === 0) this.#stream.resume()
  }
}

/** A stream that lines are written to. Once it is broken, what is written to it is gone. */
export class Outlet {
  readonly #stream: Writable
  readonly #held = new Set<Tap>()
  #broken = false

  constructor(stream: Writable, onBroken: (error: Error) => void) {
    this.#stream = stream
    stream.on('drain', () => this.#release())
    stream.on('close', () => this.#break())
    stream.on('error', (error) => {
      this.#break()
      onBroken(error)
    })
  }

  /** One write for all lines; `cause`, if it can be held, is not read on until they have room. */
  write(lines: readonly Line[], cause?: Tap): void {
    if (lines.length === 0 || this.#broken || this.#stream.writableEnded) return
    const pieces = piecesOf(lines)
    if (pieces.length > 1) this.#stream.cork()
    for (const piece of pieces) this.#stream.write(piece)
    if (pieces.length > 1) this.#stream.uncork()
    if (cause === undefined || this.#stream.writableLength <= unreadBytesMax || this.#held.has(cause)) return
    this.#held.add(cause)
    cause.hold()
  }

  /** More than enough waits to be read. */
  get isFull(): boolean {
    return !this.#broken && this.#stream.writableLength > unreadBytesMax
  }

  end(): void {
    if (!this.#broken) this.#stream.end()
  }

  /** Over when everything is written, or when it never will be. */
  async flushed(): Promise<void> {
    if (this.#broken || this.#stream.writableLength === 0) return
    await new Promise<void>((resolve) => {
      this.#stream.once('drain', resolve)
      this.#stream.once('close', resolve)
      this.#stream.once('error', () => resolve())
    })
  }

  #break(): void {
    this.#broken = true
    this.#release()
  }

  #release(): void {
    for (const tap of this.#held) tap.release()
    this.#held.clear()
  }
}
