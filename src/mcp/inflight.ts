/** Requests of the client that have no answer yet. */
import type { Id } from '../model/message/message.ts'
import { cancelledRememberedMax, inFlightMax } from './limits.ts'

export interface Waiting {
  readonly id: Id
  readonly method: string
  readonly modern: boolean
  /** The decision that let a judged request pass. */
  decisionId?: string
  /** What a `subscriptions/listen` asked to hear of, once the server has acknowledged it. */
  readonly listens?: readonly string[]
  acknowledged?: boolean
  cancelled?: boolean
}

export class InFlight {
  readonly #waiting = new Map<Id, Waiting>()
  #cancelled: Id[] = []

  has(id: Id): boolean {
    return this.#waiting.has(id)
  }

  get isFull(): boolean {
    return this.#waiting.size >= inFlightMax
  }

  get all(): readonly Waiting[] {
    return [...this.#waiting.values()]
  }

  add(waiting: Waiting): void {
    this.#waiting.set(waiting.id, waiting)
  }

  remove(id: Id): void {
    this.#waiting.delete(id)
  }

  /** The request that an answer belongs to, and no longer waiting. */
  take(id: unknown): Waiting | undefined {
    const waiting = this.find(id)
    if (waiting !== undefined) this.#waiting.delete(waiting.id)
    return waiting
  }

  /** Some servers answer the id 5 as "5", and clients take it: so it settles the same request here. */
  find(id: unknown): Waiting | undefined {
    if (typeof id === 'number') return this.#waiting.get(id) ?? this.#waiting.get(String(id))
    if (typeof id !== 'string') return undefined
    return this.#waiting.get(id) ?? (String(Number(id)) === id ? this.#waiting.get(Number(id)) : undefined)
  }

  /**
   * The client gave the request up; its answer may still be under way. Answers the request that is forgotten in its
   * place, if any: cancelled requests rarely get an answer and would pile up.
   */
  cancel(id: unknown): Waiting | undefined {
    const waiting = this.find(id)
    if (waiting === undefined || waiting.cancelled) return undefined
    waiting.cancelled = true
    this.#cancelled = this.#cancelled.filter((one) => this.#waiting.get(one)?.cancelled)
    this.#cancelled.push(waiting.id)
    return this.#cancelled.length > cancelledRememberedMax ? this.take(this.#cancelled.shift()) : undefined
  }
}
