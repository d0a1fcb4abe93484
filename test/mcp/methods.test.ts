/** Every method of MCP, both eras, and what becomes of it: judged, passed, or refused. What nobody knows is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { specTypeSchemas } from '@modelcontextprotocol/client'
import { ClientRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { request, Scope } from './fixtures/scope.ts'

const params = {
  name: 'a',
  uri: 'file:///a',
  ref: { type: 'ref/prompt', name: 'a' },
  argument: { name: 'x', value: '' },
  notifications: {},
  taskId: 't',
}

/** A schema of the SDKs: one of several requests, each with its method. */
interface Requests {
  readonly options: readonly { readonly shape: { readonly method: { readonly value: string } } }[]
}

const methodsOf = (schema: unknown) => (schema as Requests).options.map(({ shape }) => shape.method.value)

/** What clients ask, by the SDKs of both eras. */
const asked = new Set([...methodsOf(ClientRequestSchema), ...methodsOf(specTypeSchemas.ClientRequest)])
/** The server's to ask, not the client's. */
const answered = methodsOf(specTypeSchemas.ServerRequest).filter((method) => !asked.has(method))

const judged = ['tools/call', 'resources/read', 'resources/subscribe', 'prompts/get', 'completion/complete']
// The extension for tasks of the stateless revision is in neither SDK.
const passed = [...asked, 'tasks/update'].filter((method) => !judged.includes(method))
const refused = [
  ...answered,
  // Extensions, and what looks like a method that is known.
  'skills/list',
  'skills/get',
  'resources/templates/read',
  'tools/Call',
  'Tools/call',
  'tools/call ',
  'tools/call\u0000',
  '/tools/call',
  'tools//call',
  'tasks/',
  'notifications/initialized',
  'rpc.discover',
  'constructor',
  '__proto__',
  '',
]

test('the SDKs say what a client asks and what a server asks', () => {
  assert.ok(asked.size >= 18)
  for (const method of judged) assert.ok(asked.has(method), method)
  assert.deepEqual(answered, ['sampling/createMessage', 'elicitation/create', 'roots/list'])
})

for (const method of judged) {
  test(`${method} is judged: allowed it goes on, denied it does not`, () => {
    const scope = new Scope({})
    assert.equal(scope.client(request(1, method, params)).toServer.length, 1)
    assert.equal(scope.admitted.length, 1)
    const denying = new Scope({ deny: ['a', 'file:///a'] })
    assert.deepEqual(denying.client(request(1, method, params)).toServer, [])
    const told = JSON.parse(denying.client(request(2, method, params)).toClient[0] ?? '')
    assert.ok(method === 'tools/call' ? told.result.isError : told.error.code === -31403)
  })
}

for (const method of passed) {
  test(`${method} passes`, () => {
    const scope = new Scope({ deny: ['a', 'file:///a'] })
    assert.equal(scope.client(request(1, method, params)).toServer.length, 1)
    assert.deepEqual(scope.events, [])
  })
}

for (const method of refused) {
  test(`${JSON.stringify(method)} is refused, and that is recorded`, () => {
    const scope = new Scope()
    const { toServer, toClient } = scope.client(request(1, method, params))
    assert.deepEqual(toServer, [])
    assert.equal(JSON.parse(toClient[0] ?? '').error.code, -32601)
    assert.deepEqual(scope.refused, ['UNKNOWN_METHOD'])
  })
}

test('without an id nothing but a notification goes on', () => {
  for (const method of [...judged, ...passed, ...refused.filter((one) => !one.startsWith('notifications/'))]) {
    const scope = new Scope()
    assert.deepEqual(scope.client({ jsonrpc: '2.0', method, params }), { toServer: [], toClient: [] }, method)
    assert.equal(scope.refused.length, 1, method)
  }
})
