/** What ToolHive asks, in the shapes that its webhook client (v0.1.0) and its HTTP PDP client send. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bodyOf } from '../../src/log/body.ts'
import type { Answer } from '../answer.ts'
import { Desk } from './fixtures/desk.ts'

let desk: Desk
before(async () => {
  desk = await Desk.open()
})
after(() => desk[Symbol.asyncDispose]())

/** Go's client makes `Authorization: Basic` of what stands before the host in its URL. */
async function ask(path: string, body: unknown, key = desk.keys.gateway, type = 'application/json') {
  const response = await fetch(`${desk.url}/v1/toolhive/${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { authorization: `Basic ${Buffer.from(`toolhive:${key}`).toString('base64')}`, 'content-type': type },
  })
  return { status: response.status, body: (await response.json()) as Answer }
}

const webhook = (mcp_request: unknown, change: object = {}) => ({
  version: 'v0.1.0',
  uid: 'c2f7',
  timestamp: '2026-01-16T19:11:22Z',
  principal: { subject: 'eve', name: 'Eve', email: '', groups: null, claims: { groups: ['staff'] } },
  mcp_request,
  context: { server_name: 'bank', source_ip: '10.0.0.7:51312', transport: 'sse' },
  ...change,
})
const call = (name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
})
const recordOf = (id: string) => bodyOf(desk.opened.ledger.recordsOf(id)[0] as never) as Answer
const kinds = (id: string) => desk.opened.ledger.recordsOf(id).map(({ kind }) => kind)

const porc = (change: object = {}) => ({
  principal: { sub: 'zoe', mgroups: ['staff'], scopes: 'a b', mannotations: {} },
  operation: 'mcp:tool:call',
  resource: 'mrn:mcp:bank:tool:pay',
  context: { mcp: { feature: 'tool', operation: 'call', resource_id: 'pay', args: { amount: '1' } } },
  ...change,
})

test('the PDP is a check: it charges nothing, as a list asks the same', async () => {
  for (let times = 0; times < 5; times++) assert.deepEqual((await ask('decision', porc())).body, { allow: true })
  const [last] = [...desk.opened.ledger.records()].slice(-1)
  const { principal, server, arguments: args } = bodyOf(last as never) as Answer
  assert.deepEqual(
    [last?.kind, server, principal, args],
    ['check', 'bank', { groups: ['staff'], user: 'zoe' }, { amount: '1' }],
  )
  const resource = 'mrn:mcp:bank:tool:none'
  assert.deepEqual((await ask('decision', porc({ resource, context: {} }))).body, { allow: false })
  assert.deepEqual((await ask('decision', porc({ context: {}, principal: {} }))).body, { allow: true })
})

test('a call that the webhook lets through is judged with who calls, charged, and its outcome is unknown', async () => {
  const answers = []
  for (let times = 0; times < 4; times++) answers.push((await ask('webhook', webhook(call('pay')))).body)
  assert.deepEqual(
    answers.map(({ allowed }) => allowed),
    [true, true, true, false],
  )
  const [first, , , last] = answers
  assert.deepEqual(
    [first.version, first.uid, kinds(first.details.decision_id)],
    ['v0.1.0', 'c2f7', ['decision', 'outcome']],
  )
  assert.deepEqual([last.code, last.reason], [403, 'RATE_LIMITED'])
  const { server, principal } = recordOf(first.details.decision_id)
  assert.deepEqual([server, principal], ['bank', { groups: ['staff'], user: 'eve' }])
  assert.equal(recordOf(first.details.decision_id).params_sha256, undefined)
  const task = { ...call('free').params, task: { ttl: 1 } }
  const { body: more } = await ask('webhook', webhook({ ...call('free'), params: task }))
  assert.match(recordOf(more.details.decision_id).params_sha256, /^[0-9a-f]{64}$/)
  const context = { server_name: 'all', backend_server: 'bank' }
  const held = await ask('webhook', webhook(call('close'), { context, principal: null }))
  assert.match(held.body.details.approval_id, /^apr_/)
  assert.equal(recordOf(held.body.details.decision_id).server, 'bank')
})

test('what no policy has a word about passes, and what nobody knows does not', async () => {
  const message = (method: string, more: object = { id: 1 }) => ({ jsonrpc: '2.0', method, ...more })
  const allowed = async (sent: unknown) => (await ask('webhook', webhook(sent))).body.allowed
  assert.equal(await allowed(message('initialize')), true)
  assert.equal(await allowed(message('tools/list')), true)
  assert.equal(await allowed(message('notifications/progress', {})), true)
  assert.equal(await allowed({ jsonrpc: '2.0', id: 1, result: {} }), true)
  assert.equal(await allowed(message('tools/run')), false)
  assert.equal(await allowed(message('tools/call', {})), false)
  assert.equal(await allowed(message('subscriptions/listen', { id: 1, params: { notifications: {} } })), false)
})

test('whatever is odd is a no to the webhook, under each failure policy', async () => {
  const odd: readonly unknown[] = [
    webhook(call('free'), { version: 'v0.2.0' }),
    webhook(call('free'), { context: null }),
    webhook(call('free'), { context: {} }),
    webhook(call('free'), { principal: 'eve' }),
    webhook(call('free'), { principal: { subject: 7 } }),
    webhook(call('free'), { principal: { subject: 'e', groups: 'staff' } }),
    webhook(undefined),
    webhook([call('free')]),
    webhook({ ...call('free'), Method: 'tools/list' }),
    webhook(call('')),
    JSON.stringify(webhook(call('pay'))).replace('"name":"pay"', '"name":"pay","name":"free"'),
    '[]',
    '',
  ]
  for (const body of odd) {
    const answer = await ask('webhook', body)
    assert.deepEqual(
      [answer.status, answer.body.allowed, answer.body.reason],
      [200, false, 'MALFORMED_CALL'],
      `${body}`,
    )
    assert.deepEqual(kinds(answer.body.details.decision_id), ['decision'])
  }
  assert.equal((await ask('webhook', webhook(call('free')))).body.allowed, true)
  assert.equal((await ask('webhook', webhook(call('free')), 'tgk_none')).status, 422)
  assert.equal((await ask('webhook', webhook(call('free')), desk.keys.reader)).status, 422)
  assert.equal((await ask('webhook', webhook(call('free')), desk.keys.gateway, 'text/plain')).status, 422)
  for (const path of ['webhook', 'webhook/', 'Webhook'])
    assert.equal((await ask(path, ' '.repeat(2_000_000))).status, 422, path)
})

test('whatever is odd is a no to the PDP', async () => {
  const mcp = { feature: 'tool', operation: 'call', resource_id: 'pay' }
  const odd: readonly unknown[] = [
    porc({ operation: 'mcp:tool:list' }),
    porc({ operation: 'mcp:prompt:get' }),
    porc({ operation: ['mcp:tool:call'] }),
    porc({ resource: 'mrn:mcp:bank:prompt:pay' }),
    porc({ resource: 'mrn:mcp:bank:tool:' }),
    porc({ resource: 7 }),
    porc({ context: { mcp: { ...mcp, resource_id: 'free' } } }),
    porc({ context: { mcp: { ...mcp, operation: 'list' } } }),
    porc({ context: { mcp: { ...mcp, args: [] } } }),
    porc({ principal: null }),
    porc({ principal: { sub: ['zoe'] } }),
    '{"operation":"mcp:tool:call","operation":"x"}',
    '[]',
    '',
  ]
  for (const body of odd)
    assert.deepEqual(await ask('decision', body), { status: 200, body: { allow: false } }, `${body}`)
  assert.equal((await ask('decision', porc(), 'tgk_none')).status, 401)
})

test('a key in a URL is a key for ToolHive alone', async () => {
  const headers = { authorization: `Basic ${Buffer.from(`x:${desk.keys.ada}`).toString('base64')}` }
  assert.equal((await fetch(`${desk.url}/v1/status`, { headers })).status, 401)
})
