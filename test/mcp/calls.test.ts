import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cancelledRememberedMax, inFlightMax, subscribedUrisMax } from '../../src/mcp/limits.ts'
import { modernMeta, request, result, Scope, toolCall } from './fixtures/scope.ts'

function only(lines: readonly string[]) {
  assert.equal(lines.length, 1, lines.join('\n'))
  return JSON.parse(lines[0] ?? '')
}

describe('what arrives together', () => {
  test('is judged in one transaction, and each direction keeps its order', () => {
    const scope = new Scope({ deny: ['bad'] })
    const { toServer, toClient } = scope.client(
      request(1, 'ping'),
      toolCall(2, 'one'),
      toolCall(3, 'bad'),
      { jsonrpc: '2.0', method: 'notifications/progress', params: {} },
      toolCall(4, 'two'),
      request(5, 'no/such'),
      request(6, 'tools/list'),
    )
    assert.deepEqual(scope.admitted, [['one', 'bad', 'two']])
    assert.deepEqual(
      toServer.map((line) => JSON.parse(line).id),
      [1, 2, undefined, 4, 6],
    )
    assert.deepEqual(
      toClient.map((line) => JSON.parse(line).id),
      [3, 5],
    )
  })

  test('is not judged at all when nothing acts', () => {
    const scope = new Scope()
    scope.client(request(1, 'ping'))
    assert.deepEqual(scope.events, [])
  })

  test('is settled together', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'), toolCall(2, 'b'))
    scope.server(result(1), result(2, { isError: true, content: [] }))
    assert.deepEqual(scope.settled, ['decision-1 success', 'decision-2 error'])
    assert.equal(scope.events.filter(({ event }) => event === 'settle').length, 1)
  })
})

describe('a call that is allowed', () => {
  test('goes on as our own serialisation of what was judged', () => {
    const scope = new Scope()
    const { toServer } = scope.client('{ "jsonrpc":"2.0", "id":1, "method":"tools/call", "params":{"name":"\\u0061"} }')
    assert.deepEqual(toServer, ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}'])
  })

  test('carries who calls, from the operator and not from the message', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a', { x: 1 }, { principal: 'root', server: 'other' }))
    const [event] = scope.events
    assert.deepEqual(event?.event === 'admit' && event.calls, [
      {
        method: 'tools/call',
        name: 'a',
        arguments: { x: 1 },
        server: 'srv',
        principal: { agent: 'a1' },
        session: 's1',
        params: { name: 'a', arguments: { x: 1 }, principal: 'root', server: 'other' },
      },
    ])
  })

  test('is judged the same when it asks for a task, or is the retry of a round', () => {
    const scope = new Scope({ deny: ['a'] })
    assert.deepEqual(scope.client(toolCall(1, 'a', {}, { task: { ttl: 1 } })).toServer, [])
    assert.deepEqual(scope.client(toolCall(2, 'a', {}, { inputResponses: {}, requestState: 'x' })).toServer, [])
  })

  test('is refused when the gate gives no decision for it', () => {
    const scope = new Scope()
    scope.gate.admit = () => []
    const { toServer, toClient } = scope.client(toolCall(1, 'a'))
    assert.deepEqual(toServer, [])
    assert.equal(only(toClient).result.isError, true)
    assert.deepEqual(scope.refused, ['GATE_FAILED'])
  })
})

describe('how a call ends', () => {
  const endings: readonly (readonly [string, object, string])[] = [
    ['a result', result(1), 'success'],
    ['a result that is no object', result(1, 'done'), 'success'],
    ['a result beside an error of null', { jsonrpc: '2.0', id: 1, result: {}, error: null }, 'success'],
    ['a task that was started', result(1, { resultType: 'task', task: { taskId: 't' } }), 'success'],
    ['an error', { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'no' } }, 'error'],
    ['isError', result(1, { isError: true, content: [] }), 'error'],
    ['isError that is no boolean', result(1, { isError: 'true', content: [] }), 'success'],
    ['a request for input', result(1, { resultType: 'input_required', requestState: 's' }), 'unknown'],
  ]
  for (const [what, message, status] of endings) {
    test(`${what} settles it as ${status}`, () => {
      const scope = new Scope()
      scope.client(toolCall(1, 'a'))
      assert.deepEqual(scope.server(message).toClient, [JSON.stringify(message)])
      assert.deepEqual(scope.settled, [`decision-1 ${status}`])
    })
  }

  test('a second answer settles nothing and is dropped', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'))
    scope.server(result(1, { isError: true }))
    assert.deepEqual(scope.server(result(1)).toClient, [])
    assert.deepEqual(scope.settled, ['decision-1 error'])
    assert.match(scope.log.join(), /nothing waits for/)
  })

  test('an answer before the call is dropped, so a refusal cannot be outrun', () => {
    const scope = new Scope({ deny: ['a'] })
    assert.deepEqual(scope.server(result(1, { content: [{ type: 'text', text: 'done' }] })).toClient, [])
    assert.equal(only(scope.client(toolCall(1, 'a')).toClient).result.isError, true)
  })

  test('the same id as a string settles it too', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'))
    assert.equal(scope.server(result('1')).toClient.length, 1)
    assert.deepEqual(scope.settled, ['decision-1 success'])
  })

  test('the id 1 and the id "1" are two requests, and not at once: an answer could settle the wrong one', () => {
    const scope = new Scope()
    const { toServer, toClient } = scope.client(toolCall(1, 'a'), toolCall('1', 'b'))
    assert.equal(toServer.length, 1)
    assert.equal(only(toClient).result.isError, true)
    assert.deepEqual(scope.refused, ['MALFORMED_CALL'])
    scope.server(result(1))
    scope.client(toolCall('1', 'b'))
    scope.server(result('1', { isError: true }))
    assert.deepEqual(scope.settled, ['decision-1 success', 'decision-3 error'])
  })

  test('a server that is gone leaves every call answered and unknown', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'), request('l', 'tools/list'))
    const { toClient } = scope.gone()
    assert.deepEqual(
      toClient.map((line) => [JSON.parse(line).id, JSON.parse(line).error.code]),
      [
        [1, -32603],
        ['l', -32603],
      ],
    )
    assert.deepEqual(scope.settled, ['decision-1 unknown'])
  })
})

describe('a cancelled call', () => {
  const cancel = (id: string | number) => ({
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId: id },
  })

  test('is passed on, and settled by the answer that still comes', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'))
    assert.equal(scope.client(cancel(1)).toServer.length, 1)
    assert.deepEqual(scope.settled, [])
    assert.equal(scope.server(result(1)).toClient.length, 1)
    assert.deepEqual(scope.settled, ['decision-1 success'])
  })

  test('keeps its charge whatever error answers it: it may have acted before it was stopped', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'), toolCall(2, 'b'), toolCall(3, 'c'), cancel(1), cancel(2), cancel(3))
    const error = { jsonrpc: '2.0', id: 1, error: { code: 0, message: 'Request cancelled' } }
    scope.server(error, result(2, { isError: true }), result(3, { resultType: 'input_required' }))
    assert.deepEqual(scope.settled, ['decision-1 unknown', 'decision-2 unknown', 'decision-3 unknown'])
  })

  test('is unknown and not answered when the server ends', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'), cancel(1))
    assert.deepEqual(scope.gone().toClient, [])
    assert.deepEqual(scope.settled, ['decision-1 unknown'])
  })

  test('is forgotten as unknown once many more are', () => {
    const scope = new Scope()
    for (let id = 0; id <= cancelledRememberedMax; id++) scope.client(toolCall(id, 'a'), cancel(id), cancel(id))
    assert.deepEqual(scope.settled, ['decision-1 unknown'])
    assert.equal(scope.client(toolCall(0, 'a')).toServer.length, 1)
  })

  test('that was forgotten leaves no error believed: it may answer the forgotten call, and not the one of its id', () => {
    const scope = new Scope()
    for (let id = 0; id <= cancelledRememberedMax; id++) scope.client(toolCall(id, 'a'), cancel(id))
    scope.client(toolCall(0, 'b'))
    scope.server({ jsonrpc: '2.0', id: 0, error: { code: 0, message: 'Request cancelled' } })
    assert.deepEqual(scope.settled, ['decision-1 unknown', `decision-${cancelledRememberedMax + 2} unknown`])
  })

  test('of an id that nobody uses changes nothing', () => {
    const scope = new Scope()
    assert.equal(scope.client(cancel(9), { ...cancel(9), params: {} }).toServer.length, 2)
  })
})

describe('a call that is refused', () => {
  test('is a tool result for a tool and an error for the rest', () => {
    const scope = new Scope({ deny: ['a', 'file:///x'] })
    const { toServer, toClient } = scope.client(
      toolCall(1, 'a'),
      request(2, 'prompts/get', { name: 'a' }),
      request(3, 'resources/read', { uri: 'file:///x' }),
      request(4, 'resources/subscribe', { uri: 'file:///x' }),
    )
    assert.deepEqual(toServer, [])
    const answers = toClient.map((line) => JSON.parse(line))
    assert.equal(answers[0].result.isError, true)
    assert.deepEqual(
      answers.slice(1).map(({ error }) => error.code),
      [-31403, -31403, -31403],
    )
    assert.equal(answers[3].error.data['dev.tollgate/decision'].reason_code, 'DENIED_BY_RULE')
  })

  test('answers as an unknown one when it is hidden, and is recorded all the same', () => {
    const scope = new Scope({ hide: ['a', 'file:///x'] })
    const answers = scope
      .client(
        toolCall(1, 'a'),
        request(2, 'resources/read', { uri: 'file:///x' }),
        request(3, 'prompts/get', { name: 'a' }),
      )
      .toClient.map((line) => JSON.parse(line))
    assert.deepEqual(answers[0], { jsonrpc: '2.0', id: 1, error: { code: -32602, message: 'Unknown tool: a' } })
    assert.equal(answers[1].error.code, -32002)
    assert.equal(answers[2].error.message, 'Unknown prompt: a')
    assert.deepEqual(scope.admitted, [['a', 'file:///x', 'a']])
  })

  test('says that the gate is in trouble, even when nothing is visible', () => {
    const scope = new Scope({ hide: ['a'], broken: 'POLICY_UNAVAILABLE' })
    assert.equal(only(scope.client(toolCall(1, 'a')).toClient).result.isError, true)
  })

  test('waits for a person when it is held, and is not forwarded', () => {
    const scope = new Scope({ hold: ['a'] })
    const { toServer, toClient } = scope.client(toolCall(1, 'a', {}, modernMeta))
    assert.deepEqual(toServer, [])
    const answer = only(toClient).result
    assert.equal(answer.resultType, 'complete')
    assert.match(answer.content[0].text, /^Waiting for approval apr_1/)
  })

  test('leaves its id free', () => {
    const scope = new Scope({ deny: ['a'] })
    scope.client(toolCall(1, 'a'))
    assert.equal(scope.client(toolCall(1, 'b')).toServer.length, 1)
  })
})

describe('a message that is not forwarded', () => {
  test('a request whose id is under way is refused, and the first one still gets its answer', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'))
    const { toServer, toClient } = scope.client(toolCall(1, 'b'), request(1, 'ping'))
    assert.deepEqual(toServer, [])
    assert.equal(JSON.parse(toClient[0] ?? '').result._meta['dev.tollgate/decision'].reason_code, 'MALFORMED_CALL')
    assert.equal(JSON.parse(toClient[1] ?? '').error.code, -32600)
    assert.equal(scope.server(result(1)).toClient.length, 1)
    assert.deepEqual(scope.settled, ['decision-1 success'])
  })

  test('an unknown method is not found, and recorded', () => {
    const scope = new Scope()
    const { toServer, toClient } = scope.client(request(1, 'skills/get'), request(2, 'notifications/initialized'))
    assert.deepEqual(toServer, [])
    assert.deepEqual(
      toClient.map((line) => JSON.parse(line).error.code),
      [-32601, -32601],
    )
    assert.deepEqual(scope.refused, ['UNKNOWN_METHOD', 'UNKNOWN_METHOD'])
  })

  test('a request without an id is dropped and recorded', () => {
    const scope = new Scope()
    for (const method of ['tools/call', 'resources/read', 'tools/list', 'skills/get']) {
      const { toServer, toClient } = scope.client({ jsonrpc: '2.0', method, params: { name: 'a' } })
      assert.deepEqual([toServer, toClient], [[], []])
    }
    assert.deepEqual(scope.refused, ['MALFORMED_CALL', 'MALFORMED_CALL', 'MALFORMED_CALL', 'UNKNOWN_METHOD'])
    assert.deepEqual(scope.admitted, [])
  })

  test('a malformed tool call with an id is answered as a tool call', () => {
    const scope = new Scope()
    const answer = only(scope.client('{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":5}}').toClient)
    assert.equal(answer.id, 4)
    assert.match(answer.result.content[0].text, /`params.name` must be a string/)
    assert.equal(answer.result._meta['dev.tollgate/decision'].reason_code, 'MALFORMED_CALL')
  })

  test('in the modern era such an answer is complete', () => {
    const scope = new Scope()
    scope.client(request(1, 'server/discover', modernMeta))
    const answer = only(scope.client('{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":5}}').toClient)
    assert.equal(answer.result.resultType, 'complete')
  })

  test('what is no JSON is a parse error, what is no request an invalid one', () => {
    const scope = new Scope()
    assert.deepEqual(only(scope.client('hello').toClient).error.code, -32700)
    assert.deepEqual(only(scope.client('hello').toClient).id, null)
    assert.deepEqual(only(scope.client('[]').toClient).error.code, -32600)
    assert.equal(scope.refused.length, 3)
  })

  test('an answer of the client that has two readings fails the request of the server', () => {
    const scope = new Scope()
    const { toServer, toClient } = scope.client('{"jsonrpc":"2.0","id":8,"result":{"a":1,"a":2}}')
    assert.deepEqual(toClient, [])
    assert.equal(only(toServer).id, 8)
    assert.equal(only(toServer).error.code, -32603)
  })

  test('more requests than anybody can wait for are refused', () => {
    const scope = new Scope()
    for (let id = 0; id < inFlightMax; id++) scope.client(request(id, 'ping'))
    assert.deepEqual(scope.client(toolCall('x', 'a')).toServer, [])
    assert.deepEqual(scope.refused, ['RATE_LIMITED'])
    scope.server(result(0, {}))
    assert.equal(scope.client(toolCall('x', 'a')).toServer.length, 1)
  })
})

describe('what a request names without acting on it', () => {
  const complete = (ref: object) => request(1, 'completion/complete', { ref, argument: { name: 'x', value: '' } })
  const listen = (uris: unknown) =>
    request(2, 'subscriptions/listen', { notifications: { resourceSubscriptions: uris }, ...modernMeta })

  test('a completion for what is visible passes', () => {
    const scope = new Scope({ hide: ['p'] })
    assert.equal(scope.client(complete({ type: 'ref/prompt', name: 'q' })).toServer.length, 1)
    assert.equal(scope.client({ ...complete({ type: 'ref/resource', uri: 'file:///{x}' }), id: 2 }).toServer.length, 1)
  })

  test('a completion for what is hidden answers as if it did not exist', () => {
    const scope = new Scope({ hide: ['p', 'file:///{x}'] })
    assert.equal(
      only(scope.client(complete({ type: 'ref/prompt', name: 'p' })).toClient).error.message,
      'Unknown prompt: p',
    )
    assert.equal(only(scope.client(complete({ type: 'ref/resource', uri: 'file:///{x}' })).toClient).error.code, -32002)
    assert.deepEqual(scope.admitted, [['p'], ['file:///{x}']])
  })

  test('a completion that says not for what is refused', () => {
    const scope = new Scope()
    for (const ref of [{}, { type: 'ref/tool', name: 'a' }, { type: 'ref/prompt' }, { type: 'ref/resource', uri: 5 }]) {
      assert.equal(only(scope.client(complete(ref)).toClient).error.code, -32600)
    }
  })

  test('a subscription to a hidden resource is refused, to a visible one it passes', () => {
    const scope = new Scope({ hide: ['file:///x'] })
    assert.equal(only(scope.client(listen(['file:///y', 'file:///x'])).toClient).error.code, -32602)
    assert.equal(scope.client(listen(['file:///y'])).toServer.length, 1)
  })

  test('listening to resources is judged as reading them, and recorded', () => {
    const scope = new Scope({ deny: ['file:///x'] })
    const { toClient, toServer } = scope.client(listen(['file:///y', 'file:///x']))
    assert.equal(only(toClient).error.code, -31403)
    assert.deepEqual(toServer, [])
    assert.deepEqual(scope.settled, ['decision-1 error'])
    assert.equal(scope.client(listen(['file:///y'])).toServer.length, 1)
    assert.deepEqual(scope.settled, ['decision-1 error', 'decision-3 success'])
  })

  test('a subscription that cannot be read is refused', () => {
    const scope = new Scope()
    const tooMany = Array(subscribedUrisMax + 1).fill('file:///x')
    for (const uris of ['file:///x', [5], [''], {}, tooMany]) {
      assert.equal(only(scope.client(listen(uris)).toClient).error.code, -32600)
    }
  })
})
