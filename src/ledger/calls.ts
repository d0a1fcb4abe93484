/**
 * Allowed calls whose outcome is not known yet. The file says which they are and who let them through, so that another
 * process can close them when this one dies. What they reserved is known to this process alone: only the one that sent a
 * call hears that nothing happened, and a call that is closed by another keeps its charges.
 */
import type { Database, Statement } from 'better-sqlite3'
import { TransientMap } from '../model/transientMap.ts'
import type { Charge } from './charges.ts'

export interface OpenCall {
  readonly decisionId: string
  readonly charges: readonly Charge[]
  /** The row that names it. */
  readonly row: number
}

/** Decision ids in one row: those of one transaction share a row, and a row is written anew when some of them end. */
const callsInRow = 64

export class OpenCalls {
  readonly #instance: string
  readonly #insert: Statement<[string, string]>
  readonly #update: Statement<[string, number]>
  readonly #delete: Statement<[number]>
  readonly #deleteOf: Statement<[string]>
  readonly #rowsOf: Statement<[string], string>
  readonly #calls = new TransientMap<string, OpenCall>()
  readonly #rows = new TransientMap<number, readonly string[]>()

  constructor(db: Database, instance: string) {
    this.#instance = instance
    this.#insert = db.prepare('INSERT INTO pending (instance, decision_ids) VALUES (?, ?)')
    this.#update = db.prepare('UPDATE pending SET decision_ids = ? WHERE id = ?')
    this.#delete = db.prepare('DELETE FROM pending WHERE id = ?')
    this.#deleteOf = db.prepare('DELETE FROM pending WHERE instance = ?')
    this.#rowsOf = db
      .prepare<[string], string>('SELECT decision_ids FROM pending WHERE instance = ? ORDER BY id')
      .pluck()
  }

  /** A call of this process. */
  get(decisionId: string): OpenCall | undefined {
    return this.#calls.get(decisionId)
  }

  /** Writes which calls were opened and which have ended. Gives what is to be called when that is committed. */
  write(opened: ReadonlyMap<string, readonly Charge[]>, ended: ReadonlySet<OpenCall>): () => void {
    const left = this.#removeFromRows(ended)
    const added = this.#addRows(opened)
    return () => {
      for (const { decisionId } of ended) this.#calls.delete(decisionId)
      for (const [row, ids] of left) {
        if (ids.length > 0) this.#rows.set(row, ids)
        else this.#rows.delete(row)
      }
      for (const [row, ids] of added) {
        this.#rows.set(row, ids)
        for (const decisionId of ids)
          this.#calls.set(decisionId, { decisionId, charges: opened.get(decisionId) ?? [], row })
      }
    }
  }

  /** Decision ids of calls that any process left open. */
  ofInstance(instance: string): readonly string[] {
    return this.#rowsOf.all(instance).flatMap((ids) => ids.split(' '))
  }

  /** For a process that is dead. */
  removeAllOf(instance: string): void {
    this.#deleteOf.run(instance)
  }

  #removeFromRows(ended: ReadonlySet<OpenCall>): ReadonlyMap<number, readonly string[]> {
    const left = new Map<number, readonly string[]>()
    const gone = new Set([...ended].map(({ decisionId }) => decisionId))
    for (const row of new Set([...ended].map(({ row }) => row))) {
      const ids = (this.#rows.get(row) ?? []).filter((id) => !gone.has(id))
      left.set(row, ids)
      if (ids.length > 0) this.#update.run(ids.join(' '), row)
      else this.#delete.run(row)
    }
    return left
  }

  #addRows(opened: ReadonlyMap<string, readonly Charge[]>): ReadonlyMap<number, readonly string[]> {
    const added = new Map<number, readonly string[]>()
    const ids = [...opened.keys()]
    for (let from = 0; from < ids.length; from += callsInRow) {
      const some = ids.slice(from, from + callsInRow)
      added.set(Number(this.#insert.run(this.#instance, some.join(' ')).lastInsertRowid), some)
    }
    return added
  }
}
