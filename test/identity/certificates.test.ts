/** Client certificates at a real `tollgate serve` that speaks TLS, and the headers of a proxy that it trusts. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Agent, fetch } from 'undici'
import { alternativesIn } from '../../src/identity/certificate.ts'
import { postFields, type ScriptedServer } from '../http/fixtures/gate.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'
import { Authority, type Signed, type Wish } from './fixtures/certificates.ts'
import { type Answer, Folder, recordingServer, Serving } from './fixtures/serving.ts'

const folder = new Folder()
const authority = new Authority()
let upstream: ScriptedServer
let serving: Serving

const settings = `
identity:
  certificate: { agent: [san.uri, subject.CN], user: san.email, groups: subject.OU }
  trusted_header: { from: loopback, user: X-User, groups: X-Groups }
tls: { cert: gate.pem, key: gate.key, client_ca: ca.pem }
`

before(async () => {
  upstream = await recordingServer()
  const gate = authority.issue({ subject: [['CN', 'gate']], alternatives: [['ip', '127.0.0.1']] })
  folder.write('gate.pem', gate.cert)
  folder.write('gate.key', gate.key)
  folder.write('ca.pem', authority.cert)
  folder.write('settings.yaml', settings)
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
  folder[Symbol.dispose]()
})

async function pay(client: Signed | undefined, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const dispatcher = new Agent({ connect: { ca: authority.cert, ...client } })
  try {
    const body = JSON.stringify(toolCall(1, 'pay'))
    const response = await fetch(serving.url, {
      method: 'POST',
      body,
      headers: { ...postFields, ...headers },
      dispatcher,
    })
    const { error, result } = (await response.json()) as {
      readonly error?: { readonly message: string }
      readonly result?: unknown
    }
    return { status: response.status, headers: response.headers as never, says: error?.message ?? '', result }
  } finally {
    await dispatcher.close()
  }
}

describe('a certificate names its caller', () => {
  const cases: readonly [string, Wish, object][] = [
    [
      'by its URI, as SPIFFE writes it',
      {
        subject: [['CN', 'x']],
        alternatives: [
          ['dns', 'a.b'],
          ['uri', 'spiffe://corp/ns/pay'],
        ],
      },
      { agent: 'spiffe://corp/ns/pay' },
    ],
    [
      'by its common name, with address and units',
      {
        subject: [
          ['CN', 'batch'],
          ['OU', 'b'],
          ['OU', 'a'],
        ],
        alternatives: [['email', 'ada@example.com']],
      },
      { agent: 'batch', groups: ['a', 'b'], user: 'ada@example.com' },
    ],
  ]
  for (const [name, wish, principal] of cases)
    test(name, async () => {
      assert.equal((await pay(authority.issue(wish))).status, 200)
      assert.deepEqual({ groups: [], ...principal }, folder.lastDecision().principal)
    })
})

describe('a certificate is refused', () => {
  const cases: readonly [string, () => Signed | undefined, RegExp][] = [
    ['that is none', () => undefined, /nobody knows who calls: show a client certificate, or call through the proxy/],
    [
      'of another authority',
      () => new Authority().issue({ subject: [['CN', 'root']] }),
      /not signed by an authority of this gate/,
    ],
    ['that is over', () => authority.issue({ subject: [['CN', 'late']], isOver: true }), /or it is over/],
    [
      'with two common names',
      () =>
        authority.issue({
          subject: [
            ['CN', 'a'],
            ['CN', 'b'],
          ],
        }),
      /several names where the gate takes one/,
    ],
    ['with a line break in its name', () => authority.issue({ subject: [['CN', 'a\nCN=b']] }), /control character/],
    ['without a name', () => authority.issue({ subject: [['O', 'corp']] }), /names neither an agent nor a user/],
  ]
  for (const [name, certificate, says] of cases)
    test(name, async () => {
      const answer = await pay(certificate())
      assert.equal(answer.status, 403)
      assert.match(answer.says, says)
      assert.equal(answer.headers.get('www-authenticate'), null)
    })
})

test('names in a certificate that look like other names are read as they stand', () => {
  assert.deepEqual(alternativesIn('URI:spiffe://a/b, DNS:c, email:d@e'), [
    ['URI', 'spiffe://a/b'],
    ['DNS', 'c'],
    ['email', 'd@e'],
  ])
  assert.deepEqual(alternativesIn('URI:"http://a, URI:spiffe://root"'), [['URI', 'http://a, URI:spiffe://root']])
  assert.throws(() => alternativesIn('URI:"open'), /cannot be read/)
})

test('a quoted name does not become another one on the way', async () => {
  const wish: Wish = { subject: [['CN', 'x']], alternatives: [['uri', 'http://a, URI:spiffe://corp/root']] }
  assert.equal((await pay(authority.issue(wish))).status, 200)
  assert.deepEqual(folder.lastDecision().principal, { agent: 'http://a, URI:spiffe://corp/root', groups: [] })
})

test('a header of the proxy is believed, before the certificate of the proxy itself', async () => {
  const proxy = authority.issue({ subject: [['CN', 'proxy']] })
  assert.equal((await pay(proxy, { 'x-user': 'ada', 'x-groups': 'b, a,' })).status, 200)
  assert.deepEqual(folder.lastDecision().principal, { groups: ['a', 'b'], user: 'ada' })
  const odd = await pay(proxy, { 'x-user': 'ad\u00e4' })
  assert.equal(odd.status, 400)
  assert.match(odd.says, /`x-user` must be ASCII/)
})

test('a certificate of the gate that is renewed is used without a new start', async () => {
  const renewed = new Authority()
  const next = renewed.issue({ subject: [['CN', 'gate']], alternatives: [['ip', '127.0.0.1']] })
  folder.write('gate.key', next.key)
  folder.write('gate.pem', next.cert)
  await serving.says(/gate\.pem` changed: new connections get the new certificate/)
  const dispatcher = new Agent({ connect: { ca: renewed.cert } })
  const response = await fetch(serving.url, { method: 'POST', dispatcher })
  assert.equal(response.status, 403)
  await response.text()
  await dispatcher.close()
})
