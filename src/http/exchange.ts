/** One message that was posted, and what the server answers to it: JSON, events, or nothing that could be used. */
import type { Line } from '../mcp/framing.ts'
import type { Interceptor } from '../mcp/interceptor.ts'
import { errorCodes } from '../mcp/refusal.ts'
import { lineBytesMax } from '../model/limits.ts'
import { isObject } from '../model/message/json.ts'
import type { Id } from '../model/message/message.ts'
import type { Outcome } from '../pep/gatekeeper.ts'
import { fieldsForCaller, isPacked, mediaType } from './fields.ts'
import { type Answered, Unsent } from './incoming.ts'
import type { Reply } from './reply.ts'
import type { Session } from './sessions.ts'
import { EventStream } from './stream.ts'
import { type Fault, faultOf } from './upstream.ts'

export interface ExchangePorts {
  readonly interceptor: Interceptor
  readonly reply: Reply
  /** Undefined for a notification and for an answer of the client. */
  readonly id: Id | undefined
  readonly session: () => Session | undefined
  readonly tellServer: (line: Line) => void
}

const unusable: Fault = { status: 502, unsent: false, why: 'the MCP server gave no answer that could be used' }

export class Exchange {
  readonly #ports: ExchangePorts
  readonly #stream: EventStream

  constructor(ports: ExchangePorts) {
    this.#ports = ports
    this.#stream = new EventStream({ ...ports, unasked: 'drop' })
  }

  /** Relays the answer, and in any case tells the caller and the gate how it ended. `send` posts the message. */
  async run(send: () => Promise<Answered>, fields: (answer: Answered) => Record<string, string>): Promise<void> {
    let fault = unusable
    let answer: Answered | undefined
    try {
      answer = await send()
      await this.#relay(answer, { ...fieldsForCaller(answer.headers), ...fields(answer) })
      if (answer.status >= 400) fault = { status: 502, unsent: false, why: answeredWith(answer) }
    } catch (error) {
      const { stopped } = this.#ports.reply
      const why = faultOf(stopped.aborted ? stopped.reason : error)
      fault = { ...why, unsent: why.unsent || error instanceof Unsent }
      answer?.body.abort(error as Error)
    }
    await this.#conclude(fault)
  }

  async #relay(answer: Answered, fields: Record<string, string>): Promise<void> {
    const { id, reply } = this.#ports
    const { status, headers, body } = answer
    const isAnswer = status >= 200 && !isOperators(status) && !isPacked(headers)
    const type = isAnswer ? mediaType(headers) : ''
    if (type === 'application/json') return this.#relayJson(await body.whole(lineBytesMax), status, fields)
    if (type === 'text/event-stream' && status < 300) {
      reply.openStream(fields)
      return this.#stream.pipe(body)
    }
    await body.discard()
    if (!isAnswer) return
    if (status >= 400) this.#refuseWith(status, answeredWith(answer), fields)
    else if (id === undefined) reply.empty(status, fields)
  }

  #relayJson(text: Buffer, status: number, fields: Record<string, string>): void {
    const { id, interceptor, reply } = this.#ports
    const [line] = text.length === 0 ? [] : interceptor.fromServer([text]).toClient
    const isOpen = id !== undefined && interceptor.isWaiting(id)
    if (isOpen) {
      // Only an error that names no request can be the answer to this very one.
      if (line === undefined || status < 400 || !isErrorWithoutId(text)) return
      const detail = `HTTP ${status}`
      interceptor.unanswered(id, { status: status < 500 ? 'error' : 'unknown', detail }, detail)
    }
    if (line !== undefined) reply.json(status, line, fields)
    else if (status < 400) reply.empty(status, fields)
    else this.#refuseWith(status, answeredWith({ status }), fields)
  }

  /** The server's status, with words of ours. */
  #refuseWith(status: number, why: string, fields: Record<string, string>): void {
    const { id, interceptor, reply } = this.#ports
    if (id !== undefined) interceptor.unanswered(id, { status: 'unknown', detail: why }, why)
    reply.error(status, errorCodes.internal, why, id ?? null, fields)
  }

  /** Nothing more comes. A request that has no answer gets one of ours, unless its stream can be taken up again. */
  async #conclude(fault: Fault): Promise<void> {
    const { id, interceptor, reply, session } = this.#ports
    if (id === undefined) {
      if (!reply.hasBegun) reply.error(fault.status, errorCodes.internal, fault.why)
    } else if (interceptor.isWaiting(id)) {
      const open = session()
      if (this.#stream.isResumable && open !== undefined) open.broke(id)
      else await this.#answer(id, fault)
    }
    reply.end()
    interceptor.settle()
  }

  async #answer(id: Id, fault: Fault): Promise<void> {
    const { interceptor, reply } = this.#ports
    const [line] = interceptor.unanswered(id, outcomeOf(fault), fault.why).toClient
    if (line === undefined) return
    if (reply.hasBegun) reply.event(line)
    else reply.json(fault.status, line)
    await reply.flush()
  }
}

function outcomeOf({ unsent, why }: Fault): Omit<Outcome, 'decisionId'> {
  return unsent ? { status: 'error', detail: 'not sent' } : { status: 'unknown', detail: why }
}

/** Where to go and how to log in there is between the operator and the server; callers have nothing to do with it. */
function isOperators(status: number): boolean {
  return (status >= 300 && status < 400) || status === 401 || status === 407
}

export function answeredWith({ status }: Pick<Answered, 'status'>): string {
  return `the MCP server answered with HTTP ${status}`
}

function isErrorWithoutId(text: Buffer): boolean {
  const value: unknown = JSON.parse(text.toString('utf8'))
  return isObject(value) && isObject(value['error']) && (value['id'] === null || value['id'] === undefined)
}
