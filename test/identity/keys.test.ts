/** Where keys come from and how that fails, at a real `tollgate serve`: issuers that are down, slow, or lie; files; clusters. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ScriptedServer } from '../http/fixtures/gate.ts'
import { until } from '../until.ts'
import { Issuer } from './fixtures/issuer.ts'
import { bearer, Folder, recordingServer, Serving } from './fixtures/serving.ts'

const folder = new Folder()
const names = ['down', 'slow', 'html', 'huge', 'moved', 'secret', 'file', 'cluster'] as const
const issuers = {} as Record<(typeof names)[number], Issuer>
let upstream: ScriptedServer
let serving: Serving

before(async () => {
  upstream = await recordingServer()
  for (const name of names) issuers[name] = await Issuer.start(`https://${name}.example`)
  issuers.down.answer = (response) => response.destroy()
  issuers.slow.answer = () => {}
  issuers.html.answer = (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>log in</p>')
  issuers.huge.answer = (response) => {
    response.writeHead(200)
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  }
  issuers.moved.answer = (response) => response.writeHead(302, { location: issuers.file.url }).end()
  issuers.secret.answer = (response) => response.end(JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'k1' }] }))
  folder.write('keys.json', JSON.stringify(issuers.file.jwks))
  folder.write('cluster.token', 'pod-token\n')
  const remote = names.filter((name) => name !== 'file' && name !== 'cluster')
  const jwt = remote.map(
    (name) => `    - { issuer: ${issuers[name].issuer}, audience: g, jwks: "${issuers[name].url}", cooldown: 1s }`,
  )
  folder.write(
    'settings.yaml',
    `identity:
  jwt:
${jwt.join('\n')}
    - { issuer: "${issuers.file.issuer}", audience: g, jwks: keys.json, algorithms: RS256, agent: act.sub }
  kubernetes:
    { issuer: "${issuers.cluster.issuer}", audience: g, jwks: "${issuers.cluster.url}", token: cluster.token }
`,
  )
  folder.write('policy.yaml', 'version: "1"\ndefault: deny\ntools:\n  pay: {}\n')
  serving = await Serving.start(
    folder,
    '-c',
    'policy.yaml',
    '--settings',
    'settings.yaml',
    '--upstream',
    upstream.url.href,
  )
})
after(async () => {
  await serving[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  for (const issuer of Object.values(issuers)) await issuer[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const pay = async (issuer: Issuer, claims: object = {}) =>
  serving.call('pay', bearer(await issuer.token({ claims: { aud: 'g', ...claims } })))

describe('without keys nobody is let in, and it is not the fault of the token', () => {
  const cases: readonly [(typeof names)[number], RegExp][] = [
    ['down', /the keys of the issuer were not read: .*; tokens are refused until they are/],
    ['slow', /the keys of the issuer were not read: .*(?:imeout|aborted)/],
    ['html', /is no JSON/],
    ['huge', /answered with more than 262144 bytes/],
    ['moved', /answered with status 302/],
    ['secret', /has a key that is not public/],
  ]
  for (const [name, told] of cases)
    test(name, async () => {
      const { status, says, headers } = await pay(issuers[name])
      assert.equal(status, 503)
      assert.match(says, /cannot get the keys of the issuer: try again later/)
      assert.equal(headers.get('retry-after'), '5')
      await serving.says(told)
    })
})

test('an issuer that comes back is asked again', async () => {
  issuers.down.answer = (response) => issuers.down.handOut(response)
  let answer = await pay(issuers.down)
  while (answer.status === 503) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    answer = await pay(issuers.down)
  }
  assert.equal(answer.status, 200)
  assert.deepEqual(folder.lastDecision().principal, { agent: 'bot', user: 'ada' })
})

test('keys that are known count on when the issuer goes down again', async () => {
  issuers.down.answer = (response) => response.destroy()
  assert.equal((await pay(issuers.down, { sub: 'bob' })).status, 200)
})

test('a token with a key that nobody could ask for is not the fault of its caller', async () => {
  issuers.down.rotate('k2')
  await until(async () => (await pay(issuers.down, { sub: 'bob' })).status === 503, 'a question that failed')
  issuers.down.answer = (response) => issuers.down.handOut(response)
  await until(async () => (await pay(issuers.down, { sub: 'bob' })).status === 200, 'the new key')
  issuers.down.rotate('k3')
  const told = issuers.down.jwks
  issuers.down.answer = (response) => response.end(JSON.stringify({ ...told, keys: [] }))
  await until(
    async () => (await pay(issuers.down, { sub: 'bob' })).status === 401,
    'a key that the issuer does not have',
  )
})

test('a file of keys is followed; when it is gone no token counts', async () => {
  const claims = { act: { sub: 'assistant' } }
  assert.equal((await pay(issuers.file, claims)).status, 200)
  assert.deepEqual(folder.lastDecision().principal, { agent: 'assistant', user: 'ada' })
  issuers.file.rotate('k2')
  assert.equal((await pay(issuers.file, claims)).status, 401)
  folder.write('keys.json', JSON.stringify(issuers.file.jwks))
  assert.equal((await pay(issuers.file, claims)).status, 200)
  folder.remove('keys.json')
  assert.equal((await pay(issuers.file, claims)).status, 503)
  await serving.says(/keys\.json` is gone/)
})

const account = {
  namespace: 'pay',
  node: { name: 'node1', uid: 'w' },
  pod: { name: 'p', uid: 'v' },
  serviceaccount: { name: 'worker', uid: 'u' },
}

test('a service account is known by namespace and name; the server of the keys sees the token of the gate', async () => {
  const claims = { sub: 'system:serviceaccount:pay:worker', 'kubernetes.io': account }
  assert.equal((await pay(issuers.cluster, claims)).status, 200)
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:pay']
  assert.deepEqual(folder.lastDecision().principal, { agent: 'pay/worker', groups, project: 'pay' })
  assert.deepEqual(issuers.cluster.asked, ['Bearer pod-token'])
})

test('a token of the cluster that is none of a service account, or of two, is refused', async () => {
  for (const [claims, says] of [
    [{ sub: 'system:serviceaccount:pay:worker' }, /`kubernetes\.io\.namespace` is missing/],
    [
      { sub: 'system:serviceaccount:kube-system:root', 'kubernetes.io': account },
      /names another service account in `sub`/,
    ],
    [{ sub: 'a', 'kubernetes.io': { ...account, namespace: 'a/b' } }, /`kubernetes\.io\.namespace` is missing/],
  ] as const) {
    const answer = await pay(issuers.cluster, claims)
    assert.equal(answer.status, 401)
    assert.match(answer.says, says)
  }
})
