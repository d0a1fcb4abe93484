/** Requests to persons, in memory: what says something of a later call is kept, as `src/ledger/approvals.ts` finds it. */
import type { Approval, ApprovalChange } from '../model/approval.ts'

/** Overdue ones that are given at once. */
const overdueMax = 64

export class Requests {
  /** Pending, approved and rejected ones: the others are over for everybody. */
  readonly #byId = new Map<string, Approval>()
  readonly #open = new Set<string>()
  /** Ids, the newest last. */
  readonly #byKey = new Map<string, readonly string[]>()

  get(id: string): Approval | undefined {
    return this.#byId.get(id)
  }

  newest(key: string, now: number): Approval | undefined {
    const known = (this.#byKey.get(key) ?? []).flatMap((id) => this.#byId.get(id) ?? [])
    return known.findLast(({ request }) => request.expires_at > now)
  }

  add(approval: Approval): void {
    const { id } = approval.request
    this.#byId.set(id, approval)
    this.#open.add(id)
    this.#byKey.set(approval.key, [...(this.#byKey.get(approval.key) ?? []), id])
  }

  change(id: string, change: ApprovalChange): void {
    const before = this.#byId.get(id)
    if (!before || !this.#open.has(id))
      throw new TypeError(`the request ${id} is not open, it cannot become ${change.state}`)
    if (change.state === 'consumed' || change.state === 'expired') {
      this.#forget(before)
      return
    }
    this.#byId.set(id, { ...before, ...change })
    if (change.state === 'rejected') this.#open.delete(id)
  }

  pending(now: number, caller?: string): number {
    let count = 0
    for (const { state, request, caller: own } of this.#opened())
      if (state === 'pending' && request.expires_at > now && (caller === undefined || own === caller)) count += 1
    return count
  }

  overdue(now: number): readonly Approval[] {
    const overdue = [...this.#opened()].filter(({ request }) => request.expires_at <= now)
    return overdue.sort((one, other) => one.request.expires_at - other.request.expires_at).slice(0, overdueMax)
  }

  *#opened(): Generator<Approval> {
    for (const id of this.#open) {
      const approval = this.#byId.get(id)
      if (approval) yield approval
    }
  }

  #forget({ key, request: { id } }: Approval): void {
    this.#byId.delete(id)
    this.#open.delete(id)
    const left = (this.#byKey.get(key) ?? []).filter((other) => other !== id)
    if (left.length > 0) this.#byKey.set(key, left)
    else this.#byKey.delete(key)
  }
}
