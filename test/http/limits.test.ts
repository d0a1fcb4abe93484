/** Callers who take too much or too long: a clear status each, nothing reaches a server, and the gate goes on. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { resumeMsMax, sessionIdleMsMax, sessionStreamsMax } from '../../src/http/limits.ts'
import { callBytesMax } from '../../src/model/limits.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'
import { HttpGate, initialize, ScriptedServer } from './fixtures/gate.ts'

let server: ScriptedServer
let gate: HttpGate
/** Waits less than others, so that a test need not wait for it. */
let hasty: HttpGate
let sessions = 0

before(async () => {
  server = await ScriptedServer.start((body, response, { method, headers }) => {
    if (method === 'GET') return response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    if (method === 'DELETE') return response.writeHead(200).end()
    const { id, method: asked, params } = JSON.parse(body)
    if (asked === 'initialize') response.setHeader('mcp-session-id', `s-${++sessions}`)
    if (params?.name === 'breaks' && headers['last-event-id'] === undefined)
      return response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: e1\ndata: \n\n')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }))
  })
  gate = await HttpGate.before(server.url)
  hasty = await HttpGate.before(server.url, {}, { patience: { headersMs: 300, requestMs: 600 } })
})
after(async () => {
  await gate[Symbol.asyncDispose]()
  await hasty[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Everything that the gate says on a connection, until it hangs up. */
async function said(start: (socket: Socket) => void, { port } = gate): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => {})
  start(socket)
  await once(socket, 'close')
  return answer
}

const head = (...fields: readonly string[]) =>
  ['POST /mcp HTTP/1.1', 'host: localhost', 'content-type: application/json', ...fields, '', ''].join('\r\n')

test('headers that take too long, and a connection that says nothing, are hung up on', async () => {
  const sent = server.requests.length
  const answers = await Promise.all([
    said((socket) => void socket.write('POST /mcp HTTP/1.1\r\nhost: local'), hasty),
    said((socket) => {
      socket.write('POST /mcp HTTP/1.1\r\n')
      const timer = setInterval(() => socket.write('x: y\r\n'), 100)
      socket.once('close', () => clearInterval(timer))
    }, hasty),
    said(() => {}, hasty),
  ])
  for (const answer of answers.slice(0, 2)) assert.match(answer, /^HTTP\/1.1 408 /)
  assert.equal(server.requests.length, sent)
})

test('a body that takes too long is hung up on', async () => {
  const sent = server.requests.length
  const answer = await said((socket) => {
    socket.write(head('content-length: 1000'))
    const timer = setInterval(() => socket.write(' '), 100)
    socket.once('close', () => clearInterval(timer))
  }, hasty)
  assert.match(answer, /^HTTP\/1.1 408 /)
  assert.equal(server.requests.length, sent)
})

test('a body that is shorter or longer than it says is no message', async () => {
  const sent = server.requests.length
  const call = JSON.stringify(toolCall(1, 'pay'))
  const short = await said((socket) => void socket.end(`${head(`content-length: ${call.length + 5}`)}${call}`))
  assert.match(short, /^(HTTP\/1.1 400 |$)/)
  const long = await said((socket) => void socket.write(`${head('content-length: 10')}${call}`))
  assert.match(long, /^HTTP\/1.1 400 /)
  for (const length of ['-1', '1e3', '0x10', '5, 6', ''])
    assert.match(
      await said((socket) => void socket.write(`${head(`content-length: ${length}`)}${call}`)),
      /^HTTP\/1.1 400 /,
      length,
    )
  assert.equal(server.requests.length, sent)
  assert.deepEqual(gate.admitted, [])
})

test('a packed body is refused before it is unpacked, whatever it is packed with', async () => {
  const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024, ' '))
  assert.ok(bomb.length < 64 * 1024)
  for (const coding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, identity', 'x']) {
    const headers = { 'content-type': 'application/json', 'content-encoding': coding }
    const answer = await fetch(gate.url, { method: 'POST', body: bomb, headers })
    assert.equal(answer.status, 415, coding)
    assert.match(await answer.text(), /a packed body is not accepted/)
  }
})

test('a body over the limit is refused by its length, before it has come', async () => {
  const answer = await said((socket) => void socket.write(head(`content-length: ${callBytesMax + 1}`)))
  assert.match(answer, /^HTTP\/1.1 413 [\s\S]*larger than 4194304 bytes/)
})

test('a body that nobody looked at, and that comes after the answer, does not cost the connection', async () => {
  const packed = head('content-length: 2', 'content-encoding: gzip', 'connection: keep-alive')
  const answers = await said((socket) => {
    socket.write(packed)
    socket.once('data', () => {
      socket.write('{}')
      socket.end(`${packed}{}`)
    })
  })
  assert.equal(answers.match(/HTTP\/1.1 415/g)?.length, 2)
})

test('an unfinished chunked body is no message', async () => {
  const answer = await said((socket) => void socket.end(`${head('transfer-encoding: chunked')}5\r\n{"jso`))
  assert.match(answer, /^(HTTP\/1.1 400 |$)/)
  const odd = await said((socket) => void socket.write(`${head('transfer-encoding: chunked')}zz\r\n`))
  assert.match(odd, /^HTTP\/1.1 400 /)
})

test('a request before the answer to the last one is hung up on: a connection has one stream', async () => {
  const sent = server.requests.length
  await said((socket) => {
    socket.write('GET /mcp HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(50))
    setTimeout(() => socket.destroy(), 2_000).unref()
  })
  await sleep(100)
  assert.ok(server.requests.length - sent <= 1, `${server.requests.length - sent} streams`)
  const twice = head('content-length: 2', 'connection: keep-alive')
  const answers = await said((socket) => {
    socket.write(`${twice}{}`)
    socket.once('data', () => socket.end(`${twice}{}`))
  })
  assert.equal(answers.match(/HTTP\/1.1 400/g)?.length, 2, 'one after the other is fine')
})

test('there is an end to the streams of a session', async () => {
  const opened = await gate.post(initialize)
  const headers = { accept: 'text/event-stream', 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const leaving = new AbortController()
  for (let n = 0; n < sessionStreamsMax; n++) {
    const { status } = await fetch(gate.url, { headers, signal: leaving.signal })
    assert.equal(status, 200)
  }
  const refused = await fetch(gate.url, { headers })
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '5'])
  assert.match(await refused.text(), /the session has too many streams/)
  leaving.abort()
  let status = 0
  for (const start = Date.now(); status !== 200 && Date.now() - start < 10_000; ) {
    const again = new AbortController()
    status = (await fetch(gate.url, { headers, signal: again.signal })).status
    again.abort()
  }
  assert.equal(status, 200)
})

test('a session that nobody uses is over, here and at the server; one with an open stream is not', async () => {
  const ids = [await gate.post(initialize), await gate.post(initialize)].map(
    ({ headers }) => headers.get('mcp-session-id') ?? '',
  )
  const [left = '', kept = ''] = ids
  const leaving = new AbortController()
  const headers = { accept: 'text/event-stream', 'mcp-session-id': kept }
  assert.equal((await fetch(gate.url, { headers, signal: leaving.signal })).status, 200)
  gate.endpoint.sweep(Date.now() + sessionIdleMsMax - 1_000)
  assert.equal((await gate.post(toolCall(1, 'look'), { 'mcp-session-id': left })).status, 200)
  gate.endpoint.sweep(Date.now() + sessionIdleMsMax + 1_000)
  assert.equal((await gate.post(toolCall(2, 'look'), { 'mcp-session-id': left })).status, 404)
  assert.equal((await gate.post(toolCall(2, 'look'), { 'mcp-session-id': kept })).status, 200)
  const ended = () =>
    server.requests.some(({ method, headers }) => method === 'DELETE' && headers['mcp-session-id'] === left)
  await until(ended, 'the end at the server')
  leaving.abort()
})

test('a call whose stream broke is not waited for without end', async () => {
  const opened = await gate.post(initialize)
  const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  await (await gate.post(toolCall(5, 'breaks'), headers)).text()
  const before = gate.outcomes.length
  gate.endpoint.sweep(Date.now() + resumeMsMax - 1_000)
  assert.equal(gate.outcomes.length, before)
  gate.endpoint.sweep(Date.now() + resumeMsMax + 1_000)
  assert.deepEqual(gate.outcomes.slice(before), ['unknown: its stream broke'])
})

test('after all that the gate answers as before', async () => {
  assert.equal((await gate.post(toolCall(9, 'pay'))).status, 200)
})
