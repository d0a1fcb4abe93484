/** What a program can hand in instead of a call: each is a decision, recorded, and never reaches the function. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { strictJson } from '../../src/library/strictJson.ts'
import { callBytesMax } from '../../src/model/limits.ts'
import { fc } from '../random.ts'
import { opened } from './fixtures.ts'

const policy = 'version: "1"\ndefault: allow\ntools: {}\n'

class Amount {
  readonly value = 1
}

function cyclic(): object {
  const parent: { child?: object } = {}
  parent.child = { parent }
  return parent
}

/** Each level holds the next one twice: small in memory, endless as text. */
function doubled(levels: number): object {
  let value: object = { text: 'x'.repeat(1_000) }
  for (let level = 0; level < levels; level++) value = { a: value, b: value }
  return value
}

function nested(levels: number): object {
  let value: object = {}
  for (let level = 1; level < levels; level++) value = { a: value }
  return value
}

function withGetter(): object {
  let amount = 1
  return {
    get amount() {
      return amount++
    },
  }
}

function throwing(): object {
  return new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('boo')
      },
    },
  )
}

const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]))

const badArguments: readonly [name: string, value: unknown, message: RegExp][] = [
  ['undefined', { a: undefined }, /`arguments\.a` is undefined/],
  ['a function', { a: { b: () => 1 } }, /`arguments\.a\.b` is a function/],
  ['a symbol', { a: Symbol('x') }, /`arguments\.a` is a symbol/],
  ['a BigInt', { a: [1, 2n] }, /`arguments\.a\[1\]` is a bigint/],
  ['NaN', { a: Number.NaN }, /`arguments\.a` is NaN/],
  ['Infinity', { a: Number.POSITIVE_INFINITY }, /`arguments\.a` is Infinity/],
  ['a date', { a: new Date(0) }, /`arguments\.a` is not a plain object/],
  ['a map', { a: new Map([['b', 1]]) }, /`arguments\.a` is not a plain object/],
  ['a class instance', { a: new Amount() }, /`arguments\.a` is not a plain object/],
  ['a buffer', { a: Buffer.from('x') }, /`arguments\.a` is not a plain object/],
  ['a boxed string', { a: new String('x') }, /`arguments\.a` is not a plain object/],
  ['an object with a prototype', { a: Object.create({ b: 1 }) }, /`arguments\.a` is not a plain object/],
  ['a prototype without one', { a: Object.create(Object.create(null)) }, /`arguments\.a` is not a plain object/],
  ['a promise', { a: Promise.resolve(1) }, /`arguments\.a` is not a plain object/],
  ['a getter', withGetter(), /`arguments\.amount` is computed by a getter/],
  ['a getter in an array', { a: Object.defineProperty([1], '0', { get: () => 2 }) }, /`arguments\.a\[0\]` is computed/],
  ['a hidden member', Object.defineProperty({}, 'a', { value: 1 }), /`arguments\.a` is hidden/],
  ['toJSON', { a: { toJSON: () => 'other' } }, /`arguments\.a\.toJSON` is a function/],
  ['a symbol for a key', { [Symbol('a')]: 1 }, /`arguments` has a symbol/],
  ['a hole', { a: new Array(3) }, /`arguments\.a` has holes/],
  ['an array with members', { a: Object.assign([1], { b: 2 }) }, /`arguments\.a` has holes, or members/],
  ['a cycle', cyclic(), /nested deeper than 64/],
  ['65 levels', nested(65), /nested deeper than 64/],
  ['half of a surrogate pair', { a: 'x\ud800' }, /`arguments\.a` holds half of a surrogate pair/],
  ['half of a surrogate pair in a key', { '\udc00': 1 }, /holds half of a surrogate pair/],
  ['keys that differ by case', { amount: 1, Amount: 2 }, /only by letter case/],
  ['keys that differ by folding', { k: 1, '\u212a': 2 }, /only by letter case/],
  ['a NUL in a key', { 'a\0b': 1 }, /NUL/],
  ['too many keys', keys(1_025), /more than 1024 keys/],
  ['a throwing proxy', { a: throwing() }, /cannot be read/],
  ['an array', [1], /`arguments` must be an object/],
  ['a string', '{}', /`arguments` must be an object/],
  ['null', null, /`arguments` must be an object/],
]

for (const [name, value, message] of badArguments) {
  test(`arguments with ${name} are denied, recorded, and not passed on`, async (t) => {
    const { gate, records } = await opened(t, policy)
    const outcome = await gate.call({ tool: 'pay', arguments: value as never }, () => assert.fail('it ran'))
    assert.ok(!outcome.allowed)
    assert.equal(outcome.decision.reason_code, 'MALFORMED_CALL')
    assert.match(outcome.decision.message, message)
    const checked = gate.check({ tool: 'pay', arguments: value as never })
    assert.equal(checked.message, outcome.decision.message)
    const [record] = records('refusal')
    assert.equal(record.decision_id, outcome.decision.decision_id)
    assert.deepEqual([record.server, record.method, record.name], ['shop', 'tools/call', 'pay'])
  })
}

const largeArguments: readonly [name: string, value: object][] = [
  ['a long string', { a: 'x'.repeat(callBytesMax) }],
  ['long in bytes', { a: '€'.repeat(callBytesMax / 2) }],
  ['a long array', { a: new Array(callBytesMax).fill(0) }],
  ['a sparse array of four billion', { a: new Array(2 ** 32 - 1) }],
  ['the same part many times over', doubled(60)],
]

for (const [name, value] of largeArguments) {
  test(`arguments that are too large (${name}) are denied without the work`, async (t) => {
    const { gate } = await opened(t, policy)
    const started = performance.now()
    const { reason_code } = gate.check({ tool: 'pay', arguments: value as never })
    assert.equal(reason_code, 'CALL_TOO_LARGE')
    assert.ok(performance.now() - started < 2_000)
  })
}

const badCalls: readonly [name: string, call: unknown, message: RegExp][] = [
  ['nothing', undefined, /must be an object/],
  ['a string', 'pay', /must be an object/],
  ['no target', { arguments: {} }, /one of `tool`, `resource` and `prompt`/],
  ['two targets', { tool: 'pay', prompt: 'pay' }, /one of `tool`, `resource` and `prompt`/],
  ['a misspelt key', { tool: 'pay', args: { amount: 1 } }, /unknown key `args`/],
  ['an empty tool', { tool: '' }, /`tool` is empty/],
  ['a tool that is no string', { tool: 7 }, /`tool` must be a string/],
  ['a tool with a NUL', { tool: 'pay\0' }, /control character/],
  ['a tool with half of a surrogate pair', { tool: 'pay\ud800' }, /surrogate/],
  ['a tool that is too long', { tool: 'x'.repeat(513) }, /longer than 512/],
  ['an empty server', { tool: 'pay', server: '' }, /`server` is empty/],
  ['a server that is no string', { tool: 'pay', server: {} }, /`server` must be a string/],
  ['a session that is no string', { tool: 'pay', session: 7 }, /`session` must be a string/],
  ['a principal that is a string', { tool: 'pay', principal: 'ann' }, /`principal` must be an object/],
  ['a principal with a misspelt key', { tool: 'pay', principal: { usr: 'ann' } }, /unknown key `usr`/],
  ['a principal of numbers', { tool: 'pay', principal: { user: 7 } }, /`user` must be a string/],
  ['a resource with arguments', { resource: 'a:b', arguments: {} }, /without `arguments`/],
  ['a resource that is too long', { resource: `a:${'x'.repeat(8_192)}` }, /longer than 8192/],
]

for (const [name, call, message] of badCalls) {
  test(`a call that is ${name} is denied and recorded`, async (t) => {
    const { gate, records } = await opened(t, policy)
    const decision = gate.check(call as never)
    assert.equal(decision.reason_code, 'MALFORMED_CALL')
    assert.match(decision.message, message)
    assert.equal((await gate.call(call as never, () => assert.fail('it ran'))).allowed, false)
    assert.equal(records('refusal').length, 2)
  })
}

test('a call without a server is denied when the gate was given none', async (t) => {
  const { gate } = await opened(t, policy, { server: undefined })
  assert.match(gate.check({ tool: 'pay' }).message, /`server` is missing/)
  assert.equal(gate.check({ tool: 'pay', server: 'bank' }).decision, 'allow')
})

test('a call that shows two faces is read once', async (t) => {
  const { gate, records } = await opened(t, 'version: "1"\ndefault: deny\ntools: { ping: {} }\n')
  const names = ['ping', 'pay', 'pay', 'pay']
  const call = {
    get tool() {
      return names.shift() ?? 'pay'
    },
  }
  assert.ok((await gate.call(call, () => {})).allowed)
  assert.equal(records('decision')[0].name, 'ping')
})

test('a proxy is read once, and what was read is what is passed on', async (t) => {
  const { gate } = await opened(t, policy)
  let reads = 0
  const shifty = new Proxy(
    { amount: 0 },
    { getOwnPropertyDescriptor: () => ({ value: reads++, enumerable: true, configurable: true }) },
  )
  const outcome = await gate.call({ tool: 'pay', arguments: shifty }, ({ amount }) => amount)
  assert.deepEqual([outcome.allowed && outcome.result, reads], [0, 1])
})

test('plain values of every kind pass, also from another realm and without a prototype', async (t) => {
  const { gate } = await opened(t, policy)
  const good = [
    {},
    { a: null, b: true, c: -0.5, d: 1e300, e: '€ 𝄞 \n "', f: [[], [{}]] },
    runInNewContext('({ a: [{ b: 1 }] })'),
    Object.assign(Object.create(null), { a: 1 }),
    JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}'),
    Object.freeze({ a: Object.freeze([1]) }),
    nested(64),
    keys(1_024),
    { a: 2 ** 60 },
  ]
  for (const value of good) {
    const outcome = await gate.call({ tool: 'pay', arguments: value }, (args) => args)
    assert.ok(outcome.allowed, outcome.decision.message)
    assert.equal(JSON.stringify(outcome.result), JSON.stringify(value))
  }
})

test('the strict text of any JSON value is what JSON.stringify gives', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      // Texts may hold halves of surrogate pairs, which are refused.
      fc.pre(!/\\ud[89a-f]/i.test(JSON.stringify(value)))
      assert.equal(strictJson({ value }, 'root'), JSON.stringify({ value }))
    }),
  )
})
