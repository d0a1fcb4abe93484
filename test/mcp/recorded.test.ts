/** Messages through the real gate: what was sent can be proved from its record, and nothing passes without one. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { type ArgumentsKept, describeWith } from '../../src/log/describe.ts'
import { cancelledRememberedMax } from '../../src/mcp/limits.ts'
import { canonical } from '../../src/model/canonical.ts'
import { Gate } from '../../src/pep/gate.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { around } from '../ledger/fixtures.ts'
import { modernMeta, request, result, Scope, toolCall } from './fixtures/scope.ts'

const artifact = await buildPolicy({
  name: 'recorded.yaml',
  text: `
version: "1"
default: deny
tools:
  pay: { rules: [{ spend: { daily: 10 } }] }
  free: { rules: [] }
resources:
  "file:///work/*": { rules: [] }
prompts:
  greet: { rules: [{ rate_limit: 2/day }] }
  say: { rules: [{ arguments: { lang: { enum: [en, de] } } }] }
`,
})

function open(kept: ArgumentsKept = 'full') {
  const real = openLedger({ file: ':memory:' })
  let transactions = 0
  const ledger = around(real, {
    transact: (work) => {
      transactions++
      return real.transact(work)
    },
  })
  const gate = new Gate({
    ledger,
    describe: describeWith({ id: 'test', version: '0' }, kept),
    newId: () => crypto.randomUUID(),
    report: (error) => assert.fail(String(error)),
  })
  gate.activate(activePolicy(artifact))
  const bodies = () => [...real.records()].map(({ body }) => JSON.parse(body))
  return { scope: new Scope({}, { gate }), bodies, transactions: () => transactions }
}

const complete = (id: number, ref: object, argument: object, more: object = {}) =>
  request(id, 'completion/complete', { ref, argument, ...more })

test('a completion is judged as a use of what it completes, recorded, and ends as its answer says', () => {
  const { scope, bodies } = open()
  const asked = complete(1, { type: 'ref/prompt', name: 'greet' }, { name: 'who', value: 'A' })
  assert.equal(scope.client(asked).toServer.length, 1)
  scope.server(result(1, { completion: { values: [] } }))
  const [, decision, outcome] = bodies()
  assert.deepEqual(
    [decision.method, decision.asked_method, decision.name, decision.arguments, decision.result.decision],
    ['prompts/get', 'completion/complete', 'greet', { who: 'A' }, 'allow'],
  )
  assert.deepEqual([outcome.type, outcome.decision_id, outcome.status], ['outcome', decision.decision_id, 'success'])
})

test('completions count against the limits of what they complete', () => {
  const { scope, bodies } = open()
  for (const id of [1, 2, 3])
    scope.client(complete(id, { type: 'ref/prompt', name: 'greet' }, { name: 'a', value: '' }))
  assert.deepEqual(
    bodies().flatMap(({ result }) => result?.reason_code ?? []),
    ['ALLOW', 'ALLOW', 'RATE_LIMITED'],
  )
})

test('what is known of the arguments is judged: the one that is completed and those of the context', () => {
  const { scope, bodies } = open()
  const ref = { type: 'ref/prompt', name: 'say' }
  const context = { context: { arguments: { lang: 'en' } } }
  assert.equal(scope.client(complete(1, ref, { name: 'text', value: 'x' }, context)).toServer.length, 1)
  assert.deepEqual(scope.client(complete(2, ref, { name: 'text', value: 'x' })).toServer, [])
  assert.deepEqual(scope.client(complete(3, ref, { name: 'lang', value: 'fr' }, context)).toServer, [])
  assert.deepEqual(bodies().at(-1).arguments, { lang: 'fr' })
  for (const odd of [{ context: 5 }, { context: { arguments: [] } }])
    assert.deepEqual(scope.client(complete(4, ref, { name: 'a', value: '' }, odd)).toServer, [])
  assert.deepEqual(scope.client(complete(5, ref, [])).toServer, [])
  assert.equal(bodies().at(-1).result.reason_code, 'MALFORMED_CALL')
})

test('a completion for a URI that could name another resource is refused', () => {
  const { scope, bodies } = open()
  for (const uri of ['file:///work/../etc/{name}', 'file:///work/%2e%2e/{name}', 'file:///work//{name}']) {
    const { toServer } = scope.client(complete(1, { type: 'ref/resource', uri }, { name: 'name', value: '' }))
    assert.deepEqual(toServer, [])
    assert.equal(bodies().at(-1).result.reason_code, 'RESOURCE_URI_UNSAFE')
  }
  const plain = { type: 'ref/resource', uri: 'file:///work/{name}' }
  assert.equal(scope.client(complete(1, plain, { name: 'name', value: '' })).toServer.length, 1)
})

test('what a lax server reads in another spelling is refused, also within what is judged', () => {
  const { scope, bodies } = open()
  const prompt = { type: 'ref/prompt', name: 'say' }
  const argument = { name: 'text', value: '' }
  const odd: readonly object[] = [
    request(1, 'subscriptions/listen', { notifications: { ResourceSubscriptions: ['file:///secret'] }, ...modernMeta }),
    request(1, 'subscriptions/listen', { notifications: { re\u017fourceSubscriptions: ['file:///secret'] } }),
    complete(1, prompt, argument, { context: { Arguments: { lang: 'fr' } } }),
    complete(1, { ...prompt, URI: 'file:///secret' }, argument),
    complete(1, prompt, { ...argument, VALUE: 'x' }),
  ]
  for (const message of odd) {
    assert.deepEqual(scope.client(message).toServer, [], JSON.stringify(message))
    assert.equal(bodies().at(-1).result.reason_code, 'MALFORMED_CALL')
  }
})

const digestOf = (params: unknown) => hash('sha256', canonical(params as Parameters<typeof canonical>[0]))

test('params that say more than the name and the arguments are recorded by their digest, refused or not', () => {
  const { scope, bodies } = open()
  const more = { requestState: 'opaque', inputResponses: { a: { action: 'accept' } }, ...modernMeta }
  for (const name of ['free', 'other']) {
    const call = toolCall(1, name, { b: 1, a: 2 }, more) as { readonly params: object }
    const { toServer } = scope.client(call)
    const sent = toServer.map((line) => JSON.parse(line).params)
    assert.equal(bodies().at(-1).params_sha256, digestOf(name === 'free' ? sent[0] : call.params), name)
    scope.server(result(1))
  }
  scope.client(request(2, 'resources/read', { uri: 'file:///work/a', name: 'beside' }))
  assert.equal(bodies().at(-1).params_sha256, digestOf({ uri: 'file:///work/a', name: 'beside' }))
})

test('two calls that differ in nothing but their state have two digests', () => {
  const { scope, bodies } = open()
  scope.client(toolCall(1, 'free', {}, { requestState: 'x' }), toolCall(2, 'free', {}, { requestState: 'y' }))
  const [first, second] = bodies().slice(1)
  assert.notEqual(first.params_sha256, second.params_sha256)
})

test('params that say no more have no digest, nor has anything where nothing is to be kept', () => {
  const { scope, bodies } = open()
  scope.client(toolCall(1, 'free', { a: 1 }), request(2, 'resources/read', { uri: 'file:///work/a' }))
  for (const { params_sha256 } of bodies().slice(1)) assert.equal(params_sha256, undefined)
  for (const [kept, is] of [
    ['digest', 'string'],
    ['none', 'undefined'],
  ] as const) {
    const other = open(kept)
    other.scope.client(toolCall(1, 'free', {}, { requestState: 'x' }))
    assert.equal(typeof other.bodies().at(-1).params_sha256, is, kept)
  }
})

test('a chunk of garbage is recorded line by line, in one transaction', () => {
  const { scope, bodies, transactions } = open()
  const before = transactions()
  const garbage = Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? 'x' : request(index, 'no/such')))
  const { toClient, toServer } = scope.client(...garbage, toolCall('a', 'free'), '[]')
  assert.equal(transactions() - before, 2, 'one for what is judged, one for what is refused')
  assert.deepEqual([toClient.length, toServer.length], [501, 1])
  assert.equal(bodies().length, 1 + 502)
  const told = toClient.map((line) => JSON.parse(line).error)
  assert.deepEqual([told[0].code, told[1].code, told.at(-1).code], [-32700, -32601, -32600])
  const recorded = bodies().map(({ decision_id }) => decision_id)
  assert.ok(recorded.includes(told[0].data['dev.tollgate/decision'].decision_id))
})

test('calls that are cancelled in their own chunk, however many, are settled each by its own answer', () => {
  const { scope, bodies } = open()
  const cancel = (id: number) => ({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
  const ids = Array.from({ length: cancelledRememberedMax + 5 }, (_, id) => id)
  const { toServer, toClient } = scope.client(
    ...ids.flatMap((id) => [toolCall(id, 'free'), cancel(id)]),
    ...ids.map((id) => toolCall(id, 'free')),
  )
  assert.equal(toServer.length, 2 * ids.length, 'no second call under an id that is under way')
  assert.equal(toClient.length, ids.length)
  scope.server(...ids.map((id) => result(id)))
  scope.gone()
  const allowed = bodies().filter(({ type, result }) => type === 'decision' && result.decision === 'allow')
  const ended = new Set(bodies().flatMap(({ type, decision_id }) => (type === 'outcome' ? [decision_id] : [])))
  assert.deepEqual(
    allowed.filter(({ decision_id }) => !ended.has(decision_id)),
    [],
  )
})
