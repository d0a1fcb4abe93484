/** An answer as it arrives, for one reader. A call costs less than a stream of Node would. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { errorBytesMax, unreadAnswerBytesMax } from './limits.ts'

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Incoming
}

/** It was broken off before a connection took it: no byte of it left the gate. */
export class Unsent extends Error {
  override readonly name = 'Unsent'
}

/** Takes what the connection gives; once the head is there, `answered` hears of it. */
export class Incoming implements Dispatcher.DispatchHandler {
  readonly #answered: (answer: Answered) => void
  readonly #failed: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #chunks: Buffer[] = []
  #unread = 0
  #isOver = false
  #error: Error | undefined
  #wake = () => {}

  constructor(answered: (answer: Answered) => void, failed: (error: Error) => void) {
    this.#answered = answered
    this.#failed = failed
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#error !== undefined) controller.abort(this.#error)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // What is said before the answer is no answer.
    if (status >= 200) this.#answered({ status, headers, body: this })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#unread += chunk.length
    if (this.#unread > unreadAnswerBytesMax) controller.pause()
    this.#wake()
  }

  onResponseEnd(): void {
    this.#isOver = true
    this.#wake()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#error ??= error
    this.#isOver = true
    this.#failed(this.#error)
    this.#wake()
  }

  /** Nobody wants it any more: the connection is closed, and whoever reads gets the reason. */
  abort(reason: Error): void {
    if (this.#isOver) return
    this.#error ??= this.#controller === undefined ? new Unsent(reason.message) : reason
    this.#failed(this.#error)
    this.#controller?.abort(this.#error)
    this.#wake()
  }

  /** All that has come since the last time, as soon as there is something; undefined at the end. Throws what went wrong. */
  async next(): Promise<readonly Buffer[] | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error
      if (this.#isOver) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const chunks = this.#chunks
    this.#chunks = []
    this.#unread = 0
    if (this.#controller?.paused) this.#controller.resume()
    return chunks
  }

  /** Throws when it is larger. */
  async whole(bytesMax: number): Promise<Buffer> {
    const all: Buffer[] = []
    let length = 0
    for (let chunks = await this.next(); chunks !== undefined; chunks = await this.next()) {
      for (const chunk of chunks) length += chunk.length
      if (length > bytesMax) {
        const error = new Error(`the answer is larger than ${bytesMax} bytes`)
        this.abort(error)
        throw error
      }
      all.push(...chunks)
    }
    return all.length === 1 ? (all[0] as Buffer) : Buffer.concat(all, length)
  }

  /**
   * Reads on to the end, so that the connection can be used again. What is too much or breaks off has its connection
   * closed by that, and nothing was wanted of it: there is nobody to tell.
   */
  async discard(): Promise<void> {
    await this.whole(errorBytesMax).catch(() => {})
  }
}
