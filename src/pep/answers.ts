/**
 * Waiting for persons: whoever keeps a held call open is woken when its request was answered, here or in another process.
 * While nobody waits, the ledger is not asked.
 */
import type { Approval } from '../model/approval.ts'
import { keptOpenMax } from '../model/limits.ts'
import { Changes } from './changes.ts'

export interface AnswersPorts {
  readonly ledger: {
    /** Another text whenever a request may have changed. */
    approvalsVersion(): string
    approval(id: string): Approval | undefined
  }
  /** Called when all that was decided may be decided otherwise: another policy is active, or somebody is stopped. */
  readonly onPolicyChange: (listener: () => void) => void
  /** Told of a ledger that cannot be read: then nobody is woken, and all wait on until their time is over. */
  readonly report: (error: unknown) => void
  readonly pollMs?: number
  readonly max?: number
}

/** `changed`: the call is to be judged anew. `expired`: the request is over. `ended`: nobody waits any longer. */
export type Woken = 'changed' | 'expired' | 'late' | 'ended'

interface Waiter {
  readonly id: string
  readonly wake: (woken: Woken) => void
}

export class Answers {
  readonly #ports: AnswersPorts
  readonly #waiters = new Set<Waiter>()
  readonly #changes: Changes
  #ended = false
  #epoch = 0

  constructor(ports: AnswersPorts) {
    this.#ports = ports
    this.#changes = new Changes({ ...ports, version: () => ports.ledger.approvalsVersion() })
    ports.onPolicyChange(() => {
      this.#epoch++
      this.#wakeAll('changed')
    })
  }

  /** Calls that are kept open now. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** No more calls may be kept open now: they are refused, and made again. */
  get isFull(): boolean {
    return this.#ended || this.#waiters.size >= (this.#ports.max ?? keptOpenMax)
  }

  /** Another one once all that was decided may be decided otherwise. Whoever begins to wait after that is woken at once. */
  get epoch(): number {
    return this.#epoch
  }

  /**
   * Until the request `id` is not pending any more, another policy is active, `until` (Unix milliseconds), or the signal.
   * `judgedIn`: the epoch in which the call was judged last.
   */
  wait(id: string, until: number, signal: AbortSignal, judgedIn = this.#epoch): Promise<Woken> {
    if (this.#ended || signal.aborted) return Promise.resolve('ended')
    if (judgedIn !== this.#epoch) return Promise.resolve('changed')
    return new Promise((resolve) => {
      const wake = (woken: Woken) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#leave(waiter)
        resolve(woken)
      }
      const waiter: Waiter = { id, wake }
      const onAbort = () => wake('ended')
      const timer = setTimeout(() => wake('late'), Math.max(0, until - Date.now()))
      signal.addEventListener('abort', onAbort)
      this.#waiters.add(waiter)
      this.#changes.start(() => this.#look())
      // It may have been answered before anybody waited.
      this.#wakeIfAnswered(waiter)
    })
  }

  /** The gate stops: who waits is told so, and nobody begins to. */
  end(): void {
    this.#ended = true
    this.#wakeAll('ended')
  }

  #leave(waiter: Waiter): void {
    this.#waiters.delete(waiter)
    if (this.#waiters.size === 0) this.#changes.stop()
  }

  #look(): void {
    for (const waiter of [...this.#waiters]) this.#wakeIfAnswered(waiter)
  }

  #wakeIfAnswered({ id, wake }: Waiter): void {
    try {
      const state = this.#ports.ledger.approval(id)?.state
      if (state !== 'pending') wake(state === 'expired' ? 'expired' : 'changed')
    } catch (error) {
      this.#ports.report(error)
    }
  }

  #wakeAll(woken: Woken): void {
    for (const { wake } of [...this.#waiters]) wake(woken)
  }
}
