import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { listTtlMsMax } from '../../src/mcp/limits.ts'
import { modernMeta, request, result, Scope, toolCall } from './fixtures/scope.ts'

function only(lines: readonly string[]) {
  assert.equal(lines.length, 1, lines.join('\n'))
  return JSON.parse(lines[0] ?? '')
}

describe('what the server says passes as the same bytes', () => {
  const odd: readonly (readonly [string, string])[] = [
    ['an extra member', '{"jsonrpc":"2.0","id":1,"result":{"ok":1},"server":"extra"}'],
    ['an error with the id null', '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no id"}}'],
    ['an error without an id', '{"jsonrpc":"2.0","error":{"code":-32600,"message":"no id"}}'],
    ['a result and an error of null', '{"jsonrpc":"2.0","id":1,"result":{"ok":1},"error":null}'],
    ['a result that is a bare string', '{"jsonrpc":"2.0","id":1,"result":"a bare string"}'],
    ['a result of null', '{"jsonrpc":"2.0","id":1,"result":null}'],
    ['an extra member inside an error', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"e","extra":2}}'],
    ['numbers beyond a double', '{"jsonrpc":"2.0","id":1,"result":{"n":12345678901234567890,"f":1.0,"e":1e400}}'],
    ['keys that stand twice below the result', '{"jsonrpc":"2.0","id":1,"result":{"a":{"b":1,"b":2}}}'],
    ['half of a surrogate pair', '{"jsonrpc":"2.0","id":1,"result":{"u":"\\ud800 \\u2028"}}'],
    ['white space', '  { "jsonrpc" : "2.0", "id" : 1, "result" : {} }'],
    ['no version of JSON-RPC', '{"id":1,"result":{}}'],
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":1.0}}'],
    ['a request for sampling', '{"jsonrpc":"2.0","id":0,"method":"sampling/createMessage","params":{"n":1.0}}'],
    ['a request with the id of one of ours', '{"jsonrpc":"2.0","id":1,"method":"roots/list"}'],
  ]
  for (const [what, line] of odd) {
    test(what, () => {
      const scope = new Scope()
      scope.client(toolCall(1, 'a'))
      assert.deepEqual(scope.server(line).toClient, [line])
    })
  }

  test('bytes that are no UTF-8', () => {
    const scope = new Scope()
    scope.client(toolCall(1, 'a'))
    const line = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"t":"\xff"}}\n', 'latin1')
    assert.deepEqual(scope.interceptor.fromServer([line]).toClient, [line])
  })

  test('the answer to a fractional id', () => {
    const scope = new Scope()
    scope.client(toolCall(1.5, 'a'))
    assert.equal(scope.server('{"jsonrpc":"2.0","id":1.5,"result":{}}').toClient.length, 1)
    assert.deepEqual(scope.settled, ['decision-1 success'])
  })
})

describe('what the server says that is no message', () => {
  test('a line that is not JSON, a batch or a bare value is dropped with a word', () => {
    const scope = new Scope()
    const { toClient, toServer } = scope.server('Server listening\u0007…', '[{"id":1}]', '5', '{"half":')
    assert.deepEqual([toClient, toServer], [[], []])
    assert.equal(scope.log.length, 4)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal must not obey it
    assert.doesNotMatch(scope.log.join(''), /\u0007/)
  })

  const unclear: readonly (readonly [string, string, RegExp])[] = [
    ['its result twice', '{"jsonrpc":"2.0","id":1,"result":{"a":1},"result":{"a":2}}', /`result` stands twice/],
    ['a result in another letter case', '{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}', /`result` stands twice/],
    ['its id twice', '{"jsonrpc":"2.0","id":2,"id":1,"result":{}}', /`id` stands twice/],
    ['its error twice, once escaped', '{"jsonrpc":"2.0","id":1,"error":null,"\\u0065rror":{}}', /`error` stands twice/],
    [
      'a result and an error',
      '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}',
      /`result` and an `error`/,
    ],
    ['neither a result nor an error', '{"jsonrpc":"2.0","id":1}', /no `result`/],
    ['a method that is no string', '{"jsonrpc":"2.0","id":1,"method":5}', /`method` is not a string/],
    ['a method and a result', '{"jsonrpc":"2.0","id":1,"method":"x","result":{}}', /a request and a response/],
  ]
  for (const [what, line, why] of unclear) {
    test(`an answer with ${what} is refused by name and leaves the call unknown`, () => {
      const scope = new Scope()
      scope.client(toolCall(1, 'a'))
      const { error } = only(scope.server(line).toClient)
      assert.equal(error.code, -32603)
      assert.match(error.message, why)
      assert.deepEqual(scope.settled, ['decision-1 unknown'])
    })
  }

  test('an unclear message that nothing waits for is dropped', () => {
    const scope = new Scope()
    assert.deepEqual(scope.server('{"id":7,"result":1,"result":2}', '{"jsonrpc":"2.0"}').toClient, [])
  })

  test('an unclear request of the server is answered to the server', () => {
    const scope = new Scope()
    scope.client(toolCall(7, 'a'))
    const { toServer, toClient } = scope.server('{"jsonrpc":"2.0","id":7,"method":"roots/list","method":"ping"}')
    assert.deepEqual(scope.settled, [])
    assert.deepEqual(toClient, [])
    assert.equal(only(toServer).error.code, -32600)
    assert.equal(only(toServer).id, 7)
  })
})

describe('lists', () => {
  const tools = (...names: string[]) => names.map((name) => ({ name, inputSchema: { type: 'object' } }))

  test('a list shows what is visible and keeps everything else', () => {
    const scope = new Scope({ hide: ['b'] })
    scope.client(request(1, 'tools/list'))
    const page = { tools: tools('a', 'b', 'c'), nextCursor: 'n', _meta: { x: 1 } }
    assert.deepEqual(only(scope.server({ ...result(1, page), extra: 1 }).toClient), {
      jsonrpc: '2.0',
      id: 1,
      result: { tools: tools('a', 'c'), nextCursor: 'n', _meta: { x: 1 } },
      extra: 1,
    })
  })

  test('an emptied page keeps its cursor', () => {
    const scope = new Scope({ hide: ['a'] })
    scope.client(request(1, 'tools/list'))
    assert.deepEqual(only(scope.server(result(1, { tools: tools('a'), nextCursor: 'n' })).toClient).result, {
      tools: [],
      nextCursor: 'n',
    })
  })

  test('a list in which everything is visible passes as the same bytes', () => {
    const scope = new Scope()
    scope.client(request(1, 'tools/list'))
    const line = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","n":1.0}]}}'
    assert.deepEqual(scope.server(line).toClient, [line])
  })

  test('numbers in a filtered list keep their digits, and odd keys stay data', () => {
    const scope = new Scope({ hide: ['b'] })
    scope.client(request(1, 'tools/list'))
    const item = '{"name":"a","max":18446744073709551615,"f":0.1,"e":1e400,"__proto__":{"x":1}}'
    const line = `{"jsonrpc":"2.0","id":1,"result":{"tools":[${item},{"name":"b"}]}}`
    assert.deepEqual(scope.server(line).toClient, [`{"jsonrpc":"2.0","id":1,"result":{"tools":[${item}]}}`])
  })

  test('prompts, resources and templates are filtered as well', () => {
    const scope = new Scope({ hide: ['b', 'file:///b', 'file:///{b}'] })
    scope.client(request(1, 'prompts/list'), request(2, 'resources/list'), request(3, 'resources/templates/list'))
    const { toClient } = scope.server(
      result(1, { prompts: [{ name: 'a' }, { name: 'b' }] }),
      result(2, {
        resources: [
          { uri: 'file:///a', name: 'b' },
          { uri: 'file:///b', name: 'a' },
        ],
      }),
      result(3, { resourceTemplates: [{ uriTemplate: 'file:///{a}' }, { uriTemplate: 'file:///{b}' }] }),
    )
    const [prompts, resources, templates] = toClient.map((line) => JSON.parse(line).result)
    assert.deepEqual(prompts.prompts, [{ name: 'a' }])
    assert.deepEqual(resources.resources, [{ uri: 'file:///a', name: 'b' }])
    assert.deepEqual(templates.resourceTemplates, [{ uriTemplate: 'file:///{a}' }])
  })

  test('the result of one list cannot smuggle another', () => {
    const scope = new Scope({ hide: ['b'] })
    scope.client(request(1, 'prompts/list'))
    assert.deepEqual(only(scope.server(result(1, { prompts: [], tools: tools('b') })).toClient).result.tools, [])
  })

  test('items without a name that can be judged are not shown', () => {
    const scope = new Scope()
    scope.client(request(1, 'tools/list'))
    const items = [{ name: 5 }, null, 'a', {}, [], { name: 'a' }]
    assert.deepEqual(only(scope.server(result(1, { tools: items })).toClient).result.tools, [{ name: 'a' }])
  })

  test('a list that stands twice in its result goes on once, filtered', () => {
    const scope = new Scope({ hide: ['b'] })
    scope.client(request(1, 'tools/list'))
    const line = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"b"}],"tools":[{"name":"a"}]}}'
    assert.deepEqual(scope.server(line).toClient, ['{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}]}}'])
  })

  test('the answer of a tool may hold tools of its own', () => {
    const scope = new Scope({ hide: ['b'] })
    scope.client(toolCall(1, 'a'))
    const line = JSON.stringify(result(1, { tools: tools('b'), content: [] }))
    assert.deepEqual(scope.server(line).toClient, [line])
  })

  test('a list that a resumed stream replays is filtered too', () => {
    const scope = new Scope({ hide: ['b'] }, { unasked: 'pass' })
    assert.deepEqual(only(scope.server(result(9, { tools: tools('a', 'b') })).toClient).result.tools, tools('a'))
    assert.deepEqual(scope.settled, [])
  })

  test('what depends on the caller is private, on every page, and not cached for long', () => {
    const scope = new Scope({ hide: ['b'] })
    scope.client(request(1, 'tools/list', modernMeta), request(2, 'tools/list', modernMeta))
    const page = { tools: tools('a'), cacheScope: 'public', ttlMs: 10 * listTtlMsMax, resultType: 'complete' }
    const changed = { ...page, cacheScope: 'private', ttlMs: listTtlMsMax }
    assert.deepEqual(only(scope.server(result(1, page)).toClient).result, changed)
    const shorter = { ...page, ttlMs: 5 }
    assert.deepEqual(only(scope.server(result(2, shorter)).toClient).result, { ...shorter, cacheScope: 'private' })
  })

  test('a time to live beyond a double is capped as well', () => {
    const scope = new Scope()
    scope.client(request(1, 'tools/list', modernMeta))
    const line = '{"jsonrpc":"2.0","id":1,"result":{"tools":[],"ttlMs":1e400}}'
    assert.equal(only(scope.server(line).toClient).result.ttlMs, listTtlMsMax)
  })

  test('a resource that was read is private, and otherwise as it was', () => {
    const scope = new Scope()
    scope.client(request(1, 'resources/read', { uri: 'file:///a' }))
    const line = '{"jsonrpc":"2.0","id":1,"result":{"contents":[{"n":12345678901234567890}],"cacheScope":"public"}}'
    assert.deepEqual(scope.server(line).toClient, [line.replace('public', 'private')])
  })
})

describe('when the policy changes', () => {
  const capabilities = { tools: {}, prompts: { listChanged: true }, logging: {} }
  const initialize = request(0, 'initialize', { protocolVersion: '2025-11-25' })
  const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }

  test('the handshake tells the client to listen, for the lists that the server has', () => {
    const scope = new Scope()
    scope.client(initialize)
    const { toClient } = scope.server(result(0, { capabilities, serverInfo: { name: 's' } }))
    assert.deepEqual(only(toClient).result, {
      capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, logging: {} },
      serverInfo: { name: 's' },
    })
  })

  test('a handshake that says so already passes as the same bytes', () => {
    const scope = new Scope()
    scope.client(initialize)
    const line = '{"jsonrpc":"2.0","id":0,"result":{"capabilities":{"tools":{"listChanged":true}},"n":1.0}}'
    assert.deepEqual(scope.server(line).toClient, [line])
  })

  test('the client hears of it once its handshake is over', () => {
    const scope = new Scope()
    scope.client(initialize)
    scope.server(result(0, { capabilities }))
    assert.deepEqual(scope.policyChanged().toClient, [])
    scope.client(initialized)
    assert.deepEqual(
      scope.policyChanged().toClient.map((line) => JSON.parse(line).method),
      ['notifications/tools/list_changed', 'notifications/prompts/list_changed'],
    )
  })

  test('in the modern era only a stream that asked for it hears of it, with its id', () => {
    const scope = new Scope()
    scope.client(request('l1', 'subscriptions/listen', { notifications: { toolsListChanged: true }, ...modernMeta }))
    scope.client(request('l2', 'subscriptions/listen', { notifications: { resourceSubscriptions: [] }, ...modernMeta }))
    assert.deepEqual(scope.policyChanged().toClient, [])
    const acknowledged = (id: string) => ({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: {}, _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
    })
    scope.server(acknowledged('l1'), acknowledged('l2'))
    assert.deepEqual(only(scope.policyChanged().toClient), {
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: { 'io.modelcontextprotocol/subscriptionId': 'l1' } },
    })
    scope.client({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'l1' } })
    assert.deepEqual(scope.policyChanged().toClient, [])
  })

  test('a stream that the server ended hears nothing', () => {
    const scope = new Scope()
    scope.client(request('l1', 'subscriptions/listen', { notifications: { toolsListChanged: true }, ...modernMeta }))
    const meta = { _meta: { 'io.modelcontextprotocol/subscriptionId': 'l1' } }
    scope.server({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: meta })
    scope.server({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'l1' } })
    assert.deepEqual(scope.policyChanged().toClient, [])
  })
})
