/** Messages of the server: they pass as the bytes they came in, but for lists, the handshake and what is unclear. */
import { isObject } from '../model/message/json.ts'
import { quoted } from '../model/message/quoted.ts'
import type { Outcome } from '../pep/gatekeeper.ts'
import { type FromServer, readFromServer } from './answers.ts'
import type { Waiting } from './inflight.ts'
import { subscriptionIdKey } from './methods.ts'
import { drop, type Plan, type Step, stepOf, toClient, toServer } from './plan.ts'
import { errorCodes, errorLine } from './refusal.ts'
import { changedAnswer, declaredLists, outcomeOf } from './results.ts'
import type { Scope, Unasked } from './scope.ts'

export class ServerSide {
  readonly #scope: Scope
  /** Legacy era: the `list_changed` notifications that the handshake lets the client expect. */
  listsDeclared: readonly string[] = []
  /** Legacy era: the revision that the handshake ended with. */
  protocolVersion: string | undefined

  constructor(scope: Scope) {
    this.#scope = scope
  }

  take(lines: readonly Buffer[], unasked: Unasked): Step {
    return stepOf(lines.map((line) => this.#plan(line, readFromServer(line), unasked)))
  }

  /** One line, with what of the client it belongs to. */
  takeOne(line: Buffer): Plan {
    return this.#plan(line, readFromServer(line), this.#scope.options.unasked)
  }

  #plan(line: Buffer, message: FromServer, unasked: Unasked): Plan {
    if (this.#scope.isStopped) return this.#planStopped(message)
    switch (message.kind) {
      case 'noise': {
        const start = quoted(line.toString('utf8', 0, 200).trim())
        this.#scope.options.log(`dropped a line of the server: ${message.why}: ${start}`)
        return drop
      }
      case 'unclear':
        return this.#planUnclear(message)
      case 'request':
        return toClient(line)
      case 'notification':
        this.#noteSubscription(message.method, message.params)
        return toClient(line, progressOf(message))
      case 'response':
        return this.#planResponse(line, message, unasked)
    }
    return message satisfies never
  }

  /** Whoever waits for it, or for an answer to it, is told; how the call ended is not known. */
  #planUnclear({ why, id, asks }: FromServer & { kind: 'unclear' }): Plan {
    this.#scope.options.log(`dropped a message of the server: ${why}`)
    if (asks) {
      if (typeof id !== 'string' && typeof id !== 'number') return drop
      return toServer(errorLine(id, errorCodes.invalidRequest, `the request was refused: ${why}`))
    }
    const waiting = this.#scope.inFlight.take(id)
    if (waiting === undefined || waiting.answered) return drop
    this.#scope.ended(waiting, { status: 'unknown', detail: `the answer could not be read: ${why}` })
    const told = errorLine(waiting.id, errorCodes.internal, `the server's answer was refused: ${why}`)
    return toClient(told, { answers: waiting.id, errorCode: errorCodes.internal })
  }

  /** Nothing reaches a caller that is stopped; a server that asks it is told so. */
  #planStopped(message: FromServer): Plan {
    if (message.kind === 'response' || message.kind === 'unclear') this.#scope.inFlight.take(message.id)
    if (message.kind !== 'request') return drop
    const { id } = message.value
    if (typeof id !== 'string' && typeof id !== 'number') return drop
    return toServer(errorLine(id, errorCodes.refused, 'the client was stopped'))
  }

  #planResponse(line: Buffer, answer: FromServer & { kind: 'response' }, unasked: Unasked): Plan {
    const waiting = this.#scope.inFlight.take(answer.id)
    if (waiting === undefined && unasked === 'drop' && this.#isUnwanted(answer.id)) return drop
    if (waiting?.answered) return drop
    if (waiting !== undefined) this.#scope.ended(waiting, this.#outcomeFor(waiting, answer))
    if (waiting?.method === 'initialize') this.#noteHandshake(answer.value)
    if (waiting?.method === 'tools/list') this.#scope.options.onTools?.(answer.value['result'])
    const { visible, listed } = this.#scope
    const changed = changedAnswer(waiting?.method, answer, visible, listed)
    return toClient(changed ?? line, waiting && { answers: waiting.id, ...codeOf(answer.value) })
  }

  #noteHandshake(value: Readonly<Record<string, unknown>>): void {
    const result = value['result']
    const version = isObject(result) ? result['protocolVersion'] : undefined
    if (typeof version === 'string') this.protocolVersion = version
    this.listsDeclared = declaredLists(value)
  }

  /**
   * A cancelled call may have acted before it was stopped, and the word "cancelled" is then no word that nothing
   * happened: an agent that cancels everything would never be charged. Nor is an error that may answer a forgotten call.
   */
  #outcomeFor({ cancelled }: Waiting, { value }: FromServer & { kind: 'response' }): Omit<Outcome, 'decisionId'> {
    const outcome = outcomeOf(value)
    if (outcome.status !== 'error' || !(cancelled || this.#scope.inFlight.hasForgotten)) return outcome
    return {
      status: 'unknown',
      detail: `${outcome.detail}, ${cancelled ? 'cancelled by the client' : 'of a call that may be another'}`,
    }
  }

  /**
   * A response that nothing waits for could be there before the refusal of a call, and the client would take it for
   * the answer. An error with the id null answers a message that the server could not read: it always passes.
   */
  #isUnwanted(id: unknown): boolean {
    if (id === null || id === undefined) return false
    this.#scope.options.log(`dropped a response of the server that nothing waits for: id ${quoted(String(id))}`)
    return true
  }

  /** A `subscriptions/listen` hears of changes from its acknowledgement until either side cancels it. */
  #noteSubscription(method: string, params: unknown): void {
    if (!isObject(params)) return
    const { inFlight } = this.#scope
    if (method === 'notifications/subscriptions/acknowledged') {
      const meta = params['_meta']
      if (isObject(meta)) inFlight.acknowledged(meta[subscriptionIdKey])
    } else if (method === 'notifications/cancelled') inFlight.endSubscription(params['requestId'])
  }
}

function progressOf({ method, params }: FromServer & { kind: 'notification' }) {
  if (method !== 'notifications/progress' || !isObject(params)) return undefined
  return { progress: params['progressToken'] }
}

function codeOf({ error }: Readonly<Record<string, unknown>>): { readonly errorCode?: number } {
  const code = isObject(error) ? error['code'] : undefined
  return typeof code === 'number' ? { errorCode: code } : {}
}
