/** What was counted, in memory: each counter gives the numbers that the ledger's tables would (`src/ledger/calendar.ts`, `sliding.ts`). */
import type { CounterKey } from '../model/counters.ts'
import type { Window } from '../model/policy.ts'
import { calendarEnd, windowStart } from '../model/time.ts'

/** What a call has taken from a counter, and from which window. */
export interface Charge {
  readonly key: CounterKey
  /** The first instant of its window; of a sliding one its own instant. */
  readonly at: number
  readonly amount: number
}

interface Counted {
  used(now: number): number
  charge(amount: number, now: number): number
  takeBack(at: number, amount: number): void
  roomAt(amount: number, max: number, now: number): number | undefined
  /** Nothing that is counted here counts any more. */
  isOver(now: number): boolean
}

/** Counters that are looked through for those that are over, when one is made. */
const sweptCounters = 4

export class Counters {
  readonly #counted = new Map<string, Counted>()
  #sweep: Iterator<[string, Counted]> = this.#counted.entries()

  used({ key }: CounterKey, now: number): number {
    return this.#counted.get(key)?.used(now) ?? 0
  }

  charge(key: CounterKey, amount: number, now: number): Charge {
    return { key, at: this.#of(key, now).charge(amount, now), amount }
  }

  takeBack({ key, at, amount }: Charge): void {
    this.#counted.get(key.key)?.takeBack(at, amount)
  }

  roomAt(key: CounterKey, amount: number, max: number, now: number): number | undefined {
    const counted = this.#counted.get(key.key) ?? countedFor(key.counter.window)
    return counted.roomAt(amount, max, now)
  }

  #of({ key, counter }: CounterKey, now: number): Counted {
    const known = this.#counted.get(key)
    if (known) return known
    this.#removeSome(now)
    const made = countedFor(counter.window)
    this.#counted.set(key, made)
    return made
  }

  /** Counters are split by what callers choose: a window that has ended takes no room for ever. */
  #removeSome(now: number): void {
    for (let looked = 0; looked < sweptCounters; looked++) {
      const next = this.#sweep.next()
      if (next.done) {
        this.#sweep = this.#counted.entries()
        return
      }
      const [key, counted] = next.value
      if (counted.isOver(now)) this.#counted.delete(key)
    }
  }
}

function countedFor(window: Window): Counted {
  return window.kind === 'sliding' ? new SlidingCount(window.ms) : new FixedCount(window)
}

/** One calendar window at a time: time does not run backwards, and nobody reads one that has ended. */
class FixedCount implements Counted {
  readonly #window: Exclude<Window, { kind: 'sliding' }>
  #start = Number.NEGATIVE_INFINITY
  #used = 0

  constructor(window: Exclude<Window, { kind: 'sliding' }>) {
    this.#window = window
  }

  used(now: number): number {
    return windowStart(this.#window, now) === this.#start ? this.#used : 0
  }

  charge(amount: number, now: number): number {
    this.#used = this.used(now) + amount
    this.#start = windowStart(this.#window, now)
    return this.#start
  }

  takeBack(at: number, amount: number): void {
    if (at === this.#start) this.#used = Math.max(0, this.#used - amount)
  }

  roomAt(amount: number, max: number, now: number): number | undefined {
    if (this.used(now) + amount <= max) return now
    return this.#window.kind === 'fixed' && amount <= max ? calendarEnd(this.#window.unit, now) : undefined
  }

  isOver(now: number): boolean {
    return windowStart(this.#window, now) !== this.#start
  }
}

interface Counting {
  readonly at: number
  amount: number
}

/** Expired events stand before `#first` until enough of them can go at once. */
const expiredKept = 1_024

class SlidingCount implements Counted {
  readonly #ms: number
  #events: Counting[] = []
  #first = 0
  #used = 0

  constructor(ms: number) {
    this.#ms = ms
  }

  used(now: number): number {
    for (
      let event = this.#events[this.#first];
      event && event.at <= now - this.#ms;
      event = this.#events[this.#first]
    ) {
      this.#used -= event.amount
      this.#first += 1
    }
    if (this.#first > expiredKept) {
      this.#events = this.#events.slice(this.#first)
      this.#first = 0
    }
    return this.#used
  }

  charge(amount: number, now: number): number {
    const last = this.#events.at(-1)
    if (last && last.at === now && this.#events.length > this.#first) last.amount += amount
    else if (amount > 0) this.#events.push({ at: now, amount })
    this.#used += amount
    return now
  }

  takeBack(at: number, amount: number): void {
    const index = this.#indexAt(at)
    const event = this.#events[index]
    if (index < this.#first || !event) return
    const taken = Math.min(amount, event.amount)
    event.amount -= taken
    this.#used -= taken
  }

  roomAt(amount: number, max: number, now: number): number | undefined {
    let used = this.used(now)
    if (used + amount <= max) return now
    if (amount > max) return undefined
    for (let index = this.#first; index < this.#events.length; index++) {
      const event = this.#events[index] as Counting
      if (event.amount === 0) continue
      used -= event.amount
      if (used + amount <= max) return event.at + this.#ms
    }
    return undefined
  }

  isOver(now: number): boolean {
    return this.used(now) === 0 && this.#first === this.#events.length
  }

  /** By halving: events are in order. */
  #indexAt(at: number): number {
    let [low, high] = [0, this.#events.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = (this.#events[middle] as Counting).at
      if (found === at) return middle
      if (found < at) low = middle + 1
      else high = middle - 1
    }
    return -1
  }
}
