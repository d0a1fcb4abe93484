/** Somebody is stopped while messages pass: what is under way ends, and nothing more goes through in either direction. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decisionKey } from '../../src/mcp/refusal.ts'
import { modernMeta, request, result, Scope, toolCall, type Written } from './fixtures/scope.ts'

/** As the transport does when the gate says that somebody was stopped. */
function endStopped(scope: Scope): Written {
  const { toServer, toClient } = scope.interceptor.endStopped()
  scope.interceptor.settle()
  return { toServer: toServer.map(String), toClient: toClient.map(String) }
}

const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line))
const cancelled = (requestId: number) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason: 'stopped' },
})

test('what is under way of a stopped caller ends: an error, a cancellation, and an unknown outcome', () => {
  const scope = new Scope()
  scope.client(request(0, 'initialize'), toolCall(1, 'pay'), request(2, 'tools/list'), toolCall(3, 'pay'))
  scope.client({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } })
  scope.gate.kill('a1')
  const { toServer, toClient } = endStopped(scope)
  assert.deepEqual(parsed(toServer), [cancelled(1), cancelled(2), cancelled(3)], '`initialize` must not be cancelled')
  assert.deepEqual(
    parsed(toClient).map(({ id }) => id),
    [0, 1, 2],
    'who cancelled wants no answer',
  )
  const [, { error }] = parsed(toClient)
  assert.equal(error.code, -31403)
  assert.match(
    error.message,
    /^Stopped while it was under way: somebody stopped the agent\. Whether it happened is not/,
  )
  assert.deepEqual(error.data[decisionKey], {
    reason_code: 'KILLED',
    message: 'somebody stopped the agent',
    kill_id: 'kill_1',
  })
  assert.deepEqual(scope.settled.toSorted(), ['decision-1 unknown', 'decision-2 unknown'])
  assert.deepEqual(endStopped(scope), { toServer: [], toClient: [] }, 'once')
})

test('nothing of the server reaches a stopped caller, and nothing is settled twice', () => {
  const scope = new Scope()
  scope.client(toolCall(1, 'pay'))
  scope.gate.kill('a1')
  endStopped(scope)
  const { toServer, toClient } = scope.server(
    result(1),
    { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
    request('s1', 'sampling/createMessage'),
    request('s2', 'ping'),
  )
  assert.deepEqual(toClient, [])
  assert.deepEqual(
    parsed(toServer).map(({ id, error }) => [id, error.code]),
    [
      ['s1', -31403],
      ['s2', -31403],
    ],
  )
  assert.deepEqual(scope.settled, ['decision-1 unknown'])
})

test('every message of a stopped caller is refused, of whatever kind, also before anybody told the transport', () => {
  const scope = new Scope()
  scope.gate.rules = { killed: ['a1'] }
  const asked = ['initialize', 'tools/list', 'ping', 'tasks/get', 'server/discover', 'no/such/method']
  const { toServer, toClient } = scope.client(
    ...asked.map((method, id) => request(id, method)),
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 's1', result: {} },
    request(9, 'subscriptions/listen', { ...modernMeta, notifications: { toolsListChanged: true } }),
  )
  assert.deepEqual(toServer, [])
  assert.deepEqual(
    parsed(toClient).map(({ id, error }) => [id, error.code]),
    [0, 1, 2, 3, 4, 5, 9].map((id) => [id, -31403]),
  )
  assert.deepEqual(new Set(scope.refused), new Set(['KILLED']))
  assert.equal(scope.refused.length, asked.length + 1)
})

test('a stopped tool ends its own calls and no others, and a late answer goes nowhere', () => {
  for (const unasked of ['drop', 'pass'] as const) {
    const scope = new Scope({}, { unasked })
    scope.client(toolCall(1, 'pay'), toolCall(2, 'read'), request(3, 'tools/list'))
    scope.gate.kill('pay')
    const { toServer, toClient } = endStopped(scope)
    assert.deepEqual(parsed(toServer), [cancelled(1)])
    assert.deepEqual(
      parsed(toClient).map(({ id, error }) => [id, error.data[decisionKey].reason_code]),
      [[1, 'TOOL_KILLED']],
    )
    assert.deepEqual(scope.settled, ['decision-1 unknown'])
    const late = scope.server(result(1), result(2), result(3, { tools: [] }))
    assert.deepEqual(
      parsed(late.toClient).map(({ id }) => id),
      [2, 3],
    )
    assert.deepEqual(scope.settled, ['decision-1 unknown', 'decision-2 success'])
    assert.deepEqual(scope.client(request(4, 'tools/list')).toServer.length, 1)
  }
})

test('the id of a call that was ended stays taken until its answer came, so that no other call is settled by it', () => {
  const scope = new Scope()
  scope.client(toolCall(1, 'pay'))
  scope.gate.kill('pay')
  endStopped(scope)
  scope.gate.kill()
  const [again] = parsed(scope.client(toolCall(1, 'pay')).toClient)
  assert.match(again.result.content[0].text, /a request with the id `1` is already under way/)
  scope.server(result(1))
  assert.equal(scope.client(toolCall(1, 'pay')).toServer.length, 1)
})

test('a thousand calls of a stopped tool are all answered and settled, though few ids are remembered', () => {
  const scope = new Scope()
  scope.client(...Array.from({ length: 1_000 }, (_, id) => toolCall(id, 'pay')))
  scope.gate.kill('pay')
  const { toServer, toClient } = endStopped(scope)
  assert.deepEqual([toServer.length, toClient.length, new Set(scope.settled).size], [1_000, 1_000, 1_000])
  assert.equal(scope.settled.length, 1_000)
})

test('who may go on hears its server again; where the server was taken away nothing passes any more', () => {
  const scope = new Scope()
  scope.gate.kill('a1')
  endStopped(scope)
  scope.gate.kill()
  endStopped(scope)
  assert.equal(scope.client(toolCall(1, 'pay')).toServer.length, 1)
  assert.equal(scope.server(result(1)).toClient.length, 1)
  scope.interceptor.close()
  const { toServer, toClient } = scope.client(toolCall(2, 'pay'), request(3, 'tools/list'))
  assert.deepEqual(toServer, [])
  assert.match(JSON.parse(toClient[0] ?? '').result.content[0].text, /^Stopped: the session was stopped, and/)
  assert.equal(scope.admitted.length, 1, 'nothing is charged')
})
