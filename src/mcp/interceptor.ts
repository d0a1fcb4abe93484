/**
 * The policy enforcement point: JSON-RPC messages in, JSON-RPC messages out, whatever carries them. One interceptor
 * for each scope in which request ids are unique: a pipe, a session, or one request of the stateless revision.
 */
import type { Call, Principal } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import { isActing } from '../model/message/acts.ts'
import { isObject } from '../model/message/json.ts'
import type { Act, Id, Message, Notification, ReadMessage, Request, Unreadable } from '../model/message/message.ts'
import { quoted } from '../model/message/quoted.ts'
import { serialise } from '../model/message/serialise.ts'
import type { ReasonCode } from '../model/reasons.ts'
import type { Gatekeeper, Outcome } from '../pep/gatekeeper.ts'
import { type FromServer, readFromServer } from './answers.ts'
import type { Line } from './framing.ts'
import { InFlight, type Waiting } from './inflight.ts'
import { inFlightMax } from './limits.ts'
import { isNotification, isPassed, subscriptionIdKey } from './methods.ts'
import { type Asked, errorCodes, errorLine, isModern, notFound, refusal, unknownMethod } from './refusal.ts'
import { changedAnswer, declaredLists, outcomeOf } from './results.ts'
import { listenedLists, type Named, namedTargets } from './targets.ts'

export interface InterceptorOptions {
  readonly gate: Gatekeeper
  readonly server: string
  readonly principal: Principal
  readonly session: string
  /** What to do with a response that nothing waits for: an HTTP stream may replay one, a pipe never does. */
  readonly unasked: 'drop' | 'pass'
  /** Takes sentences about messages that went nowhere. */
  readonly log: (sentence: string) => void
}

/** What to write, in order. The transport writes it, then calls `settle`. */
export interface Step {
  readonly toServer: readonly Line[]
  readonly toClient: readonly Line[]
}

/** What becomes of one message of the client, before the gate was asked. */
type Plan =
  | { readonly kind: 'judge'; readonly request: Request; readonly act: Act }
  | { readonly kind: 'toServer' | 'toClient'; readonly line: Line }
  | { readonly kind: 'drop' }

/** When the gate itself is in trouble the caller hears so, whether or not it may know of the target. */
const gateTroubles: ReadonlySet<string> = new Set<ReasonCode>([
  'POLICY_UNAVAILABLE',
  'ENGINE_FAILED',
  'LEDGER_UNAVAILABLE',
  'GATE_FAILED',
])

export class Interceptor {
  readonly #options: InterceptorOptions
  readonly #inFlight = new InFlight()
  #outcomes: Outcome[] = []
  /** Legacy era: what the handshake lets the client expect, and whether it is over. */
  #listsDeclared: readonly string[] = []
  #initialized = false
  /** The era of the last request: how a message that cannot be read is answered. */
  #modern = false

  constructor(options: InterceptorOptions) {
    this.#options = options
  }

  /** Judges everything that arrived together in one transaction; nothing of it is written before that is over. */
  fromClient(reads: readonly ReadMessage[]): Step {
    const plans = reads.map((read) => (read.ok ? this.#plan(read.message) : this.#planRefused(read)))
    const judged = plans.filter((plan) => plan.kind === 'judge')
    const decisions = judged.length > 0 ? this.#options.gate.admit(judged.map(({ act }) => this.#callOf(act))) : []
    const toServer: Line[] = []
    const toClient: Line[] = []
    let next = 0
    for (const plan of plans) {
      const ready = plan.kind === 'judge' ? this.#decided(plan, decisions[next++]) : plan
      if (ready.kind === 'toServer') toServer.push(ready.line)
      else if (ready.kind === 'toClient') toClient.push(ready.line)
    }
    return { toServer, toClient }
  }

  /** Takes lines as they came; what need not change goes on as the same bytes. */
  fromServer(lines: readonly Buffer[]): Step {
    const toServer: Line[] = []
    const toClient: Line[] = []
    for (const line of lines) {
      const plan = this.#planAnswer(line, readFromServer(line))
      if (plan.kind === 'toServer') toServer.push(plan.line)
      else if (plan.kind === 'toClient') toClient.push(plan.line)
    }
    return { toServer, toClient }
  }

  /** Records how calls ended: after their answers were written, so that the record slows nobody down. */
  settle(): void {
    if (this.#outcomes.length === 0) return
    const outcomes = this.#outcomes
    this.#outcomes = []
    this.#options.gate.settle(outcomes)
  }

  /** The server is gone: whatever still waits is answered, and how it ended is not known. */
  serverGone(why: string): Step {
    const toClient: Line[] = []
    for (const waiting of this.#inFlight.all) {
      this.#inFlight.remove(waiting.id)
      this.#unknown(waiting, why)
      if (!waiting.cancelled) toClient.push(errorLine(waiting.id, errorCodes.internal, why))
    }
    return { toServer: [], toClient }
  }

  /** Another policy is active: the lists may show other things now. */
  policyChanged(): Step {
    const toClient = this.#initialized ? this.#listsDeclared.map((method) => notificationLine(method)) : []
    for (const { id, listens, acknowledged, cancelled } of this.#inFlight.all) {
      if (!acknowledged || cancelled) continue
      for (const method of listens ?? [])
        toClient.push(notificationLine(method, { _meta: { [subscriptionIdKey]: id } }))
    }
    return { toServer: [], toClient }
  }

  #plan(message: Message): Plan {
    switch (message.kind) {
      case 'request':
        return this.#planRequest(message)
      case 'notification':
        return this.#planNotification(message)
      case 'response':
        return { kind: 'toServer', line: serialise(message) }
    }
    return message satisfies never
  }

  #planRequest(request: Request): Plan {
    const asked = askedOf(request)
    this.#modern = asked.modern
    if (this.#inFlight.has(request.id)) {
      return this.#refuse(
        asked,
        'MALFORMED_CALL',
        `a request with the id ${quoted(String(request.id))} is already under way`,
      )
    }
    if (this.#inFlight.isFull) {
      return this.#refuse(asked, 'RATE_LIMITED', `${inFlightMax} requests are under way without an answer`)
    }
    if (request.act !== undefined) {
      this.#inFlight.add(asked)
      return { kind: 'judge', request, act: request.act }
    }
    if (!isPassed(request.method)) return this.#refuseMethod(asked)
    return this.#planPassed(request, asked)
  }

  #planPassed(request: Request, asked: Asked & { readonly id: Id }): Plan {
    const named = namedTargets(request)
    if (typeof named === 'string') return this.#refuse(asked, 'MALFORMED_CALL', named)
    const hidden = named.find((target) => !this.#visible(target))
    if (hidden !== undefined) return this.#refuseHidden(asked, hidden)
    const listens = request.method === 'subscriptions/listen' ? listenedLists(request.params) : undefined
    this.#inFlight.add({ ...asked, ...(listens && { listens }) })
    return { kind: 'toServer', line: serialise(request) }
  }

  #planNotification(message: Notification): Plan {
    const { method, params } = message
    if (!isNotification(method)) {
      const known = isActing(method) || isPassed(method)
      if (known) this.#record('MALFORMED_CALL', `${quoted(method)} is a request and needs an \`id\``, method)
      else this.#record('UNKNOWN_METHOD', `the gate does not know the method ${quoted(method)}`, method)
      return { kind: 'drop' }
    }
    if (method === 'notifications/initialized') this.#initialized = true
    if (method === 'notifications/cancelled') {
      const forgotten = this.#inFlight.cancel(params?.['requestId'])
      if (forgotten !== undefined) this.#unknown(forgotten, 'cancelled by the client')
    }
    return { kind: 'toServer', line: serialise(message) }
  }

  /** An answer of the client that cannot be read fails the request of the server which waits for it. */
  #planRefused(unreadable: Unreadable): Plan {
    const { reason, message, json, id = null, method = '', response } = unreadable
    const decision = this.#record(reason, message, method === '' ? undefined : method)
    if (response) {
      if (id === null) return { kind: 'drop' }
      return { kind: 'toServer', line: errorLine(id, errorCodes.internal, 'the answer of the client was refused') }
    }
    const code = json ? errorCodes.invalidRequest : errorCodes.parse
    return { kind: 'toClient', line: refusal({ id, method, modern: this.#modern }, decision, code) }
  }

  #decided({ request, act }: { request: Request; act: Act }, decision: Decision | undefined): Plan {
    if (decision?.decision === 'allow') {
      const waiting = this.#inFlight.find(request.id)
      if (waiting !== undefined) waiting.decisionId = decision.decision_id
      return { kind: 'toServer', line: serialise(request) }
    }
    this.#inFlight.remove(request.id)
    const asked = askedOf(request)
    if (decision === undefined) return this.#refuse(asked, 'GATE_FAILED', 'the gate gave no decision', act.name)
    const denied = decision.decision === 'deny' && !gateTroubles.has(decision.reason_code)
    if (denied && !this.#visible(act)) return { kind: 'toClient', line: notFound(asked, act) }
    return { kind: 'toClient', line: refusal(asked, decision) }
  }

  #planAnswer(line: Buffer, message: FromServer): Plan {
    switch (message.kind) {
      case 'noise':
        this.#options.log(
          `dropped a line of the server: ${message.why}: ${quoted(line.toString('utf8', 0, 200).trim())}`,
        )
        return { kind: 'drop' }
      case 'unclear':
        return this.#planUnclear(message)
      case 'request':
        return { kind: 'toClient', line }
      case 'notification':
        this.#noteSubscription(message.method, message.params)
        return { kind: 'toClient', line }
      case 'response':
        return this.#planResponse(line, message)
    }
    return message satisfies never
  }

  #planUnclear({ why, id, asks }: FromServer & { kind: 'unclear' }): Plan {
    this.#options.log(`dropped a message of the server: ${why}`)
    const waiting = this.#inFlight.take(id)
    if (waiting === undefined) {
      if (!asks || (typeof id !== 'string' && typeof id !== 'number')) return { kind: 'drop' }
      return { kind: 'toServer', line: errorLine(id, errorCodes.invalidRequest, `the request was refused: ${why}`) }
    }
    this.#unknown(waiting, `the answer could not be read: ${why}`)
    return {
      kind: 'toClient',
      line: errorLine(waiting.id, errorCodes.internal, `the server's answer was refused: ${why}`),
    }
  }

  #planResponse(line: Buffer, answer: FromServer & { kind: 'response' }): Plan {
    const waiting = this.#inFlight.take(answer.id)
    if (waiting === undefined && this.#isUnwanted(answer.id)) return { kind: 'drop' }
    if (waiting?.decisionId !== undefined) {
      this.#outcomes.push({ decisionId: waiting.decisionId, ...outcomeOf(answer.value) })
    }
    if (waiting?.method === 'initialize') this.#listsDeclared = declaredLists(answer.value)
    const changed = changedAnswer(waiting?.method, answer, (target) => this.#visible(target))
    return { kind: 'toClient', line: changed ?? line }
  }

  /** An error with the id null answers a message that the server could not read: it always passes. */
  #isUnwanted(id: unknown): boolean {
    if (id === null || id === undefined || this.#options.unasked === 'pass') return false
    this.#options.log(`dropped a response of the server that nothing waits for: id ${quoted(String(id))}`)
    return true
  }

  #noteSubscription(method: string, params: unknown): void {
    if (!isObject(params)) return
    if (method === 'notifications/subscriptions/acknowledged') {
      const meta = params['_meta']
      const waiting = isObject(meta) ? this.#inFlight.find(meta[subscriptionIdKey]) : undefined
      if (waiting?.listens !== undefined) waiting.acknowledged = true
    } else if (method === 'notifications/cancelled') {
      const waiting = this.#inFlight.find(params['requestId'])
      if (waiting?.listens !== undefined) this.#inFlight.remove(waiting.id)
    }
  }

  #refuse(asked: Asked, reason: ReasonCode, message: string, name?: string): Plan {
    const decision = this.#record(reason, message, asked.method, name)
    const code = reason === 'MALFORMED_CALL' ? errorCodes.invalidRequest : errorCodes.refused
    return { kind: 'toClient', line: refusal(asked, decision, code) }
  }

  #refuseMethod(asked: Asked): Plan {
    this.#record('UNKNOWN_METHOD', `the gate does not know the method ${quoted(asked.method)}`, asked.method)
    return { kind: 'toClient', line: unknownMethod(asked) }
  }

  #refuseHidden(asked: Asked, target: Named): Plan {
    const reason = target.method === 'prompts/get' ? 'PROMPT_NOT_ALLOWED' : 'RESOURCE_NOT_ALLOWED'
    this.#record(reason, `${quoted(target.name)} is not shown to this caller`, asked.method, target.name)
    return { kind: 'toClient', line: notFound(asked, target) }
  }

  #record(reason: ReasonCode, message: string, method?: string, name?: string): Decision {
    const { gate, server, principal, session } = this.#options
    const known = { ...(method !== undefined && { method }), ...(name !== undefined && { name }) }
    return gate.refuse({ reason, message, ...known, server, principal, session })
  }

  #unknown({ decisionId }: Waiting, detail: string): void {
    if (decisionId !== undefined) this.#outcomes.push({ decisionId, status: 'unknown', detail })
  }

  #visible({ method, name }: Named): boolean {
    return this.#options.gate.visible({ method, server: this.#options.server, name })
  }

  #callOf(act: Act): Call {
    const { server, principal, session } = this.#options
    return { ...act, server, principal, session }
  }
}

function askedOf({ id, method, params }: Request): Asked & { readonly id: Id } {
  return { id, method, modern: isModern(params) }
}

function notificationLine(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, ...(params !== undefined && { params }) })
}
