/** The processes that have the ledger open, and those that ended without closing it. */
import { readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { Database, Statement } from 'better-sqlite3'
import { TollgateError } from '../model/errors.ts'
import { dropLock, holdLock, isAbandoned } from './presence.ts'

export class Instances {
  readonly #file: string
  readonly #self: string
  readonly #all: Statement<[], string>
  readonly #add: Statement<[string, number, string, number]>
  readonly #remove: Statement<[string]>
  #lock: Database | undefined

  constructor(db: Database, self: string) {
    this.#file = db.name
    this.#self = self
    this.#all = db.prepare<[], string>('SELECT id FROM instances UNION SELECT instance FROM pending ORDER BY 1').pluck()
    this.#add = db.prepare('INSERT OR REPLACE INTO instances VALUES (?, ?, ?, ?)')
    this.#remove = db.prepare('DELETE FROM instances WHERE id = ?')
  }

  /** Enters this process, and gives the dead ones: its own name among them, when an earlier process died under it. */
  enter(now: number): readonly string[] {
    this.#lock = holdLock(this.#lockFile(this.#self))
    if (!this.#lock)
      throw new TollgateError(
        'ledger_unavailable',
        `the ledger \`${this.#file}\` is open as \`${this.#self}\` already; give each process a name of its own`,
      )
    this.#removeStrays()
    const dead = this.#all.all().filter((id) => id === this.#self || this.#isDead(id))
    this.#add.run(this.#self, process.pid, hostname(), now)
    return dead
  }

  dead(): readonly string[] {
    return this.#all.all().filter((id) => id !== this.#self && this.#isDead(id))
  }

  /** Forgets a dead process, once its calls are closed. */
  forget(id: string): void {
    if (id !== this.#self) this.#remove.run(id)
  }

  /** One that leaves calls open stays on the list, without its lock: they are closed as those of a dead one. */
  leave(hasOpenCalls: boolean): void {
    if (!this.#lock) return
    if (!hasOpenCalls) this.#remove.run(this.#self)
    dropLock(this.#lock)
    this.#lock = undefined
  }

  /** For when the ledger cannot be written: lets go of the lock, and no more. */
  abandon(): void {
    this.#lock?.close()
    this.#lock = undefined
  }

  /** Locks of processes that died before they were entered. */
  #removeStrays(): void {
    const entered = new Set(this.#all.all().map((id) => this.#lockFile(id))).add(this.#lockFile(this.#self))
    const folder = dirname(this.#file)
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      if (path.startsWith(this.#lockFile('')) && !entered.has(path)) isAbandoned(path)
    }
  }

  #isDead(id: string): boolean {
    return isAbandoned(this.#lockFile(id))
  }

  #lockFile(id: string): string {
    return `${this.#file}-instance-${id}`
  }
}
