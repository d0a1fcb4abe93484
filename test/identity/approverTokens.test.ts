/** Persons who answer with a token of their issuer, at a real `tollgate serve`. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServeOptions } from '../../src/cli/serveOptions.ts'
import { settingsOf } from '../../src/cli/serveSettings.ts'
import { readSettings } from '../../src/cli/settingsFile.ts'
import type { Answer } from '../answer.ts'
import type { ScriptedServer } from '../http/fixtures/gate.ts'
import { Issuer } from './fixtures/issuer.ts'
import { Folder, recordingServer, Serving } from './fixtures/serving.ts'

const folder = new Folder()
let issuer: Issuer
let upstream: ScriptedServer
let serving: Serving
let admin = ''

before(async () => {
  issuer = await Issuer.start()
  upstream = await recordingServer()
  folder.write(
    'policy.yaml',
    'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ action: require_approval, approval_not_requester: true }] }\n',
  )
  folder.write('settings.yaml', settings())
  const args = ['-c', 'policy.yaml', '--settings', 'settings.yaml', '--user', 'bob', '--admin', '127.0.0.1:0']
  serving = await Serving.start(folder, ...args, '--upstream', upstream.url.href)
  await serving.says(/persons answer at/)
  admin = /persons answer at (\S+)/.exec(serving.stderr)?.[1] ?? ''
})
after(async () => {
  await serving[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

function settings(change = ''): string {
  return `approver_tokens:
  issuer: ${issuer.issuer}
  audience: approvers
  jwks: ${issuer.url}
  scopes: [approve]
  members: [ops, leads]
${change}`
}

const person = { aud: 'approvers', sub: 'ada', scope: 'openid approve', groups: ['staff', 'ops'] }

async function ask(path: string, claims: object, init: RequestInit = {}): Promise<{ status: number; body: Answer }> {
  const token = await issuer.token({ claims: claims as Record<string, unknown> })
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(new URL(path, admin), { ...init, headers })
  return { status: response.status, body: await response.json() }
}

async function until(look: () => Promise<Response>, status: number): Promise<Response> {
  for (const start = Date.now(); Date.now() - start < 20_000; ) {
    const response = await look()
    if (response.status === status) return response
    await sleep(50)
  }
  return assert.fail(`never ${status}`)
}

test('a person with a token answers, under the name that it has, and the record says so', async () => {
  await serving.call('pay', {}, { amount: 1 })
  const { status, body } = await ask('/v1/approvals', person)
  assert.equal(status, 200)
  const { id } = body.approvals[0]
  const own = await ask(`/v1/approvals/${id}/approve`, { ...person, sub: 'bob' }, { method: 'POST' })
  assert.deepEqual([own.status, own.body.error.code], [403, 'approval_by_requester'])
  const answered = await ask(`/v1/approvals/${id}/approve`, person, { method: 'POST' })
  assert.equal(answered.status, 200)
  const [{ approver, approver_known_by }] = answered.body.answers
  assert.deepEqual([approver, approver_known_by], ['ada', 'token'])
  assert.deepEqual((await serving.call('pay', {}, { amount: 1 })).result, { content: [] })
})

test('a token signs in to the page, and signs out when it is over', async () => {
  const page = await fetch(admin)
  const [, form] = /name="form_token" value="([^"]+)"/.exec(await page.text()) ?? []
  const cookie = page.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const signIn = async (key: string) =>
    fetch(new URL('/sign-in', admin), {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie },
      body: new URLSearchParams({ key, form_token: form ?? '' }),
    })
  assert.equal((await signIn(await issuer.token({ claims: { ...person, groups: ['staff'] } }))).status, 401)
  // The clocks may be 30 s apart: it is over in a second or two.
  const shortly = () => issuer.token({ claims: { ...person, exp: Math.floor(Date.now() / 1000) - 28 } })
  const signedIn = await until(async () => signIn(await shortly()), 303)
  const session = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  await until(() => fetch(admin, { headers: { cookie: session } }), 401)
})

test('others are nobody: another audience, no group, no scope, over, without a name, or not signed', async () => {
  const { sub: _, ...nameless } = person
  const refused: readonly object[] = [
    { ...person, aud: issuer.audience },
    { ...person, groups: ['staff'] },
    { ...person, groups: undefined },
    { ...person, scope: 'openid' },
    { ...person, exp: 1 },
    { ...nameless, sub: undefined },
    { ...person, sub: 'a\nb' },
    { ...person, iss: 'https://other.example/' },
  ]
  for (const claims of refused) {
    const { status, body } = await ask('/v1/status', claims)
    assert.deepEqual([status, body.error.code], [401, 'unauthenticated'], JSON.stringify(claims))
  }
  for (const token of [await issuer.unsigned(), await issuer.confused(), 'x'.repeat(14_000)]) {
    const headers = { authorization: `Bearer ${token}` }
    assert.equal((await fetch(new URL('/v1/status', admin), { headers })).status, 401)
  }
})

test('what a token lets is what the settings say, and no more', async () => {
  assert.equal((await ask('/v1/status', person)).status, 200)
  const kill = { method: 'POST', body: '{"all":true}' }
  assert.equal((await ask('/v1/kills', person, kill)).body.error.code, 'scope_missing')
})

test('tokens that callers have answer nothing', () => {
  const read = (text: string) => {
    const { settings: read, mistakes } = readSettings(folder.write('other.yaml', text))
    return { mistakes, read }
  }
  const options = { admin: '127.0.0.1:0' } as ServeOptions
  const callers = (audience: string) =>
    `identity: { jwt: { issuer: ${issuer.issuer}, audience: [${audience}, approvers], jwks: ${issuer.url} } }\n`
  const shared = read(settings(callers('gate'))).read
  assert.throws(() => settingsOf(options, shared, []), /an agent could answer its own calls/)
  const apart = read(settings(callers('gate').replace(', approvers', ''))).read
  assert.equal(settingsOf(options, apart, []).approverTokens?.[0]?.may.join(), 'read,approve')
  assert.throws(() => settingsOf({} as ServeOptions, apart, []), /open it with `--admin`/)
  const { mistakes } = read('approver_tokens: { issuer: i, jwks: k.json, may: [rule] }\n')
  assert.deepEqual(mistakes.map(({ code }) => code).toSorted(), ['missing_key', 'wrong_value'])
})
