/**
 * The policy enforcement point: JSON-RPC messages in, JSON-RPC messages out, whatever carries them. One interceptor
 * for each scope in which request ids are unique: a pipe, a session, or one request of the stateless revision.
 */
import type { Id, ReadMessage } from '../model/message/message.ts'
import type { Outcome } from '../pep/gatekeeper.ts'
import type { Stopped } from '../pep/stopped.ts'
import { type Begun, ClientSide, type TraceHeaders } from './clientSide.ts'
import { subscriptionIdKey } from './methods.ts'
import type { Plan, Step } from './plan.ts'
import { errorCodes, errorLine } from './refusal.ts'
import { Scope, type ScopeOptions, type Unasked } from './scope.ts'
import { ServerSide } from './serverSide.ts'
import { endStopped } from './stopped.ts'

export type InterceptorOptions = ScopeOptions

export class Interceptor {
  readonly #scope: Scope
  readonly #client: ClientSide
  readonly #server: ServerSide

  constructor(options: ScopeOptions) {
    this.#scope = new Scope(options)
    this.#client = new ClientSide(this.#scope)
    this.#server = new ServerSide(this.#scope)
  }

  /** Judges everything that arrived together in one transaction; nothing of it may be written before this returns. */
  fromClient(reads: readonly ReadMessage[]): Step {
    return this.#client.take(reads)
  }

  /** The same in halves, so that what arrived together in several scopes is judged in one transaction. */
  begin(reads: readonly ReadMessage[], headers?: TraceHeaders): Begun {
    return this.#client.begin(reads, headers)
  }

  /** Waits for a call that a step of `fromClient` has kept open. What it gives is written as it comes. */
  wait(id: Id, gone: AbortSignal): AsyncGenerator<Step, void, undefined> {
    return this.#client.wait(id, gone)
  }

  /** A call that is kept open waits no longer: whoever waits for it is refused, with the id under which it is asked about. */
  refuseHeld(id: unknown): void {
    this.#client.refuseHeld(id)
  }

  /** Takes lines as they came; what need not change goes on as the same bytes. A stream that is resumed replays answers. */
  fromServer(lines: readonly Buffer[], unasked: Unasked = this.#scope.options.unasked): Step {
    return this.#server.take(lines, unasked)
  }

  /** The same for one line, with what of the client it belongs to. */
  fromServerOne(line: Buffer): Plan {
    return this.#server.takeOne(line)
  }

  /** Has the request no answer yet? */
  isWaiting(id: Id): boolean {
    return this.#scope.inFlight.isWaiting(id)
  }

  /** Why nothing of this caller passes, if the kill switch says so. */
  get stopped(): Stopped | undefined {
    return this.#scope.stopped()
  }

  /** The server is taken away: nothing passes any more. */
  close(): void {
    this.#scope.isClosed = true
  }

  /** Somebody was stopped, or may go on: what is under way and stopped by now ends. */
  endStopped(): Step {
    return endStopped(this.#scope)
  }

  /** The same for one request; nothing, when nothing stops it. */
  endIfStopped(id: Id): Step {
    return endStopped(this.#scope, id)
  }

  /** No answer of the server will come to this request: how it ended, and what its caller is told. */
  unanswered(id: Id, outcome: Omit<Outcome, 'decisionId'>, told: string): Step {
    const waiting = this.#scope.inFlight.take(id)
    if (waiting === undefined) return { toServer: [], toClient: [] }
    this.#client.leaveKept(waiting.id)
    this.#scope.ended(waiting, outcome)
    return { toServer: [], toClient: waiting.cancelled ? [] : [errorLine(waiting.id, errorCodes.internal, told)] }
  }

  /** Records how calls ended: after their answers were written, so that the record slows nobody down. */
  settle(): void {
    this.#scope.settle()
  }

  /** The server is gone: whatever still waits is answered, and how it ended is not known. */
  serverGone(why: string): Step {
    const outcome = { status: 'unknown', detail: why } as const
    const toClient = this.#scope.inFlight.all.flatMap(({ id }) => this.unanswered(id, outcome, why).toClient)
    return { toServer: [], toClient }
  }

  /** Legacy era: the notifications of changed lists that the handshake lets a client expect. */
  get listsDeclared(): readonly string[] {
    return this.#server.listsDeclared
  }

  /** Legacy era: the revision that the handshake ended with. */
  get protocolVersion(): string | undefined {
    return this.#server.protocolVersion
  }

  /** Another policy is active: the lists may show other things now, and who listens is told. */
  policyChanged(): Step {
    const toClient = this.#client.initialized
      ? this.#server.listsDeclared.map((method) => notificationLine(method))
      : []
    for (const { id, listens } of this.#scope.inFlight.subscriptions) {
      const params = { _meta: { [subscriptionIdKey]: id } }
      toClient.push(...listens.map((method) => notificationLine(method, params)))
    }
    return { toServer: [], toClient }
  }
}

export function notificationLine(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, ...(params !== undefined && { params }) })
}
