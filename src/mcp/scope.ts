/** What both directions of one correlation scope share: who calls whom, what is under way, what has ended. */
import type { Principal } from '../model/call.ts'
import type { Decision } from '../model/decision.ts'
import { runId } from '../model/kill.ts'
import type { Run } from '../model/pack/run.ts'
import type { Answers } from '../pep/answers.ts'
import type { Gatekeeper, Outcome, Refusal } from '../pep/gatekeeper.ts'
import type { Stopped } from '../pep/stopped.ts'
import { InFlight, type Waiting } from './inflight.ts'
import type { Named } from './targets.ts'

/** What to do with a response that nothing waits for: an HTTP stream that is resumed may replay one, a pipe never does. */
export type Unasked = 'drop' | 'pass'

/** How held calls wait for persons. */
export interface WaitOptions {
  /** Where to wait for the answers of persons; without it no call is kept open. */
  readonly answers?: Pick<Answers, 'isFull' | 'epoch' | 'wait'>
  /** How long a client waits that hears nothing; `quietWaitMsMax`, if not given. */
  readonly quietWaitMs?: number
  /** How long a held call is kept open where its rule does not say; not at all, if not given. */
  readonly approvalWaitMs?: number
  /** Where a person answers this request with a browser: clients that can are sent there. */
  readonly approvalPage?: (id: string) => string
}

export interface ScopeOptions extends WaitOptions {
  readonly gate: Gatekeeper
  readonly server: string
  readonly principal: Principal
  readonly session: string
  /** The run of a workflow that the calls belong to, as its host has registered it by now. */
  readonly run?: (principal: Principal) => Run | undefined
  readonly unasked: Unasked
  /** Hears of what the server lists as its tools, before anything is left out of it. */
  readonly onTools?: (result: unknown) => void
  /** Takes sentences about messages that went nowhere. */
  readonly log: (sentence: string) => void
}

const closed: Stopped = { reason: 'KILLED', message: 'the session was stopped, and its server ended: start it again' }

/** What is known of a message that is refused, beside who sent it. */
export type Refused = Pick<Refusal, 'reason' | 'message' | 'method' | 'name' | 'kill_id'>

export class Scope {
  readonly options: ScopeOptions
  readonly inFlight = new InFlight()
  #outcomes: Outcome[] = []
  /** The server was taken away from a caller that was stopped: nothing passes any more, though the kill be lifted. */
  isClosed = false
  /** As it was found when somebody was last stopped or let go on. */
  isStopped = false

  constructor(options: ScopeOptions) {
    this.options = options
  }

  /** Why nothing passes, if nothing does. */
  stopped(): Stopped | undefined {
    const { gate, session, principal, server, run } = this.options
    const stopped = gate.stopped({ session, principal, server, run: run?.(principal) })
    return stopped ?? (this.isClosed ? closed : undefined)
  }

  readonly visible = ({ method, name }: Named): boolean => {
    const { gate, server, principal } = this.options
    return gate.visible({ method, server, name }, principal)
  }

  /** Which tools of a list of the server may be shown, by what they say of themselves; all, where that is not asked. */
  readonly listed = (tools: readonly unknown[], isLast: boolean): readonly boolean[] | undefined => {
    const { gate, server, principal, session } = this.options
    return gate.listed({ server, tools, isLast, principal, session })
  }

  /** Records the refusals of messages that are not judged, at once. */
  refuse(refused: readonly Refused[]): readonly Decision[] {
    if (refused.length === 0) return []
    const { gate, server, principal, session, run } = this.options
    const of = runId(run?.(principal))
    const about = { server, principal, session, ...(of !== undefined && { run_id: of }) }
    return gate.refuse(refused.map((one) => ({ ...one, ...about })))
  }

  /** Notes how a request ended, if it was a judged one. */
  ended({ decisionId }: Waiting, outcome: Omit<Outcome, 'decisionId'>): void {
    if (decisionId !== undefined) this.#outcomes.push({ decisionId, ...outcome })
  }

  /** Settles all that has ended since the last time, at once. */
  settle(): void {
    if (this.#outcomes.length === 0) return
    const outcomes = this.#outcomes
    this.#outcomes = []
    this.options.gate.settle(outcomes)
  }
}
