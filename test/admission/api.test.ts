/** The admission API over a real gate: who may ask, what is answered, and the document that describes it. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { api } from '../../src/admission/api.ts'
import { newKey } from '../../src/admission/approvers.ts'
import { openapi } from '../../src/admission/openapi.ts'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { proveRecords } from '../../src/cli/auditProof.ts'
import type { Answer } from '../answer.ts'
import { Desk } from './fixtures/desk.ts'

let desk: Desk
before(async () => {
  desk = await Desk.open()
})
after(() => desk[Symbol.asyncDispose]())

const reason = (text: string) => ({ method: 'POST', body: JSON.stringify({ reason: text }) })
const post = { method: 'POST' }
const body = (value: unknown) => ({ method: 'POST', body: JSON.stringify(value) })
const sent = (body: object) => ({ method: 'POST', body: JSON.stringify(body), key: desk.keys.other })
const codeOf = ({ status, body }: { status: number; body: Answer }) => `${status} ${body.error?.code}`

test('a program with a key lists what waits, approves it, and the call runs once', async () => {
  const id = desk.held({ account: 1 })
  const { body } = await desk.api('/v1/approvals')
  assert.deepEqual(
    body.approvals.map((view: Answer) => [view.id, view.state, view.arguments]),
    [[id, 'pending', { account: 1 }]],
  )
  const { body: one } = await desk.api(`/v1/approvals/${id}`)
  assert.equal(one.input.tool, 'close')
  assert.deepEqual(Object.values(one.input.facts), [0])
  const approved = await desk.api(`/v1/approvals/${id}/approve`, reason('ticket 812'))
  assert.equal(approved.status, 200)
  const [answer] = approved.body.answers
  assert.deepEqual(
    [approved.body.state, answer.approver, answer.approver_known_by, answer.approver_os_user, answer.reason],
    ['approved', 'ada', 'api_key', null, 'ticket 812'],
  )
  assert.deepEqual([desk.call({ account: 1 }).decision, desk.call({ account: 1 }).decision], ['allow', 'hold'])
  const { body: used } = await desk.api('/v1/approvals?state=consumed')
  assert.deepEqual(
    used.approvals.map((view: Answer) => view.id),
    [id],
  )
})

test('an answer that does not count is refused, each with its reason', async () => {
  const id = desk.held({ account: 2 })
  assert.equal(codeOf(await desk.api('/v1/approvals/apr_none/approve', post)), '404 approval_unknown')
  assert.equal(codeOf(await desk.api(`/v1/approvals/${id}/approve`, reason('x'.repeat(1_001)))), '400 approver_invalid')
  await desk.api(`/v1/approvals/${id}/approve`, post)
  assert.equal(codeOf(await desk.api(`/v1/approvals/${id}/reject`, post)), '409 approval_settled')
  desk.call({ account: 2 })
  assert.equal(codeOf(await desk.api(`/v1/approvals/${id}/approve`, post)), '409 approval_settled')
  const pair = desk.held({}, { name: 'pair' })
  const byEve = { ...post, key: desk.keys.eve }
  assert.equal(codeOf(await desk.api(`/v1/approvals/${pair}/approve`, byEve)), '403 approval_by_requester')
  assert.equal((await desk.api(`/v1/approvals/${pair}/approve`, post)).body.state, 'pending')
  assert.equal(codeOf(await desk.api(`/v1/approvals/${pair}/approve`, post)), '409 approval_given')
  assert.equal(
    (await desk.api(`/v1/approvals/${pair}/approve`, { ...post, key: desk.keys.bob })).body.state,
    'approved',
  )
})

test('a request that expired is not answered', async () => {
  const id = desk.held({ account: 3 })
  desk.aheadMs = 11 * 60_000
  assert.equal(codeOf(await desk.api(`/v1/approvals/${id}/approve`, post)), '409 approval_settled')
  assert.equal((await desk.api(`/v1/approvals/${id}`)).body.state, 'expired')
  desk.aheadMs = 0
})

test('nobody without a key is let in, and a key that is taken back is none', async () => {
  for (const authorization of [
    '',
    'Bearer',
    'Bearer tgk_none',
    `Basic ${desk.keys.ada}`,
    `Bearer ${desk.keys.ada} x`,
  ]) {
    const response = await fetch(`${desk.url}/v1/approvals`, { headers: { authorization } })
    assert.deepEqual([response.status, response.headers.get('www-authenticate')], [401, 'Bearer realm="tollgate"'])
  }
  await using other = await Desk.open()
  const { key, line } = newKey('carol')
  writeFileSync(other.approversFile, `${line}\n`)
  assert.equal((await other.api('/v1/approvals', { key })).status, 200)
  assert.equal((await other.api('/v1/approvals')).status, 401)
  writeFileSync(other.approversFile, `${line} approve more\n`)
  assert.equal((await other.api('/v1/approvals', { key })).status, 401)
  assert.match(other.log.join(), /approvers:1:1: `more` is nothing that a key may do: read, approve/)
})

test('a body that is odd is refused', async () => {
  const id = desk.held({ account: 4 })
  const path = `/v1/approvals/${id}/approve`
  for (const body of ['{"reason":1}', '{"why":"x"}', '[]', '{', `{"reason":"${'x'.repeat(70_000)}"}`])
    assert.match(
      codeOf(await desk.api(path, { ...post, body })),
      /^4(00 request_invalid|13 body_too_large)/,
      body.slice(0, 20),
    )
  assert.equal(codeOf(await desk.api('/v1/approvals?state=odd')), '400 request_invalid')
  assert.equal((await desk.api(`/v1/approvals/${id}`)).body.state, 'pending')
})

test('a name of another machine reaches nothing', async () => {
  const status = await new Promise((resolve) => {
    const headers = { host: 'evil.example', authorization: `Bearer ${desk.keys.ada}` }
    request(`${desk.url}/v1/approvals`, { headers }, (response) => resolve(response.resume().statusCode)).end()
  })
  assert.equal(status, 403)
  const headers = { origin: 'https://evil.example', authorization: `Bearer ${desk.keys.ada}` }
  assert.equal((await fetch(`${desk.url}/healthz`, { headers })).status, 403)
})

test('the document says what is there, and every answer is of the form that it says', async () => {
  const served = await desk.api('/openapi.json')
  assert.deepEqual(served.body, JSON.parse(JSON.stringify(openapi)))
  const page = new URL('../../docs/openapi.json', import.meta.url)
  if (process.env['UPDATE']) writeFileSync(page, `${JSON.stringify(openapi, null, 2)}\n`)
  const isSame = isDeepStrictEqual(JSON.parse(readFileSync(page, 'utf8')), served.body)
  assert.ok(isSame, 'docs/openapi.json is not what is served: UPDATE=1 writes it, and `npm run format` formats it')
  const [first, second] = [desk.held({ account: 5 }), desk.held({ account: 6 })]
  const { body: kill } = await desk.api('/v1/kills', body({ tool: 'drill' }))
  const asked: readonly (readonly [string, string, string, RequestInit & { key?: string }, number])[] = [
    ['/healthz', 'get', '/healthz', {}, 200],
    ['/readyz', 'get', '/readyz', {}, 200],
    ['/openapi.json', 'get', '/openapi.json', {}, 200],
    ['/v1/status', 'get', '/v1/status', {}, 200],
    ['/v1/status', 'get', '/v1/status', { key: 'none' }, 401],
    ['/v1/approvals', 'get', '/v1/approvals?state=pending&state=approved&state=consumed', {}, 200],
    ['/v1/approvals', 'get', '/v1/approvals?state=odd', {}, 400],
    ['/v1/approvals/{id}', 'get', `/v1/approvals/${first}`, {}, 200],
    ['/v1/approvals/{id}', 'get', '/v1/approvals/none', {}, 404],
    ['/v1/approvals/{id}/approve', 'post', `/v1/approvals/${first}/approve`, reason('fine'), 200],
    ['/v1/approvals/{id}/approve', 'post', `/v1/approvals/${first}/approve`, post, 409],
    ['/v1/approvals/{id}/reject', 'post', `/v1/approvals/${second}/reject`, reason('no'), 200],
    ['/v1/approvals/{id}/reject', 'post', '/v1/approvals/none/reject', post, 404],
    ['/v1/kills', 'post', '/v1/kills', body({ session: 's-9', reason: 'drill' }), 201],
    ['/v1/kills', 'post', '/v1/kills', body({ session: 's-9' }), 200],
    ['/v1/kills', 'post', '/v1/kills', body({ sesion: 's-9' }), 400],
    ['/v1/kills', 'get', '/v1/kills', {}, 200],
    ['/v1/kills/{id}', 'delete', `/v1/kills/${kill.id}?reason=over`, { method: 'DELETE' }, 200],
    ['/v1/kills/{id}', 'delete', `/v1/kills/${kill.id}`, { method: 'DELETE' }, 404],
    ['/v1/sessions', 'get', '/v1/sessions', {}, 200],
    ['/v1/sessions', 'get', '/v1/sessions?since=soon', {}, 400],
    ['/v1/sessions/{id}', 'get', '/v1/sessions/s', {}, 200],
    ['/v1/sessions/{id}', 'get', '/v1/sessions/none', {}, 404],
    ['/v1/admission', 'post', '/v1/admission', sent({ mode: 'check', tool: 'free' }), 200],
    ['/v1/outcomes', 'post', '/v1/outcomes', sent({ decision_id: 'none', status: 'error' }), 404],
    ['/v1/runs', 'post', '/v1/runs', sent({ run_id: 'r', attributes: {} }), 201],
    ['/v1/runs', 'get', '/v1/runs', {}, 200],
    ['/v1/data/{path}', 'post', '/v1/data/tollgate/decision', sent({ input: {} }), 200],
    ['/v1/decisions', 'get', '/v1/decisions', {}, 200],
    ['/v1/decisions/{id}', 'get', '/v1/decisions/none', {}, 404],
    ['/v1/policy', 'get', '/v1/policy', {}, 200],
    ['/metrics', 'get', '/metrics', {}, 200],
    ['/v1/toolhive/webhook', 'post', '/v1/toolhive/webhook', sent({}), 200],
    ['/v1/toolhive/decision', 'post', '/v1/toolhive/decision', sent({}), 200],
    ['/v1/runs/{id}', 'delete', '/v1/runs/r', { method: 'DELETE', key: desk.keys.other }, 200],
  ]
  // Each answer is held against the document where it comes in.
  for (const [, method, url, init, status] of asked)
    assert.equal((await desk.api(url, init)).status, status, `${method} ${url}`)
  const described = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  const signed = ['post /v1/callbacks/webhook', 'post /v1/callbacks/slack'] // asked in callbacks.test.ts
  assert.deepEqual(new Set([...asked.map(([path, method]) => `${method} ${path}`), ...signed]), new Set(described))
  assert.deepEqual(new Set(routes()), new Set(described))
})

interface Layer {
  readonly route?: { readonly path: string; readonly stack: readonly { readonly method: string }[] }
  readonly handle: { readonly stack?: readonly Layer[] }
}

/** What the routers know; the one in the other is `/v1`, and the one in that `/callbacks`. */
function routes(layers = api({} as never).stack as unknown as readonly Layer[], prefixes = ['', '/v1', '/callbacks']) {
  const [prefix = '', ...inner] = prefixes
  const found: string[] = layers.flatMap(({ route, handle }) => [
    ...(route?.stack.map(
      ({ method }) => `${method} ${prefix}${route.path.replace(':id', '{id}').replace('{/*path}', '/{path}')}`,
    ) ?? []),
    ...(handle.stack ? routes(handle.stack, [`${prefix}${inner[0]}`, ...inner.slice(1)]) : []),
  ])
  return found
}

test('a program stops and lifts, in the name of its key; who is stopped is refused, and the session says so', async () => {
  await using own = await Desk.open()
  own.held({ account: 1 }, { session: 's/1' })
  const stopped = await own.api('/v1/kills', body({ session: 's/1', reason: 'ticket 812' }))
  assert.deepEqual(
    [stopped.status, stopped.body.said_by, stopped.body.said_by_known_by, stopped.body.said_by_os_user],
    [201, 'ada', 'api_key', null],
  )
  const refused = own.call({ account: 1 }, { session: 's/1' })
  assert.deepEqual([refused.kill_id, refused.message], [stopped.body.id, '`ada` stopped this session: ticket 812'])
  const again = await own.api('/v1/kills', { ...body({ session: 's/1' }), key: own.keys.bob })
  assert.deepEqual([again.status, again.body], [200, stopped.body])
  assert.deepEqual((await own.api('/v1/kills')).body.kills, [stopped.body])
  const { body: session } = await own.api('/v1/sessions/s%2F1')
  assert.deepEqual([session.calls, session.stopped], [{ allowed: 0, denied: 0, held: 1, killed: 1 }, stopped.body])
  const all = await own.api('/v1/kills', body({ all: true }))
  assert.equal(own.call({}, { session: 's-2' }).decision, 'kill')
  for (const { id } of [stopped.body, all.body])
    assert.equal((await own.api(`/v1/kills/${id}`, { method: 'DELETE' })).status, 200)
  assert.equal(own.call({ account: 1 }, { session: 's/1' }).decision, 'hold')
  for (const odd of [
    {},
    [],
    { all: false },
    { all: '' },
    { session: 1 },
    { session: 's', agent: 'a' },
    { Session: 's' },
  ])
    assert.equal(codeOf(await own.api('/v1/kills', body(odd))), '400 request_invalid', JSON.stringify(odd))
  for (const odd of [{ session: '' }, { tool: 't', reason: 'x'.repeat(1_001) }])
    assert.equal(codeOf(await own.api('/v1/kills', body(odd))), '400 kill_invalid')
  assert.equal((await own.api('/v1/kills', { ...body({ all: true }), key: 'none' })).status, 401)
  assert.deepEqual((await own.api('/v1/kills')).body.kills, [])
  assert.deepEqual(readLedger(own.ledgerFile, (source) => proveRecords(source)).findings, [])
})

test('all of that is proved from the record', () => {
  assert.deepEqual(readLedger(desk.ledgerFile, (source) => proveRecords(source)).findings, [])
})
