/** Callers over HTTP that are stopped: their calls, streams and sessions end, at the server too, and what they ask next is refused. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { sessionlessFor } from '../../src/http/sessions.ts'
import type { Answer } from '../answer.ts'
import { installed } from '../mcp/fixtures/gated.ts'
import { modernMeta, request, toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'
import { HttpGate, initialize, ScriptedServer } from './fixtures/gate.ts'

const sessionHeader = { 'mcp-session-id': 'upstream-1' }
const json = (response: ServerResponse, body: object, headers = {}) =>
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

/** Opens sessions; `silent` is never answered, `begun` only with a first event; streams stay open. */
const server = await ScriptedServer.start((body, response, { method }) => {
  if (method === 'DELETE') return void response.writeHead(200).end()
  if (method === 'GET') return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n')
  const { id, method: asked, params } = JSON.parse(body)
  if (id === undefined) return void response.writeHead(202).end()
  if (asked === 'initialize')
    return json(
      response,
      { jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25', capabilities: {} } },
      sessionHeader,
    )
  if (params.name === 'silent') return
  if (params.name === 'broken')
    return void response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: e1\ndata: \n\n')
  if (params.name === 'begun')
    return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': begun\n\n')
  json(response, { jsonrpc: '2.0', id, result: { content: [] } })
})
after(() => server[Symbol.asyncDispose]())

const answerOf = async (response: Response): Promise<Answer> => response.json()

const posted = () => server.requests.filter(({ body }) => body !== '').map(({ body }) => JSON.parse(body))
const arrived = (name: string) => until(() => posted().some(({ params }) => params?.name === name), `${name} arrives`)
const cancelled = () =>
  posted().flatMap(({ method, params }) => (method === 'notifications/cancelled' ? [params.requestId] : []))

async function opened(rules = {}): Promise<HttpGate> {
  server.requests.length = 0
  const gate = await HttpGate.before(server.url, rules)
  assert.equal((await gate.post(initialize)).status, 200)
  return gate
}

test('a session of a stopped caller: its calls get an error, its streams end, the server is told, and it is unknown after', async () => {
  await using gate = await opened()
  const silent = gate.post(toolCall(1, 'silent'), sessionHeader)
  const begun = await gate.post(toolCall(2, 'begun'), sessionHeader)
  const stream = await fetch(gate.url, { headers: { accept: 'text/event-stream', ...sessionHeader } })
  await arrived('silent')
  gate.gate.kill('a1')
  const { error } = await answerOf(await silent)
  const { status } = await silent
  assert.deepEqual([status, error.code], [200, -31403])
  assert.match(error.message, /^Stopped while it was under way: somebody stopped the agent\./)
  assert.match(await begun.text(), /data: \{"jsonrpc":"2\.0","id":2,"error":\{"code":-31403/)
  await stream.text()
  await until(() => server.requests.some(({ method }) => method === 'DELETE'), 'the session is ended at the server')
  assert.equal(server.requests.find(({ method }) => method === 'DELETE')?.headers['mcp-session-id'], 'upstream-1')
  assert.deepEqual(cancelled().toSorted(), [1, 2])
  assert.deepEqual(gate.outcomes, [
    'unknown: stopped: somebody stopped the agent',
    'unknown: stopped: somebody stopped the agent',
  ])
  const gone = await gate.post(toolCall(3, 'fine'), sessionHeader)
  assert.deepEqual([gone.status, (await answerOf(gone)).error.code], [404, -32001])
  const anew = await gate.post(initialize)
  assert.deepEqual([anew.status, (await answerOf(anew)).error.code], [200, -31403], 'nor is another one opened')
  const listening = await fetch(gate.url, { headers: { accept: 'text/event-stream' } })
  assert.deepEqual([listening.status, (await answerOf(listening)).error.code], [403, -31403])
  gate.gate.kill()
  assert.equal((await gate.post(initialize)).status, 200, 'and once that is lifted, it is')
  const fine = await gate.post(toolCall(3, 'fine'), sessionHeader)
  assert.deepEqual((await answerOf(fine)).result, { content: [] })
})

test('a call whose stream broke is ended by the stop of its tool, and whoever resumes it hears so', async () => {
  await using gate = await opened()
  assert.match(await (await gate.post(toolCall(1, 'broken'), sessionHeader)).text(), /id: e1/)
  assert.deepEqual(gate.outcomes, [])
  gate.gate.kill('broken')
  await until(() => cancelled().length === 1, 'the server is told')
  assert.deepEqual(gate.outcomes, ['unknown: stopped: somebody stopped the tool'])
  const headers = { accept: 'text/event-stream', 'last-event-id': 'e1', ...sessionHeader }
  const resumed = (await fetch(gate.url, { headers })).body?.getReader()
  let text = ''
  while (!text.includes('"error"')) text += Buffer.from((await resumed?.read())?.value ?? []).toString()
  assert.match(
    text,
    /"id":1,"error":\{"code":-31403,"message":"Stopped while it was under way: somebody stopped the tool/,
  )
  await resumed?.cancel()
})

test('a stopped tool ends its own calls alone; the session goes on', async () => {
  await using gate = await opened()
  const stopped = gate.post(toolCall(1, 'silent'), sessionHeader)
  const begun = await gate.post(toolCall(2, 'begun'), sessionHeader)
  await arrived('silent')
  gate.gate.kill('silent')
  assert.equal((await answerOf(await stopped)).error.data['dev.tollgate/decision'].reason_code, 'TOOL_KILLED')
  await until(() => cancelled().length === 1, 'the server is told')
  assert.deepEqual((await answerOf(await gate.post(toolCall(3, 'fine'), sessionHeader))).result, { content: [] })
  gate.gate.kill('begun')
  assert.match(await begun.text(), /"id":2,"error"/)
  assert.ok(!server.requests.some(({ method }) => method === 'DELETE'))
})

test('a stopped server: whoever is there has no session any more, and gets no other', async () => {
  await using gate = await opened()
  const call = gate.post(toolCall(1, 'silent'), sessionHeader)
  await arrived('silent')
  gate.gate.kill('srv')
  assert.equal((await answerOf(await call)).error.data['dev.tollgate/decision'].reason_code, 'KILLED')
  assert.equal((await gate.post(request(2, 'ping'), sessionHeader)).status, 404)
  assert.equal((await answerOf(await gate.post(initialize))).error.code, -31403)
})

test('a stateless caller that is stopped: its call is left, and what it asks next is refused', async () => {
  server.requests.length = 0
  await using gate = await HttpGate.before(server.url)
  const meta = { _meta: { ...modernMeta._meta, 'io.modelcontextprotocol/clientCapabilities': {} } }
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'silent' }
  const call = gate.post(toolCall(1, 'silent', {}, meta), headers)
  await arrived('silent')
  const left = server.left
  gate.gate.kill('a1')
  assert.equal((await answerOf(await call)).error.code, -31403)
  await until(() => server.left === left + 1, 'the request of the server is left')
  assert.deepEqual(cancelled(), [], 'to leave it is to cancel it')
  const refused = await gate.post(request(2, 'tools/list', meta), {
    ...headers,
    'mcp-method': 'tools/list',
    'mcp-name': '',
  })
  assert.equal((await answerOf(refused)).error.code, -31403)
  assert.equal(posted().length, 1)
})

test('the session of a caller that has none is one for each caller and server, the same after a restart', () => {
  const [one, other] = [sessionlessFor('a'), sessionlessFor('b')]
  const name = one({ agent: 'bot', user: 'eve' })
  assert.match(name, /^sessionless-[0-9a-f]{32}$/)
  assert.equal(sessionlessFor('a')({ user: 'eve', agent: 'bot', groups: ['g'], claims: { jti: 'x' } }), name)
  const names = [one({ agent: 'bot' }), one({ user: 'bot' }), one({}), other({ agent: 'bot', user: 'eve' })]
  assert.equal(new Set([name, ...names]).size, 5)
})

describe('a stdio server behind HTTP', () => {
  let gate: HttpGate
  before(async () => {
    const file = installed('@modelcontextprotocol/server-everything/dist/index.js')
    gate = await HttpGate.before({ command: process.execPath, args: [file] })
  })
  after(() => gate[Symbol.asyncDispose]())

  const connected = async () => {
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(gate.url) as never)
    return client
  }
  const long = { name: 'trigger-long-running-operation', arguments: { duration: 30, steps: 30 } }

  test('a call of a stopped tool ends, and then the session of a stopped caller', async () => {
    const client = await connected()
    const call = client.callTool(long)
    call.catch(() => {})
    await until(() => gate.admitted.includes(long.name), 'the call is under way')
    gate.gate.kill(long.name)
    await assert.rejects(call, { code: -31403 })
    assert.equal((await client.callTool({ name: 'echo', arguments: { message: 'm' } })).isError, undefined)
    gate.gate.kill('a1')
    await assert.rejects(client.listTools(), /404|there is no such session|-32001/)
    gate.gate.kill()
    await sleep(0)
    const again = await connected()
    assert.equal((await again.callTool({ name: 'echo', arguments: { message: 'm' } })).isError, undefined)
    await again.close()
    assert.deepEqual(gate.outcomes, ['unknown: stopped: somebody stopped the tool', 'success', 'success'])
  })
})
