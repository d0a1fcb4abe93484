/** Runs that the hosts of agents have registered, each until it expires. */
import type { Database, Statement } from 'better-sqlite3'

export interface KeptRun {
  readonly id: string
  /** The first instant at which it is over. */
  readonly expires: number
  /** What its host said, as JSON. */
  readonly registered: string
}

export class KeptRuns {
  readonly #get: Statement<[string], KeptRun>
  readonly #all: Statement<[number], KeptRun>
  readonly #count: Statement<[number], number>
  readonly #put: Statement<[string, number, string]>
  readonly #remove: Statement<[string]>
  readonly #removeExpired: Statement<[number]>

  constructor(db: Database) {
    this.#get = db.prepare('SELECT id, expires, registered FROM runs WHERE id = ?')
    this.#all = db.prepare('SELECT id, expires, registered FROM runs WHERE expires > ? ORDER BY rowid')
    this.#count = db.prepare<[number], number>('SELECT count(*) FROM runs WHERE expires > ?').pluck()
    this.#put = db.prepare(
      'INSERT INTO runs VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, registered = excluded.registered',
    )
    this.#remove = db.prepare('DELETE FROM runs WHERE id = ?')
    this.#removeExpired = db.prepare('DELETE FROM runs WHERE expires <= ?')
  }

  /** Also one that has expired and was not removed yet. */
  get(id: string): KeptRun | undefined {
    return this.#get.get(id)
  }

  /** In the order in which they were first registered. */
  all(now: number): readonly KeptRun[] {
    return this.#all.all(now)
  }

  count(now: number): number {
    return this.#count.get(now) ?? 0
  }

  /** In the place of one with its id. */
  put({ id, expires, registered }: KeptRun): void {
    this.#put.run(id, expires, registered)
  }

  remove(id: string): void {
    this.#remove.run(id)
  }

  removeExpired(now: number): void {
    this.#removeExpired.run(now)
  }
}
