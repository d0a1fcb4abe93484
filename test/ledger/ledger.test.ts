import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../src/ledger/file.ts'
import { openLedger, SqliteLedger } from '../../src/ledger/ledger.ts'
import type { Transaction } from '../../src/model/ledger.ts'
import { counter, day, HandClock, noon, scratch, sliding, total } from './fixtures.ts'

const key = counter('calls', day)
const inMemory = (clock = new HandClock()) => openLedger({ file: ':memory:', clock: clock.read })

function allow(tx: Transaction, decisionId: string, amount = 1) {
  tx.reserve(decisionId, key, amount)
  return tx.append({ kind: 'decision', decisionId, body: '{"decision":"allow"}' })
}

test('a transaction is kept whole or not at all', () => {
  const ledger = inMemory()
  const fails = () =>
    ledger.transact((tx) => {
      allow(tx, 'd1')
      tx.keepPolicy('r1', () => Buffer.from('policy'))
      throw new RangeError('the policy engine failed')
    })
  assert.throws(fails, { name: 'RangeError' })
  assert.equal(ledger.head().seq, 0)
  assert.equal(ledger.policy('r1'), undefined)
  assert.equal(
    ledger.transact((tx) => tx.used(key).used),
    0,
  )
})

test('a transaction gives what the work gives, and sees what it wrote', () => {
  const ledger = inMemory()
  const used = ledger.transact((tx) => {
    allow(tx, 'd1', 2)
    allow(tx, 'd2', 3)
    return tx.used(key).used
  })
  assert.equal(used, 5)
})

test('a call may be opened and settled in one transaction', () => {
  const ledger = inMemory()
  const settled = ledger.transact((tx) => {
    allow(tx, 'd1')
    return [tx.settle('d1', 'released'), tx.settle('d1', 'released'), tx.used(key).used]
  })
  assert.deepEqual(settled, [true, false, 0])
})

test('an allowed call without a record in the same transaction is refused', () => {
  const ledger = inMemory()
  assert.throws(() => ledger.transact((tx) => tx.reserve('d1', key, 1)), {
    name: 'TypeError',
    message: /without a record/,
  })
  assert.throws(() => ledger.transact((tx) => tx.open('d1')), { name: 'TypeError', message: /without a record/ })
  assert.equal(
    ledger.transact((tx) => tx.used(key).used),
    0,
  )
})

test('a call that reserves nothing is open until it is settled', () => {
  const ledger = inMemory()
  ledger.transact((tx) => {
    tx.open('d1')
    tx.append({ kind: 'decision', decisionId: 'd1', body: '{}' })
  })
  assert.equal(
    ledger.transact((tx) => tx.settle('d1', 'kept')),
    true,
  )
  assert.equal(
    ledger.transact((tx) => tx.settle('d1', 'kept')),
    false,
  )
})

test('a decision that is open cannot be opened again', () => {
  const ledger = inMemory()
  ledger.transact((tx) => allow(tx, 'd1'))
  assert.throws(() => ledger.transact((tx) => allow(tx, 'd1')), { name: 'TypeError' })
  assert.equal(ledger.head().seq, 1)
})

test('a failure that the work looks away from fails the transaction all the same', () => {
  const ledger = inMemory()
  const looksAway = () =>
    ledger.transact((tx) => {
      allow(tx, 'd1')
      assert.throws(() => tx.reserve('d1', counter('spend', day), -1))
      assert.throws(() => tx.append({ kind: 'check', body: '{}' }), /safe integer/)
    })
  assert.throws(looksAway, { name: 'TypeError', message: /safe integer/ })
  assert.equal(ledger.head().seq, 0)
})

test('a transaction neither nests, nor waits, nor outlives its work', () => {
  const ledger = inMemory()
  assert.throws(() => ledger.transact(() => ledger.transact(() => 1)), { message: /do not nest/ })
  assert.throws(() => ledger.transact(async () => 1), { name: 'TypeError' })
  const kept = ledger.transact((tx) => tx)
  assert.throws(() => kept.append({ kind: 'check', body: '{}' }), { message: /is over/ })
  assert.equal(ledger.head().seq, 0)
})

test('time does not step back, whatever the clock does', () => {
  const clock = new HandClock()
  const ledger = inMemory(clock)
  const append = () => ledger.transact((tx) => tx.append({ kind: 'check', body: '{}' }).at)
  assert.equal(append(), noon)
  clock.now = noon - 3_600_000
  assert.equal(append(), noon)
  clock.now = noon + 5
  assert.equal(append(), noon + 5)
  assert.equal(ledger.verify().intact, true)
})

test('a clock that steps back over midnight, and a restart, open no new budget', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const clock = new HandClock()
  const first = openLedger({ file, clock: clock.read })
  first.transact((tx) => allow(tx, 'd1', 7))
  first.close()
  clock.now = noon - 86_400_000
  const second = openLedger({ file, clock: clock.read })
  assert.deepEqual(
    second.transact((tx) => [tx.now, tx.used(key).used]),
    [noon, 7],
  )
  second.close()
})

test('what had expired once does not come too early when the clock steps back', () => {
  const clock = new HandClock()
  const ledger = inMemory(clock)
  const second = counter('calls', sliding(1_000))
  ledger.transact((tx) => {
    tx.reserve('d1', second, 5)
    tx.append({ kind: 'decision', decisionId: 'd1', body: '{}' })
  })
  const look = () => ledger.transact((tx) => [tx.now - noon, tx.used(second).used])
  clock.now = noon + 1_000
  assert.deepEqual(look(), [1_000, 0])
  clock.now = noon + 500
  assert.deepEqual(look(), [1_000, 0])
})

test('a clock that shows no instant is refused', () => {
  const ledger = openLedger({ file: ':memory:', clock: () => Number.NaN })
  assert.throws(() => ledger.transact(() => 1), { name: 'TypeError' })
})

test('what UTF-8 would change is not recorded', () => {
  const ledger = inMemory()
  const append = (decisionId: string, body: string) =>
    ledger.transact((tx) => tx.append({ kind: 'check', decisionId, body }))
  assert.throws(() => append('d', '"\ud800"'), { name: 'TypeError' })
  for (const id of ['', 'a b', 'a\nb', 'é', 'x'.repeat(129)])
    assert.throws(() => append(id, '{}'), { name: 'TypeError' })
  append('d', '"\u0000 \u{1f600} \u2028"')
  assert.equal([...ledger.records()][0]?.body, '"\u0000 \u{1f600} \u2028"')
  assert.equal(ledger.verify().intact, true)
})

test('records are read in order, from a place, from a time, up to a time, and while more are written', () => {
  const clock = new HandClock()
  const ledger = inMemory(clock)
  const append = () => ledger.transact((tx) => tx.append({ kind: 'check', body: '{}' }))
  for (let i = 0; i < 300; i++) {
    append()
    append()
    clock.now += 10
  }
  const seqs = (range?: Parameters<typeof ledger.records>[0]) => [...ledger.records(range)].map(({ seq }) => seq)
  const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
  assert.deepEqual(seqs(), upTo(1, 600))
  assert.deepEqual(seqs({ after: 590 }), upTo(591, 600))
  assert.deepEqual(seqs({ after: 600 }), [])
  assert.deepEqual(seqs({ after: 10, limit: 100 }), upTo(11, 110))
  assert.deepEqual(seqs({ limit: 0 }), [])
  assert.deepEqual(seqs({ since: noon + 100, until: noon + 120 }), upTo(21, 24))
  assert.deepEqual(seqs({ since: noon + 95, limit: 1 }), [21])
  assert.deepEqual(seqs({ since: noon + 100, after: 22 }).length, 578)
  assert.deepEqual(seqs({ since: noon + 9_999 }), [])
  assert.deepEqual(seqs({ until: noon }), [])
  const reading = ledger.records({ after: 598 })
  assert.equal(reading.next().value?.seq, 599)
  append()
  assert.deepEqual([reading.next().value?.seq, reading.next().done], [600, true])
})

test('the records of a decision are found by its id', () => {
  const ledger = inMemory()
  const first = ledger.transact((tx) => allow(tx, 'd1'))
  ledger.transact((tx) => allow(tx, 'd2'))
  const second = ledger.transact((tx) => tx.append({ kind: 'outcome', decisionId: 'd1', body: '{}' }))
  assert.deepEqual(ledger.recordsOf('d1'), [first, second])
  assert.deepEqual(ledger.recordsOf('d9'), [])
})

test('a policy is kept once, as it was first', () => {
  const ledger = inMemory()
  ledger.transact((tx) => tx.keepPolicy('r1', () => Uint8Array.of(0, 255)))
  ledger.transact((tx) => tx.keepPolicy('r1', () => Uint8Array.of(1)))
  assert.deepEqual([...(ledger.policy('r1') ?? [])], [0, 255])
  assert.equal(ledger.policy('r2'), undefined)
})

test('everything is there again after a restart', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const clock = new HandClock()
  const forever = counter('forever', total)
  const first = openLedger({ file, clock: clock.read })
  first.transact((tx) => {
    allow(tx, 'd1', 4)
    tx.reserve('d1', forever, 9)
    tx.keepPolicy('r1', () => Buffer.from('policy'))
  })
  first.transact((tx) => tx.settle('d1', 'kept'))
  const records = [...first.records()]
  first.close()
  const second = openLedger({ file, clock: clock.read, durability: 'power' })
  assert.deepEqual([...second.records()], records)
  assert.deepEqual(
    second.transact((tx) => [tx.used(key).used, tx.used(forever).used]),
    [4, 9],
  )
  assert.equal(Buffer.from(second.policy('r1') ?? []).toString(), 'policy')
  second.close()
})

test('a closed ledger says so, and may be closed again', () => {
  const ledger = inMemory()
  ledger.close()
  ledger.close()
  assert.throws(() => ledger.transact(() => 1), { code: 'ledger_unavailable', message: /is closed/ })
  assert.throws(() => [...ledger.records()], { code: 'ledger_unavailable' })
})

test('a full ledger refuses, keeps nothing of what it refused, and goes on when there is room', () => {
  const db = openDatabase({ file: ':memory:', durability: 'process', readOnly: false })
  const ledger = new SqliteLedger(db, { clock: new HandClock().read, instance: 'test' })
  const fill = () =>
    ledger.transact((tx) => {
      const id = `d${ledger.head().seq}`
      tx.reserve(id, key, 1)
      tx.append({ kind: 'decision', decisionId: id, body: JSON.stringify('x'.repeat(1_000)) })
    })
  db.pragma('max_page_count = 60')
  assert.throws(
    () => {
      for (;;) fill()
    },
    { code: 'ledger_full', message: /no room/ },
  )
  const { seq } = ledger.head()
  assert.ok(seq > 10)
  assert.throws(fill, { code: 'ledger_full' })
  db.pragma('max_page_count = 1000')
  assert.equal(
    ledger.transact((tx) => tx.used(key).used),
    seq,
  )
  fill()
  assert.deepEqual([ledger.head().seq, ledger.verify().intact], [seq + 1, true])
})

test('a full disk that the work looks away from leaves nothing behind', () => {
  const db = openDatabase({ file: ':memory:', durability: 'process', readOnly: false })
  const ledger = new SqliteLedger(db, { clock: new HandClock().read, instance: 'test' })
  db.pragma('max_page_count = 40')
  const looksAway = () =>
    ledger.transact((tx) => {
      allow(tx, 'd1')
      assert.throws(() => tx.append({ kind: 'check', body: 'x'.repeat(1_000_000) }), { code: 'SQLITE_FULL' })
      // SQLite has rolled back by now: without a guard this would be written on its own.
      assert.throws(() => tx.append({ kind: 'check', body: '{}' }), { code: 'SQLITE_FULL' })
    })
  assert.throws(looksAway, { code: 'ledger_full' })
  assert.equal(ledger.head().seq, 0)
})
