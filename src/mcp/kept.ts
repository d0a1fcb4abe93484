/**
 * Held calls that are kept open: the caller waits while a person is asked. Who cancels, leaves or gives up has no call run
 * later: from then on nothing waits for it.
 */
import type { Decision, DecisionApproval } from '../model/decision.ts'
import type { Act, Id, JsonObject, Request } from '../model/message/message.ts'
import { type Leg, legState } from './legs.ts'
import { legsMax, quietWaitMsMax, stillWaitingMs } from './limits.ts'
import { drop, type Plan, toClient } from './plan.ts'
import { inputRequests, isAccepted, isOfQuestion, type Question, question, requestOpensPages } from './question.ts'
import { decisionMember, isModern, resultLine } from './refusal.ts'
import type { Scope, ScopeOptions } from './scope.ts'

/** A call that may be kept open, and the leg in which it waits. */
export interface Keepable {
  readonly request: Request
  readonly act: Act
  readonly leg?: Leg | undefined
}

export interface Kept extends Keepable {
  readonly decision: Decision
  /** The epoch of the answers in which it was decided. */
  readonly judgedIn: number
  /** Unix milliseconds. */
  readonly until: number
  /** Nobody waits any more. */
  readonly givenUp: AbortController
  /** The user of the client does not want to be asked, or its client may have gone on: the call is refused. */
  readonly declined: AbortController
  /** What sends the user of the client to the page of approvals. */
  readonly question: Question | undefined
  /** The sign of life: a progress notification, for who asked for progress. */
  readonly stillWaiting: () => Plan
  /** What the client is told in the end, to come back with: only where it comes back by itself. */
  readonly next: Plan | undefined
}

export class KeptCalls {
  readonly #scope: Scope
  readonly #kept = new Map<Id, Kept>()
  /** Of a client that has said so when it connected: it opens a page for its user. */
  opensPages = false

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /**
   * Keeps a held call open, if its policy wants that and there is room: its request stays among those under way. Or sends the
   * client to the page of approvals, from which it comes back. Undefined when neither: the call is refused.
   */
  keep(call: Keepable, decision: Decision): Plan | undefined {
    const { request, leg } = call
    const { answers, approvalWaitMs = 0, quietWaitMs = quietWaitMsMax } = this.#scope.options
    const { approval } = decision
    if (!answers || !approval || answers.isFull || this.#scope.inFlight.isCancelled(request.id)) return undefined
    const now = Date.now()
    const end = (leg?.since ?? now) + (approval.wait_ms ?? approvalWaitMs)
    if (end <= now) return undefined
    const modern = isModern(request.params)
    const page = this.#pageFor(request, approval)
    if (modern && page !== undefined && leg === undefined) return this.#comeBack(call, decision, now, page)
    const token = progressTokenOf(request.params)
    const until = modern || token === undefined ? Math.min(end, now + quietWaitMs) : end
    this.#kept.set(request.id, {
      ...call,
      decision,
      judgedIn: answers.epoch,
      until,
      givenUp: new AbortController(),
      declined: new AbortController(),
      question: modern || page === undefined ? undefined : question(page, approval),
      stillWaiting: progress(token, approval),
      next: modern && until < end ? this.#comeBack(call, decision, now) : undefined,
    })
    this.#scope.options.gate.keptOpen?.(decision.decision_id, true)
    return { kind: 'keep', id: request.id }
  }

  find(id: unknown): Kept | undefined {
    return this.#kept.get(id as Id)
  }

  /** The client wants no answer any more. False when it is no call that is kept open. */
  giveUp(id: unknown): boolean {
    const kept = this.find(id)
    if (kept === undefined) return false
    this.remove(kept)
    kept.givenUp.abort()
    return true
  }

  /** Is this the answer to a question of ours? Whoever does not say that he opened the page, does not want to. */
  take(id: unknown, result: unknown): boolean {
    const kept = [...this.#kept.values()].find((one) => one.question?.id === id)
    if (kept?.question === undefined) return isOfQuestion(id)
    kept.question.isOpen = false
    if (!isAccepted(result)) kept.declined.abort()
    return true
  }

  /** Its caller is answered by somebody else. */
  leave(id: Id): void {
    const kept = this.#kept.get(id)
    this.#kept.delete(id)
    kept?.givenUp.abort()
  }

  /** It is not kept open any more; nor is it under way, unless it went on. */
  remove(kept: Kept): void {
    const { id } = kept.request
    if (this.#kept.get(id) !== kept) return
    this.#kept.delete(id)
    this.#scope.inFlight.removeUndecided(id)
  }

  #pageFor({ params }: Request, { id }: DecisionApproval): string | undefined {
    const { approvalPage } = this.#scope.options
    const opens = isModern(params) ? requestOpensPages(params) : this.opensPages
    return opens ? approvalPage?.(id) : undefined
  }

  /** The answer with which the client makes the same call again. */
  #comeBack({ request, leg }: Keepable, decision: Decision, now: number, page?: string): Plan | undefined {
    const rounds = (leg?.rounds ?? 0) + 1
    if (rounds > legsMax || !comingBack.has(request.method)) return undefined
    const requestState = legState({ since: leg?.since ?? now, rounds }, request, this.#scope.options)
    if (requestState === undefined) return undefined
    const asked = page === undefined ? {} : { inputRequests: inputRequests(page, decision) }
    const result = { resultType: 'input_required', ...asked, requestState }
    return toClient(resultLine(request.id, { ...result, _meta: decisionMember(decision) }))
  }
}

/** Only these may be answered with `input_required`. */
const comingBack: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

export interface WaitPorts {
  /** Judges the call anew. */
  readonly admit: () => Decision | undefined
  /** Records that nobody answered in time. */
  readonly expired: () => Decision | undefined
}

/** `waiting` comes again and again; then one of the others. `late`: it was kept open long enough, and is held still. */
export type Waited =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'decided' | 'late'; readonly decision: Decision | undefined }

export async function* waited(
  { decision: first, judgedIn, until, givenUp, declined }: Kept,
  { answers }: ScopeOptions,
  { admit, expired }: WaitPorts,
  gone: AbortSignal,
): AsyncGenerator<Waited, void, undefined> {
  const signal = AbortSignal.any([gone, givenUp.signal, declined.signal])
  let decision: Decision | undefined = first
  let epoch = judgedIn
  while (decision?.decision === 'hold' && decision.approval && answers) {
    yield { kind: 'waiting' }
    const { id, expires_at } = decision.approval
    const expires = Date.parse(expires_at)
    const woken = await answers.wait(id, Math.min(until, expires, Date.now() + stillWaitingMs), signal, epoch)
    if (gone.aborted || givenUp.signal.aborted) return
    if (woken === 'expired' || Date.now() >= expires) return yield { kind: 'decided', decision: expired() }
    if (woken === 'changed') {
      epoch = answers.epoch
      decision = admit()
    } else if (woken === 'ended') break
    else if (Date.now() >= until) return yield { kind: 'late', decision }
  }
  yield { kind: 'decided', decision }
}

function progressTokenOf(params: JsonObject | undefined): string | number | undefined {
  const token = (params?.['_meta'] as JsonObject | undefined)?.['progressToken']
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}

/** Progress must grow, and the server's own goes on from here: so these are small steps above nothing. */
function progress(progressToken: string | number | undefined, { id, expires_at }: DecisionApproval): () => Plan {
  if (progressToken === undefined) return () => drop
  let steps = 0
  return () => {
    const params = {
      progressToken,
      progress: ++steps / 1e6,
      message: `Waiting for approval ${id}, until ${expires_at}`,
    }
    return toClient(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params }))
  }
}
