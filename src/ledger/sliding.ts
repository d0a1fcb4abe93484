/**
 * Counters of sliding windows, exact: an event counts from its instant on for `ms`, and no longer. Events of one instant
 * are one row; expired ones go when the counter is next read, so each costs one insert and one removal.
 */
import type { Database, Statement } from 'better-sqlite3'

interface Counter {
  readonly id: number
  /** The sum of the events that are kept, expired ones among them. */
  readonly used: number
}

interface Event {
  readonly at: number
  readonly amount: number
}

/** Idle counters looked at when one is made. */
const sweptRows = 2

export class SlidingCounters {
  readonly #counter: Statement<[string], Counter>
  readonly #insert: Statement<[string, number, number]>
  readonly #add: Statement<[number, number]>
  readonly #addEvent: Statement<[number, number, number]>
  readonly #event: Statement<[number, number], number>
  readonly #setEvent: Statement<[number, number, number]>
  readonly #removeEvent: Statement<[number, number]>
  readonly #removeExpired: Statement<[number, number], number>
  readonly #events: Statement<[number], Event>
  readonly #idle: Statement<[number], Counter & { readonly ms: number }>
  readonly #lastEvent: Statement<[number], number | null>
  readonly #extend: Statement<[number, number]>
  readonly #remove: Statement<[number]>

  constructor(db: Database) {
    this.#counter = db.prepare('SELECT id, used FROM sliding WHERE key = ?')
    this.#insert = db.prepare('INSERT INTO sliding (key, used, ms, ends) VALUES (?, 0, ?, ?)')
    this.#add = db.prepare('UPDATE sliding SET used = used + ? WHERE id = ?')
    this.#addEvent = db.prepare(`
      INSERT INTO events VALUES (?, ?, ?) ON CONFLICT (counter, at) DO UPDATE SET amount = amount + excluded.amount`)
    this.#event = db.prepare<[number, number], number>('SELECT amount FROM events WHERE counter = ? AND at = ?').pluck()
    this.#setEvent = db.prepare('UPDATE events SET amount = ? WHERE counter = ? AND at = ?')
    this.#removeEvent = db.prepare('DELETE FROM events WHERE counter = ? AND at = ?')
    this.#removeExpired = db
      .prepare<[number, number], number>('DELETE FROM events WHERE counter = ? AND at <= ? RETURNING amount')
      .pluck()
    this.#events = db.prepare('SELECT at, amount FROM events WHERE counter = ? ORDER BY at')
    this.#idle = db.prepare(`SELECT id, used, ms FROM sliding WHERE ends <= ? ORDER BY ends LIMIT ${sweptRows}`)
    this.#lastEvent = db.prepare<[number], number | null>('SELECT max(at) FROM events WHERE counter = ?').pluck()
    this.#extend = db.prepare('UPDATE sliding SET ends = ? WHERE id = ?')
    this.#remove = db.prepare('DELETE FROM sliding WHERE id = ?')
  }

  used(key: string, ms: number, now: number): number {
    const counter = this.#counter.get(key)
    return counter ? this.#prune(counter, now - ms) : 0
  }

  /** Charges the event of this instant. */
  charge(key: string, ms: number, amount: number, now: number): void {
    if (amount === 0) return
    const id = this.#counter.get(key)?.id ?? this.#create(key, ms, now)
    this.#addEvent.run(id, now, amount)
    this.#add.run(amount, id)
  }

  /** Takes from the event of that instant; one that has expired and gone has nothing to give back. */
  takeBack(key: string, at: number, amount: number): void {
    const id = this.#counter.get(key)?.id
    const charged = id === undefined ? undefined : this.#event.get(id, at)
    if (id === undefined || charged === undefined) return
    if (amount < charged) this.#setEvent.run(charged - amount, id, at)
    else this.#removeEvent.run(id, at)
    this.#add.run(-Math.min(amount, charged), id)
  }

  /** The instant at which enough has expired for `amount` to fit. */
  roomAt(key: string, ms: number, amount: number, max: number, now: number): number | undefined {
    let used = this.used(key, ms, now)
    if (used + amount <= max) return now
    const counter = amount <= max ? this.#counter.get(key) : undefined
    if (!counter) return undefined
    for (const event of this.#events.iterate(counter.id)) {
      used -= event.amount
      if (used + amount <= max) return event.at + ms
    }
    return undefined
  }

  #create(key: string, ms: number, now: number): number {
    this.#sweep(now)
    return Number(this.#insert.run(key, ms, now + ms).lastInsertRowid)
  }

  /** Removes the events up to an instant; what is left is in use. */
  #prune({ id, used }: Counter, until: number): number {
    const expired = this.#removeExpired.all(id, until).reduce((sum, amount) => sum + amount, 0)
    if (expired > 0) this.#add.run(-expired, id)
    return used - expired
  }

  #sweep(now: number): void {
    for (const counter of this.#idle.all(now)) {
      this.#prune(counter, now - counter.ms)
      const last = this.#lastEvent.get(counter.id) ?? undefined
      if (last === undefined) this.#remove.run(counter.id)
      else this.#extend.run(last + counter.ms, counter.id)
    }
  }
}
