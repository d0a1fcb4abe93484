/** Canonical JSON, RFC 8785. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonical, type Json } from '../../src/model/canonical.ts'
import { fc } from '../random.ts'

test('the example of RFC 8785 section 3.2.2 comes out as section 3.2.3 says', () => {
  const value = {
    numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  }
  const text =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
  assert.equal(canonical(value), text)
})

test('keys are sorted by UTF-16 code units (RFC 8785 section 3.2.3)', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
  const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']
  const value = Object.fromEntries(keys.map((key) => [key, 0]))
  assert.equal(canonical(value), `{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`)
})

test('the same value has the same text whatever the order of its keys, and reads back as itself', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonical(value as Json)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      assert.equal(canonical(reversed(value as Json)), text)
    }),
  )
})

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => reversed(item as Json))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member as Json)]),
  )
}

test('a member called __proto__ is a member', () => {
  assert.equal(canonical(JSON.parse('{"b":1,"__proto__":{"a":1}}')), '{"__proto__":{"a":1},"b":1}')
})

test('what JSON has no word for is refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, Symbol('s')])
    assert.throws(() => canonical(value as never), TypeError)
})
