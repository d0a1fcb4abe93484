import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../src/ledger/file.ts'
import { openLedger, SqliteLedger } from '../../src/ledger/ledger.ts'
import type { CounterKey } from '../../src/model/counters.ts'
import type { Window } from '../../src/model/policy.ts'
import { calendarEnd, windowStart } from '../../src/model/time.ts'
import { fc, tries } from '../random.ts'
import { counter, day, dayMs, HandClock, noon, sliding, total } from './fixtures.ts'

function setUp() {
  const clock = new HandClock()
  const db = openDatabase({ file: ':memory:', durability: 'process', readOnly: false })
  const ledger = new SqliteLedger(db, { clock: clock.read, instance: 'test' })
  let decisions = 0
  return {
    clock,
    ledger,
    run: (sql: string) => void db.exec(sql),
    rows: (table: string) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
    balance: () =>
      db
        .prepare('SELECT count(*) FROM sliding WHERE used <> (SELECT total(amount) FROM events WHERE counter = id)')
        .pluck()
        .get(),
    used: (key: CounterKey) => ledger.transact((tx) => tx.used(key).used),
    roomAt: (key: CounterKey, amount: number, max: number) => ledger.transact((tx) => tx.roomAt(key, amount, max)),
    charge(key: CounterKey, amount: number): string {
      const id = `d${++decisions}`
      ledger.transact((tx) => {
        tx.reserve(id, key, amount)
        tx.append({ kind: 'decision', decisionId: id, body: '{}' })
      })
      return id
    },
    settle: (id: string, how: 'kept' | 'released') => ledger.transact((tx) => tx.settle(id, how)),
  }
}

test('a calendar window counts from its first instant to its last, and the next begins at zero', () => {
  const { clock, used, charge } = setUp()
  const key = counter('calls', day)
  clock.now = Date.UTC(2026, 0, 1)
  charge(key, 3)
  clock.now += dayMs - 1
  charge(key, 4)
  assert.equal(used(key), 7)
  clock.now += 1
  assert.equal(used(key), 0)
})

test('counters with different keys do not share', () => {
  const { used, charge } = setUp()
  charge(counter('calls ["ann"]', day), 1)
  charge(counter('calls ["bob"]', day), 5)
  assert.equal(used(counter('calls ["ann"]', day)), 1)
  assert.equal(used(counter('calls', day)), 0)
})

test('a release after midnight gives back to the day that was charged', () => {
  const { clock, used, charge, settle } = setUp()
  const key = counter('spend', day)
  const yesterday = charge(key, 50)
  clock.now = Date.UTC(2026, 2, 15, 0, 0, 1)
  const today = charge(key, 30)
  assert.equal(settle(yesterday, 'released'), true)
  assert.equal(used(key), 30)
  assert.equal(settle(today, 'released'), true)
  assert.equal(used(key), 0)
})

test('a kept reservation stays charged and cannot be released any more', () => {
  const { used, charge, settle } = setUp()
  const key = counter('spend', total)
  const id = charge(key, 50)
  assert.equal(settle(id, 'kept'), true)
  assert.equal(settle(id, 'released'), false)
  assert.equal(used(key), 50)
})

test('a release happens once', () => {
  const { used, charge, settle } = setUp()
  const key = counter('spend', day)
  charge(key, 20)
  const id = charge(key, 50)
  assert.deepEqual([settle(id, 'released'), settle(id, 'released')], [true, false])
  assert.equal(used(key), 20)
})

test('a sliding window admits up to its maximum within any span of its length', () => {
  const { clock, used, charge, roomAt } = setUp()
  const key = counter('calls', sliding(1_000))
  for (const at of [0, 400, 900]) {
    clock.now = noon + at
    charge(key, 1)
  }
  clock.now = noon + 999
  assert.equal(used(key), 3)
  assert.equal(roomAt(key, 1, 3), noon + 1_000)
  assert.equal(roomAt(key, 2, 3), noon + 1_400)
  assert.equal(roomAt(key, 3, 3), noon + 1_900)
  assert.equal(roomAt(key, 4, 3), undefined)
  clock.now = noon + 1_000
  assert.equal(used(key), 2)
  assert.equal(roomAt(key, 1, 3), noon + 1_000)
})

test('a release takes its own event out of a sliding window, and nothing once that has expired', () => {
  const { clock, used, charge, settle } = setUp()
  const key = counter('calls', sliding(1_000))
  const first = charge(key, 5)
  const twin = charge(key, 7)
  clock.now += 500
  const second = charge(key, 11)
  settle(twin, 'released')
  assert.equal(used(key), 16)
  clock.now += 600
  assert.equal(used(key), 11)
  settle(first, 'released')
  settle(second, 'released')
  assert.equal(used(key), 0)
})

test('waiting helps a day, not a total', () => {
  const { roomAt, charge } = setUp()
  const [daily, ever] = [counter('day', day), counter('ever', total)]
  charge(daily, 8)
  charge(ever, 8)
  assert.deepEqual([roomAt(daily, 2, 10), roomAt(ever, 2, 10)], [noon, noon])
  assert.deepEqual([roomAt(daily, 3, 10), roomAt(ever, 3, 10)], [Date.UTC(2026, 2, 15), undefined])
  assert.equal(roomAt(daily, 11, 10), undefined)
})

test('what no sum can hold exactly is refused, and nothing of it is kept', () => {
  const { ledger, used, charge } = setUp()
  for (const window of [day, total, sliding(1_000)]) {
    const key = counter(`spend ${JSON.stringify(window)}`, window)
    charge(key, Number.MAX_SAFE_INTEGER)
    for (const amount of [1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      assert.throws(() => charge(key, amount), TypeError, `${amount}`)
    assert.equal(used(key), Number.MAX_SAFE_INTEGER)
  }
  assert.equal(ledger.head().seq, 3)
})

test('no release brings a counter below zero, not even one that was tampered with', () => {
  const { run, used, charge, settle } = setUp()
  const [fixed, window] = [counter('fixed', day), counter('sliding', sliding(1_000))]
  const ids = [charge(fixed, 5), charge(window, 5)]
  run('UPDATE counters SET used = 2; UPDATE sliding SET used = 2; UPDATE events SET amount = 2')
  for (const id of ids) settle(id, 'released')
  assert.deepEqual([used(fixed), used(window)], [0, 0])
})

test('a decision charges a counter once', () => {
  const { ledger, used } = setUp()
  const key = counter('spend', day)
  const twice = () =>
    ledger.transact((tx) => {
      tx.append({ kind: 'decision', decisionId: 'd', body: '{}' })
      tx.reserve('d', key, 1)
      tx.reserve('d', key, 1)
    })
  assert.throws(twice, { name: 'TypeError', message: /twice/ })
  assert.equal(used(key), 0)
})

test('a charge of nothing is a reservation like any other', () => {
  const { used, charge, settle } = setUp()
  for (const window of [day, sliding(1_000)]) {
    const key = counter(JSON.stringify(window), window)
    const id = charge(key, 0)
    assert.equal(settle(id, 'released'), true)
    assert.equal(used(key), 0)
  }
})

test('windows that have ended do not pile up, not even those of keys that never come back', () => {
  const { clock, charge, rows, settle } = setUp()
  for (let i = 0; i < 500; i++) {
    clock.now += 700
    settle(charge(counter(`fixed ${i}`, { kind: 'fixed', unit: 'second' }), 1), 'kept')
    settle(charge(counter(`sliding ${i}`, sliding(2_000)), 1), 'kept')
    settle(charge(counter('busy', sliding(2_000)), 1), 'kept')
  }
  assert.ok(Number(rows('counters')) <= 5, `${rows('counters')} calendar rows`)
  assert.ok(Number(rows('sliding')) <= 8, `${rows('sliding')} sliding rows`)
  assert.ok(Number(rows('events')) <= 12, `${rows('events')} events`)
})

test('a sliding counter that is in use is not swept away, however old it is', () => {
  const { clock, charge, used } = setUp()
  const busy = counter('busy', sliding(1_000))
  charge(busy, 1)
  for (let i = 0; i < 10; i++) {
    clock.now += 900
    charge(busy, 1)
    charge(counter(`other ${i}`, sliding(1_000)), 1)
    assert.equal(used(busy), 2)
  }
})

// The whole of it once more, against arrays: random calls, releases, and a clock that jumps both ways.

interface Taken {
  readonly id: string
  readonly key: CounterKey
  readonly at: number
  amount: number
  open: boolean
}

function inWindow(window: Window, at: number, now: number): boolean {
  if (window.kind === 'sliding') return at > now - window.ms
  return windowStart(window, at) === windowStart(window, now)
}

const usedOf = (taken: readonly Taken[], { key, counter: { window } }: CounterKey, now: number) =>
  taken.filter((it) => it.key.key === key && inWindow(window, it.at, now)).reduce((sum, it) => sum + it.amount, 0)

function roomOf(taken: readonly Taken[], key: CounterKey, amount: number, max: number, now: number) {
  const { window } = key.counter
  const later =
    window.kind === 'sliding'
      ? taken.map((it) => it.at + window.ms).filter((at) => at > now)
      : window.kind === 'fixed'
        ? [calendarEnd(window.unit, now)]
        : []
  return [now, ...later.sort((a, b) => a - b)].find((at) => usedOf(taken, key, at) + amount <= max)
}

const windows: readonly Window[] = [
  total,
  day,
  { kind: 'fixed', unit: 'second' },
  { kind: 'fixed', unit: 'month' },
  sliding(1),
  sliding(1_000),
  sliding(90_000),
]
const keys = windows.flatMap((window, i) => [counter(`a${i}`, window), counter(`b${i}`, window)])

const step = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('charge'), key: fc.subarray(keys), n: fc.nat(20) }), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('released'), n: fc.nat() }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('kept'), n: fc.nat() }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constant('clock'),
      n: fc.oneof(fc.nat(3), fc.nat(2_000), fc.integer({ min: -5_000, max: 200_000 }), fc.nat(3 * dayMs)),
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ kind: fc.constant('room'), n: fc.nat(25), max: fc.nat(60) }), weight: 2 },
) as fc.Arbitrary<{ kind: string; key: CounterKey[]; n: number; max: number }>

test('every counter says what plain arrays say, whatever happens in whatever order', () => {
  const run = (steps: { kind: string; key: CounterKey[]; n: number; max: number }[]) => {
    const { clock, ledger, balance } = setUp()
    const taken: Taken[] = []
    let now = 0
    for (const [i, { kind, key, n, max }] of steps.entries()) {
      if (kind === 'clock') clock.now += n
      now = Math.max(now, clock.now)
      ledger.transact((tx) => {
        assert.equal(tx.now, now)
        tx.append({ kind: 'check', decisionId: `d${i}`, body: '{}' })
        if (kind === 'charge') {
          for (const one of key) {
            tx.reserve(`d${i}`, one, n)
            taken.push({ id: `d${i}`, key: one, at: now, amount: n, open: true })
          }
        } else if (kind === 'released' || kind === 'kept') {
          const ids = [...new Set(taken.map((it) => it.id))]
          const id = ids[n % Math.max(1, ids.length)] ?? 'none'
          const mine = taken.filter((it) => it.id === id && it.open)
          assert.equal(tx.settle(id, kind), mine.length > 0)
          for (const it of mine) Object.assign(it, { open: false, amount: kind === 'kept' ? it.amount : 0 })
        } else if (kind === 'room') {
          for (const one of keys) assert.equal(tx.roomAt(one, n, max), roomOf(taken, one, n, max, now), one.key)
        }
        for (const one of keys) assert.equal(tx.used(one).used, usedOf(taken, one, now), one.key)
      })
    }
    assert.equal(balance(), 0)
    ledger.close()
  }
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), run), { numRuns: tries(150) })
})

test('no span of a sliding window ever holds more than its maximum', () => {
  const gaps = fc.array(fc.tuple(fc.nat(400), fc.nat(9)), { maxLength: 80 })
  const run = (calls: [number, number][]) => {
    const clock = new HandClock()
    const ledger = openLedger({ file: ':memory:', clock: clock.read })
    const key = counter('spend', sliding(1_000))
    const allowed: { at: number; amount: number }[] = []
    for (const [i, [gap, amount]] of calls.entries()) {
      clock.now += gap
      ledger.transact((tx) => {
        tx.append({ kind: 'decision', decisionId: `d${i}`, body: '{}' })
        if (tx.used(key).used + amount > 10) return
        tx.reserve(`d${i}`, key, amount)
        allowed.push({ at: tx.now, amount })
      })
    }
    for (const { at: from } of allowed) {
      const span = allowed.filter(({ at }) => at >= from && at < from + 1_000)
      assert.ok(span.reduce((sum, { amount }) => sum + amount, 0) <= 10)
    }
    ledger.close()
  }
  fc.assert(fc.property(gaps, run))
})
