/** Requests to persons, in memory: what says something of a later call is kept, as `src/ledger/approvals.ts` finds it. */
import type { Approval, ApprovalChange } from '../model/approval.ts'

/** Overdue ones that are given at once. */
const overdueMax = 64

interface Due {
  readonly id: string
  readonly at: number
}

export class Requests {
  /** Pending, approved and rejected ones: the others are over for everybody. */
  readonly #byId = new Map<string, Approval>()
  /** Pending and approved ones. */
  readonly #open = new Set<string>()
  /** Ids, the newest last. */
  readonly #byKey = new Map<string, readonly string[]>()
  /** In the order in which their time is over. */
  #due: Due[] = []
  /** Those whose time is over and of whom nobody has said so yet. */
  #overdue: string[] = []
  /** Those that wait for an answer and are in time, by caller. */
  readonly #waiting = new Map<string, string>()
  readonly #waitingOf = new Map<string, number>()

  get(id: string): Approval | undefined {
    return this.#byId.get(id)
  }

  newest(key: string, now: number): Approval | undefined {
    const known = (this.#byKey.get(key) ?? []).flatMap((id) => this.#byId.get(id) ?? [])
    return known.findLast(({ request }) => request.expires_at > now)
  }

  /** `waits`: it stands in the way of others as long as nobody answers. */
  add(approval: Approval, waits: boolean): void {
    const { id, expires_at: at } = approval.request
    this.#byId.set(id, approval)
    this.#open.add(id)
    this.#byKey.set(approval.key, [...(this.#byKey.get(approval.key) ?? []), id])
    // Nearly always the last one.
    this.#due.splice(this.#due.findLastIndex((due) => due.at <= at) + 1, 0, { id, at })
    if (!waits) return
    this.#waiting.set(id, approval.caller)
    this.#waitingOf.set(approval.caller, (this.#waitingOf.get(approval.caller) ?? 0) + 1)
  }

  change(id: string, change: ApprovalChange): void {
    const before = this.#byId.get(id)
    if (!before || !this.#open.has(id))
      throw new TypeError(`the request ${id} is not open, it cannot become ${change.state}`)
    if (change.state !== 'pending') this.#waitsNoMore(id)
    if (change.state === 'consumed' || change.state === 'expired') {
      this.#forget(before)
      return
    }
    this.#byId.set(id, { ...before, ...change })
    if (change.state === 'rejected') this.#open.delete(id)
  }

  pending(now: number, caller?: string): number {
    this.#reach(now)
    return caller === undefined ? this.#waiting.size : (this.#waitingOf.get(caller) ?? 0)
  }

  overdue(now: number): readonly Approval[] {
    this.#reach(now)
    if (this.#overdue.length === 0) return []
    this.#overdue = this.#overdue.filter((id) => this.#open.has(id))
    return this.#overdue.slice(0, overdueMax).flatMap((id) => this.#byId.get(id) ?? [])
  }

  #reach(now: number): void {
    const later = this.#due.findIndex(({ at }) => at > now)
    if (later === 0) return
    const over = this.#due.splice(0, later === -1 ? this.#due.length : later)
    for (const { id } of over) {
      this.#waitsNoMore(id)
      if (this.#open.has(id)) this.#overdue.push(id)
    }
  }

  #waitsNoMore(id: string): void {
    const caller = this.#waiting.get(id)
    if (caller === undefined) return
    this.#waiting.delete(id)
    const left = (this.#waitingOf.get(caller) ?? 1) - 1
    if (left > 0) this.#waitingOf.set(caller, left)
    else this.#waitingOf.delete(caller)
  }

  #forget({ key, request: { id } }: Approval): void {
    this.#byId.delete(id)
    this.#open.delete(id)
    const left = (this.#byKey.get(key) ?? []).filter((other) => other !== id)
    if (left.length > 0) this.#byKey.set(key, left)
    else this.#byKey.delete(key)
  }
}
