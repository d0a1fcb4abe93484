/** What a replay counts in memory is what the ledger counts on disk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { CounterKey } from '../../src/model/counters.ts'
import type { Window } from '../../src/model/policy.ts'
import { ReplayLedger } from '../../src/replay/ledger.ts'
import { fc, seed } from '../random.ts'

const windows: readonly Window[] = [
  { kind: 'fixed', unit: 'second' },
  { kind: 'fixed', unit: 'day' },
  { kind: 'fixed', unit: 'month' },
  { kind: 'sliding', ms: 1_000 },
  { kind: 'sliding', ms: 60_000 },
  { kind: 'total' },
]

const keys: readonly CounterKey[] = windows.flatMap((window, index) =>
  ['a', 'b'].map((by) => ({
    counter: { id: `c${index}`, measure: 'calls' as const, window, per: [] },
    key: JSON.stringify(['p', `c${index}`, by]),
  })),
)

const key = fc.constantFrom(...keys)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('charge' as const), key, amount: fc.constantFrom(0, 1, 1, 2, 5) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), of: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('keep' as const), of: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 250, 999, 999, 1_000, 1_000, 59_000, 40 * 86_400_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('room' as const),
      key,
      amount: fc.nat(4),
      max: fc.constantFrom(3, 8),
    }),
  },
)

test(`counters in memory stand where those of the ledger stand (seed ${seed})`, () => {
  let [roomLater, released] = [0, 0]
  fc.assert(
    fc.property(fc.array(step, { minLength: 60, maxLength: 90 }), (steps) => {
      let at = Date.parse('2026-01-31T23:59:58.000Z')
      const ledger = openLedger({ file: ':memory:', clock: () => at })
      const memory = new ReplayLedger()
      const open: string[] = []
      let ids = 0
      for (const one of steps) {
        if (one.do === 'wait') at += one.ms
        memory.reach(at)
        ledger.transact((tx) => {
          if (one.do === 'charge') {
            const id = `d${++ids}`
            open.push(id)
            tx.reserve(id, one.key, one.amount)
            tx.append({ kind: 'decision', decisionId: id, body: '{}' })
            memory.reserve(id, one.key, one.amount)
          }
          if (one.do === 'release' || one.do === 'keep') {
            const id = open.at(-1 - (one.of % Math.max(1, open.length))) ?? ''
            const how = one.do === 'keep' ? 'kept' : 'released'
            const done = tx.settle(id, how)
            assert.equal(memory.settle(id, how), done)
            if (done) released += 1
          }
          if (one.do === 'room') {
            const room = tx.roomAt(one.key, one.amount, one.max)
            if (room !== undefined && room > at) roomLater += 1
            assert.equal(memory.roomAt(one.key, one.amount, one.max), room)
          }
          for (const each of keys) assert.deepEqual(memory.used(each), tx.used(each))
        })
      }
      ledger.close()
    }),
    { numRuns: 60 },
  )
  assert.ok(roomLater > 20 && released > 100, `${roomLater} waits, ${released} releases`)
})
