/** Messages of the client: what acts is judged, what the gate has no word about passes, the rest is refused. */
import type { Call } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import { isActing, saysMore } from '../model/message/acts.ts'
import type {
  Act,
  Id,
  JsonObject,
  Message,
  Notification,
  ReadMessage,
  Request,
  Unreadable,
} from '../model/message/message.ts'
import { quoted } from '../model/message/quoted.ts'
import { serialise } from '../model/message/serialise.ts'
import type { ReasonCode } from '../model/reasons.ts'
import type { Stopped } from '../pep/stopped.ts'
import { KeptCalls, waited } from './kept.ts'
import { type Leg, resumed } from './legs.ts'
import { inFlightMax } from './limits.ts'
import { isNotification, isPassed } from './methods.ts'
import { drop, type Plan, type Step, stepOf, taken, toClient, toServer } from './plan.ts'
import { opensPages, takenBack } from './question.ts'
import { type Asked, errorCodes, errorLine, isModern, notFound, refusal, unknownMethod } from './refusal.ts'
import type { Refused as RefusedMessage, Scope } from './scope.ts'
import { listenedLists, type Named, namedTargets } from './targets.ts'

/** A request that waits for its decision. */
interface Judged {
  readonly kind: 'judge'
  readonly request: Request
  readonly act: Act
  /** Of a call that has waited before. */
  readonly leg?: Leg
  /** Its user does not want to be asked again. */
  readonly declined?: boolean
}

/** A message that is refused without being judged; what its sender is told depends on the record of that. */
interface Refused {
  readonly kind: 'refuse'
  readonly refused: RefusedMessage
  readonly answer: (decision: Decision) => Plan
}

/** Messages of which some wait for decisions. */
export interface Begun {
  readonly calls: readonly Call[]
  readonly conclude: (decisions: readonly Decision[]) => Step
}

/** Headers of the request that brought the messages: to which trace they belong. */
export type TraceHeaders = NonNullable<Call['trace']>

type AskedById = Asked & { readonly id: Id }

/** When the gate itself is in trouble the caller hears so, whether or not it may know of the target. */
const gateTroubles: ReadonlySet<string> = new Set<ReasonCode>([
  'POLICY_UNAVAILABLE',
  'ENGINE_FAILED',
  'LEDGER_UNAVAILABLE',
  'GATE_FAILED',
])

export class ClientSide {
  readonly #scope: Scope
  readonly #kept: KeptCalls
  /** Legacy era: the handshake is over. */
  initialized = false
  /** The era of the last request: how a message that cannot be read is answered. */
  #modern = false

  constructor(scope: Scope) {
    this.#scope = scope
    this.#kept = new KeptCalls(scope)
  }

  /**
   * All that acts among the messages is judged in one transaction, and all that is refused unjudged recorded in one; the
   * messages keep their order.
   */
  take(reads: readonly ReadMessage[]): Step {
    const { calls, conclude } = this.begin(reads)
    return conclude(calls.length === 0 ? [] : this.#scope.options.gate.admit(calls))
  }

  /** The first half of it, for who judges the calls of several scopes together; `conclude` takes their decisions, in order. */
  begin(reads: readonly ReadMessage[], headers: TraceHeaders = {}): Begun {
    const stopped = reads.some((read) => !isJudged(read)) || this.#scope.isClosed ? this.#scope.stopped() : undefined
    const plans = reads.map((read) => this.#planRead(read, stopped))
    const judged = plans.filter((plan) => plan.kind === 'judge')
    const calls = this.#callsOf(judged)
    const traced = headers.traceparent === undefined ? calls : calls.map((call) => ({ ...call, trace: headers }))
    return { calls: traced, conclude: (decisions) => this.#conclude(plans, decisions) }
  }

  #conclude(plans: readonly (Plan | Judged | Refused)[], admitted: readonly Decision[]): Step {
    const refused = plans.filter((plan) => plan.kind === 'refuse')
    const decisions = admitted.values()
    const refusals = this.#scope.refuse(refused.map((plan) => plan.refused)).values()
    return stepOf(
      plans.map((plan) => {
        if (plan.kind === 'judge') return this.#decided(plan, decisions.next().value)
        return plan.kind === 'refuse' ? plan.answer(refusals.next().value as Decision) : plan
      }),
    )
  }

  /** What becomes of a call that is kept open: signs of life, then its way on or its refusal. Nothing once it was given up. */
  async *wait(id: Id, gone: AbortSignal): AsyncGenerator<Step, void, undefined> {
    const kept = this.#kept.find(id)
    if (kept === undefined) return
    try {
      const { request, act, question } = kept
      const judged: Judged = { kind: 'judge', request, act }
      const ports = {
        admit: () => this.#admitHeld(judged, kept.decision),
        expired: () => this.#scope.refuse([expiredOf(request, act)])[0],
      }
      if (question) yield stepOf([question.asked])
      for await (const said of waited(kept, this.#scope.options, ports, gone)) {
        if (said.kind === 'waiting') yield stepOf([kept.stillWaiting()])
        else {
          const last = said.kind === 'late' && kept.next ? kept.next : this.#answered(judged, said.decision)
          yield { ...stepOf([question?.isOpen ? takenBack(question) : drop, last]), isLast: true }
        }
      }
      if (question?.isOpen) yield stepOf([takenBack(question)])
    } finally {
      this.#kept.remove(kept)
      this.#scope.options.gate.keptOpen?.(kept.decision.decision_id, false)
    }
  }

  /** Who waited is answered as all others, and nothing waits for it any more. */
  leaveKept(id: Id): void {
    this.#kept.leave(id)
  }

  refuseHeld(id: unknown): void {
    this.#kept.find(id)?.declined.abort()
  }

  #answered({ request, act }: Judged, decision: Decision | undefined): Plan {
    const { inFlight } = this.#scope
    if (decision?.decision === 'allow') {
      inFlight.admitted(request.id, decision.decision_id)
      return toServer(serialise(request))
    }
    inFlight.remove(request.id)
    const asked = askedOf(request)
    if (decision === undefined) return this.#undecided(asked, act)
    const denied = decision.decision === 'deny' && !gateTroubles.has(decision.reason_code)
    return toClient(denied && !this.#scope.visible(act) ? notFound(asked, act) : refusal(asked, decision))
  }

  #admitHeld(judged: Judged, { decision_id: held }: Decision): Decision | undefined {
    const calls = this.#callsOf([judged]).map((call) => ({ ...call, held }))
    return this.#scope.options.gate.admit(calls)[0]
  }

  #admit(judged: readonly Judged[]): readonly Decision[] {
    return judged.length === 0 ? [] : this.#scope.options.gate.admit(this.#callsOf(judged))
  }

  #callsOf(judged: readonly Judged[]): readonly Call[] {
    return judged.map(({ act, request }) => this.#callOf(act, request.params))
  }

  /** What acts is refused by the gate itself where its sender is stopped, with the record of a call. */
  #planRead(read: ReadMessage, stopped: Stopped | undefined): Plan | Judged | Refused {
    if (!read.ok) return this.#planUnreadable(read)
    if (stopped === undefined || (isJudged(read) && !this.#scope.isClosed)) return this.#plan(read.message)
    return read.message.kind === 'request' ? this.#refuseStopped(read.message, stopped) : drop
  }

  #refuseStopped(request: Request, { reason, message, kill_id }: Stopped): Refused {
    const { method, act } = request
    const refused = {
      reason,
      message,
      method,
      ...(act && { name: act.name }),
      ...(kill_id !== undefined && { kill_id }),
    }
    return { kind: 'refuse', refused, answer: (decision) => toClient(refusal(askedOf(request), decision)) }
  }

  #plan(message: Message): Plan | Judged | Refused {
    switch (message.kind) {
      case 'request':
        return this.#planRequest(message)
      case 'notification':
        return this.#planNotification(message)
      case 'response':
        return this.#kept.take(message.id, message.value['result']) ? taken : toServer(serialise(message))
    }
    return message satisfies never
  }

  #planRequest(request: Request): Plan | Judged | Refused {
    const asked = askedOf(request)
    const { inFlight } = this.#scope
    this.#modern = asked.modern
    if (inFlight.has(request.id)) {
      const message = `a request with the id ${quoted(String(request.id))} is already under way`
      return this.#refuse(asked, 'MALFORMED_CALL', message)
    }
    if (inFlight.isFull) {
      return this.#refuse(asked, 'RATE_LIMITED', `${inFlightMax} requests are under way without an answer`)
    }
    if (request.act !== undefined) return this.#planAct(request, request.act, asked)
    return isPassed(request.method) ? this.#planPassed(request, asked) : this.#refuseMethod(asked)
  }

  #planAct(request: Request, act: Act, asked: AskedById): Judged | Refused {
    const again = asked.modern ? resumed(request, this.#scope.options) : undefined
    if (again === 'odd') {
      const message = 'its `requestState` is not one of this gate for this call: make the call again without it'
      return this.#refuse(asked, 'MALFORMED_CALL', message)
    }
    this.#scope.inFlight.add({ ...asked, undecided: true, act })
    return { kind: 'judge', request, act, ...again }
  }

  #planPassed(request: Request, asked: AskedById): Plan | Refused {
    const named = namedTargets(request)
    if (typeof named === 'string') return this.#refuse(asked, 'MALFORMED_CALL', named)
    const hidden = named.find((target) => !this.#scope.visible(target))
    if (hidden !== undefined) return this.#refuseHidden(asked, hidden)
    const refused = request.method === 'subscriptions/listen' ? this.#refusedSubscription(request, named) : undefined
    if (refused !== undefined) return toClient(refusal(asked, refused))
    const listens = request.method === 'subscriptions/listen' ? listenedLists(request.params) : undefined
    if (request.method === 'initialize') this.#kept.opensPages = opensPages(request.params?.['capabilities'])
    this.#scope.inFlight.add({ ...asked, ...(listens && { listens }) })
    return toServer(serialise(request))
  }

  /** Listening to a resource is reading it: each is judged, and one that is refused refuses the request. */
  #refusedSubscription({ params }: Request, resources: readonly Named[]): Decision | undefined {
    if (resources.length === 0) return undefined
    const { gate } = this.#scope.options
    const calls = resources.map((resource) =>
      this.#callOf({ ...resource, arguments: {}, asked: 'subscriptions/listen' }, params),
    )
    const decisions = gate.admit(calls)
    const refused = decisions.find(({ decision }) => decision !== 'allow')
    const ended = refused ? ({ status: 'error', detail: 'not sent' } as const) : ({ status: 'success' } as const)
    const allowed = decisions.filter(({ decision }) => decision === 'allow')
    gate.settle(allowed.map(({ decision_id }) => ({ decisionId: decision_id, ...ended })))
    return refused
  }

  #planNotification(message: Notification): Plan | Refused {
    const { method, params } = message
    if (!isNotification(method)) return this.#refuseWithoutId(method)
    if (method === 'notifications/initialized') this.initialized = true
    if (method === 'notifications/cancelled') {
      // The server never heard of a call that is still kept open.
      if (this.#kept.giveUp(params?.['requestId'])) return taken
      const forgotten = this.#scope.inFlight.cancel(params?.['requestId'])
      if (forgotten !== undefined)
        this.#scope.ended(forgotten, { status: 'unknown', detail: 'cancelled by the client' })
    }
    return toServer(serialise(message))
  }

  /** An answer of the client that cannot be read fails the request of the server which waits for it; one to us is a no. */
  #planUnreadable({ reason, message, json, id, method, response }: Unreadable): Refused {
    const refused = { reason, message, ...(method !== undefined && { method }) }
    if (response) {
      const told = 'the answer of the client was refused'
      const isForServer = id !== undefined && !this.#kept.take(id, undefined)
      const answer = isForServer ? toServer(errorLine(id, errorCodes.internal, told)) : drop
      return { kind: 'refuse', refused, answer: () => answer }
    }
    const asked = { id: id ?? null, method: method ?? '', modern: this.#modern }
    const code = json ? errorCodes.invalidRequest : errorCodes.parse
    return { kind: 'refuse', refused, answer: (decision) => toClient(refusal(asked, decision, code)) }
  }

  #decided(judged: Judged, decision: Decision | undefined): Plan {
    const keeps = decision?.decision === 'hold' && !judged.declined
    const plan = keeps ? this.#kept.keep(judged, decision) : undefined
    if (plan === undefined) return this.#answered(judged, decision)
    if (plan.kind !== 'keep') this.#scope.inFlight.remove(judged.request.id)
    return plan
  }

  /** The gate answered for fewer calls than it was asked about. */
  #undecided(asked: Asked, { name }: Act): Plan {
    const refused = { reason: 'GATE_FAILED', message: 'the gate gave no decision', method: asked.method, name } as const
    const [decision] = this.#scope.refuse([refused])
    return toClient(refusal(asked, decision as Decision))
  }

  #refuse(asked: Asked, reason: ReasonCode, message: string): Refused {
    const code = reason === 'MALFORMED_CALL' ? errorCodes.invalidRequest : errorCodes.refused
    const answer = (decision: Decision) => toClient(refusal(asked, decision, code))
    return { kind: 'refuse', refused: { reason, message, method: asked.method }, answer }
  }

  #refuseMethod(asked: Asked): Refused {
    const { method } = asked
    const message = `the gate does not know the method ${quoted(method)}`
    const answer = toClient(unknownMethod(asked))
    return { kind: 'refuse', refused: { reason: 'UNKNOWN_METHOD', message, method }, answer: () => answer }
  }

  #refuseHidden(asked: Asked, target: Named): Refused {
    const { name } = target
    const reason = target.method === 'prompts/get' ? 'PROMPT_NOT_ALLOWED' : 'RESOURCE_NOT_ALLOWED'
    const message = `${quoted(name)} is not shown to this caller`
    const answer = toClient(notFound(asked, target))
    return { kind: 'refuse', refused: { reason, message, method: asked.method, name }, answer: () => answer }
  }

  /** There is nobody to answer; the record knows. */
  #refuseWithoutId(method: string): Refused {
    const known = isActing(method) || isPassed(method)
    const reason = known ? 'MALFORMED_CALL' : 'UNKNOWN_METHOD'
    const why = known ? 'is a request and needs an `id`' : 'is not a method the gate knows'
    return { kind: 'refuse', refused: { reason, message: `${quoted(method)} ${why}`, method }, answer: () => drop }
  }

  #callOf(act: Act, params: JsonObject | undefined): Call {
    const { server, principal, session } = this.#scope.options
    const run = this.#scope.options.run?.(principal)
    const sent = params !== undefined && saysMore(params, act)
    return { ...act, server, principal, session, ...(run && { run }), ...(sent && { params }) }
  }
}

function isJudged(read: ReadMessage): boolean {
  return read.ok && read.message.kind === 'request' && read.message.act !== undefined
}

function askedOf({ id, method, params }: Request): AskedById {
  return { id, method, modern: isModern(params) }
}

function expiredOf({ method }: Request, { name }: Act): RefusedMessage {
  return {
    reason: 'APPROVAL_EXPIRED',
    message: 'a person was asked about this call, and nobody answered in time',
    method,
    name,
  }
}
