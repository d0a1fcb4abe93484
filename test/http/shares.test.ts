/** One caller of many: what all of them share is not for one alone. Before a real server, with sizes that a test can fill. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, mock, test } from 'node:test'
import { processIdleMsMin } from '../../src/http/limits.ts'
import { callerOf, Shares, type SharesOptions } from '../../src/http/shares.ts'
import { modernMeta, toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'
import { everythingOverHttp, type GateSettings, HttpGate, initialize, ScriptedServer } from './fixtures/gate.ts'

const ofHeader: NonNullable<GateSettings['principalOf']> = ({ headers }) => ({
  agent: String(headers['x-agent'] ?? 'bot'),
  user: String(headers['x-user']),
})

function gateOf(upstream: Parameters<typeof HttpGate.before>[0], sizes: SharesOptions['sizes'] = {}) {
  return HttpGate.before(upstream, {}, { principalOf: ofHeader, shares: { callerOf, sizes } })
}

const ada = { 'x-user': 'ada' }
const bob = { 'x-user': 'bob' }

async function isBusy(answer: Response, words: string): Promise<void> {
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '5'])
  const { error } = (await answer.json()) as { readonly error: { readonly code: number; readonly message: string } }
  assert.deepEqual(error, { code: -31429, message: `${words}: try again in 5 s` })
}

const sessionOf = ({ headers }: Response) => ({ 'mcp-session-id': headers.get('mcp-session-id') ?? '' })

test('at its share of the sessions a caller gets 429, others go on, and a session that ends makes room', async () => {
  await using server = await everythingOverHttp()
  await using gate = await gateOf(server.url, { sessions: { all: 3, each: 2 } })
  const opened = [await gate.post(initialize, ada), await gate.post(initialize, ada)]
  for (const { status } of opened) assert.equal(status, 200)
  await isBusy(await gate.post(initialize, ada), 'too many of your sessions are open here')
  const other = { ...ada, 'x-agent': 'another-bot' }
  await isBusy(await gate.post(initialize, other), 'too many of your sessions are open here')
  assert.equal((await gate.post(initialize, bob)).status, 200)
  await isBusy(await gate.post(initialize, bob), 'too many sessions are open here')
  const [first] = opened
  assert.ok(first)
  const echo = { jsonrpc: '2.0', id: 3, method: 'ping' }
  assert.equal((await gate.post(echo, { ...ada, ...sessionOf(first) })).status, 200, 'what is open goes on')
  await fetch(gate.url, { method: 'DELETE', headers: { ...ada, ...sessionOf(first) } })
  assert.equal((await gate.post(initialize, ada)).status, 200)
  assert.deepEqual(gate.log, [
    'the `user ada` is told with 429: too many of your sessions are open here',
    'callers are told with 429: too many sessions are open here',
  ])
})

describe('before a server by hand', () => {
  const held: ServerResponse[] = []
  const answer = (response: ServerResponse, id: unknown = 1) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }))

  function scripted() {
    return ScriptedServer.start((body, response, { method }) => {
      if (method === 'GET') return response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      const { id, method: asked, params } = JSON.parse(body)
      if (asked === 'initialize') return response.writeHead(500).end()
      if (params?.name === 'waits') return held.push(response)
      return answer(response, id)
    })
  }

  test('calls under way, of one caller', async () => {
    await using server = await scripted()
    await using gate = await gateOf(server.url, { exchanges: { all: 3, each: 2 } })
    const waiting = [gate.post(toolCall(1, 'waits'), ada), gate.post(toolCall(1, 'waits'), ada)]
    await until(() => held.length === 2, 'both at the server')
    await isBusy(await gate.post(toolCall(2, 'look'), ada), 'too much of yours is under way here')
    assert.equal((await gate.post(toolCall(2, 'look'), bob)).status, 200)
    for (const response of held) answer(response)
    for (const one of waiting) assert.equal((await one).status, 200)
    assert.equal((await gate.post(toolCall(2, 'look'), ada)).status, 200)
    assert.equal(gate.admitted.length, 4, 'what is refused for its number is not judged')
  })

  test('streams, of one caller', async () => {
    await using server = await scripted()
    await using gate = await gateOf(server.url, { streams: { all: 9, each: 1 } })
    const leaving = new AbortController()
    const listen = (headers: Record<string, string>, signal = leaving.signal) =>
      fetch(gate.url, { headers: { ...headers, accept: 'text/event-stream' }, signal })
    assert.equal((await listen(ada)).status, 200)
    await isBusy(await listen(ada), 'too many of your streams are open here')
    assert.equal((await listen(bob)).status, 200)
    leaving.abort()
    await until(async () => (await listen(ada, AbortSignal.timeout(5_000))).status === 200, 'a stream has room')
  })

  test('a session that is not opened takes no place', async () => {
    await using server = await scripted()
    await using gate = await gateOf(server.url, { sessions: { all: 9, each: 1 } })
    for (let n = 0; n < 3; n++) assert.equal((await gate.post(initialize, ada)).status, 500)
  })
})

describe('processes of a stdio server', () => {
  const opened = '{"jsonrpc":"2.0","id":0,"result":{"capabilities":{}}}'
  const shell = { command: '/bin/sh', args: ['-c', `while read -r line; do echo '${opened}'; done`] }

  test('at its share a caller gets 429; of its own, and of nobody else, what is not used makes room', async () => {
    mock.timers.enable({ apis: ['Date'], now: Date.now() })
    try {
      await using gate = await gateOf(shell, { processes: { all: 4, each: 2 } })
      const kept = await gate.post(initialize, bob)
      for (let n = 0; n < 2; n++) assert.equal((await gate.post(initialize, ada)).status, 200)
      await isBusy(await gate.post(initialize, ada), 'too much of yours runs here')
      mock.timers.tick(processIdleMsMin + 1)
      assert.equal((await gate.post(initialize, ada)).status, 200)
      const ping = { jsonrpc: '2.0', id: 0, method: 'ping' }
      assert.equal((await gate.post(ping, { ...bob, ...sessionOf(kept) })).status, 200)
    } finally {
      mock.timers.reset()
    }
  })

  test('in the stateless revision too, and a process that does not start takes no place', async () => {
    const stateless = { ...bob, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
    const list = { jsonrpc: '2.0', id: 0, method: 'tools/list', params: modernMeta }
    await using gate = await gateOf({ command: '/no/such/program', args: [] }, { processes: { all: 9, each: 1 } })
    for (let n = 0; n < 3; n++) assert.equal((await gate.post(list, stateless)).status, 502)
    for (let n = 0; n < 3; n++) assert.equal((await gate.post(initialize, bob)).status, 502)
  })
})

test('where nobody is asked who calls, there are no shares', () => {
  const { sessions, callerOf } = new Shares({ sizes: { sessions: { all: 2, each: 1 } } })
  const told: string[] = []
  const reply = { busy: (message: string) => told.push(message) } as unknown as Parameters<typeof sessions.take>[1]
  const caller = callerOf({ agent: 'a' })
  assert.ok(sessions.take(caller, reply))
  assert.ok(sessions.take(caller, reply))
  assert.equal(sessions.take(caller, reply), undefined)
  assert.deepEqual(told, ['too many sessions are open here'])
})

test('a person is one caller whatever program they use; names of persons and programs are not mixed up', () => {
  assert.equal(callerOf({ agent: 'a', user: 'ada' }), callerOf({ agent: 'b', user: 'ada', groups: ['x'] }))
  assert.notEqual(callerOf({ agent: 'ada' }), callerOf({ user: 'ada' }))
  assert.notEqual(callerOf({ agent: 'a' }), callerOf({ agent: 'b' }))
})
