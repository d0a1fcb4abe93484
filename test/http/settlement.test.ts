/** How calls end whose server is killed, silent, slow, or makes no sense: the caller hears of it, and the record knows. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { modernMeta, toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'
import { everythingOverHttp, HttpGate, initialize, type Script, ScriptedServer } from './fixtures/gate.ts'

const call = toolCall(7, 'pay')

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function events(response: ServerResponse, ...texts: readonly string[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const text of texts) response.write(text)
}

const notice = 'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n'
const answer = 'data: {"jsonrpc":"2.0","id":7,"result":{"content":[]}}\n\n'

interface Ending {
  readonly what: string
  readonly script: Script
  readonly status: number
  /** In the answer that the caller reads. */
  readonly says: RegExp
  readonly outcome: string
}

const endings: readonly Ending[] = [
  {
    what: 'answers',
    script: (_, response) => json(response, 200, { jsonrpc: '2.0', id: 7, result: { content: [] } }),
    status: 200,
    says: /"result":\{"content":\[\]\}/,
    outcome: 'success',
  },
  {
    what: 'says that nothing happened',
    script: (_, response) => json(response, 200, { jsonrpc: '2.0', id: 7, result: { isError: true, content: [] } }),
    status: 200,
    says: /"isError":true/,
    outcome: 'error: isError',
  },
  {
    what: 'refuses the message as one that it cannot read',
    script: (_, response) => json(response, 400, { jsonrpc: '2.0', id: null, error: { code: -32_700, message: 'no' } }),
    status: 400,
    says: /"message":"no"/,
    outcome: 'error: HTTP 400',
  },
  {
    what: 'fails with an error that names no request',
    script: (_, response) => json(response, 500, { jsonrpc: '2.0', id: null, error: { code: -32_603, message: 'no' } }),
    status: 500,
    says: /"message":"no"/,
    outcome: 'unknown: HTTP 500',
  },
  {
    what: 'answers with a page of its own',
    script: (_, response) => response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>down</h1>'),
    status: 503,
    says: /"id":7.*the MCP server answered with HTTP 503/,
    outcome: 'unknown: the MCP server answered with HTTP 503',
  },
  {
    what: 'wants another login',
    script: (_, response) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end(),
    status: 502,
    says: /the MCP server answered with HTTP 401/,
    outcome: 'unknown: the MCP server answered with HTTP 401',
  },
  {
    what: 'sends callers elsewhere',
    script: (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    status: 502,
    says: /"id":7.*gave no answer that could be used/,
    outcome: 'unknown: the MCP server gave no answer that could be used',
  },
  {
    what: 'sends garbage as JSON',
    script: (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":'),
    status: 502,
    says: /gave no answer that could be used/,
    outcome: 'unknown: the MCP server gave no answer that could be used',
  },
  {
    what: 'answers another request',
    script: (_, response) => json(response, 200, { jsonrpc: '2.0', id: 8, result: { content: [] } }),
    status: 502,
    says: /"id":7.*gave no answer that could be used/,
    outcome: 'unknown: the MCP server gave no answer that could be used',
  },
  {
    what: 'packs its answer',
    script: (_, response) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('xx'),
    status: 502,
    says: /gave no answer that could be used/,
    outcome: 'unknown: the MCP server gave no answer that could be used',
  },
  {
    what: 'takes a request for a notification',
    script: (_, response) => response.writeHead(202).end(),
    status: 502,
    says: /gave no answer that could be used/,
    outcome: 'unknown: the MCP server gave no answer that could be used',
  },
  {
    what: 'breaks the connection',
    script: (_, response) => response.destroy(),
    status: 502,
    says: /"id":7.*the connection to the MCP server broke/,
    outcome: 'unknown: the connection to the MCP server broke',
  },
  {
    what: 'breaks off in the middle of its JSON',
    script: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{"jsonrpc"')
      setTimeout(() => response.destroy(), 50)
    },
    status: 502,
    says: /the connection to the MCP server broke/,
    outcome: 'unknown: the connection to the MCP server broke',
  },
  {
    what: 'ends its stream before the answer',
    script: (_, response) => {
      events(response, notice)
      response.end()
    },
    status: 200,
    says: /notifications\/message[\s\S]*"id":7,"error"[\s\S]*gave no answer that could be used/,
    outcome: 'unknown: the MCP server gave no answer that could be used',
  },
  {
    what: 'breaks off in the middle of its stream',
    script: (_, response) => {
      events(response, notice, 'data: {"json')
      setTimeout(() => response.destroy(), 50)
    },
    status: 200,
    says: /notifications\/message[\s\S]*"id":7,"error"[\s\S]*the connection to the MCP server broke/,
    outcome: 'unknown: the connection to the MCP server broke',
  },
  {
    what: 'streams garbage around its answer',
    script: (_, response) => {
      events(response, 'data: garbage\n\n', 'event: x\ndata: [1]\n\n', ': comment\n\n', answer)
      response.end()
    },
    status: 200,
    says: /^: comment\n\ndata: \{"jsonrpc":"2.0","id":7,"result":\{"content":\[\]\}\}\n\n$/,
    outcome: 'success',
  },
  {
    what: 'is silent for too long',
    script: () => {},
    status: 504,
    says: /"id":7.*the MCP server did not answer in time/,
    outcome: 'unknown: the MCP server did not answer in time',
  },
  {
    what: 'stalls in its stream',
    script: (_, response) => events(response, notice),
    status: 200,
    says: /notifications\/message[\s\S]*did not answer in time/,
    outcome: 'unknown: the MCP server did not answer in time',
  },
]

describe('a call ends as it must when the server', { concurrency: 4 }, () => {
  for (const { what, script, status, says, outcome } of endings)
    test(what, async () => {
      await using server = await ScriptedServer.start(script)
      await using gate = await HttpGate.before(server.url, {}, { silenceMs: 600 })
      const answered = await gate.post(call)
      assert.match(await answered.text(), says)
      assert.equal(answered.status, status)
      assert.deepEqual(gate.outcomes, [outcome])
      // The gate lives.
      assert.equal((await gate.post({ jsonrpc: '2.0', id: 8, method: 'no/such' })).status, 200)
    })
})

test('a call that never left the gate gives back what it reserved', async () => {
  const server = await ScriptedServer.start(() => {})
  const { url } = server
  await server[Symbol.asyncDispose]()
  await using gate = await HttpGate.before(url)
  const answered = await gate.post(call)
  assert.equal(answered.status, 502)
  assert.match(await answered.text(), /the MCP server cannot be reached/)
  assert.deepEqual(gate.outcomes, ['error: not sent'])
})

test('a call whose server is killed while it streams ends with an error for its client, once it cannot be resumed', async () => {
  const server = await everythingOverHttp()
  await using gate = await HttpGate.before(server.url)
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(gate.url) as never)
  const args = { duration: 20, steps: 20 }
  const answered = client.callTool({ name: 'trigger-long-running-operation', arguments: args })
  await until(() => gate.admitted.length === 1, 'the call')
  await new Promise((resolve) => setTimeout(resolve, 300))
  server.kill()
  await assert.rejects(answered, /the MCP server cannot be reached|the connection to the MCP server broke/)
  assert.equal(gate.outcomes.length, 1)
  assert.match(gate.outcomes[0] ?? '', /^unknown: /)
  await client.close()
})

test('when a session ends, who waits in it is told', async () => {
  await using server = await ScriptedServer.start((body, response, request) => {
    if (request.method === 'DELETE') return response.writeHead(200).end()
    if (!body.includes('initialize')) return
    response.setHeader('mcp-session-id', 's-1')
    json(response, 200, { jsonrpc: '2.0', id: 0, result: { capabilities: {} } })
  })
  await using gate = await HttpGate.before(server.url)
  await gate.post(initialize)
  const session = { 'mcp-session-id': 's-1' }
  const answered = gate.post(call, session)
  await until(() => gate.admitted.length === 1, 'the call')
  assert.equal((await fetch(gate.url, { method: 'DELETE', headers: session })).status, 200)
  assert.match(await (await answered).text(), /"id":7,"error".*the client ended the session/)
  assert.deepEqual(gate.outcomes, ['unknown: the client ended the session'])
  assert.equal((await gate.post(call, session)).status, 404)
})

test('a caller that leaves makes the gate leave the server', async () => {
  await using server = await ScriptedServer.start((_, response) => events(response, notice))
  await using gate = await HttpGate.before(server.url)
  const leaving = new AbortController()
  const { url } = gate
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const answered = await fetch(url, { method: 'POST', body: JSON.stringify(call), headers, signal: leaving.signal })
  await answered.body?.getReader().read()
  leaving.abort()
  await until(() => server.left === 1, 'the server to be left')
  await until(() => gate.outcomes.length === 1, 'the outcome')
  assert.deepEqual(gate.outcomes, ['unknown: the caller left'])
})

test('a stream that can be resumed keeps its call open, and the replayed answer settles it', async () => {
  await using server = await ScriptedServer.start((body, response, request) => {
    if (body.includes('initialize')) {
      response.setHeader('mcp-session-id', 's-1')
      return json(response, 200, { jsonrpc: '2.0', id: 0, result: { capabilities: {} } })
    }
    if (request.method === 'POST') events(response, 'id: e1\nretry: 10\ndata: \n\n')
    else events(response, 'id: e2\n', answer)
    response.end()
  })
  await using gate = await HttpGate.before(server.url)
  const session = (await gate.post(initialize)).headers.get('mcp-session-id') ?? ''
  assert.equal(session, 's-1')
  const first = await gate.post(call, { 'mcp-session-id': session })
  assert.equal(await first.text(), 'id: e1\nretry: 10\ndata: \n\n')
  assert.deepEqual(gate.outcomes, [])
  const headers = { accept: 'text/event-stream', 'mcp-session-id': session, 'last-event-id': 'e1' }
  const resumed = await fetch(gate.url, { headers })
  assert.equal(await resumed.text(), `id: e2\n${answer}`)
  assert.equal(server.requests.at(-1)?.headers['last-event-id'], 'e1')
  assert.deepEqual(gate.outcomes, ['success'])
})

test('a slow reader makes the server wait', async () => {
  const piece = `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${'x'.repeat(60_000)}"}}\n\n`
  let written = 0
  await using server = await ScriptedServer.start(async (_, response) => {
    const gone = once(response, 'close')
    for (; written < 2_000 && !response.destroyed; written++) {
      events(response, piece)
      if (response.writableNeedDrain) await Promise.race([once(response, 'drain'), gone])
    }
  })
  await using gate = await HttpGate.before(server.url)
  const answered = await gate.post(call)
  await new Promise((resolve) => setTimeout(resolve, 500))
  const held = written
  assert.ok(held < 500, `${held} of 2000 pieces were taken for a reader that sleeps`)
  await answered.body?.cancel()
})

test('a gate that is told to end lets a call finish, and takes no new one', async () => {
  await using server = await ScriptedServer.start((_, response) => {
    setTimeout(() => json(response, 200, { jsonrpc: '2.0', id: 7, result: { content: [] } }), 400)
  })
  const gate = await HttpGate.before(server.url)
  const answered = gate.post(call)
  await until(() => server.requests.length === 1, 'the call')
  const drained = gate.front.drain()
  await assert.rejects(gate.post(toolCall(8, 'pay')))
  assert.match(await (await answered).text(), /"result"/)
  await drained
  assert.deepEqual(gate.outcomes, ['success'])
})

test('a stateless stream that ends has an unknown outcome at once, whatever ids it gave', async () => {
  await using server = await ScriptedServer.start((_, response) => {
    events(response, 'id: e1\ndata: \n\n')
    response.end()
  })
  await using gate = await HttpGate.before(server.url)
  const fields = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'pay' }
  const answered = await gate.post(toolCall(7, 'pay', {}, modernMeta), fields)
  assert.match(await answered.text(), /"id":7,"error"/)
  assert.deepEqual(gate.outcomes, ['unknown: the MCP server gave no answer that could be used'])
})
