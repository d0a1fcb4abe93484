/** Allowed calls whose outcome is not known yet: who let them through, and what they reserved. */
import type { Database, Statement } from 'better-sqlite3'
import type { Charge } from './charges.ts'

export class OpenCalls {
  readonly #insert: Statement<[string, string, string]>
  readonly #remove: Statement<[string], string>
  readonly #ofInstance: Statement<[string], string>

  constructor(db: Database) {
    this.#insert = db.prepare('INSERT INTO open_calls VALUES (?, ?, ?)')
    this.#remove = db
      .prepare<[string], string>('DELETE FROM open_calls WHERE decision_id = ? RETURNING charges')
      .pluck()
    this.#ofInstance = db
      .prepare<[string], string>('SELECT decision_id FROM open_calls WHERE instance = ? ORDER BY decision_id')
      .pluck()
  }

  add(decisionId: string, instance: string, charges: readonly Charge[]): void {
    this.#insert.run(decisionId, instance, JSON.stringify(charges))
  }

  /** Removes a call; what it reserved, or undefined when it is not open. */
  remove(decisionId: string): readonly Charge[] | undefined {
    const charges = this.#remove.get(decisionId)
    return charges === undefined ? undefined : (JSON.parse(charges) as readonly Charge[])
  }

  /** Decision ids. */
  ofInstance(instance: string): readonly string[] {
    return this.#ofInstance.all(instance)
  }
}
