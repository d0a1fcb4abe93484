/** Each bad input: a clear reason, nothing forwarded, a record, and the process alive. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Answer } from '../answer.ts'
import { decisionIn, wrap } from './wrapped.ts'

const gate = await wrap(`
version: "1"
default: deny
tools:
  pay: { rules: [{ spend: { daily: 10 } }] }
  echo: { rules: [{ arguments: { text: { type: string, required: false } } }] }
  free: { rules: [] }
  __proto__: { rules: [{ arguments: { x: { max: 1 } } }] }
  constructor: { rules: [] }
  held: { rules: [{ action: require_approval }] }
`)
after(() => gate[Symbol.asyncDispose]())

const call = (id: number, name: unknown, args: string) =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":${JSON.stringify(name)},"arguments":${args}}}`
const collidingKeys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',')}}`

interface Bad {
  readonly what: string
  readonly line: string | Buffer
  /** The id of the answer; null where none could be read. */
  readonly id: number | null
  readonly reason?: string
  readonly says?: RegExp
}

/** Outcomes are written just after the answer, so they are not what is counted. */
const decisions = () => gate.records().filter(({ type }) => type === 'decision' || type === 'refusal')

const rows: readonly Bad[] = [
  { what: 'a line that is not JSON', line: '{"jsonrpc":"2.0",', id: null, says: /not JSON/ },
  { what: 'invalid UTF-8', line: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), id: null, says: /UTF-8/ },
  {
    what: 'a key twice',
    line: call(1, 'pay', '{"amount":1,"amount":2}'),
    id: 1,
    reason: 'MALFORMED_CALL',
    says: /twice/,
  },
  {
    what: 'keys that differ by case',
    line: call(2, 'pay', '{"amount":1,"Amount":2}'),
    id: 2,
    reason: 'MALFORMED_CALL',
  },
  { what: 'NUL in a key', line: call(3, 'free', '{"a\\u0000":1}'), id: 3, reason: 'MALFORMED_CALL' },
  { what: 'a lone surrogate', line: call(4, 'free', '{"a":"\\ud800"}'), id: 4, reason: 'MALFORMED_CALL' },
  { what: 'arguments that are a list', line: call(5, 'free', '[]'), id: 5, reason: 'MALFORMED_CALL' },
  { what: 'a name that is a number', line: call(6, 7, '{}'), id: 6, reason: 'MALFORMED_CALL' },
  {
    what: 'no name',
    line: '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}',
    id: 7,
    reason: 'MALFORMED_CALL',
  },
  { what: 'a batch', line: `[${call(8, 'free', '{}')}]`, id: null, says: /batch/ },
  {
    what: 'a 10 MB argument',
    line: call(9, 'free', `{"a":"${'x'.repeat(10_000_000)}"}`),
    id: 9,
    reason: 'CALL_TOO_LARGE',
  },
  {
    what: '100 levels',
    line: call(10, 'free', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`),
    id: 10,
    reason: 'MALFORMED_CALL',
    says: /deep/,
  },
  { what: '4,000 keys', line: call(11, 'free', collidingKeys(4_000)), id: 11, reason: 'MALFORMED_CALL', says: /keys/ },
  {
    what: 'an amount of 1e400',
    line: call(12, 'pay', '{"amount":1e400}'),
    id: 12,
    reason: 'MALFORMED_CALL',
    says: /number/,
  },
  {
    what: 'an integer beyond a double',
    line: call(13, 'pay', '{"amount":12345678901234567890}'),
    id: 13,
    reason: 'MALFORMED_CALL',
  },
  { what: 'a negative amount', line: call(14, 'pay', '{"amount":-5}'), id: 14, reason: 'AMOUNT_INVALID' },
  { what: 'an amount as text', line: call(15, 'pay', '{"amount":"100"}'), id: 15, reason: 'AMOUNT_INVALID' },
  {
    what: 'an argument that is too large to judge',
    line: call(16, 'echo', `{"text":"${'x'.repeat(300_000)}"}`),
    id: 16,
    reason: 'CALL_TOO_LARGE',
  },
  { what: 'a call that needs a person', line: call(17, 'held', '{}'), id: 17, reason: 'APPROVAL_REQUIRED' },
  {
    what: 'an unknown method',
    line: '{"jsonrpc":"2.0","id":18,"method":"tools/run","params":{}}',
    id: 18,
    says: /method/i,
  },
  {
    what: '`__proto__` with an argument its rule refuses',
    line: call(19, '__proto__', '{"x":2}'),
    id: 19,
    reason: 'ARGUMENT_REJECTED',
  },
]

for (const { what, line, id, reason, says } of rows) {
  test(`${what} is refused with its reason, is not forwarded, is recorded, and the gate lives`, async () => {
    const before = { forwarded: gate.forwarded().length, records: decisions().length }
    gate.write(line)
    const answer = await gate.answer(id)
    if (reason) assert.equal(decisionIn(answer)?.reason_code, reason, JSON.stringify(answer))
    if (says) assert.match(JSON.stringify(answer), says)
    assert.equal(gate.forwarded().length, before.forwarded)
    const record: Answer = decisions().at(-1)
    assert.equal(decisions().length, before.records + 1)
    if (reason) assert.equal(record.result.reason_code, reason)
    const good = await gate.ask('tools/call', { name: 'free', arguments: {} })
    assert.equal(good.result.content[0].text, 'done')
  })
}

test('a tool that the policy does not name answers as one that does not exist, and its record says why', async () => {
  const before = gate.forwarded().length
  const answer = await gate.ask('tools/call', { name: 'hidden', arguments: {} })
  assert.deepEqual(answer.error, { code: -32602, message: 'Unknown tool: hidden' })
  assert.equal(gate.forwarded().length, before)
  assert.equal(decisions().at(-1).result.reason_code, 'TOOL_NOT_ALLOWED')
})

test('tools called `__proto__` and `constructor` are tools', async () => {
  for (const name of ['__proto__', 'constructor']) {
    const answer = await gate.ask('tools/call', { name, arguments: { x: 1 } })
    assert.equal(answer.result.content[0].text, 'done')
  }
})

test('a member called `__proto__` is forwarded as a member', async () => {
  gate.write(call(50, 'free', '{"__proto__":{"x":1},"y":2}'))
  await gate.answer(50)
  assert.match(gate.forwarded().at(-1) as string, /"__proto__":\{"x":1\}/)
})

test('one hundred times 0.1 against a cap of 10 is exact', async () => {
  for (let i = 0; i < 100; i++) {
    const answer = await gate.ask('tools/call', { name: 'pay', arguments: { amount: 0.1 } })
    assert.equal(answer.result.isError, undefined, `call ${i}: ${JSON.stringify(answer)}`)
  }
  const over = await gate.ask('tools/call', { name: 'pay', arguments: { amount: 0.000001 } })
  assert.equal(decisionIn(over).reason_code, 'SPEND_LIMIT_EXCEEDED')
})
