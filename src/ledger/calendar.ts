/** Counters of calendar windows and totals: one row for each key and window. */
import type { Database, Statement } from 'better-sqlite3'
import type { Window } from '../model/policy.ts'
import { calendarEnd, windowStart } from '../model/time.ts'

type FixedWindow = Exclude<Window, { kind: 'sliding' }>

/** Ended rows that go when a row is made: more than one, so that the table shrinks again after a rush. */
const sweptRows = 4

export class CalendarCounters {
  readonly #used: Statement<[string, number], number>
  readonly #set: Statement<[number, string, number]>
  readonly #insert: Statement<[string, number, number, number | null]>
  readonly #sweep: Statement<[number]>

  constructor(db: Database) {
    this.#used = db.prepare<[string, number], number>('SELECT used FROM counters WHERE key = ? AND window = ?').pluck()
    this.#set = db.prepare('UPDATE counters SET used = ? WHERE key = ? AND window = ?')
    this.#insert = db.prepare('INSERT INTO counters VALUES (?, ?, ?, ?)')
    this.#sweep = db.prepare(`
      DELETE FROM counters WHERE (key, window) IN (
        SELECT key, window FROM counters WHERE ends <= ? ORDER BY ends LIMIT ${sweptRows})`)
  }

  /** The counters as one transaction sees and changes them. */
  at(now: number): CalendarSums {
    return new CalendarSums(this, now)
  }

  read(key: string, start: number): number | undefined {
    return this.#used.get(key, start)
  }

  update(key: string, start: number, used: number): void {
    this.#set.run(used, key, start)
  }

  insert(key: string, start: number, used: number, ends: number | null, now: number): void {
    this.#insert.run(key, start, used, ends)
    this.#sweep.run(now)
  }
}

/** One counter in one window. */
interface Sum {
  readonly key: string
  readonly start: number
  /** What the row says; undefined when there is none. */
  readonly stored: number | undefined
  /** For the row that a charge makes. */
  ends: number | null
  used: number
}

/** The calls of one transaction mostly share their counters: each is read once, and written once at the end. */
export class CalendarSums {
  readonly #counters: CalendarCounters
  readonly #now: number
  readonly #sums = new Map<string, Sum[]>()

  constructor(counters: CalendarCounters, now: number) {
    this.#counters = counters
    this.#now = now
  }

  used(key: string, window: FixedWindow): number {
    return this.#at(key, windowStart(window, this.#now)).used
  }

  /** The first instant of the window that was charged. */
  charge(key: string, window: FixedWindow, amount: number): number {
    const sum = this.#at(key, windowStart(window, this.#now))
    sum.ends = window.kind === 'fixed' ? calendarEnd(window.unit, this.#now) : null
    sum.used += amount
    return sum.start
  }

  /** A window that has ended and gone has nothing to give back, and nobody reads it. */
  takeBack(key: string, start: number, amount: number): void {
    const sum = this.#at(key, start)
    sum.used = Math.max(0, sum.used - amount)
  }

  roomAt(key: string, window: FixedWindow, amount: number, max: number): number | undefined {
    if (this.used(key, window) + amount <= max) return this.#now
    return window.kind === 'fixed' && amount <= max ? calendarEnd(window.unit, this.#now) : undefined
  }

  /** Writes what has changed. */
  write(): void {
    for (const sums of this.#sums.values()) {
      for (const { key, start, stored, ends, used } of sums) {
        if (stored !== undefined && used !== stored) this.#counters.update(key, start, used)
        else if (stored === undefined && used > 0) this.#counters.insert(key, start, used, ends, this.#now)
      }
    }
  }

  #at(key: string, start: number): Sum {
    const sums = this.#sums.get(key) ?? []
    const known = sums.find((sum) => sum.start === start)
    if (known) return known
    const stored = this.#counters.read(key, start)
    const sum = { key, start, stored, ends: null, used: stored ?? 0 }
    sums.push(sum)
    this.#sums.set(key, sums)
    return sum
  }
}
