/** What is bounded, and that it is let go again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminRequestsPerSecondMax, reservationsOpenMax, runsMax } from '../../src/admission/limits.ts'
import { Rates } from '../../src/admission/rates.ts'
import { Reservations } from '../../src/admission/reservations.ts'
import { Runs } from '../../src/admission/runs.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { Outcome } from '../../src/pep/gatekeeper.ts'

test('a key asks so often in a second, and again in the next', () => {
  const rates = new Rates()
  for (let count = 0; count < adminRequestsPerSecondMax; count++)
    assert.ok(rates.take('gateway', 1_000 + (count % 1_000)))
  assert.deepEqual([rates.take('gateway', 1_999), rates.take('other', 1_999)], [false, true])
  assert.ok(rates.take('gateway', 2_000))
})

test('so many calls wait for their outcome, and when the gate ends all of them are unknown', () => {
  const settled: Outcome[] = []
  const gate = { settle: (outcomes: readonly Outcome[]) => void settled.push(...outcomes) }
  const reservations = new Reservations(gate, { recordsOf: () => [] })
  for (let count = 0; count < reservationsOpenMax; count++) {
    reservations.requireRoom()
    reservations.add(`d${count}`, 'gateway', 60_000)
  }
  assert.throws(() => reservations.requireRoom(), { code: 'reservations_full' })
  reservations.settle({ decisionId: 'd0', status: 'error' }, 'gateway')
  reservations.requireRoom()
  reservations.end()
  assert.equal(reservations.open, 0)
  assert.deepEqual(
    [settled.length, settled[0]?.status, new Set(settled.slice(1).map(({ status }) => status))],
    [reservationsOpenMax, 'error', new Set(['unknown'])],
  )
})

test('so many runs are registered; those that expired make room, and one is always replaced', (t) => {
  let now = 0
  const ledger = openLedger({ file: ':memory:' })
  t.after(() => ledger.close())
  const runs = new Runs(ledger, () => now)
  const register = (run_id: string, expires_in_seconds = 60) =>
    runs.register({ run_id, attributes: {}, expires_in_seconds }, 'host')
  for (let count = 0; count < runsMax; count++) register(`r${count}`, count === 7 ? 10 : 60)
  assert.throws(() => register('more'), { code: 'runs_full' })
  assert.equal(register('r1').isNew, false)
  now = 10_000
  assert.equal(register('more').isNew, true)
  assert.equal(runs.get('r7'), undefined)
  assert.throws(() => register('r7'), { code: 'runs_full' })
})
