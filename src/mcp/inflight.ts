/** Requests of the client that have no answer yet. */
import type { Act, Id } from '../model/message/message.ts'
import { TransientMap } from '../model/transientMap.ts'
import { cancelledRememberedMax, inFlightMax } from './limits.ts'

export interface Waiting {
  readonly id: Id
  readonly method: string
  readonly modern: boolean
  /** It waits for its decision: until then nobody could settle it, so it is not forgotten. */
  readonly undecided?: boolean
  /** The decision that let a judged request pass. */
  readonly decisionId?: string
  /** A `subscriptions/listen`: the notifications of changed lists that it asks for. */
  readonly listens?: readonly string[]
  /** The server has confirmed the subscription: before that, nothing may be sent on it. */
  readonly acknowledged?: boolean
  /** The client gave it up; an answer may still be under way. */
  readonly cancelled?: boolean
  /** What a judged request does. */
  readonly act?: Pick<Act, 'method' | 'name'>
  /** It was answered by the gate: what the server still says of it goes nowhere. */
  readonly answered?: boolean
}

export class InFlight {
  readonly #waiting = new TransientMap<Id, Waiting>()
  #cancelled: Id[] = []
  #hasForgotten = false

  /** Does anybody wait for the answer? */
  isWaiting(id: Id): boolean {
    const waiting = this.#find(id)
    return waiting !== undefined && !waiting.answered
  }

  /** Also under the other form of the id: of 5 and "5" at once, an answer could belong to either. */
  has(id: Id): boolean {
    return this.#find(id) !== undefined
  }

  /** Was a cancelled request forgotten? Its answer may still come, and a later request may have its id. */
  get hasForgotten(): boolean {
    return this.#hasForgotten
  }

  /** Did the client give up a request that has no decision yet? */
  isCancelled(id: Id): boolean {
    return this.#find(id)?.cancelled === true
  }

  get isFull(): boolean {
    return this.#waiting.size >= inFlightMax
  }

  get all(): readonly Waiting[] {
    return [...this.#waiting.values()]
  }

  /** Subscriptions that hear of changed lists now. */
  get subscriptions(): readonly { readonly id: Id; readonly listens: readonly string[] }[] {
    return this.all
      .filter(({ acknowledged, cancelled }) => acknowledged && !cancelled)
      .map(({ id, listens = [] }) => ({ id, listens }))
  }

  add(waiting: Waiting): void {
    this.#waiting.set(keyOf(waiting.id), waiting)
  }

  remove(id: Id): void {
    this.#waiting.delete(keyOf(id))
  }

  /** One that never went on. */
  removeUndecided(id: Id): void {
    if (this.#find(id)?.undecided) this.remove(id)
  }

  /** The request may go on, by this decision. */
  admitted(id: Id, decisionId: string): void {
    const waiting = this.#find(id)
    if (waiting !== undefined) this.add({ ...waiting, undecided: false, decisionId })
  }

  /** The request that an answer belongs to; it waits no longer. */
  take(id: unknown): Waiting | undefined {
    const waiting = this.#find(id)
    if (waiting !== undefined) this.remove(waiting.id)
    return waiting
  }

  acknowledged(id: unknown): void {
    const waiting = this.#find(id)
    if (waiting?.listens !== undefined) this.add({ ...waiting, acknowledged: true })
  }

  endSubscription(id: unknown): void {
    const waiting = this.#find(id)
    if (waiting?.listens !== undefined) this.remove(waiting.id)
  }

  /**
   * The client gave the request up; its answer may still be under way. Answers the request that is forgotten in its
   * place, if any: cancelled requests rarely get an answer and would pile up.
   */
  cancel(id: unknown): Waiting | undefined {
    const waiting = this.#find(id)
    if (waiting === undefined || waiting.cancelled) return undefined
    this.add({ ...waiting, cancelled: true })
    this.#cancelled = this.#cancelled.filter((one) => this.#find(one)?.cancelled)
    this.#cancelled.push(waiting.id)
    if (this.#cancelled.length <= cancelledRememberedMax) return undefined
    const oldest = this.#cancelled.findIndex((one) => !this.#find(one)?.undecided)
    if (oldest < 0) return undefined
    this.#hasForgotten = true
    return this.take(this.#cancelled.splice(oldest, 1)[0])
  }

  /**
   * The gate has answered the request, and its outcome is known. Its id stays taken for a while, so that an answer of the
   * server is not taken for that of another request. Gives what `cancel` gives.
   */
  answer(id: Id): Waiting | undefined {
    const waiting = this.#find(id)
    if (waiting === undefined) return undefined
    const { decisionId: _, ...rest } = waiting
    this.add({ ...rest, answered: true })
    return this.cancel(id)
  }

  #find(id: unknown): Waiting | undefined {
    return typeof id === 'number' || typeof id === 'string' ? this.#waiting.get(keyOf(id)) : undefined
  }
}

/** Some servers answer the id 5 as "5", and clients take it: so both forms are the same request here. */
function keyOf(id: Id): Id {
  if (typeof id === 'number') return id
  const number = Number(id)
  return String(number) === id ? number : id
}
