import assert from 'node:assert/strict'
import test from 'node:test'
import { distance, nearest } from '../../src/policy/spelling.ts'
import { fc } from '../random.ts'

test('an insertion, a deletion, a substitution and a swap of neighbours count one each', () => {
  for (const [a, b, count] of [
    ['approval', 'aproval', 1],
    ['aproval', 'approval', 1],
    ['allow', 'allaw', 1],
    ['deny', 'dney', 1],
    ['', 'abc', 3],
    ['same', 'same', 0],
    ['rules', 'tools', 4],
  ] as const)
    assert.equal(distance(a, b), count)
})

test('distance is symmetric, and zero for equal words alone', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(distance(a, b), distance(b, a))
      assert.equal(distance(a, b) === 0, a === b)
      assert.ok(distance(a, b) <= Math.max(a.length, b.length))
    }),
  )
})

test('the nearest word is the one that was meant, or none', () => {
  const known = ['allow', 'deny', 'require_approval', 'rate_limit']
  for (const [word, meant] of [
    ['alow', 'allow'],
    ['DENY', 'deny'],
    ['rateLimit', 'rate_limit'],
    ['require-aproval', 'require_approval'],
    ['evaluate', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ] as const)
    assert.equal(nearest(word, known), meant)
})
