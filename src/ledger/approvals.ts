/** Requests to persons: what waits for an answer, and what was answered. What is over stays for a while, to be looked at. */
import type { Database, Statement } from 'better-sqlite3'
import type { Approval, ApprovalChange, ApprovalState } from '../model/approval.ts'
import { approvalsKeptMs } from '../model/limits.ts'

interface Row {
  readonly key: string
  readonly caller: string
  readonly state: ApprovalState
  readonly request: string
  readonly answers: string
  readonly arguments: string | null
}

/** Old ones that go when one is made, and overdue ones that are given at once. */
const sweptRows = 4
const overdueRows = 64

const columns = 'key, caller, state, request, answers, arguments'

export class Approvals {
  /** Another number after each request that was made or changed here, also when that was rolled back. */
  changes = 0
  readonly #byId: Statement<[string], Row>
  readonly #byKey: Statement<[string, number], Row>
  readonly #insert: Statement<(string | number | null)[]>
  readonly #change: Statement<[string, string, string | null, string]>
  readonly #sweep: Statement<[number]>
  readonly #pending: Statement<[number], number>
  readonly #pendingOf: Statement<[number, string], number>
  readonly #overdue: Statement<[number], Row>
  readonly #in: Statement<[string], Row>

  constructor(db: Database) {
    this.#byId = db.prepare(`SELECT ${columns} FROM approvals WHERE id = ?`)
    this.#byKey = db.prepare(`
      SELECT ${columns} FROM approvals
      WHERE key = ? AND expires > ? AND state IN ('pending', 'approved', 'rejected') ORDER BY requested DESC LIMIT 1`)
    this.#insert = db.prepare(`
      INSERT INTO approvals (id, key, caller, state, requested, expires, request, answers, arguments)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#change = db.prepare('UPDATE approvals SET state = ?, answers = ?, arguments = ? WHERE id = ?')
    this.#sweep = db.prepare(`
      DELETE FROM approvals WHERE id IN (
        SELECT id FROM approvals WHERE state IN ('rejected', 'consumed', 'expired') AND expires <= ?
        ORDER BY expires LIMIT ${sweptRows})`)
    this.#pending = db
      .prepare<[number], number>(`SELECT count(*) FROM approvals WHERE state = 'pending' AND expires > ?`)
      .pluck()
    this.#pendingOf = db
      .prepare<[number, string], number>(
        `SELECT count(*) FROM approvals WHERE state = 'pending' AND expires > ? AND caller = ?`,
      )
      .pluck()
    this.#overdue = db.prepare(`
      SELECT ${columns} FROM approvals WHERE state IN ('pending', 'approved') AND expires <= ?
      ORDER BY expires LIMIT ${overdueRows}`)
    this.#in = db.prepare(`
      SELECT ${columns} FROM approvals WHERE state IN (SELECT value FROM json_each(?)) ORDER BY requested, id`)
  }

  get(id: string): Approval | undefined {
    const row = this.#byId.get(id)
    return row && approvalOf(row)
  }

  /** The newest one that is in time and neither used nor expired. */
  newest(key: string, now: number): Approval | undefined {
    const row = this.#byKey.get(key, now)
    return row && approvalOf(row)
  }

  add({ request, key, caller, state, answers, arguments: args }: Approval, now: number): void {
    this.changes++
    const { id, requested_at, expires_at } = request
    const texts = [JSON.stringify(request), JSON.stringify(answers)] as const
    this.#insert.run(id, key, caller, state, requested_at, expires_at, ...texts, args ?? null)
    this.#sweep.run(now - approvalsKeptMs)
  }

  /** Arguments are kept as long as somebody may have to read them. */
  change(id: string, { state, answers }: ApprovalChange): void {
    const before = this.get(id)
    if (before === undefined || (before.state !== 'pending' && before.state !== 'approved'))
      throw new TypeError(`the request ${id} is not open, it cannot become ${state}`)
    const kept = state === 'pending' || state === 'approved' ? (before.arguments ?? null) : null
    this.changes++
    this.#change.run(state, JSON.stringify(answers ?? before.answers), kept, id)
  }

  pending(now: number, caller?: string): number {
    return (caller === undefined ? this.#pending.get(now) : this.#pendingOf.get(now, caller)) ?? 0
  }

  overdue(now: number): readonly Approval[] {
    return this.#overdue.all(now).map(approvalOf)
  }

  /** In the order in which they were asked. */
  in(states: readonly ApprovalState[]): readonly Approval[] {
    return this.#in.all(JSON.stringify(states)).map(approvalOf)
  }
}

function approvalOf({ request, answers, arguments: args, ...rest }: Row): Approval {
  return {
    ...rest,
    request: JSON.parse(request),
    answers: JSON.parse(answers),
    ...(args !== null && { arguments: args }),
  }
}
