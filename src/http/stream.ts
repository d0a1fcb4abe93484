/** A stream of events from the server to a caller: each message is looked through, none waits for the next. */
import type { Line } from '../mcp/framing.ts'
import type { Interceptor } from '../mcp/interceptor.ts'
import type { Unasked } from '../mcp/scope.ts'
import { lineBytesMax } from '../model/limits.ts'
import { EventSplitter, type ServerEvent, withoutMessage } from './events.ts'
import type { Incoming } from './incoming.ts'
import type { Reply } from './reply.ts'

export interface Streamed {
  readonly interceptor: Interceptor
  readonly reply: Reply
  readonly unasked: Unasked
  /** What the gate itself answers to the server. */
  readonly tellServer: (line: Line) => void
}

export class EventStream {
  readonly #streamed: Streamed
  readonly #splitter = new EventSplitter(lineBytesMax)
  /** The server gave an id by which the stream can be taken up again. */
  isResumable = false

  constructor(streamed: Streamed) {
    this.#streamed = streamed
  }

  /** Until the server ends it, or the caller leaves. A caller that reads slowly makes the server wait. */
  async pipe(body: Incoming): Promise<void> {
    const { interceptor, reply } = this.#streamed
    try {
      for (let chunks = await body.next(); chunks !== undefined; chunks = await body.next()) {
        for (const chunk of chunks) for (const event of this.#splitter.push(chunk)) this.#take(event)
        await reply.flush()
        interceptor.settle()
      }
    } catch (error) {
      body.abort(error as Error)
      throw error
    }
  }

  #take(event: ServerEvent): void {
    const { interceptor, reply, unasked, tellServer } = this.#streamed
    const { data, fields } = event
    if (fields.some((field) => field.startsWith('id'))) this.isResumable = true
    const message = data === undefined || data.length === 0 ? [] : [data]
    const { toServer, toClient } = interceptor.fromServer(message, unasked)
    for (const line of toServer) tellServer(line)
    for (const line of toClient) reply.event(line, fields)
    const rest = toClient.length > 0 ? [] : message.length > 0 ? withoutMessage(event) : fields
    if (rest.length > 0) reply.event(undefined, rest)
  }
}
