/**
 * The policy enforcement point: one call, one story. Facts, decision, reservation and record are one transaction; what
 * fails on the way is a deny.
 */
import type { Call, Principal } from '../model/call.ts'
import type { Decision, DecisionApproval } from '../model/decision.ts'
import { TollgateError } from '../model/errors.ts'
import type { ActivationFailure, GateEvent } from '../model/event.ts'
import type { Stoppable } from '../model/kill.ts'
import { planForSet, visibilityInSet } from '../model/layers.ts'
import type { Ledger, RecordKind, Transaction } from '../model/ledger.ts'
import { plansRememberedMax, recordedDetailCharsMax, visibleRememberedMax } from '../model/limits.ts'
import type { Target } from '../model/match.ts'
import { type Pinning, pinningIn } from '../model/pinning.ts'
import type { Plan } from '../model/plan.ts'
import type { PolicySet } from '../model/policy.ts'
import type { ReasonCode } from '../model/reasons.ts'
import { type ActiveLayers, type ActivePolicy, activated, nameOf, packOf, partsOf, policyIn } from './active.ts'
import { waitFor } from './facts.ts'
import type { Gatekeeper, Outcome, Refusal } from './gatekeeper.ts'
import type { Held } from './held.ts'
import { type Judged, judge, stop } from './judged.ts'
import { type Looked, lookThrough, noteList, notPinned, type ToolList } from './pins.ts'
import { Remembered } from './remembered.ts'
import { answerHeld, expireOverdue, foreseeHeld, type HeldAnswer } from './requests.ts'
import { areShowing, askedWhatIsShown } from './shown.ts'
import { endSession, refusalVerdict, type Stopped, stoppedBy } from './stopped.ts'

export type { ActiveLayers, ActivePolicy } from './active.ts'

export interface GatePorts {
  readonly ledger: Ledger
  /** The record of an event, as JSON text. */
  readonly describe: (event: GateEvent) => string
  /** A fresh id: a UUID, except where the same run must give the same text. */
  readonly newId: () => string
  /** Told of every failure that could not be recorded. */
  readonly report: (error: unknown) => void
  /**
   * Runs work a little later: outcomes then share a transaction, of their own or of a call for which one of them makes
   * room. Whoever gives this calls `flush` at the end. Without it outcomes are recorded at once.
   */
  readonly later?: (work: () => void) => void
  /** No list of a server comes by here, and none came by before in this ledger: it is not asked what tools say of themselves. */
  readonly listless?: boolean
  /** What judging a call of a target takes, for whoever knows more of a call than it says. */
  readonly plans?: (policy: PolicySet, target: Target) => Plan
}

export class Gate implements Gatekeeper {
  readonly #ports: GatePorts
  readonly #listeners: (() => void)[] = []
  readonly #killListeners: (() => void)[] = []
  readonly #failureListeners: (() => void)[] = []
  readonly #plans: Remembered<Plan>
  readonly #visible = new Remembered(visibleRememberedMax, visibilityInSet)
  #active: ActivePolicy | ActiveLayers | undefined
  /** What the active policy asks of the definitions of tools, if it does. */
  #pinning: Pinning | undefined
  /** Those of what is active that have to be asked what lists show. */
  #showing: readonly ActivePolicy[] = []
  /** Outcomes that no transaction has recorded yet. */
  #ended: Outcome[] = []
  #flushDue = false
  /** The transaction has ended the session of a call. */
  #hasEndedSession = false

  constructor(ports: GatePorts) {
    this.#ports = ports
    this.#plans = new Remembered(plansRememberedMax, ports.plans ?? planForSet)
  }

  /** Makes a policy the one that decides, in one assignment: a call sees one revision. Throws when that cannot be recorded. */
  activate(active: ActivePolicy | ActiveLayers): void {
    this.#ports.ledger.transact((tx) => {
      for (const one of partsOf(active)) tx.keepPolicy(one.revision, () => one.encoded())
      this.#append(tx, 'activation', { kind: 'activation', at: tx.now, policy: activated(active) })
    })
    this.#change(active)
  }

  /** From now on everything is denied, until another policy is activated. Never throws. */
  deactivate(why: string): void {
    const policy = this.#active && nameOf(this.#active)
    this.#change(undefined)
    this.#note('deactivation', (at) => ({ kind: 'deactivation', at, detail: why, ...(policy && { policy }) }))
  }

  /** Records that a policy did not become active, and what is active instead. Never throws. */
  notActivated(failure: ActivationFailure): void {
    const detail = failure.detail.slice(0, recordedDetailCharsMax)
    const policy = this.#active && nameOf(this.#active)
    const event = { kind: 'activation_failure', ...failure, detail, ...(policy && { policy }) } as const
    this.#note('activation_failure', (at) => ({ ...event, at }))
    this.#tell(this.#failureListeners)
  }

  /** Records that the gate in front of a server starts or stops. Throws when that cannot be recorded. */
  mark(kind: 'start' | 'stop', server: string): void {
    this.flush()
    this.#ports.ledger.transact((tx) => {
      this.#expireOverdue(tx)
      this.#append(tx, kind, { kind, at: tx.now, server })
    })
  }

  /** What decides now; undefined when nothing does. */
  get active(): ActivePolicy | ActiveLayers | undefined {
    return this.#active
  }

  get revision(): string {
    return this.#active?.revision ?? ''
  }

  admit(calls: readonly Call[]): readonly Decision[] {
    return this.#decide(calls, 'decision')
  }

  /** What the decision would be now: recorded as a check, nothing reserved. */
  check(call: Call): Decision {
    return this.#decide([call], 'check')[0] as Decision
  }

  refuse(refusals: readonly Refusal[]): readonly Decision[] {
    const refused = refusals.map((about) => ({ about, decision: this.#refusal(about) }))
    try {
      this.#ports.ledger.transact((tx) => {
        const policy = this.#active && nameOf(this.#active)
        for (const one of refused)
          this.#append(tx, 'decision', { kind: 'refusal', at: tx.now, ...one, ...(policy && { policy }) })
      })
    } catch (error) {
      this.#ports.report(error)
    }
    return refused.map(({ decision }) => decision)
  }

  settle(outcomes: readonly Outcome[]): void {
    this.#ended.push(...outcomes)
    const { later } = this.#ports
    if (!later) this.flush()
    else if (!this.#flushDue && this.#ended.length > 0) {
      this.#flushDue = true
      later(() => {
        this.#flushDue = false
        this.flush()
      })
    }
  }

  /** Records the outcomes that wait. Never throws. */
  flush(): void {
    const outcomes = this.#ended
    if (outcomes.length === 0) return
    this.#ended = []
    try {
      this.#ports.ledger.transact((tx) => this.#recordOutcomes(tx, outcomes))
    } catch (error) {
      this.#ports.report(error)
      // A ledger that is busy or full may not be so for long, and what an upstream said is known to nobody else. There
      // are no more of them than calls that were under way: nothing is admitted meanwhile.
      if (isUnusable(error)) this.#ended = [...outcomes, ...this.#ended]
      // Else what was reserved stays charged, and the next start records the calls as unknown.
    }
  }

  visible(target: Target, principal: Principal): boolean {
    if (!this.#active || !this.#visible.of(this.#active.policy, target)(principal)) return false
    if (this.#showing.length === 0) return true
    try {
      const at = this.#ports.ledger.transact(({ now }) => now)
      return areShowing(this.#showing, target, principal, at)
    } catch (error) {
      this.#ports.report(error)
      return false
    }
  }

  listed(list: ToolList): readonly boolean[] | undefined {
    const pinning = this.#pinning
    if (!pinning) return undefined
    const { ledger, report } = this.#ports
    try {
      const { shown, changes, isWhole } = lookThrough(list, pinning, ledger)
      if (changes.length === 0 && !isWhole) return shown
      const noted = ledger.transact((tx) => this.#noteList(tx, list, pinning))
      // Once whoever asked has its answer.
      if (noted.changes.some(({ turns }) => turns)) setImmediate(() => this.pinsChanged())
      return noted.shown
    } catch (error) {
      report(error)
      return list.tools.map(() => false)
    }
  }

  onPolicyChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Does the active policy ask what tools say of themselves? */
  get isPinning(): boolean {
    return this.#pinning !== undefined
  }

  /** A tool was pinned or is held back, here or in another process. */
  pinsChanged(): void {
    if (this.#pinning) this.#tell(this.#listeners)
  }

  /** Called when a policy did not become active. */
  onActivationFailure(listener: () => void): void {
    this.#failureListeners.push(listener)
  }

  stopped(who: Stoppable): Stopped | undefined {
    try {
      const kill = this.#ports.ledger.killOf(who)
      return kill && stoppedBy(kill)
    } catch (error) {
      // Without a policy, as after the end of a gate, no call passes and no list shows anything.
      if (!this.#active) return undefined
      this.#ports.report(error)
      return { reason: 'LEDGER_UNAVAILABLE', message: 'it cannot be told who is stopped' }
    }
  }

  onKill(listener: () => void): void {
    this.#killListeners.push(listener)
  }

  /** Somebody was stopped, or is so no longer: here, or in another process. */
  killsChanged(): void {
    this.#tell(this.#killListeners)
  }

  #decide(calls: readonly Call[], kind: 'decision' | 'check'): readonly Decision[] {
    this.#hasEndedSession = false
    // What a call gave back is there for these; other outcomes wait for each other, and not in the way of a call.
    const outcomes = this.#ended.some(({ status }) => status === 'error') ? this.#ended : []
    try {
      const decisions = this.#ports.ledger.transact((tx) => {
        this.#recordOutcomes(tx, outcomes)
        return calls.map((call) => this.#judge(tx, call, kind))
      })
      if (outcomes.length > 0) this.#ended = []
      // Once whoever asked has its answer.
      if (this.#hasEndedSession) setImmediate(() => this.killsChanged())
      return decisions
    } catch (error) {
      this.#ports.report(error)
      const reason: ReasonCode = isUnusable(error) ? 'LEDGER_UNAVAILABLE' : 'GATE_FAILED'
      const message = 'the call could not be recorded, so it was not made'
      return calls.map(() => this.#refusal({ reason, message }))
    }
  }

  #noteList(tx: Transaction, list: ToolList, pinning: Pinning): Looked {
    const policy = this.#active && nameOf(this.#active)
    return noteList(tx, list, pinning, (event) =>
      this.#append(tx, event.kind, { ...event, ...(policy && event.kind !== 'accept' && { policy }) }),
    )
  }

  #recordOutcomes(tx: Transaction, outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      if (!tx.settle(outcome.decisionId, outcome.status === 'error' ? 'released' : 'kept')) continue
      this.#append(tx, 'outcome', { kind: 'outcome', at: tx.now, ...outcome })
    }
  }

  /** Decides one call and writes it down. What throws here undoes the whole transaction. */
  #judge(tx: Transaction, call: Call, kind: 'decision' | 'check'): Decision {
    const started = process.hrtime.bigint()
    const asked = this.#ask(tx, call)
    const evaluationNs = Number(process.hrtime.bigint() - started)
    const decisionId = this.#ports.newId()
    const answer = asked.held && this.#answerHeld(tx, call, { ...asked, held: asked.held }, kind, decisionId)
    const judged = judgedAfter(asked, answer)
    const decision = this.#decisionOf(tx, call, judged, decisionId, answer)
    if (decision.decision === 'allow' && kind === 'decision') {
      for (const { key, amount } of judged.charges) tx.reserve(decisionId, key, amount)
      tx.open(decisionId)
    }
    const { input } = judged
    const policy = this.#active && nameOf(this.#active, judged.verdict)
    this.#append(tx, kind, {
      kind,
      at: tx.now,
      decision,
      call,
      evaluationNs,
      ...(input !== undefined && { input }),
      ...(policy && { policy }),
    })
    if (answer && 'event' in answer && answer.event) this.#append(tx, answer.event.kind, answer.event)
    if (decision.decision === 'kill' && kind === 'decision' && judged.kill_id === undefined)
      this.#endSession(tx, call, decision)
    return decision
  }

  #ask(tx: Transaction, call: Call): Judged {
    const kill = tx.killOf(call)
    if (kill) return { verdict: refusalVerdict(stoppedBy(kill)), charges: [], kill_id: kill.id }
    const unpinned = this.#pinning && notPinned(tx, call, this.#pinning)
    if (unpinned) return stop(unpinned.reason, unpinned.message)
    return judge(tx, call, this.#active, this.#plans, this.#ports.report)
  }

  #endSession(tx: Transaction, call: Call, decision: Decision): void {
    const event = endSession(tx, call, decision)
    if (!event) return
    this.#append(tx, 'kill', event)
    this.#hasEndedSession = true
  }

  #answerHeld(
    tx: Transaction,
    call: Call,
    { held, verdict }: Judged & { readonly held: Held },
    kind: 'decision' | 'check',
    decisionId: string,
  ): HeldAnswer {
    if (kind === 'check') return foreseeHeld(tx, call, held)
    this.#expireOverdue(tx)
    const { rule, message, risk_level } = verdict
    const { id, version } = policyIn(this.#active && nameOf(this.#active, verdict))
    return answerHeld(tx, call, held, {
      decision_id: decisionId,
      rule,
      message,
      policy_id: id,
      policy_version: version,
      revision: this.revision,
      ...(risk_level && { risk_level }),
    })
  }

  #expireOverdue(tx: Transaction): void {
    for (const event of expireOverdue(tx)) this.#append(tx, event.kind, event)
  }

  #decisionOf(
    tx: Transaction,
    call: Call,
    { verdict, plan, held, kill_id }: Judged,
    decisionId: string,
    answer: HeldAnswer | undefined,
  ): Decision {
    const { decision, variant, reason_code, rule, message, risk_level } = verdict
    const retryAfterMs = plan && waitFor(tx, call, plan, verdict)
    const approval = approvalOf(answer, held)
    return {
      decision,
      ...(variant && { variant }),
      reason_code,
      rule,
      message,
      ...(risk_level && { risk_level }),
      ...(approval && { approval }),
      ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
      ...(kill_id !== undefined && { kill_id }),
      ...('layers' in verdict && { layers: verdict.layers, conflicts: verdict.conflicts }),
      decision_id: decisionId,
      revision: this.revision,
      ...packOf(this.#active),
    }
  }

  #change(active: ActivePolicy | ActiveLayers | undefined): void {
    this.#plans.forget()
    this.#visible.forget()
    this.#active = active
    this.#showing = active ? askedWhatIsShown(active) : []
    this.#pinning = active && !this.#ports.listless ? pinningIn(active.policy) : undefined
    this.#tell(this.#listeners)
  }

  #tell(listeners: readonly (() => void)[]): void {
    for (const listener of listeners) {
      try {
        listener()
      } catch (error) {
        this.#ports.report(error)
      }
    }
  }

  /** Records what happened in any case. */
  #note(kind: RecordKind, event: (at: number) => GateEvent): void {
    try {
      this.#ports.ledger.transact((tx) => this.#append(tx, kind, event(tx.now)))
    } catch (error) {
      this.#ports.report(error)
    }
  }

  #refusal({ kill_id, ...why }: Stopped): Decision {
    return {
      ...refusalVerdict(why),
      ...(kill_id !== undefined && { kill_id }),
      decision_id: this.#ports.newId(),
      revision: this.revision,
      ...packOf(this.#active),
    }
  }

  #append(tx: Transaction, kind: RecordKind, event: GateEvent): void {
    const decisionId = decisionIdOf(event)
    tx.append({ kind, body: this.#ports.describe(event), ...(decisionId !== undefined && { decisionId }) })
  }
}

/** A record of a request belongs to the decision that held the call first. */
function decisionIdOf(event: GateEvent): string | undefined {
  if (event.kind === 'outcome') return event.decisionId
  if ('approval' in event) return event.approval.request.decision_id
  if ('kill' in event) return event.kind === 'kill' ? event.kill.decision_id : undefined
  return 'decision' in event ? event.decision.decision_id : undefined
}

/** Is it the ledger that cannot be used, and not we who used it wrongly? */
function isUnusable(error: unknown): boolean {
  return error instanceof TollgateError && error.code.startsWith('ledger_')
}

/** What a held call comes to. */
function judgedAfter(asked: Judged, answer: HeldAnswer | undefined): Judged {
  if (answer?.kind === 'refuse') return stop(answer.reason, answer.message)
  return answer?.kind === 'approved' ? (asked.cleared as Judged) : asked
}

/** A call that is still held says how long it may be kept open. */
function approvalOf(answer: HeldAnswer | undefined, held: Held | undefined): DecisionApproval | undefined {
  const request = answer && 'approval' in answer ? answer.approval?.request : undefined
  if (!request) return undefined
  const waitMs = held?.demands.approval_wait_ms
  const expires_at = new Date(request.expires_at).toISOString()
  return { id: request.id, expires_at, ...(waitMs !== undefined && { wait_ms: waitMs }) }
}
