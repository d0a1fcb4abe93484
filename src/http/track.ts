/** A stream of the gate's own whose events have ids, over all the connections that it has one after the other. */
import type { Line } from '../mcp/framing.ts'
import { errorCodes, errorLine } from '../mcp/refusal.ts'
import type { Id } from '../model/message/message.ts'
import { retryMsDefault } from './limits.ts'
import type { Reply } from './reply.ts'

/** Keeps what was told for a while. */
export interface Keeper {
  /** The gate ends: nobody can come back. */
  readonly isGivenUp: boolean
  idOf(track: Track, number: number): string
  keep(track: Track, number: number, text: string): void
  isOutdated(track: Track, after: number): boolean
  keptOf(track: Track): readonly { readonly number: number; readonly text: string }[]
}

export class Track {
  readonly number: number
  /** The request that it answers; undefined for one that a client opened with GET. */
  readonly answers: Id | undefined
  readonly #keeper: Keeper
  readonly #abandoned: () => void
  #last = 0
  /** Up to here nothing is kept any more. */
  #gone = 0
  #connection: Reply | undefined
  #disconnected = () => {}
  #replace = () => {}
  #replaced: Promise<void> | undefined
  #saysRetry = false
  /** When it ended, or lost its connection. */
  #leftAt: number | undefined
  isOver = false

  constructor(keeper: Keeper, number: number, answers: Id | undefined, abandoned: () => void) {
    this.#keeper = keeper
    this.number = number
    this.answers = answers
    this.#abandoned = abandoned
  }

  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  get last(): number {
    return this.#last
  }

  /** Is all that came after this event still there, and may it still be told? */
  has(after: number): boolean {
    return after >= this.#gone && !this.#keeper.isOutdated(this, after)
  }

  /** From now on it is told here, and nowhere else. Over when the connection or the stream is. */
  connect(reply: Reply): Promise<void> {
    const before = this.#connection
    this.#leave()
    before?.breakOff('its stream goes on elsewhere')
    before?.end()
    this.#replace()
    this.#replaced = new Promise((resolve) => {
      this.#replace = resolve
    })
    this.#connection = reply
    this.#saysRetry = true
    this.#leftAt = undefined
    return new Promise((resolve) => {
      this.#disconnected = resolve
      const leave = () => {
        if (this.#connection !== reply) return
        this.#leave()
        if (this.#keeper.isGivenUp && this.answers !== undefined) this.abandon()
      }
      reply.stopped.addEventListener('abort', leave, { once: true })
      if (reply.stopped.aborted) leave()
    })
  }

  /** An event that says nothing: by its id the stream can be resumed before it has said anything else. */
  prime(): void {
    this.#connection?.event(undefined, this.#fields(this.#last))
  }

  say(line: Line): void {
    if (this.isOver) return
    const text = String(line)
    this.#last++
    this.#keeper.keep(this, this.#last, text)
    this.#connection?.event(text, this.#fields(this.#last))
  }

  /** Tells what came after this event once more, and nothing else. */
  replay(after: number): void {
    for (const { number, text } of this.#keeper.keptOf(this))
      if (number > after) this.#connection?.event(text, this.#fields(number))
  }

  /** What its client asks for is gone: the one who waits for the answer is told so, instead of waiting on. */
  tellLost(id: Id): void {
    this.#last++
    const why = 'what was told while the connection was broken is not kept any more: how the call ended is not known'
    this.#connection?.event(errorLine(id, errorCodes.internal, why), this.#fields(this.#last))
    this.abandon()
  }

  /** A connection that takes nothing any more holds nobody up once another has taken its place. */
  async flush(): Promise<void> {
    await Promise.race([this.#connection?.flush(), this.#replaced])
  }

  end(): void {
    this.isOver = true
    const connection = this.#connection
    this.#leave()
    void connection?.flush()
    connection?.end()
  }

  /** Nobody comes back any more. */
  abandon(): void {
    const { isOver } = this
    this.end()
    if (!isOver) this.#abandoned()
  }

  wasLeftBefore(before: number): boolean {
    return this.#leftAt !== undefined && this.#leftAt < before
  }

  forgetUpTo(number: number): void {
    this.#gone = Math.max(this.#gone, number)
  }

  #leave(): void {
    this.#connection = undefined
    this.#leftAt = Date.now()
    this.#disconnected()
  }

  #fields(number: number): readonly string[] {
    const id = `id: ${this.#keeper.idOf(this, number)}`
    if (!this.#saysRetry) return [id]
    this.#saysRetry = false
    return [id, `retry: ${retryMsDefault}`]
  }
}
