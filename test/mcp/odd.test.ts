/** Odd messages of a server, through the whole relay: the bytes that it wrote are the bytes that arrive. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fixture, Gated } from './fixtures/gated.ts'
import { RawClient } from './fixtures/raw-client.ts'

describe('odd messages over stdio', () => {
  let gated: Gated
  let client: RawClient
  before(() => {
    gated = new Gated({}, [fixture('odd-server.ts')])
    client = new RawClient(gated)
  })
  after(async () => {
    await client[Symbol.asyncDispose]()
    gated[Symbol.dispose]()
  })

  const passing: readonly (readonly [string, string])[] = [
    ['an extra member in a response', '{"jsonrpc":"2.0","id":$id,"result":{"ok":1},"server":"extra"}'],
    ['an error with the id null', '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no id"}}'],
    ['a result and an error of null', '{"jsonrpc":"2.0","id":$id,"result":{"ok":1},"error":null}'],
    ['a result that is a bare string', '{"jsonrpc":"2.0","id":$id,"result":"a bare string"}'],
    ['an extra member inside an error', '{"jsonrpc":"2.0","id":$id,"error":{"code":-32000,"message":"e","extra":2}}'],
    [
      'integers beyond a double',
      '{"jsonrpc":"2.0","id":$id,"result":{"n":12345678901234567890,"f":1.0,"u":"\\u2028"}}',
    ],
    ['a large result', `{"jsonrpc":"2.0","id":$id,"result":"${'é'.repeat(2_000_000)}"}`],
    ['a carriage return', '{"jsonrpc":"2.0","id":$id,"result":{}}\r'],
  ]
  for (const [what, text] of passing) {
    test(`${what} passes as it was`, async () => {
      client.call(what, 'write', { text: `${text}\n` })
      const expected = text.replace('$id', JSON.stringify(what))
      assert.equal(await client.line((line) => line === expected, what), expected)
    })
  }

  test('a fractional id, a string and a number each come back as they were', async () => {
    for (const id of [1.5, 'x', '5', 5, 0, '']) {
      client.call(id, 'received')
      assert.equal((await client.answer(id)).id, id)
    }
  })

  test('lines that arrive in pieces, together, or between noise are the same lines', async () => {
    const noise = 'Starting…\n\n\r\n{"half":\n[1,2]\n'
    const answer = '{"jsonrpc":"2.0","id":$id,"result":"a"}\n'
    client.call('n', 'write', { text: `${noise}{"jsonrpc":"2.0","method":"notifications/x"}\n${answer}` })
    assert.equal((await client.answer('n')).result, 'a')
    assert.deepEqual(client.lines, ['{"jsonrpc":"2.0","method":"notifications/x"}'])
    await client.saysOnStderr(/dropped a line of the server: it is not JSON: `Starting…`/)
  })

  test('extra members of a request arrive at the server', async () => {
    const line = '{"jsonrpc":"2.0","id":"t","method":"tools/call","params":{"name":"received","x":1},"trace":"t"}'
    client.send(line)
    assert.equal((await client.answer('t')).result.content[0].text, line)
  })

  test('an answer in two readings fails the call and not the relay', async () => {
    client.call('two', 'write', { text: '{"jsonrpc":"2.0","id":$id,"result":1,"result":2}\n' })
    assert.match((await client.answer('two')).error.message, /`result` stands twice/)
    client.call('next', 'received')
    await client.answer('next')
  })
})
