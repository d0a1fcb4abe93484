/** What callers wait for, so that it ends when they are stopped, or the tool is that they called. */
import type { Line } from '../mcp/framing.ts'
import type { Interceptor } from '../mcp/interceptor.ts'
import type { Id } from '../model/message/message.ts'
import type { Reply } from './reply.ts'

export interface Pending {
  readonly interceptor: Interceptor
  readonly reply: Reply
  /** Of the request; undefined for a stream that answers none. */
  readonly id: Id | undefined
  /** Tells the server that nobody waits, where leaving it does not say so. */
  readonly cancel?: (line: Line) => void
}

export class UnderWay {
  readonly #pending = new Set<Pending>()

  /** Gives a function to call when it is over. */
  add(pending: Pending): () => void {
    this.#pending.add(pending)
    return () => void this.#pending.delete(pending)
  }

  /** Somebody was stopped, or may go on. */
  endStopped(): void {
    for (const pending of [...this.#pending]) this.#end(pending)
  }

  #end({ interceptor, reply, id, cancel }: Pending): void {
    const { stopped } = interceptor
    const { toServer, toClient } = id === undefined ? { toServer: [], toClient: [] } : interceptor.endIfStopped(id)
    if (stopped === undefined && toServer.length === 0) return
    for (const line of toServer) cancel?.(line)
    for (const line of toClient) answer(reply, line)
    interceptor.settle()
    reply.breakOff(stopped?.message ?? 'the tool was stopped')
  }
}

function answer(reply: Reply, line: Line): void {
  if (reply.hasBegun) {
    reply.event(line)
    void reply.flush()
    reply.end()
  } else reply.json(200, line)
}
