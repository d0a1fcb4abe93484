/** Tokens, keys and headers at a real `tollgate serve`: who is let in, as whom, and what everybody else is told. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import type { ScriptedServer } from '../http/fixtures/gate.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'
import { Issuer } from './fixtures/issuer.ts'
import { type Answer, bearer, Folder, recordingServer, Serving } from './fixtures/serving.ts'

const folder = new Folder()
let issuer: Issuer
let upstream: ScriptedServer
let serving: Serving
let apiKey = ''

const settings = (one: Issuer) => `
identity:
  jwt:
    issuer: ${one.issuer}
    audience: [${one.audience}, other-gate]
    jwks: ${one.url}
    cooldown: 1s
    scopes: [mcp:call]
    project: tenant.project
    keep: [run_id]
  api_keys: keys.yaml
  trusted_header: { from: [192.0.2.1, 2001:db8::/32], user: X-User }
public_url: https://gate.example
credentials:
  srv: { bearer_file: upstream.token }
`

const policy = `
version: "1"
default: deny
tools:
  pay: { rules: [{ rate_limit: 3/hour, per: user }] }
  admin: { for: { groups: admins } }
  by_agent: { rules: [{ rate_limit: 1/hour, per: agent }] }
  by_project: { rules: [{ rate_limit: 1/hour, per: project }] }
`

before(async () => {
  issuer = await Issuer.start()
  upstream = await recordingServer()
  const made = JSON.parse(
    folder.tollgate('keys', 'new', '--id', 'ci', '--agent', 'ci-bot', '--group', 'ci', '--json').stdout,
  )
  apiKey = made.key
  folder.write('keys.yaml', JSON.stringify({ keys: [made.entry] }), 0o644)
  folder.write('upstream.token', 'the-operators\n')
  folder.write('settings.yaml', settings(issuer))
  folder.write('policy.yaml', policy)
  const args = ['-c', 'policy.yaml', '--settings', 'settings.yaml', '--server', 'srv', '--project', 'all']
  serving = await Serving.start(folder, ...args, '--upstream', upstream.url.href)
})
after(async () => {
  await serving[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const scope = { scope: 'openid mcp:call' }
const good = (claims: object = {}) => issuer.token({ claims: { ...scope, ...claims } })

/** The header that a refusal points to the issuer with. */
const metadata = 'resource_metadata="https://gate.example/.well-known/oauth-protected-resource/mcp"'

test('a token names agent, user, project and groups, and what is kept of its claims is in the input and on the record', async () => {
  const claims = { sub: 'eve', groups: ['b', 'a', 'a'], tenant: { project: 'p1' }, run_id: 'r1', email: 'e@x' }
  assert.equal((await serving.call('pay', bearer(await good(claims)))).status, 200)
  const decision = folder.lastDecision()
  const principal = { agent: 'bot', claims: { run_id: 'r1' }, groups: ['a', 'b'], project: 'p1', user: 'eve' }
  assert.deepEqual(decision.principal, principal)
  assert.deepEqual(decision.input.principal, principal)
  assert.equal(decision.policy_user, 'eve')
  assert.equal(decision.policy_project_id, 'p1')
  assert.equal(folder.tollgate('audit', 'verify', '--ledger', 'ledger.db').status, 0)
})

test('an API key names its caller; the project of the flags is that of those who name none', async () => {
  assert.equal((await serving.call('pay', bearer(apiKey))).status, 200)
  const decision = folder.lastDecision()
  assert.deepEqual(decision.principal, { agent: 'ci-bot', groups: ['ci'], project: 'all' })
  assert.deepEqual([decision.policy_user, decision.policy_project_id], [null, 'all'])
})

test('the token of a caller never reaches the server: it sees the credential of the operator, as it is now', async () => {
  const token = await good({ sub: 'once' })
  await serving.call('pay', { ...bearer(token), 'x-api-key': apiKey, cookie: `t=${token}` })
  const sent = upstream.requests.at(-1)
  assert.equal(sent?.headers.authorization, 'Bearer the-operators')
  assert.ok(!JSON.stringify(upstream.requests).includes(token))
  assert.ok(!JSON.stringify(upstream.requests).includes(apiKey))
  folder.write('upstream.token', 'rotated')
  await serving.call('pay', bearer(token))
  assert.equal(upstream.requests.at(-1)?.headers.authorization, 'Bearer rotated')
})

test('limits count for each user of the tokens', async () => {
  const said = async (sub: string) => JSON.stringify((await serving.call('pay', bearer(await good({ sub })))).result)
  for (const sub of ['carl', 'carl', 'carl', 'dora']) assert.doesNotMatch(await said(sub), /Blocked/)
  assert.match(await said('carl'), /Blocked by policy/)
  assert.doesNotMatch(await said('dora'), /Blocked/)
})

test('an entry for a group is there for its members alone, in lists and in calls', async () => {
  const asked = async (groups: readonly string[]) => {
    const headers = bearer(await good({ sub: 'gil', groups }))
    const listed = await serving.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, headers)
    const { tools } = listed.result as { readonly tools: readonly { readonly name: string }[] }
    const called = await serving.call('admin', headers)
    return [tools.map(({ name }) => name).join(), called.says]
  }
  assert.deepEqual(await asked(['admins']), ['pay,admin', ''])
  assert.deepEqual(await asked([]), ['pay', 'Unknown tool: admin'])
})

describe('is refused with 401, and told what to do', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const stranger = pair.privateKey
  const now = Math.floor(Date.now() / 1000)
  const cases: readonly [string, () => Promise<string> | string, RegExp][] = [
    ['an expired token', () => good({ exp: now - 100 }), /expired: get a new one/],
    ['a token that is not valid yet', () => good({ nbf: now + 1000 }), /not valid yet/],
    ['a token for another audience', () => good({ aud: 'https://other.example' }), /another audience/],
    ['a token for no audience', () => good({ aud: undefined }), /no `aud`/],
    ['a token of another issuer', () => good({ iss: 'https://evil.example/' }), /another issuer/],
    ['a token without an end', () => good({ exp: undefined }), /no `exp`/],
    ['a token whose end is a text', () => good({ exp: '9999999999' }), /wrong `exp`/],
    ['a token without a signature', () => issuer.unsigned(), /algorithm that is not accepted/],
    ['a token signed with the public key as a secret', () => issuer.confused(), /algorithm that is not accepted/],
    [
      'a token of a key that nobody knows',
      () => issuer.token({ claims: scope, kid: 'k9', key: stranger }),
      /a key that the issuer does not have/,
    ],
    [
      'a token of another key under a known name',
      () => issuer.token({ claims: scope, key: stranger }),
      /signature of the token is wrong/,
    ],
    [
      'a token that brings its own key along',
      () =>
        issuer.token({
          claims: scope,
          key: pair.privateKey,
          header: { jwk: pair.publicKey.export({ format: 'jwk' }) },
        }),
      /signature of the token is wrong/,
    ],
    [
      'a token that wants what nobody knows',
      () => issuer.token({ claims: scope, header: { crit: ['x'], x: 1 } }),
      /cannot be read as a signed JWT/,
    ],
    ['a token whose user is a number', () => good({ sub: 7 }), /claim of the token is no name.*`sub`/],
    ['a token whose groups are a map', () => good({ groups: { a: 1 } }), /claim of the token is no name/],
    ['a token with a line break in a name', () => good({ sub: 'a\nb' }), /control character/],
    ['a token that was changed', async () => (await good()).replace(/\.(.)/, '.A$1'), /./],
    ['a long token', () => good({ more: 'x'.repeat(9_500) }), /too long/],
    ['a text that is no token', () => 'abc', /none that this gate takes/],
    ['an unknown API key', () => `tgk_${'A'.repeat(43)}`, /API key is unknown/],
  ]
  for (const [name, token, says] of cases)
    test(name, async () => {
      const answer = await serving.call('pay', bearer(await token()))
      assert.equal(answer.status, 401, answer.says)
      assert.match(answer.says, says)
      const asked = answer.headers.get('www-authenticate') ?? ''
      assert.ok(asked.startsWith(`Bearer ${metadata}, error="invalid_token", error_description="`), asked)
    })

  test('nothing at all: without an error, as nothing was wrong', async () => {
    const { status, says, headers } = await serving.call('pay')
    assert.equal(status, 401)
    assert.match(says, /nobody knows who calls: send a token/)
    assert.equal(headers.get('www-authenticate'), `Bearer ${metadata}, scope="mcp:call"`)
  })

  test('another scheme', async () => {
    const { status, says } = await serving.call('pay', { authorization: 'Basic YTpi' })
    assert.equal(status, 401)
    assert.match(says, /must be `Bearer`/)
  })

  test('streams and ends of sessions as well', async () => {
    for (const method of ['GET', 'DELETE']) assert.equal((await fetch(serving.url, { method })).status, 401)
  })
})

test('a token of 100 KB does not get past the headers', async () => {
  const answer = await fetch(serving.url, {
    method: 'POST',
    headers: bearer(await good({ more: 'x'.repeat(100_000) })),
  })
  assert.equal(answer.status, 431)
})

test('a token without the scope is refused with 403, and told which', async () => {
  const { status, says, headers } = await serving.call(
    'pay',
    bearer(await issuer.token({ claims: { scope: 'openid' } })),
  )
  assert.equal(status, 403)
  assert.match(says, /lacks a scope: ask for one with `mcp:call`/)
  assert.match(headers.get('www-authenticate') ?? '', /error="insufficient_scope".*scope="mcp:call"/)
})

test('a token that names nobody, or says too much of its caller, is refused with 403', async () => {
  const nobody = await serving.call('pay', bearer(await good({ sub: undefined, azp: undefined })))
  assert.equal(nobody.status, 403)
  assert.match(nobody.says, /names neither an agent nor a user/)
  const groups = Array.from({ length: 201 }, (_, index) => `g${index}`)
  const crowd = await serving.call('pay', bearer(await good({ groups })))
  assert.equal(crowd.status, 403)
  assert.match(crowd.says, /more than 200 groups/)
})

test('two tokens, and a header that is not believed, are refused before either counts', async () => {
  const token = await good()
  const twice = request(serving.url, {
    method: 'POST',
    headers: ['authorization', `Bearer ${token}`, 'authorization', `Bearer ${apiKey}`, 'host', 'localhost'],
  })
  twice.end()
  const [answer] = await once(twice, 'response')
  answer.resume()
  assert.equal(answer.statusCode, 400)
  assert.match(answer.headers['www-authenticate'], /error="invalid_request"/)
  const forged = await serving.call('pay', { ...bearer(token), 'x-user': 'root' })
  assert.equal(forged.status, 403)
  assert.match(forged.says, /`x-user` is not believed from your address/)
})

test('a stream ends with the token that opened it; the session goes on with a new one', async () => {
  const now = Math.floor(Date.now() / 1000)
  // The clocks may be half a minute apart.
  const short = bearer(await good({ sub: 'sue', exp: now - 28 }))
  const opened = await serving.open(short)
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const stream = await fetch(serving.url, { headers: { ...short, ...session, accept: 'text/event-stream' } })
  assert.equal(stream.status, 200)
  await stream.text().catch(() => {}) // over: broken off or ended
  assert.equal((await serving.call('pay', { ...short, ...session })).status, 401)
  const renewed = await serving.call('pay', { ...bearer(await good({ sub: 'sue' })), ...session })
  assert.equal(renewed.status, 200)
})

test('limits count for each agent and each project as well', async () => {
  const said = async (name: string, claims: object) =>
    /Blocked/.test(JSON.stringify((await serving.call(name, bearer(await good(claims)))).result))
  assert.ok(!(await said('by_agent', { azp: 'x1', sub: 'u1' })))
  assert.ok(await said('by_agent', { azp: 'x1', sub: 'u2' }))
  assert.ok(!(await said('by_agent', { azp: 'x2', sub: 'u1' })))
  assert.ok(!(await said('by_project', { tenant: { project: 'q1' }, sub: 'u1' })))
  assert.ok(await said('by_project', { tenant: { project: 'q1' }, sub: 'u2' }))
  assert.ok(!(await said('by_project', { tenant: { project: 'q2' }, sub: 'u1' })))
})

test('a session of another caller is unknown, also to the same user with other groups', async () => {
  const opened = await serving.open(bearer(await good({ sub: 'sam' })))
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const asked = async (claims: object): Promise<Answer> =>
    serving.post(toolCall(2, 'pay'), { ...bearer(await good(claims)), ...session })
  assert.equal((await asked({ sub: 'sam' })).status, 200)
  for (const claims of [{ sub: 'tom' }, { sub: 'sam', groups: ['admin'] }]) {
    const { status, says } = await asked(claims)
    assert.equal(status, 404)
    assert.match(says, /no such session: initialize again/)
  }
  assert.equal((await asked({ sub: 'sam' })).status, 200)
})

test('the metadata of the protected resource name the issuer, at the path of the server and at the root', async () => {
  const at = async (path: string) => fetch(new URL(`/.well-known/oauth-protected-resource${path}`, serving.url))
  const common = {
    authorization_servers: [issuer.issuer],
    bearer_methods_supported: ['header'],
    scopes_supported: ['mcp:call'],
    resource_name: 'Tollgate',
  }
  assert.deepEqual(await (await at('/mcp')).json(), { resource: 'https://gate.example/mcp', ...common })
  assert.deepEqual(await (await at('')).json(), { resource: 'https://gate.example', ...common })
  assert.equal((await at('/other')).status, 404)
})

test('a key of the issuer that is new is found, and what the old one signed is refused then', async () => {
  const old = await good({ sub: 'rota' })
  assert.equal((await serving.call('pay', bearer(old))).status, 200)
  issuer.rotate('k2')
  const renewed = await good({ sub: 'rota' })
  // Within the cooldown nobody asks the issuer again.
  let answer = await serving.call('pay', bearer(renewed))
  while (answer.status === 401) {
    assert.match(answer.says, /a key that the issuer does not have/)
    await new Promise((resolve) => setTimeout(resolve, 100))
    answer = await serving.call('pay', bearer(renewed))
  }
  assert.equal(answer.status, 200)
  assert.equal((await serving.call('pay', bearer(old))).status, 401)
})

test('keys that nobody knows do not make the gate ask the issuer each time', async () => {
  const before = issuer.asked.length
  const began = performance.now()
  for (let index = 0; index < 20; index++)
    await serving.call('pay', bearer(await issuer.token({ claims: scope, kid: `x${index}` })))
  const cooldowns = Math.ceil((performance.now() - began) / 1_000)
  assert.ok(issuer.asked.length - before <= cooldowns + 1)
})

test('the file of API keys is followed; a bad one keeps what was read, one that is gone keeps nothing', async () => {
  const works = async () => (await serving.call('pay', bearer(apiKey))).status === 200
  folder.write('keys.yaml', 'keys:\n  - { id: a, sha256: no, agnt: x }\n')
  assert.ok(await works())
  await serving.says(/keys\.yaml` was not read again: what it said before counts for 15 min more/)
  assert.match(serving.stderr, /keys\.yaml:2:22: `sha256` must be/)
  assert.match(serving.stderr, /keys\.yaml:2:26: unknown key `agnt`, did you mean `agent`\?/)
  folder.write('keys.yaml', 'keys: []\n')
  assert.ok(!(await works()))
})

test('who is refused is told about on stderr, once for each reason, and without what was shown', async () => {
  assert.match(serving.stderr, /a caller at 127\.0\.0\.1 was refused: the token has expired/)
  assert.equal(serving.stderr.match(/the API key is unknown/g)?.length, 1)
  assert.match(serving.stderr, /warning: everybody on this machine can read `.*keys\.yaml`/)
  assert.doesNotMatch(serving.stderr, /tgk_|eyJ/)
})
