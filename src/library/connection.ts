/**
 * One connection of an SDK, with the interceptor of the relays in it: what goes from the agent to the MCP server is
 * judged, what comes back is looked through. Which of the two ways the SDK's own messages take depends on its side.
 */
import { Interceptor } from '../mcp/interceptor.ts'
import { isModern } from '../mcp/refusal.ts'
import { messageOf } from '../model/errors.ts'
import { isObject } from '../model/message/json.ts'
import type { ReadMessage } from '../model/message/message.ts'
import { readMessage } from '../model/message/read.ts'
import type { Gatekeeper } from '../pep/gatekeeper.ts'
import type { Reporter } from './report.ts'
import { type Between, diverted, type Receiver, type SendOptions, type Transport } from './transport.ts'

type InterceptorOptions = ConstructorParameters<typeof Interceptor>[0]

export interface ConnectionOptions extends Omit<InterceptorOptions, 'unasked' | 'log'> {
  /** Whether the SDK is the client, in the agent, or the server. */
  readonly side: 'client' | 'server'
  readonly report: Reporter
  /** The connections that are told of a change of policy. */
  readonly open: Set<Connection>
}

interface Passed {
  readonly toServer: readonly unknown[]
  readonly toClient: readonly unknown[]
}

export class Connection implements Between {
  /** What the SDK gets in the place of its transport. */
  readonly transport: Transport
  onmessage: Receiver | undefined
  onclose: (() => void) | undefined
  readonly #options: ConnectionOptions
  readonly #wire: Transport
  readonly #before: Pick<Transport, 'onmessage' | 'onclose'>
  readonly #interceptor: Interceptor
  #modern = false
  #acting = false

  constructor(wire: Transport, options: ConnectionOptions) {
    const log = (message: string) => options.report({ message })
    this.#options = options
    this.#wire = wire
    const gate = options.side === 'client' ? this.#openly(options.gate) : options.gate
    this.#interceptor = new Interceptor({ ...options, gate, unasked: 'pass', log })
    // Somebody may be listening already; the SDK will find that listener where it looks for one.
    this.#before = { onmessage: wire.onmessage, onclose: wire.onclose }
    this.onmessage = wire.onmessage
    this.onclose = wire.onclose
    wire.onmessage = (message, extra) => this.#received(message, extra)
    wire.onclose = () => this.#closed()
    this.transport = diverted(wire, this)
  }

  opened(): void {
    this.#options.open.add(this)
  }

  /** Whether the SDK listens here, and not somewhere else. */
  get adopted(): boolean {
    return this.onmessage !== this.#before.onmessage
  }

  /** It came to nothing: the transport is as it was, for whoever tries next. */
  abandon(): void {
    this.#options.open.delete(this)
    if (!this.adopted) Object.assign(this.#wire, this.#before)
  }

  /** What the SDK sends. Rejects when the transport does. */
  send = async (message: unknown, options?: SendOptions): Promise<void> => {
    const client = this.#options.side === 'client'
    const passed = client ? this.#judged(message) : this.#lookedThrough(message)
    for (const back of client ? passed.toClient : passed.toServer) this.onmessage?.(back)
    this.#interceptor.settle()
    const forget = () => this.#giveUp(message)
    if (client) options?.requestSignal?.addEventListener('abort', forget, { once: true })
    try {
      for (const on of client ? passed.toServer : passed.toClient) await this.#wire.send(on, options)
    } catch (error) {
      if (client) forget()
      throw error
    }
  }

  /** Another policy is active: the client is told that its lists may show other things. */
  policyChanged(): void {
    const told = this.#interceptor.policyChanged().toClient.map(parsed)
    if (this.#options.side === 'client') for (const message of told) this.onmessage?.(message)
    else for (const message of told.length === 0 && this.#modern ? listChanges : told) this.#transmit(message)
  }

  /** Somebody was stopped: what is under way and stopped by now ends, with an error for who called. */
  endStopped(): void {
    const { toServer, toClient } = this.#interceptor.endStopped()
    const client = this.#options.side === 'client'
    for (const line of client ? toClient : toServer) this.onmessage?.(parsed(line))
    for (const line of client ? toServer : toClient) this.#transmit(parsed(line))
    this.#interceptor.settle()
  }

  #received(message: unknown, extra: unknown): void {
    const client = this.#options.side === 'client'
    const passed = client ? this.#lookedThrough(message) : this.#judged(message)
    for (const on of client ? passed.toClient : passed.toServer) this.onmessage?.(on, extra)
    for (const back of client ? passed.toServer : passed.toClient) this.#transmit(back)
    this.#interceptor.settle()
  }

  /** From the agent. What goes on is our copy of what was judged, never the message itself. */
  #judged(message: unknown): Passed {
    const read = readValue(message)
    const request = read.ok && read.message.kind === 'request' ? read.message : undefined
    if (request) this.#modern = isModern(request.params)
    this.#acting = request?.act !== undefined
    const { toServer, toClient } = this.#interceptor.fromClient([read])
    this.#acting = false
    return { toServer: toServer.map(parsed), toClient: toClient.map(parsed) }
  }

  /** From the MCP server. What need not change goes on as it came. */
  #lookedThrough(message: unknown): Passed {
    const line = Buffer.from(JSON.stringify(message))
    const { toServer, toClient } = this.#interceptor.fromServer([line])
    return { toServer: toServer.map(parsed), toClient: toClient.map((one) => (one === line ? message : parsed(one))) }
  }

  /**
   * The program that wraps a client owns the policy: of a call that it may not make it is told the decision, not that
   * there is no such tool. To the clients of a server the interceptor says the latter.
   */
  #openly(gate: Gatekeeper): Gatekeeper {
    return {
      admit: (calls) => gate.admit(calls),
      refuse: (refusals) => gate.refuse(refusals),
      settle: (outcomes) => gate.settle(outcomes),
      visible: (target, principal) => this.#acting || gate.visible(target, principal),
      listed: (list) => gate.listed(list),
      onPolicyChange: (listener) => gate.onPolicyChange(listener),
      stopped: (who) => gate.stopped(who),
      onKill: (listener) => gate.onKill(listener),
    }
  }

  /** Later than now: the HTTP transport of SDK 2.x takes an answer within the delivery for one of its own. */
  #transmit(message: unknown): void {
    const failed = (error: unknown) =>
      this.#options.report({ message: `an answer was not sent: ${messageOf(error)}`, error })
    void Promise.resolve()
      .then(() => this.#wire.send(message))
      .catch(failed)
  }

  /** Nobody waits for the answer any more, and the server may have acted or not. */
  #giveUp(message: unknown): void {
    if (!isObject(message) || message['method'] === undefined || message['id'] === undefined) return
    const requestId = message['id']
    this.#interceptor.fromClient([
      readValue({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }),
    ])
    this.#interceptor.settle()
  }

  #closed(): void {
    this.#interceptor.serverGone('the connection was closed before the answer came')
    this.#interceptor.settle()
    this.#options.open.delete(this)
    this.onclose?.()
  }
}

/** To clients that subscribe at the SDK's own router (2.x, stateless revision), which passes them on to those alone. */
const listChanges = ['tools', 'prompts', 'resources'].map((kind) => ({
  jsonrpc: '2.0',
  method: `notifications/${kind}/list_changed`,
}))

/** A message as the wire would carry it. What cannot be written down is answered as what cannot be read. */
function readValue(message: unknown): ReadMessage {
  try {
    return readMessage(Buffer.from(JSON.stringify(message)))
  } catch (error) {
    const { id, method } = isObject(message) ? message : {}
    const isId = typeof id === 'number' || typeof id === 'string'
    const known = { ...(isId && { id }), ...(typeof method === 'string' && { method }) }
    const why = `the message cannot be written as JSON: ${messageOf(error)}`
    return { ok: false, reason: 'MALFORMED_CALL', message: why, json: true, ...known }
  }
}

function parsed(line: string | Buffer): unknown {
  return JSON.parse(String(line))
}
