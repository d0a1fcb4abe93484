/**
 * Held calls that are kept open: the caller waits while a person is asked. Who cancels, leaves or gives up has no call run
 * later: from then on nothing waits for it.
 */
import type { Decision, DecisionApproval } from '../model/decision.ts'
import type { Act, Id, JsonObject, Request } from '../model/message/message.ts'
import { quietWaitMsMax, stillWaitingMs } from './limits.ts'
import { drop, type Plan, toClient } from './plan.ts'
import type { Scope, ScopeOptions } from './scope.ts'

export interface Kept {
  readonly request: Request
  readonly act: Act
  readonly decision: Decision
  /** Unix milliseconds. */
  readonly until: number
  readonly givenUp: AbortController
  /** The sign of life: a progress notification, for who asked for progress. */
  readonly stillWaiting: () => Plan
}

export class KeptCalls {
  readonly #scope: Scope
  readonly #kept = new Map<Id, Kept>()

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Keeps a held call open, if its policy wants that and there is room. Its request stays among those under way. */
  keep(request: Request, act: Act, decision: Decision): boolean {
    const { answers, approvalWaitMs = 0 } = this.#scope.options
    const { id } = request
    if (!answers || !decision.approval || answers.isFull || this.#scope.inFlight.isCancelled(id)) return false
    const token = progressTokenOf(request.params)
    const wanted = decision.approval.wait_ms ?? approvalWaitMs
    const waitMs = token === undefined ? Math.min(wanted, quietWaitMsMax) : wanted
    if (waitMs <= 0) return false
    const stillWaiting = progress(token, decision.approval)
    this.#kept.set(id, {
      request,
      act,
      decision,
      until: Date.now() + waitMs,
      givenUp: new AbortController(),
      stillWaiting,
    })
    return true
  }

  find(id: Id): Kept | undefined {
    return this.#kept.get(id)
  }

  /** The client wants no answer any more. False when it is no call that is kept open. */
  giveUp(id: unknown): boolean {
    const kept = this.#kept.get(id as Id)
    if (kept === undefined) return false
    this.remove(kept)
    kept.givenUp.abort()
    return true
  }

  giveUpAll(): void {
    for (const { givenUp } of this.#kept.values()) givenUp.abort()
    this.#kept.clear()
  }

  /** It is not kept open any more; nor is it under way, unless it went on. */
  remove(kept: Kept): void {
    const { id } = kept.request
    if (this.#kept.get(id) !== kept) return
    this.#kept.delete(id)
    this.#scope.inFlight.removeUndecided(id)
  }
}

export interface WaitPorts {
  /** Judges the call anew. */
  readonly admit: () => Decision | undefined
  /** Records that nobody answered in time. */
  readonly expired: () => Decision | undefined
}

/** `waiting`, again and again, then what was decided in the end: held still, when it was kept open long enough. */
export async function* waited(
  { decision: first, until, givenUp }: Kept,
  { answers }: ScopeOptions,
  { admit, expired }: WaitPorts,
  gone: AbortSignal,
): AsyncGenerator<'waiting' | Decision | undefined, void, undefined> {
  const signal = AbortSignal.any([gone, givenUp.signal])
  let decision: Decision | undefined = first
  while (decision?.decision === 'hold' && decision.approval && answers) {
    yield 'waiting'
    const { id, expires_at } = decision.approval
    const expires = Date.parse(expires_at)
    const woken = await answers.wait(id, Math.min(until, expires, Date.now() + stillWaitingMs), signal)
    if (signal.aborted) return
    if (woken === 'expired' || Date.now() >= expires) return yield expired()
    if (woken === 'changed') decision = admit()
    else if (woken === 'ended' || Date.now() >= until) break
  }
  yield decision
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
