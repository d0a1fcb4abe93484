/** Everything bad that a client can write: each gets a clear reason, nothing of it goes on, and the relay lives. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callBytesMax, lineBytesMax } from '../../src/model/limits.ts'
import { fixture, Gated } from './fixtures/gated.ts'
import { RawClient } from './fixtures/raw-client.ts'

function call(id: string | number, args: string, name = '"received"'): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"tools/call","params":{"name":${name},"arguments":${args}}}`
}

function text(answer: { result: { content: { text: string }[] } }): string {
  return answer.result.content[0]?.text ?? ''
}

describe('bad input over stdio', () => {
  let gated: Gated
  let client: RawClient
  before(() => {
    gated = new Gated({ deny: ['constructor'] }, [fixture('odd-server.ts')])
    client = new RawClient(gated)
  })
  after(async () => {
    await client[Symbol.asyncDispose]()
    gated[Symbol.dispose]()
  })

  /** A call that comes after it still works, and is the only thing that the server has seen. */
  async function stillWorks(id: string): Promise<void> {
    client.call(id, 'received')
    assert.match(text(await client.answer(id)), new RegExp(`"id":"${id}"`))
  }

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['a key that stands twice', '{"a":1,"a":2}', /`a` stands twice/],
    ['arguments that are an array', '[]', /`params.arguments` must be an object/],
    ['a number beyond a double', '{"a":1e400}', /1e400/],
    ['a big integer', '{"a":12345678901234567890}', /12345678901234567890/],
    ['a hundred levels', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, /deeper than 64/],
    ['four thousand keys', `{${Array.from({ length: 4_000 }, (_, i) => `"k${i}":1`).join()}}`, /1024 keys/],
    ['half of a surrogate pair', '{"a":"\\ud800"}', /surrogate/],
    ['ten megabytes', `{"a":"${'x'.repeat(10_000_000)}"}`, /10000\d+ bytes, 4194304 are allowed/],
  ]
  for (const [what, args, why] of refused) {
    test(`a call with ${what} is refused by its id`, async () => {
      client.send(call(what, args))
      const answer = await client.answer(what)
      assert.equal(answer.result.isError, true)
      assert.match(text(answer), why)
      await stillWorks(`after ${what}`)
    })
  }

  test('a name that is a number is refused by its id', async () => {
    client.send(call('number', '{}', '5'))
    assert.match(text(await client.answer('number')), /`params.name` must be a string/)
    await stillWorks('after number')
  })

  test('what has no id that could be trusted is answered without one', async () => {
    const lines: readonly (readonly [string | Buffer, number])[] = [
      ['hello', -32700],
      ['{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"received"}}', -32600],
      [`[${call(1, '{}')},${call(2, '{}')}]`, -32600],
      ['null', -32600],
      [Buffer.from([0x7b, 0xff, 0x7d]), -32700],
      [Buffer.from('\ufeff{}'), -32700],
      ['{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"received"}}', -32600],
    ]
    for (const [line, code] of lines) {
      client.send(line)
      assert.equal((await client.answer(null)).error.code, code)
    }
    await stillWorks('after no id')
  })

  test('an unknown method is not found', async () => {
    client.send('{"jsonrpc":"2.0","id":"u","method":"skills/get"}')
    assert.equal((await client.answer('u')).error.code, -32601)
  })

  test('tools may be called like parts of a prototype, and are judged', async () => {
    client.call('p1', '__proto__')
    assert.equal(text(await client.answer('p1')), 'ok')
    client.call('p2', 'constructor')
    assert.match(text(await client.answer('p2')), /Blocked by policy/)
  })

  test('a member called __proto__ arrives as it was', async () => {
    client.send(call('proto', '{"__proto__":{"x":1}}'))
    assert.match(text(await client.answer('proto')), /"arguments":\{"__proto__":\{"x":1\}\}/)
  })

  test('a call of the largest size passes whole', async () => {
    const room = callBytesMax - call('most', '{"a":""}', '"length"').length
    client.send(call('most', `{"a":"${'x'.repeat(room)}"}`, '"length"'))
    assert.equal(text(await client.answer('most')), String(callBytesMax))
  })

  test('a line over every limit is answered once, and no memory is kept for it', async () => {
    const part = Buffer.alloc(1 << 20, 'x')
    client.process.stdin.write('{"a":"')
    for (let sent = 0; sent <= lineBytesMax; sent += part.length) {
      if (!client.process.stdin.write(part)) await new Promise((resolve) => client.process.stdin.once('drain', resolve))
    }
    client.send('"}')
    assert.match((await client.answer(null)).error.message, /larger than/)
    await stillWorks('after the longest')
  })

  test('nothing of all this went on, and all of it is recorded', () => {
    assert.ok(gated.admitted.every((name) => ['received', 'length', '__proto__', 'constructor'].includes(name)))
    const counted = Map.groupBy(gated.refused, (reason) => reason)
    assert.equal(counted.get('CALL_TOO_LARGE')?.length, 2)
    assert.equal(counted.get('UNKNOWN_METHOD')?.length, 1)
    assert.equal(counted.get('MALFORMED_CALL')?.length, 7 + 1 + 7)
  })
})
