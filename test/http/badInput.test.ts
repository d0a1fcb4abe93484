/** Requests that must not get through: wrong hosts, lying headers, sessions of others, bodies without an end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { isKnownHost, isKnownOrigin, isLoopback } from '../../src/http/hosts.ts'
import { callBytesMax } from '../../src/model/limits.ts'
import { modernMeta, request, toolCall } from '../mcp/fixtures/scope.ts'
import { HttpGate, initialize, postFields, ScriptedServer } from './fixtures/gate.ts'

let server: ScriptedServer
let gate: HttpGate

before(async () => {
  let sessions = 0
  server = await ScriptedServer.start((body, response, asked) => {
    if (asked.method !== 'POST') return response.writeHead(405, { allow: 'POST', 'x-secret': '1' }).end('<p>no</p>')
    const { id, method } = JSON.parse(body)
    if (method === 'initialize') response.setHeader('mcp-session-id', `s-${++sessions}`)
    response.setHeader('set-cookie', 'a=b')
    response.writeHead(id === undefined ? 202 : 200, { 'content-type': 'application/json' })
    response.end(id === undefined ? '' : JSON.stringify({ jsonrpc: '2.0', id, result: {} }))
  })
  gate = await HttpGate.before(
    server.url,
    { hide: ['hidden'] },
    { principalOf: ({ headers }) => ({ agent: String(headers['x-agent'] ?? 'a1') }) },
  )
})
after(async () => {
  await gate[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** `fetch` sets `Host` itself. */
async function ask(headers: Readonly<Record<string, string>>, method = 'GET', path = '/mcp'): Promise<IncomingMessage> {
  const asked = httpRequest({ host: '127.0.0.1', port: gate.port, path, method, headers, agent: false })
  asked.end()
  const [answer] = await once(asked, 'response')
  answer.resume()
  return answer
}

test('hosts that are not this machine are refused', async () => {
  const hosts = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    '0.0.0.0',
  ]
  for (const host of hosts) assert.equal((await ask({ host })).statusCode, 403, host)
  for (const host of [`localhost:${gate.port}`, 'LOCALHOST', '[::1]:80', '127.0.0.1'])
    assert.equal((await ask({ host }, 'DELETE')).statusCode, 405, host)
})

test('web pages of other origins are refused', async () => {
  for (const origin of [
    'https://evil.example',
    'null',
    'http://localhost.evil.example',
    'file://',
    'https://app.example:8',
  ])
    assert.equal((await gate.post(initialize, { origin })).status, 403, origin)
  for (const origin of ['http://localhost:6274', 'https://app.example'])
    assert.equal((await gate.post(initialize, { origin })).status, 200, origin)
})

test('host and origin are compared as names, not as texts', () => {
  const names = { hosts: new Set(['localhost']), origins: new Set<string>() }
  assert.ok(isKnownHost('LocalHost:1', names))
  for (const host of [undefined, 'localhost:', 'localhost:123456', 'localhost/', 'a localhost', 'localhost.'])
    assert.ok(!isKnownHost(host, names), host)
  assert.ok(isKnownOrigin('http://[::1]:5', names))
  assert.ok(!isKnownOrigin('http://localhost/', names))
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) assert.ok(isLoopback(address), address)
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example']) assert.ok(!isLoopback(address), address)
})

test('another path is no server, another method is none of MCP', async () => {
  assert.equal((await ask({ host: 'localhost' }, 'POST', '/')).statusCode, 404)
  const answer = await ask({ host: 'localhost' }, 'PUT')
  assert.equal(answer.statusCode, 405)
  assert.equal(answer.headers.allow, 'GET, POST, DELETE')
})

describe('headers and body that disagree are refused', () => {
  const good = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'pay' }
  const pay = toolCall(1, 'pay', {}, modernMeta)
  const cases: readonly [string, object, Readonly<Record<string, string>>, RegExp][] = [
    ['another method', pay, { ...good, 'mcp-method': 'tools/list' }, /`Mcp-Method` says `tools\/list`/],
    ['another tool', pay, { ...good, 'mcp-name': 'look' }, /`Mcp-Name` says `look`, and the body says `pay`/],
    ['another version', pay, { ...good, 'mcp-protocol-version': '2025-11-25' }, /`MCP-Protocol-Version` says/],
    ['no version', pay, { 'mcp-method': 'tools/call', 'mcp-name': 'pay' }, /`MCP-Protocol-Version` is missing/],
    ['no method', pay, { 'mcp-protocol-version': '2026-07-28', 'mcp-name': 'pay' }, /`Mcp-Method` is missing/],
    ['no tool', pay, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' }, /`Mcp-Name` is missing/],
    ['a tool in bad Base64', pay, { ...good, 'mcp-name': '=?base64?cGF5IQ?=' }, /`Mcp-Name` says/],
    ['an era that has no headers', toolCall(1, 'pay'), { 'mcp-name': 'look' }, /`Mcp-Name` says `look`/],
    ['an answer', { jsonrpc: '2.0', id: 1, result: {} }, { 'mcp-method': 'tools/call' }, /`Mcp-Method` says/],
    [
      'a notification',
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
      { 'mcp-method': 'tools/call' },
      /`Mcp-Method` says/,
    ],
  ]
  for (const [name, message, headers, says] of cases)
    test(name, async () => {
      const sent = server.requests.length
      const answer = await gate.post(message, headers)
      assert.equal(answer.status, 400)
      const { error } = (await answer.json()) as { error: { code: number; message: string } }
      assert.equal(error.code, -32020)
      assert.match(error.message, says)
      assert.match(gate.refused.at(-1) ?? '', says)
      assert.equal(server.requests.length, sent)
    })

  test('those that agree pass, in Base64 too', async () => {
    for (const name of ['pay', '=?base64?cGF5?='])
      assert.equal((await gate.post(pay, { ...good, 'mcp-name': name })).status, 200, name)
    assert.equal(server.requests.at(-1)?.headers['mcp-name'], '=?base64?cGF5?=')
  })
})

describe('a message that is none', () => {
  const cases: readonly [string, string, number, RegExp][] = [
    ['nothing', '', 400, /"code":-32700/],
    ['half of one', '{"jsonrpc":"2.0"', 400, /"code":-32700/],
    ['a batch', JSON.stringify([toolCall(1, 'pay')]), 400, /a batch is not accepted/],
    ['a key twice', '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}', 400, /more than one reading/],
    ['another spelling', '{"jsonrpc":"2.0","id":1,"Method":"tools/call","method":"ping"}', 400, /differs/],
    ['a call without an id', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"pay"}}', 400, /^$/],
    ['a hidden tool', JSON.stringify(toolCall(3, 'hidden')), 200, /Unknown tool: hidden/],
    ['a method nobody knows', JSON.stringify(request(3, 'no/such')), 200, /"code":-32601/],
  ]
  for (const [name, body, status, says] of cases)
    test(name, async () => {
      const sent = server.requests.length
      const answer = await gate.post(body)
      assert.match(await answer.text(), says)
      assert.equal(answer.status, status)
      assert.equal(server.requests.length, sent)
    })

  test('a method nobody knows, in the stateless revision', async () => {
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'no/such' }
    assert.equal((await gate.post(request(3, 'no/such', modernMeta), headers)).status, 404)
  })
})

test('a body of another type, or a packed one, is not read', async () => {
  assert.equal((await gate.post(initialize, { 'content-type': 'text/plain' })).status, 415)
  assert.equal((await gate.post(initialize, { 'content-type': 'application/json-patch+json' })).status, 415)
  assert.equal((await gate.post(initialize, { 'content-encoding': 'gzip' })).status, 415)
})

test('a body that is too large is refused, whether it says so or not', async () => {
  const large = JSON.stringify(toolCall(5, 'pay', { text: 'x'.repeat(callBytesMax) }))
  const said = await gate.post(large)
  assert.equal(said.status, 413)
  assert.match(await said.text(), /larger than 4194304 bytes/)
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(65_536, 0x20)) })
  const unsaid = await fetch(gate.url, {
    method: 'POST',
    body: endless,
    headers: postFields,
    duplex: 'half',
  } as never).catch(({ cause }) => cause)
  // The gate answers and hangs up; a client that is still writing may see the one or the other.
  assert.ok(unsaid.status === 413 || /EPIPE|ECONNRESET|UND_ERR_SOCKET/.test(String(unsaid.code)), String(unsaid))
  assert.equal((await gate.post(initialize)).status, 200)
})

test('headers without an end, and lengths that lie, get no answer of a server', async () => {
  const sent = server.requests.length
  const tell = async (text: string): Promise<string> => {
    const socket = connect(gate.port, '127.0.0.1')
    socket.write(text)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
      socket.end()
    })
    socket.on('error', () => {})
    await once(socket, 'close')
    return answer
  }
  assert.match(await tell(`GET /mcp HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1.1 431/)
  const both =
    'POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'
  assert.match(await tell(both), /^HTTP\/1.1 400/)
  assert.equal(server.requests.length, sent)
})

test('a session belongs to who opened it', async () => {
  const opened = await gate.post(initialize, { 'x-agent': 'ada' })
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const list = request(2, 'tools/list')
  assert.equal((await gate.post(list, { ...session, 'x-agent': 'ada' })).status, 200)
  for (const agent of ['bob', 'Ada'])
    assert.equal((await gate.post(list, { ...session, 'x-agent': agent })).status, 404)
  for (const method of ['GET', 'DELETE'])
    assert.equal((await ask({ host: 'localhost', ...session, 'x-agent': 'bob' }, method)).statusCode, 404)
  assert.equal((await gate.post(list, { 'mcp-session-id': 'no-such' })).status, 404)
})

test('what is not MCP stays here, in both directions', async () => {
  const headers = { authorization: 'Bearer secret', cookie: 'a=b', 'x-api-key': 'secret', 'x-forwarded-for': '1.2.3.4' }
  const meaning = { 'mcp-param-region': 'eu', traceparent: '00-1-2-01', 'mcp-protocol-version': '2025-11-25' }
  const answer = await gate.post(toolCall(4, 'pay'), { ...headers, ...meaning })
  const seen = server.requests.at(-1)?.headers ?? {}
  for (const name of Object.keys(headers)) assert.equal(seen[name], undefined, name)
  for (const [name, value] of Object.entries(meaning)) assert.equal(seen[name], value, name)
  assert.equal(seen.host, server.url.host)
  assert.equal(answer.headers.get('set-cookie'), null)
  const refused = await ask({ host: 'localhost' }, 'DELETE')
  assert.deepEqual([refused.statusCode, refused.headers.allow, refused.headers['x-secret']], [405, 'POST', undefined])
})

test('what is sent is our own serialisation of what was judged', async () => {
  await gate.post(
    ' {"params" : {"name":"pay", "arguments":{"a":1.0}}, "jsonrpc":"2.0","id":1,"method":"tools\\/call"} ',
  )
  assert.equal(
    server.requests.at(-1)?.body,
    '{"params":{"name":"pay","arguments":{"a":1}},"jsonrpc":"2.0","id":1,"method":"tools/call"}',
  )
})
