import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../src/model/canonical.ts'
import { survivesDouble } from '../../src/model/decimal.ts'
import { foldedKey } from '../../src/model/message/folding.ts'
import { readJson } from '../../src/model/message/json.ts'
import { readMessage } from '../../src/model/message/read.ts'
import { serialise } from '../../src/model/message/serialise.ts'
import { fc, tries } from '../random.ts'

const runs = { numRuns: tries(2_000) }

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme', maxLength: 40 }))
const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }))
const key = fc
  .oneof(text, fc.constantFrom('__proto__', 'constructor', 'length', '0', '10', 'ı', 'K', 'ſ'))
  .filter((name) => !name.includes('\0') && name.isWellFormed())

const { value: json } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: 'small' },
    fc.constantFrom(null, true, false),
    number,
    text.filter((string) => string.isWellFormed()),
    fc.array(tie('value'), { maxLength: 6 }),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), { maxLength: 24, selector: ([name]) => foldedKey(name, false) })
      .map((members) => Object.fromEntries(members)),
  ),
}))

/** White space and escapes that change nothing. */
const spelling = fc.record({ indent: fc.constantFrom(0, 1, '\t'), escaped: fc.boolean() })

function spell(value: unknown, { indent, escaped }: { indent: number | string; escaped: boolean }): string {
  const plain = JSON.stringify(value, null, indent)
  if (!escaped) return plain
  return plain.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

test('every sane value is read as JSON.parse reads it, however it is spelt', () => {
  fc.assert(
    fc.property(json, spelling, (value, how) => {
      const line = spell(value, how)
      const answer = readJson(Buffer.from(line))
      assert.ok(answer.ok, answer.ok ? '' : answer.message)
      assert.deepEqual(answer.value, JSON.parse(line))
    }),
    runs,
  )
})

test('what goes on says the same as JSON.stringify does', () => {
  fc.assert(
    fc.property(json, spelling, fc.constantFrom(0, 2_000), (value, how, length) => {
      const message = { jsonrpc: '2.0', id: 1, method: 'ping', params: { value, text: 'x'.repeat(length) } }
      const answer = readMessage(Buffer.from(spell(message, how)))
      assert.ok(answer.ok)
      assert.equal(
        serialise(answer.message),
        JSON.stringify(message).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029'),
      )
    }),
    runs,
  )
})

test('no bytes make it throw, and none are read that JSON.parse does not read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const answer = readJson(bytes)
      if (answer.ok) assert.deepEqual(answer.value, JSON.parse(Buffer.from(bytes).toString()))
      assert.equal(typeof readMessage(bytes).ok, 'boolean')
    }),
    runs,
  )
})

test('text made of JSON tokens in any order makes it neither throw nor differ from JSON.parse', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\',
    '\\u',
    '"a"',
    '"\\ud800"',
    '1',
    '-0',
    '1e400',
    'null',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
      const line = tokens.join('')
      const answer = readJson(Buffer.from(line))
      if (answer.ok) assert.deepEqual(answer.value, JSON.parse(line))
    }),
    { numRuns: tries(20_000) },
  )
})

test('a member that stands a second time is refused wherever it stands and however it is spelt', () => {
  const twin = fc.constantFrom(
    (name: string) => JSON.stringify(name),
    (name: string) => JSON.stringify(name.toUpperCase()),
    (name: string) => `"${[...name].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`,
  )
  const name = fc.stringMatching(/^[a-z]{1,20}$/)
  fc.assert(
    fc.property(
      fc.array(json, { maxLength: 30 }),
      name,
      twin,
      json,
      fc.nat(40),
      (values, twice, spelt, value, depth) => {
        const others = values.map((one, i) => `"k-${i}":${JSON.stringify(one)},`).join('')
        const object = `{${JSON.stringify(twice)}:1,${others}${spelt(twice)}:${JSON.stringify(value)}}`
        const answer = readJson(Buffer.from(`${'[1,{"x":'.repeat(depth / 2)}${object}${'}]'.repeat(depth / 2)}`))
        assert.ok(!answer.ok)
        assert.match(answer.message, /stands twice|half of/)
      },
    ),
    { numRuns: tries(500) },
  )
})

test('a number is refused exactly when a double does not hold it', () => {
  const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,22})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?$/)
  fc.assert(
    fc.property(digits, fc.constantFrom('', '-'), (literal, sign) => {
      const answer = readJson(Buffer.from(`[0,${sign}${literal}]`))
      assert.equal(answer.ok, survivesDouble(`${sign}${literal}`))
    }),
    { numRuns: tries(10_000) },
  )
})

test('half of a surrogate pair is refused among any other characters', () => {
  fc.assert(
    fc.property(text, text, fc.integer({ min: 0xd800, max: 0xdfff }), (before, after, half) => {
      const string = before.toWellFormed() + String.fromCharCode(half) + after.toWellFormed()
      fc.pre(!string.isWellFormed())
      const content = (part: string) => JSON.stringify(part).slice(1, -1)
      const line = `{"a":"${content(before.toWellFormed())}\\u${half.toString(16)}${content(after.toWellFormed())}"}`
      assert.ok(!readJson(Buffer.from(line)).ok)
    }),
    runs,
  )
})

test('time grows with the length and not faster', () => {
  const hostile: readonly ((size: number) => string)[] = [
    (size) => `["${'\\"'.repeat(size / 2)}"]`,
    (size) => `["${'\\\\'.repeat(size / 2)}"]`,
    (size) => `[${'"\\u0041",'.repeat(size / 9)}1]`,
    (size) => `[${'"",'.repeat(size / 3)}1]`,
    (size) => `[1${'0'.repeat(size)}1]`,
    (size) => `[0.${'0'.repeat(size)}1]`,
    (size) => `{${Array.from({ length: 1_000 }, (_, i) => `"${'k'.repeat(size / 1_000)}${i}":1`).join(',')}}`,
    (size) => '['.repeat(size),
    (size) => '{"a":'.repeat(size / 5),
    (size) => ' '.repeat(size),
    (size) => `["${'\\ud800'.repeat(size / 6)}"]`,
  ]
  for (const make of hostile) {
    const line = Buffer.from(make(4_000_000))
    const start = process.cpuUsage()
    readMessage(line)
    const ms = process.cpuUsage(start).user / 1_000
    assert.ok(ms < 1_000, `${line.toString('utf8', 0, 20)}… took ${Math.round(ms)} ms`)
  }
})
