/**
 * Recorded calls, judged again by the gate itself under another policy, in their order and at their times: with the counters
 * as that policy would have had them, what persons said, and what was stopped. What nobody can tell is said to be so, and so
 * is what depends on it.
 */
import { isDeepStrictEqual } from 'node:util'
import { callerKey } from '../model/approval.ts'
import type { Call, LayeredRuns } from '../model/call.ts'
import { counterKey } from '../model/counters.ts'
import type { Decision } from '../model/decision.ts'
import { TollgateError } from '../model/errors.ts'
import { planForSet } from '../model/layers.ts'
import { plansRememberedMax } from '../model/limits.ts'
import type { RunFacts } from '../model/pack/run.ts'
import { type Pinning, pinningIn } from '../model/pinning.ts'
import type { Plan } from '../model/plan.ts'
import type { Policy, PolicySet } from '../model/policy.ts'
import type { ActiveLayers, ActivePolicy } from '../pep/active.ts'
import { Approvals } from '../pep/approvals.ts'
import { Gate } from '../pep/gate.ts'
import { unfitToJudge } from '../pep/judged.ts'
import { notPinned } from '../pep/pins.ts'
import { Remembered } from '../pep/remembered.ts'
import type { RecordedCall, RecordedEvent } from './event.ts'
import { knownCall, type Lack } from './known.ts'
import { ReplayLedger } from './ledger.ts'
import { recordedRun } from './runs.ts'
import { SameCalls } from './same.ts'

/** What becomes of a recorded call. */
export type Judgement = { readonly recorded: RecordedCall } & (
  | { readonly decision: Decision }
  | { readonly lack: Lack }
  /** It was held, and would have been made when it was first asked for: this is the same call once more. */
  | { readonly repeats: string }
)

export class Replay {
  readonly #policy: PolicySet
  readonly #pinning: Pinning | undefined
  readonly #ledger = new ReplayLedger()
  readonly #approvals: Approvals
  readonly #gate: Gate
  /** It asks as well whether tools are what they were. */
  readonly #pinningGate: Gate
  readonly #plans: Remembered<Plan>
  /** Plans of the policies that judged the calls. */
  readonly #plansThen = new WeakMap<PolicySet, Remembered<Plan>>()
  readonly #runs = new WeakMap<Call, RunFacts | LayeredRuns>()
  /** Counters that rules read, and not only bound. */
  readonly #countersRead: ReadonlySet<string>
  readonly #canEndSessions: boolean
  /** Requests of the record that are others here, and those that were never made, by the decision that let the call through. */
  readonly #requests = new Map<string, string>()
  readonly #made = new Map<string, string>()
  readonly #same = new SameCalls()
  /** Calls that count as the one that was let through before. */
  readonly #repeats = new Map<string, string>()
  /** Who asked for what of which nobody can tell what it came to; sessions that may have ended. */
  readonly #doubtful = new Set<string>()
  readonly #doubtfulSessions = new Set<string>()
  #decisionId = ''
  #failure: unknown

  constructor(active: ActivePolicy | ActiveLayers) {
    this.#policy = active.policy
    this.#pinning = pinningIn(active.policy)
    this.#plans = new Remembered(plansRememberedMax, (policy, target) =>
      this.#withRecordedRun(planForSet(policy, target)),
    )
    this.#gate = this.#gateOf(active, true)
    this.#pinningGate = this.#gateOf(active, false)
    this.#approvals = new Approvals({ ledger: this.#ledger, describe: () => '' })
    const policies = 'layers' in active ? active.layers.map(({ policy }) => policy) : [active.policy]
    this.#countersRead = new Set(policies.flatMap(countersRead))
    this.#canEndSessions = policies.some(({ strategy }) => strategy === 'pack')
  }

  /** Takes the next event, in the order of the record. What was recorded as a call is judged. */
  take(event: RecordedEvent): Judgement | undefined {
    this.#ledger.reach(event.at)
    switch (event.kind) {
      case 'call':
        return this.#call(event)
      case 'outcome':
        this.#end(event.decisionId, event.status)
        return undefined
      case 'answer':
        this.#answer(event)
        return undefined
      case 'kill':
        if (!this.#ledger.killFor(event.kill.target)) this.#ledger.addKill(event.kill)
        return undefined
      case 'lift': {
        const kill = this.#ledger.killFor(event.target)
        if (kill) this.#ledger.removeKill(kill.id)
        return undefined
      }
      case 'pins':
        for (const { server, tool, pinned, held } of event.tools)
          this.#ledger.setPins({ server, tool }, { pinned, held })
        if (event.whole !== undefined) this.#ledger.markSeenWhole(event.whole)
        return undefined
      case 'message':
      case 'other':
        return undefined
    }
    return event satisfies never
  }

  /** Is it not asked whether the tool is what it was, though the policy wants that: no record says what its lists showed? */
  isPinningLeftOut({ policy }: RecordedCall): boolean {
    return this.#pinning !== undefined && !this.#pinsAs(policy)
  }

  #call(recorded: RecordedCall): Judgement {
    const { approvalId = '', decisionId, isCheck } = recorded
    const made = isCheck ? undefined : this.#made.get(approvalId)
    if (made !== undefined) {
      this.#repeats.set(decisionId, made)
      return { recorded, repeats: made }
    }
    const plan = this.#plans.of(this.#policy, recorded.call)
    const known = this.#known(recorded, plan)
    const lack = 'cause' in known ? known : this.#doubtOf(recorded, known, plan)
    if (!lack) return { recorded, decision: this.#judged(recorded, known as Call) }
    if (!isCheck) this.#leaveOpen(recorded, 'cause' in known ? undefined : known, plan)
    return { recorded, lack }
  }

  /** The call as the gate is to judge it, with what is known of its run. */
  #known(recorded: RecordedCall, plan: Plan): Call | Lack {
    const { call, policy } = recorded
    if (this.#isStopped(recorded)) return call
    if (this.#doubtfulSessions.has(call.session)) return { cause: 'session' }
    if (this.isPinningLeftOut(recorded) && isOf(recorded, 'TOOL_CHANGED', 'TOOL_NOT_PINNED'))
      return { cause: 'pinning' }
    if (recorded.arguments.kept !== 'whole' && isOf(recorded, 'CALL_TOO_LARGE')) return { cause: 'arguments' }
    const found = knownCall(recorded, plan, policy && this.#planThen(policy, call))
    if ('cause' in found) return found
    const known = withDigests(found, recorded, this.#same.paramsOf(recorded))
    if (!plan.run || unfitToJudge(known, plan)) return known
    const run = recordedRun(this.#policy, recorded)
    if (!run) return { cause: 'run' }
    const own = { ...known }
    if (run.run) this.#runs.set(own, run.run)
    return own
  }

  /** Why nobody can tell what becomes of a call that is known. */
  #doubtOf(recorded: RecordedCall, call: Call, plan: Plan): Lack | undefined {
    const gate = this.#gateFor(recorded)
    if (this.#ledger.hasUncertain) {
      const keys = plan.counters.flatMap(({ counter, policyId }) => counterKey(policyId, counter, call) ?? [])
      const uncertain = keys.filter((key) => this.#ledger.isUncertain(key))
      if (uncertain.some(({ counter }) => this.#countersRead.has(counter.id))) return { cause: 'counters' }
      if (uncertain.length > 0 && !this.#isSameAtMost(gate, call)) return { cause: 'counters' }
    }
    if (this.#doubtful.has(recorded.approvalId ?? '')) return { cause: 'approval' }
    const isDoubtful = this.#doubtful.has(whatOf(call))
    const isNameless = recorded.arguments.kept === 'none'
    if (!isDoubtful && !isNameless && !this.#isPerhapsAnswered(recorded)) return undefined
    if (!isForPersons(gate.check(call))) return undefined
    return { cause: isNameless ? 'arguments' : 'approval' }
  }

  /** Did somebody answer what may be the same call, or only looks like it? */
  #isPerhapsAnswered(recorded: RecordedCall): boolean {
    const answers = this.#same.doubtful(recorded).flatMap((id) => this.#ledger.approval(id) ?? [])
    return answers.some(({ request }) => request.expires_at > this.#ledger.now)
  }

  /** Limits refuse more the more was taken: what is decided at the least and at the most is decided in between. */
  #isSameAtMost(gate: Gate, call: Call): boolean {
    const least = gate.check(call)
    this.#ledger.readsMost = true
    const most = gate.check(call)
    this.#ledger.readsMost = false
    return least.decision === most.decision && least.rule === most.rule && least.reason_code === most.reason_code
  }

  #judged(recorded: RecordedCall, call: Call): Decision {
    const gate = this.#gateFor(recorded)
    this.#decisionId = recorded.decisionId
    this.#ledger.requestsWait = recorded.approvalId !== undefined
    if (recorded.isCheck) return this.#sound(gate.check(call))
    if (recorded.isApproved) this.#approveAsRecorded(gate.check(call))
    const decision = this.#sound(gate.admit([call])[0] as Decision)
    this.#follow(recorded, decision)
    return decision
  }

  /** What its outcome, and the calls and answers that name its request, are about from here on. */
  #follow(recorded: RecordedCall, { decision, approval }: Decision): void {
    const { decided, approvalId, decisionId } = recorded
    if (approval) this.#same.asked(approval.id, recorded)
    if (decision === 'allow' && decided.decision !== 'allow') {
      if (decided.decision === 'hold' && approvalId !== undefined && !approval) this.#made.set(approvalId, decisionId)
      else this.#gate.settle([{ decisionId, status: 'success' }])
    }
    if (decision === 'hold' && approval && approvalId !== undefined) this.#requests.set(approvalId, approval.id)
  }

  /** A call that may have been let through. */
  #leaveOpen(recorded: RecordedCall, call: Call | undefined, plan: Plan): void {
    this.#ledger.mayTake(recorded.decisionId, call ?? recorded.call, plan, call !== undefined)
    this.#doubtful.add(whatOf(recorded.call))
    if (recorded.approvalId !== undefined) this.#doubtful.add(recorded.approvalId)
    if (this.#canEndSessions && recorded.call.session !== '') this.#doubtfulSessions.add(recorded.call.session)
  }

  #end(recordedId: string, status: string): void {
    const decisionId = this.#repeats.get(recordedId) ?? recordedId
    this.#repeats.delete(recordedId)
    this.#gate.settle([{ decisionId, status: status === 'error' || status === 'success' ? status : 'unknown' }])
    this.#ledger.mayHaveEnded(decisionId, status === 'error')
  }

  /** It counts as it would have: a rule that asks for more persons, or for others, gets no more than said so. */
  #answer({ approvalId, answer: { says, ...said } }: RecordedEvent & { readonly kind: 'answer' }): void {
    const id = this.#requests.get(approvalId) ?? approvalId
    try {
      if (says === 'approve') this.#approvals.approve(id, said)
      else this.#approvals.reject(id, said)
      this.#same.answered(id)
    } catch (error) {
      if (!(error instanceof TollgateError) || !/^approv(al|er)_/.test(error.code)) throw error
    }
  }

  #approveAsRecorded({ decision, approval }: Decision): void {
    const request = decision === 'hold' && approval ? this.#ledger.approval(approval.id) : undefined
    if (request?.state === 'pending') this.#ledger.changeApproval(request.request.id, { state: 'approved' })
  }

  /** Is it refused before anything is read of it? */
  #isStopped(recorded: RecordedCall): boolean {
    const { call } = recorded
    const kill = this.#ledger.killOf(call)
    // That the session has ended would come before what is about the tool.
    if (this.#doubtfulSessions.has(call.session)) return kill !== undefined && kill.target.kind !== 'tool'
    const isPinning = this.#gateFor(recorded) === this.#pinningGate
    return kill !== undefined || (isPinning && notPinned(this.#ledger, call, this.#pinning as Pinning) !== undefined)
  }

  #gateFor({ policy }: RecordedCall): Gate {
    return this.#pinning && this.#pinsAs(policy) ? this.#pinningGate : this.#gate
  }

  /** What was noted of tools was noted as the policy asked for it that was active. */
  #pinsAs(policy: PolicySet | undefined): boolean {
    return policy !== undefined && isDeepStrictEqual(pinningIn(policy), this.#pinning)
  }

  #planThen(policy: PolicySet, call: Call): Plan {
    const known = this.#plansThen.get(policy)
    const plans = known ?? new Remembered(plansRememberedMax, planForSet)
    if (!known) this.#plansThen.set(policy, plans)
    return plans.of(policy, call)
  }

  #withRecordedRun(plan: Plan): Plan {
    return plan.run ? { ...plan, run: (call) => this.#runs.get(call) } : plan
  }

  #gateOf(active: ActivePolicy | ActiveLayers, listless: boolean): Gate {
    const gate = new Gate({
      ledger: this.#ledger,
      describe: () => '',
      newId: () => this.#decisionId,
      report: (error) => {
        this.#failure = error
      },
      listless,
      plans: (policy, target) => this.#plans.of(policy, target),
    })
    gate.activate(active)
    return gate
  }

  /** Throws what the gate itself has failed by: what follows would be counted wrongly. */
  #sound(decision: Decision): Decision {
    if (decision.rule !== 'gate' || !['GATE_FAILED', 'LEDGER_UNAVAILABLE'].includes(decision.reason_code))
      return decision
    throw this.#failure
  }
}

/** An approval is for this very call, and for nothing that only looks like it. */
function withDigests(call: Call, { arguments: args }: RecordedCall, params: string): Call {
  if (args.kept !== 'digest' && params === '') return call
  return { ...call, params: { ...(args.kept === 'digest' && { sha256: args.sha256 }), params_sha256: params } }
}

function isOf({ decided }: RecordedCall, ...reasons: readonly string[]): boolean {
  return decided.rule === 'gate' && reasons.includes(decided.reason_code)
}

function isForPersons({ decision, approval, reason_code }: Decision): boolean {
  return decision === 'hold' || approval !== undefined || reason_code === 'APPROVAL_REJECTED'
}

function whatOf({ method, server, name, principal }: Call): string {
  return JSON.stringify([method, server, name, callerKey(principal)])
}

function countersRead(policy: Policy): readonly string[] {
  if (policy.strategy !== 'all') return []
  return policy.entries.flatMap(({ rules }) =>
    rules.flatMap(({ readings = [] }) => readings.map(({ counter }) => counter.id)),
  )
}
