/** Amounts: exact in, exact inside, rounded up where a budget would lose. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactMicroOf, microOf, survivesDouble, unitsText } from '../../src/model/decimal.ts'
import { fc } from '../random.ts'

test('amounts become whole micro-units', () => {
  const rows: readonly [unknown, number | undefined][] = [
    [0, 0],
    [-0, 0],
    [0.1, 100_000],
    [99.99, 99_990_000],
    [1e-6, 1],
    [1e-7, 1],
    [1.0000001, 1_000_001],
    [5e-324, 1],
    [9007199254, 9_007_199_254_000_000],
    [9007199255, undefined],
    [1e21, undefined],
    [-1, undefined],
    [-1e-9, undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    ['100', undefined],
    [null, undefined],
    [true, undefined],
    [[1], undefined],
    [1n, undefined],
  ]
  for (const [value, micro] of rows) assert.equal(microOf(value), micro, String(value))
})

test('an amount is never counted for less than it is, nor for a whole micro-unit more', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 9e9, noNaN: true }), (value) => {
      const micro = microOf(value) as number
      assert.ok(Number.isSafeInteger(micro))
      // The exact decimal of the double's shortest text, in units of 10^-30, against the micro-units.
      const [whole = '0', fraction = ''] = plainDecimal(value).split('.')
      const exact = BigInt(whole + fraction.padEnd(340, '0'))
      const counted = BigInt(micro) * 10n ** 334n
      assert.ok(counted >= exact && counted - exact < 10n ** 334n)
    }),
  )
})

function plainDecimal(value: number): string {
  const [digits = '0', power = '0'] = String(value).split('e')
  const [whole = '0', fraction = ''] = digits.split('.')
  const shift = Number(power)
  if (shift >= 0) return `${whole}${fraction.padEnd(shift, '0').slice(0, shift)}.${fraction.slice(shift)}`
  const padded = whole.padStart(1 - shift, '0')
  return `${padded.slice(0, padded.length + shift)}.${padded.slice(padded.length + shift)}${fraction}`
}

test('a cap must be exact: more than six decimals are none', () => {
  for (const text of ['500.00', '5e2', '500', '0.000001']) assert.notEqual(exactMicroOf(text), undefined, text)
  for (const text of ['0.0000001', '-1', 'abc', '', '.5', '1e400', '9007199254.740992', '0x10', '1_000'])
    assert.equal(exactMicroOf(text), undefined, text)
  assert.equal(exactMicroOf('500.00'), 500_000_000)
})

test('a number survives a double when the double says the same decimal', () => {
  for (const text of ['0', '-0', '1', '1.0', '1.10', '100e-2', '0.1', '1e21', '9007199254740992', '5e-324', '1e308'])
    assert.ok(survivesDouble(text), text)
  for (const text of [
    '9007199254740993',
    '12345678901234567890',
    '1e400',
    '1e-400',
    '0.1000000000000000055511151231257827',
    '0.12345678901234567891',
  ])
    assert.ok(!survivesDouble(text), text)
})

test('every double survives in its own shortest text', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => survivesDouble(JSON.stringify(value))),
  )
})

test('micro-units are shown as decimals', () => {
  assert.deepEqual([0, 1, 100_000, 12_500_000, 1_000_000_000].map(unitsText), ['0', '0.000001', '0.1', '12.5', '1000'])
  assert.deepEqual([-1, -12_500_000].map(unitsText), ['-0.000001', '-12.5'])
})
