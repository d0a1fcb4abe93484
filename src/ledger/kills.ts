/** What is stopped now. A row goes when it is lifted; that it was there stays in the records. */
import type { Database, Statement } from 'better-sqlite3'
import {
  type Kill,
  type KillKind,
  type KillTarget,
  killAmong,
  killKinds,
  namesFor,
  type Stoppable,
} from '../model/kill.ts'
import { Fresh } from './fresh.ts'

interface Row {
  readonly id: string
  readonly kind: KillKind
  readonly name: string
  readonly at: number
  readonly said: string
}

const columns = 'id, kind, name, at, said'

export class Kills {
  readonly #fresh = new Fresh()
  #any = true
  readonly #exists: Statement<[], number>
  readonly #standing: Statement<[], string>
  readonly #of: Statement<(string | null)[], Row>
  readonly #for: Statement<[string, string], Row>
  readonly #byId: Statement<[string], Row>
  readonly #all: Statement<[], Row>
  readonly #insert: Statement<[string, string, string, number, string]>
  readonly #remove: Statement<[string]>

  constructor(db: Database) {
    this.#exists = db.prepare<[], number>('SELECT EXISTS (SELECT 1 FROM kills)').pluck()
    this.#standing = db.prepare<[], string>(`SELECT count(*) || ':' || coalesce(max(seq), 0) FROM kills`).pluck()
    this.#of = db.prepare(
      `SELECT ${columns} FROM kills
       WHERE ${killKinds.map((kind) => `(kind = '${kind}' AND name = ?)`).join(' OR ')}
         OR (kind = 'tool' AND (instr(name, '*') OR instr(name, '?')))
       ORDER BY seq`,
    )
    this.#for = db.prepare(`SELECT ${columns} FROM kills WHERE kind = ? AND name = ?`)
    this.#byId = db.prepare(`SELECT ${columns} FROM kills WHERE id = ?`)
    this.#all = db.prepare(`SELECT ${columns} FROM kills ORDER BY seq`)
    this.#insert = db.prepare('INSERT INTO kills (id, kind, name, at, said) VALUES (?, ?, ?, ?, ?)')
    this.#remove = db.prepare('DELETE FROM kills WHERE id = ?')
  }

  /**
   * What stops them; of several, the first by `killKinds`. `seq` is that of the last record: while nobody has written one,
   * nobody has stopped anybody.
   */
  of(who: Stoppable, seq: number): Kill | undefined {
    if (!this.#fresh.isAt(seq)) {
      // Where that cannot be read it is asked of the table each time, until it is known again.
      this.#any = true
      this.#any = this.#exists.get() === 1
    }
    if (!this.#any) return undefined
    return killAmong(this.#of.all(...namesFor(who)).map(killOf), who)
  }

  /** Records that this process has just written itself were no kills, unless they were made here. */
  wrote(before: number, after: number): void {
    this.#fresh.wrote(before, after)
  }

  for({ kind, name }: KillTarget): Kill | undefined {
    const row = this.#for.get(kind, name)
    return row && killOf(row)
  }

  get(id: string): Kill | undefined {
    const row = this.#byId.get(id)
    return row && killOf(row)
  }

  /** In the order in which they were made. */
  all(): readonly Kill[] {
    return this.#all.all().map(killOf)
  }

  /** Another text for other kills. */
  standing(): string {
    return this.#standing.get() ?? ''
  }

  add({ id, target, at, ...said }: Kill): void {
    this.forget()
    this.#insert.run(id, target.kind, target.name, at, JSON.stringify(said))
  }

  remove(id: string): void {
    this.forget()
    this.#remove.run(id)
  }

  /** What was seen may not be so: it was rolled back. */
  forget(): void {
    this.#fresh.forget()
  }
}

function killOf({ id, kind, name, at, said }: Row): Kill {
  return { ...(JSON.parse(said) as Omit<Kill, 'id' | 'target' | 'at'>), id, target: { kind, name }, at }
}
