/**
 * A ledger in memory for a gate that judges again what was recorded: it counts as the one on disk does, and it keeps no
 * record. Nothing is rolled back: what throws in here ends the replay.
 */
import type { Approval, ApprovalChange } from '../model/approval.ts'
import type { Call } from '../model/call.ts'
import type { CounterKey } from '../model/counters.ts'
import { isPattern, type Kill, type KillTarget, killAmong, killKinds, namesFor, type Stoppable } from '../model/kill.ts'
import type { Ledger, RecordEntry, StoredRecord, Transaction, Usage } from '../model/ledger.ts'
import { microMax } from '../model/limits.ts'
import { noPins, type ServerTool, type ToolPins } from '../model/pinning.ts'
import type { Plan } from '../model/plan.ts'
import { type Charge, Counters } from './counters.ts'
import { PossibleCharges } from './possible.ts'
import { Requests } from './requests.ts'

export class ReplayLedger implements Ledger, Transaction {
  now = 0
  /** Are counters read at the most that they may stand at? Else at the least. */
  readsMost = false
  /** Do requests to persons stand in the way of others? Not those that nobody was ever asked, and so nobody has answered. */
  requestsWait = true
  readonly #counters = new Counters()
  readonly #possible = new PossibleCharges()
  readonly #requests = new Requests()
  /** Allowed calls that have not ended, with what they took. */
  readonly #calls = new Map<string, Charge[]>()
  readonly #kills = new Map<string, Kill>()
  /** Those of them that are about tools by a pattern. */
  readonly #patterns = new Map<string, Kill>()
  readonly #pins = new Map<string, ToolPins>()
  readonly #seenWhole = new Set<string>()

  /** From here on it is this instant, or a later one that it has been already. */
  reach(at: number): void {
    this.now = Math.max(this.now, at)
  }

  transact<T>(work: (tx: Transaction) => T): T {
    return work(this)
  }

  used(key: CounterKey): Usage {
    const least = this.#counters.used(key, this.now)
    if (!this.readsMost || this.#possible.isEmpty) return { used: least }
    return { used: Math.min(microMax, least + this.#possible.most(key, this.now)) }
  }

  /** May the counter stand at more than what is known of it? */
  isUncertain(key: CounterKey): boolean {
    return !this.#possible.isEmpty && this.#possible.most(key, this.now) > 0
  }

  get hasUncertain(): boolean {
    return !this.#possible.isEmpty
  }

  /** The call may have been let through, and have taken what the plan says. */
  mayTake(decisionId: string, call: Call, plan: Plan, isKnown: boolean): void {
    this.#possible.add(decisionId, call, plan, this.now, isKnown)
  }

  /** A call that may have been let through has ended, if it was. */
  mayHaveEnded(decisionId: string, failed: boolean): void {
    if (!this.#possible.isEmpty) this.#possible.end(decisionId, failed)
  }

  roomAt(key: CounterKey, amount: number, max: number): number | undefined {
    return this.#counters.roomAt(key, amount, max, this.now)
  }

  open(decisionId: string): void {
    this.#chargesOf(decisionId)
  }

  reserve(decisionId: string, key: CounterKey, amount: number): void {
    this.#chargesOf(decisionId).push(this.#counters.charge(key, amount, this.now))
  }

  settle(decisionId: string, how: 'kept' | 'released'): boolean {
    const charges = this.#calls.get(decisionId)
    if (!charges) return false
    this.#calls.delete(decisionId)
    if (how === 'released') for (const charge of charges) this.#counters.takeBack(charge)
    return true
  }

  approvalFor(key: string): Approval | undefined {
    return this.#requests.newest(key, this.now)
  }

  approval(id: string): Approval | undefined {
    return this.#requests.get(id)
  }

  addApproval(approval: Approval): void {
    this.#requests.add(approval, this.requestsWait)
  }

  changeApproval(id: string, change: ApprovalChange): void {
    this.#requests.change(id, change)
  }

  approvalsPending(caller?: string): number {
    return this.#requests.pending(this.now, caller)
  }

  approvalsOverdue(): readonly Approval[] {
    return this.#requests.overdue(this.now)
  }

  killOf(who: Stoppable): Kill | undefined {
    if (this.#kills.size === 0) return undefined
    const names = namesFor(who)
    const named = killKinds.flatMap(
      (kind, index) => this.#kills.get(targetText({ kind, name: names[index] ?? '' })) ?? [],
    )
    const standing = [...named, ...this.#patterns.values()]
    return killAmong(
      standing.sort((one, other) => one.at - other.at),
      who,
    )
  }

  killFor(target: KillTarget): Kill | undefined {
    return this.#kills.get(targetText(target))
  }

  kill(id: string): Kill | undefined {
    return [...this.#kills.values()].find((kill) => kill.id === id)
  }

  addKill(kill: Kill): void {
    this.#kills.set(targetText(kill.target), kill)
    if (kill.target.kind === 'tool' && isPattern(kill.target.name)) this.#patterns.set(kill.id, kill)
  }

  removeKill(id: string): void {
    const kill = this.kill(id)
    if (!kill) return
    this.#kills.delete(targetText(kill.target))
    this.#patterns.delete(id)
  }

  pinsOf(tool: ServerTool): ToolPins {
    return this.#pins.get(toolText(tool)) ?? noPins
  }

  setPins(tool: ServerTool, pins: ToolPins): void {
    this.#pins.set(toolText(tool), pins)
  }

  keepDefinition(): void {}

  toolsKnown(): number {
    return this.#pins.size
  }

  isSeenWhole(server: string): boolean {
    return this.#seenWhole.has(server)
  }

  markSeenWhole(server: string): void {
    this.#seenWhole.add(server)
  }

  append(entry: RecordEntry): StoredRecord {
    return { ...entry, seq: 0, at: this.now, hash: '', previousHash: '' }
  }

  keepPolicy(): void {}

  policy(): undefined {
    return undefined
  }

  *records(): Generator<StoredRecord> {}

  close(): void {}

  #chargesOf(decisionId: string): Charge[] {
    const known = this.#calls.get(decisionId)
    if (known) return known
    const charges: Charge[] = []
    this.#calls.set(decisionId, charges)
    return charges
  }
}

function targetText({ kind, name }: KillTarget): string {
  return `${kind}\n${name}`
}

function toolText({ server, tool }: ServerTool): string {
  return `${server}\n${tool}`
}
