/** Instants and calendar windows, UTC. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CalendarUnit } from '../../src/model/policy.ts'
import { calendarEnd, instantOf, instantText, windowStart } from '../../src/model/time.ts'
import { fc } from '../random.ts'

const rows: readonly [CalendarUnit, string, string, string][] = [
  ['second', '2026-01-05T12:34:56.789Z', '2026-01-05T12:34:56.000Z', '2026-01-05T12:34:57.000Z'],
  ['minute', '2026-01-05T12:34:56.789Z', '2026-01-05T12:34:00.000Z', '2026-01-05T12:35:00.000Z'],
  ['hour', '2026-01-05T12:34:56.789Z', '2026-01-05T12:00:00.000Z', '2026-01-05T13:00:00.000Z'],
  ['day', '2026-01-05T23:59:59.999Z', '2026-01-05T00:00:00.000Z', '2026-01-06T00:00:00.000Z'],
  ['week', '2026-01-05T00:00:00.000Z', '2026-01-05T00:00:00.000Z', '2026-01-12T00:00:00.000Z'],
  ['week', '2026-01-04T23:59:59.999Z', '2025-12-29T00:00:00.000Z', '2026-01-05T00:00:00.000Z'],
  ['month', '2028-02-29T12:00:00.000Z', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  ['month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
]

for (const [unit, at, start, end] of rows) {
  test(`the ${unit} of ${at} is ${start} to ${end}`, () => {
    assert.equal(new Date(windowStart({ kind: 'fixed', unit }, Date.parse(at))).toISOString(), start)
    assert.equal(new Date(calendarEnd(unit, Date.parse(at))).toISOString(), end)
  })
}

test('an instant lies in its window, and the next window begins where it ends', () => {
  const units = fc.constantFrom<CalendarUnit>('second', 'minute', 'hour', 'day', 'week', 'month')
  fc.assert(
    fc.property(units, fc.integer({ min: 0, max: 4e12 }), (unit, at) => {
      const start = windowStart({ kind: 'fixed', unit }, at)
      const end = calendarEnd(unit, at)
      assert.ok(start <= at && at < end)
      assert.equal(windowStart({ kind: 'fixed', unit }, end), end)
      assert.equal(windowStart({ kind: 'fixed', unit }, end - 1), start)
    }),
  )
})

test('an instant is an RFC 3339 date-time with its zone, on a day that there is', () => {
  assert.equal(instantOf('2026-01-05T12:34:56.789Z'), Date.UTC(2026, 0, 5, 12, 34, 56, 789))
  assert.equal(instantOf('2024-02-29t12:34:56+02:00'), Date.UTC(2024, 1, 29, 10, 34, 56))
  for (const text of [
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-05T24:00:00Z',
    '2026-01-05T12:60:00Z',
    '2026-01-05T12:34:56',
    '2026-01-05',
    '1767616496789',
    ' 2026-01-05T12:34:56Z',
    '',
  ])
    assert.equal(instantOf(text), undefined, text)
})

test('the text of an instant is its own, whatever was asked before', () => {
  for (const at of [0, 1_795_290_319_021, 1_795_290_319_021, 1_795_290_319_022, 0, -1])
    assert.equal(instantText(at), new Date(at).toISOString())
  for (const none of [Number.NaN, 8.64e15 + 1]) assert.throws(() => instantText(none), RangeError)
  assert.equal(instantText(-1), '1969-12-31T23:59:59.999Z')
})
