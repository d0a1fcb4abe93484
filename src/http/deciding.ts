/**
 * Calls that wait for their decision, of callers whose server has no sessions: each has a scope of its own, and nothing but
 * its caller and its id says which one a cancellation is about.
 */
import type { Interceptor } from '../mcp/interceptor.ts'
import { cancelledId, type Posted, requestId } from './endpoint.ts'
import { ownerOf } from './sessions.ts'

interface Waiting {
  readonly id: unknown
  readonly owner: string
  readonly interceptor: Interceptor
}

export class Deciding {
  readonly #waiting = new Set<Waiting>()

  async during<T>({ read, principal }: Posted, interceptor: Interceptor, work: () => Promise<T>): Promise<T> {
    const waiting = { id: requestId(read), owner: ownerOf(principal), interceptor }
    this.#waiting.add(waiting)
    try {
      return await work()
    } finally {
      this.#waiting.delete(waiting)
    }
  }

  /**
   * Who cancels has no call run later. Two clients of one caller may both have a call with this id: so it is answered, as
   * held, and not dropped. Whoever did not cancel it makes it again.
   */
  cancel({ read, principal }: Posted): void {
    const id = cancelledId(read)
    if (id === undefined) return
    const owner = ownerOf(principal)
    for (const one of this.#waiting) if (one.id === id && one.owner === owner) one.interceptor.refuseHeld(one.id)
  }
}
