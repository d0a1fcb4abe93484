/** Stdio servers behind HTTP: real servers, the real clients of both generations, and servers that end, hang and talk nonsense. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CreateMessageRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { processesMax } from '../../src/http/limits.ts'
import { everything, fixture } from '../mcp/fixtures/gated.ts'
import { modernMeta, request, toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'
import { HttpGate, initialize } from './fixtures/gate.ts'
import { node, Session, scripted } from './fixtures/stdio.ts'

const clientInfo = { name: 'test', version: '1' }
async function behind(onMessage: string) {
  const gate = await HttpGate.before(scripted(onMessage))
  return { gate, session: await Session.open(gate), [Symbol.asyncDispose]: () => gate[Symbol.asyncDispose]() }
}

describe('server-everything with the v1 client', () => {
  let gate: HttpGate
  before(async () => {
    gate = await HttpGate.before(node(...everything), { deny: ['get-env'], hide: ['get-tiny-image'] })
  })
  after(() => gate[Symbol.asyncDispose]())

  async function connected(): Promise<Client> {
    const client = new Client(clientInfo, { capabilities: { sampling: {} } })
    const content = { type: 'text' as const, text: 'sampled words' }
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({ role: 'assistant', model: 'm', content }))
    await client.connect(new StreamableHTTPClientTransport(gate.url) as never)
    return client
  }

  test('calls are answered, denied, and hidden as by any other way', async () => {
    const client = await connected()
    const { tools } = await client.listTools()
    assert.ok(tools.some(({ name }) => name === 'echo') && !tools.some(({ name }) => name === 'get-tiny-image'))
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
    assert.deepEqual(content, [{ type: 'text', text: 'Echo: hello' }])
    assert.equal((await client.callTool({ name: 'get-env', arguments: {} })).isError, true)
    await assert.rejects(client.callTool({ name: 'get-tiny-image', arguments: {} }), /Unknown tool/)
    await client.close()
  })

  test('progress finds its call, requests of the server find their client', async () => {
    const client = await connected()
    const seen: number[] = []
    const onprogress = ({ progress }: { progress: number }) => void seen.push(progress)
    const args = { duration: 0.4, steps: 4 }
    const long = { name: 'trigger-long-running-operation', arguments: args }
    const sampling = { name: 'trigger-sampling-request', arguments: { prompt: 'say', maxTokens: 10 } }
    const [, sampled] = await Promise.all([
      client.callTool(long, undefined, { onprogress }),
      client.callTool(sampling, undefined, { timeout: 20_000 }),
    ])
    assert.deepEqual(seen, [1, 2, 3, 4])
    assert.match(JSON.stringify(sampled.content), /sampled words/)
    await client.close()
  })

  test('another policy is told to every session', async () => {
    const clients = await Promise.all([connected(), connected()])
    let told = 0
    for (const client of clients) {
      await client.listTools()
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => void told++)
    }
    gate.gate.change({ hide: ['echo'] })
    await until(() => told >= 2, 'the notifications')
    for (const client of clients) {
      assert.ok(!(await client.listTools()).tools.some(({ name }) => name === 'echo'))
      await client.close()
    }
  })
})

test('a server of both eras with the v2 client, which asks for the era first', async () => {
  await using gate = await HttpGate.before(node(fixture('dual-server.ts')), { deny: ['secret'] })
  const client = new ModernClient(clientInfo, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new ModernHttp(gate.url))
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'echo'))
  const calls = Array.from({ length: 3 }, (_, n) => client.callTool({ name: 'echo', arguments: { message: `m${n}` } }))
  for (const [n, { content }] of (await Promise.all(calls)).entries())
    assert.deepEqual(content, [{ type: 'text', text: `modern:m${n}` }])
  assert.equal((await client.callTool({ name: 'secret', arguments: {} })).isError, true)
  const leaving = new AbortController()
  const left = client.callTool({ name: 'slow', arguments: { ms: 8_000 } }, { signal: leaving.signal })
  await until(() => gate.admitted.includes('slow'), 'the call')
  leaving.abort()
  await assert.rejects(left)
  await until(() => gate.outcomes.includes('unknown: the caller left'), 'the outcome')
  await client.close()
})

test('each session has a process of its own, which ends with it', async () => {
  await using gate = await HttpGate.before(scripted('answer(message.id, { content: [], pid: process.pid })'))
  const sessions = await Promise.all([Session.open(gate), Session.open(gate)])
  const pids = await Promise.all(
    sessions.map(async (session) => {
      const { result } = (await (await session.post(toolCall(1, 'pay'))).json()) as { result: { pid: number } }
      return result.pid
    }),
  )
  const [first = 0, second = 0] = pids
  assert.notEqual(first, second)
  assert.equal((await sessions[0]?.ask('DELETE'))?.status, 200)
  await until(() => !isAlive(first), 'the end of the process')
  assert.equal((await sessions[0]?.post(toolCall(2, 'pay')))?.status, 404)
  assert.ok(isAlive(second))
  assert.equal((await sessions[1]?.post(toolCall(2, 'pay')))?.status, 200)
})

test('a stateless request has a process for itself, and the next one takes it over', async () => {
  const slow = 'setTimeout(() => answer(message.id, { content: [], pid: process.pid }), 200)'
  await using gate = await HttpGate.before(scripted(slow))
  const fields = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'pay' }
  const pid = async () => {
    const { result } = (await (await gate.post(toolCall(1, 'pay', {}, modernMeta), fields)).json()) as {
      result: { pid: number }
    }
    return result.pid
  }
  const [one, two] = await Promise.all([pid(), pid()])
  assert.notEqual(one, two)
  assert.ok([one, two].includes(await pid()))
})

test('a stateless request that makes no sense to the server has a status that says so', async () => {
  await using gate = await HttpGate.before(
    scripted(`say({ jsonrpc: '2.0', id: message.id, error: { code: message.params.code, message: 'no' } })`),
  )
  for (const [code, status] of [
    [-32_601, 404],
    [-32_022, 400],
    [-32_602, 200],
  ]) {
    const fields = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' }
    const answer = await gate.post(request(1, 'server/discover', { code, ...modernMeta }), fields)
    assert.equal(answer.status, status)
    assert.match(await answer.text(), /"message":"no"/)
  }
})

describe('a server that fails', () => {
  const endings: readonly (readonly [string, string, number, RegExp, string])[] = [
    ['dies', 'process.kill(process.pid, "SIGKILL")', 502, /ended before it answered/, 'unknown'],
    ['ends', 'process.exit(3)', 502, /ended before it answered/, 'unknown'],
    ['closes its output', 'process.stdout.end()', 502, /ended before it answered/, 'unknown'],
    ['says nothing', '', 504, /did not answer in time/, 'unknown: the MCP server did not answer in time'],
    ['talks nonsense', 'say("{"); say("[]"); say(" null ")', 504, /did not answer in time/, 'unknown'],
    ['answers another request', 'answer(99, {})', 504, /did not answer in time/, 'unknown'],
    [
      'answers unclearly',
      `say('{"jsonrpc":"2.0","id":' + message.id + ',"result":{},"result":{}}')`,
      200,
      /the server's answer was refused/,
      'unknown',
    ],
    [
      'says that nothing happened',
      'answer(message.id, { isError: true, content: [] })',
      200,
      /"isError":true/,
      'error: isError',
    ],
  ]
  for (const [what, script, status, says, outcome] of endings)
    test(what, async () => {
      // Long enough for a server that starts on a busy machine; before 2025-11-25 a slow answer is no stream that resumes.
      await using gate = await HttpGate.before(scripted(script), {}, { silenceMs: status === 504 ? 2_000 : 30_000 })
      const session = await Session.open(gate, '2025-06-18')
      const answer = await session.post(toolCall(7, 'pay'))
      assert.match(await answer.text(), says)
      assert.equal(answer.status, status)
      assert.match(gate.outcomes[0] ?? '', new RegExp(`^${outcome}`))
      assert.equal(gate.outcomes.length, 1)
      // The gate lives, and whoever comes gets a server that does.
      await Session.open(gate)
    })

  test('its session is over when it has ended', async () => {
    await using open = await behind('process.exit(3)')
    await (await open.session.post(toolCall(7, 'pay'))).text()
    await until(() => open.gate.events.length > 1, 'the outcome')
    assert.equal((await open.session.post(toolCall(8, 'pay'))).status, 404)
  })

  test('ends in the middle of a stream', async () => {
    const token = { _meta: { progressToken: 'p' } }
    const progress = `say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } })`
    await using open = await behind(`${progress}; setTimeout(() => process.exit(1), 50)`)
    const answer = await open.session.post(toolCall(7, 'pay', {}, token))
    assert.match(await answer.text(), /notifications\/progress[\s\S]*"id":7,"error"[\s\S]*ended before it answered/)
    assert.match(open.gate.outcomes[0] ?? '', /^unknown/)
  })

  test('cannot be started', async () => {
    await using gate = await HttpGate.before({ command: '/no/such/command', args: [] })
    const answer = await gate.post(initialize)
    assert.equal(answer.status, 502)
    assert.match(await answer.text(), /"id":0.*cannot be started/)
    assert.match(gate.log.join('\n'), /there is no such command/)
    const fields = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'pay' }
    assert.equal((await gate.post(toolCall(7, 'pay', {}, modernMeta), fields)).status, 502)
    assert.deepEqual(gate.outcomes, ['error: not sent'])
  })

  test('refuses to open a session', async () => {
    const server = node(
      '-e',
      `process.stdin.once('data', () => console.log('{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"no"}}'))`,
    )
    await using gate = await HttpGate.before(server)
    const answer = await gate.post(initialize)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('mcp-session-id'), null)
    assert.match(await answer.text(), /"message":"no"/)
  })
})

test('a call whose caller left ends in the record as the server says', async () => {
  await using open = await behind('setTimeout(() => answer(message.id, { content: [] }), 300)')
  const leaving = new AbortController()
  const headers = { 'content-type': 'application/json', ...open.session.headers }
  const body = JSON.stringify(toolCall(7, 'pay'))
  const left = fetch(open.gate.url, { method: 'POST', body, headers, signal: leaving.signal })
  await until(() => open.gate.admitted.length === 1, 'the call')
  leaving.abort()
  await assert.rejects(left)
  await until(() => open.gate.outcomes.length === 1, 'the outcome')
  assert.deepEqual(open.gate.outcomes, ['success'])
})

test('a call that its client cancels gets no answer and does not hold its connection', async () => {
  await using open = await behind('')
  const answered = open.session.post(toolCall(7, 'pay'))
  await until(() => open.gate.admitted.length === 1, 'the call')
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } }
  assert.equal((await open.session.post(cancel)).status, 202)
  assert.equal(await (await answered).text(), '')
})

test('what belongs to no call waits for the stream of the session', async () => {
  const note = `say({ jsonrpc: '2.0', method: 'notifications/message', params: { data: message.method } })`
  await using gate = await HttpGate.before(scripted(`${note}; answer(message.id, {})`, 'all'))
  const session = await Session.open(gate)
  const stream = await session.ask('GET')
  assert.equal(stream.headers.get('content-type'), 'text/event-stream')
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  await until(async () => {
    text += Buffer.from((await reader.read()).value ?? []).toString()
    return text.includes('"data":"notifications/initialized"')
  }, 'the message')
  // With a stream open, nothing of that kind is mixed into the answer of a call.
  assert.equal((await session.post(request(3, 'ping'))).headers.get('content-type'), 'application/json')
  await reader.cancel()
})

test('without a session only `initialize` is taken, and other methods of HTTP are not', async () => {
  await using gate = await HttpGate.before(scripted(''))
  assert.equal((await gate.post(toolCall(1, 'pay'))).status, 400)
  assert.equal((await gate.post('{')).status, 400)
  for (const method of ['GET', 'DELETE']) {
    const answer = await fetch(gate.url, { method })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.get('allow'), 'POST')
  }
  assert.deepEqual(gate.admitted, [])
})

test('a session is spoken in the revision that was agreed on', async () => {
  await using open = await behind('answer(message.id, {})')
  const { headers } = open.session
  const ping = request(3, 'ping')
  for (const [version, status] of [
    ['2025-11-25', 200],
    ['2025-06-18', 400],
    ['nonsense', 400],
  ] as const)
    assert.equal((await open.gate.post(ping, { ...headers, 'mcp-protocol-version': version })).status, status, version)
})

test('a gate that ends takes its servers along', async () => {
  const gate = await HttpGate.before(
    scripted('process.stdin.on("end", () => setInterval(() => {}, 1000)); answer(message.id, { pid: process.pid })'),
  )
  const session = await Session.open(gate)
  const { result } = (await (await session.post(request(1, 'ping'))).json()) as { result: { pid: number } }
  await gate[Symbol.asyncDispose]()
  await until(() => !isAlive(result.pid), 'the end of the process')
})

test('there is an end to the number of processes', async () => {
  const opened = '{"jsonrpc":"2.0","id":0,"result":{"capabilities":{}}}'
  await using gate = await HttpGate.before({
    command: '/bin/sh',
    args: ['-c', `while read -r line; do echo '${opened}'; done`],
  })
  const answers = await Promise.all(Array.from({ length: processesMax }, () => gate.post(initialize)))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  const refused = await gate.post(initialize)
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '5'])
  const headers = { 'mcp-session-id': answers[0]?.headers.get('mcp-session-id') ?? '' }
  await fetch(gate.url, { method: 'DELETE', headers })
  await until(async () => (await gate.post(initialize)).status === 200, 'a session has room')
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
