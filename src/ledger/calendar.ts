/** Counters of calendar windows and totals: one row for each key and window. */
import type { Database, Statement } from 'better-sqlite3'
import type { Window } from '../model/policy.ts'
import { calendarEnd, windowStart } from '../model/time.ts'

type FixedWindow = Exclude<Window, { kind: 'sliding' }>

/** Ended rows that go when a row is made: more than one, so that the table shrinks again after a rush. */
const sweptRows = 4

export class CalendarCounters {
  readonly #used: Statement<[string, number], number>
  readonly #add: Statement<[number, string, number]>
  readonly #insert: Statement<[string, number, number, number | null]>
  readonly #takeBack: Statement<[number, string, number]>
  readonly #sweep: Statement<[number]>

  constructor(db: Database) {
    this.#used = db.prepare<[string, number], number>('SELECT used FROM counters WHERE key = ? AND window = ?').pluck()
    this.#add = db.prepare('UPDATE counters SET used = used + ? WHERE key = ? AND window = ?')
    this.#insert = db.prepare('INSERT INTO counters VALUES (?, ?, ?, ?)')
    this.#takeBack = db.prepare('UPDATE counters SET used = max(0, used - ?) WHERE key = ? AND window = ?')
    this.#sweep = db.prepare(`
      DELETE FROM counters WHERE (key, window) IN (
        SELECT key, window FROM counters WHERE ends <= ? ORDER BY ends LIMIT ${sweptRows})`)
  }

  used(key: string, window: FixedWindow, now: number): number {
    return this.#used.get(key, windowStart(window, now)) ?? 0
  }

  /** The first instant of the window that was charged. */
  charge(key: string, window: FixedWindow, amount: number, now: number): number {
    const start = windowStart(window, now)
    if (this.#add.run(amount, key, start).changes === 0) {
      this.#insert.run(key, start, amount, window.kind === 'fixed' ? calendarEnd(window.unit, now) : null)
      this.#sweep.run(now)
    }
    return start
  }

  /** A window that has ended and gone has nothing to give back, and nobody reads it. */
  takeBack(key: string, start: number, amount: number): void {
    this.#takeBack.run(amount, key, start)
  }

  roomAt(key: string, window: FixedWindow, amount: number, max: number, now: number): number | undefined {
    if (this.used(key, window, now) + amount <= max) return now
    return window.kind === 'fixed' && amount <= max ? calendarEnd(window.unit, now) : undefined
  }
}
