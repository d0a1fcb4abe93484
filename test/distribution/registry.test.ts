/** A bundle is pulled from a registry (here a stand-in) by the digests of its manifest, and by nothing else. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { type ImagePlace, placeIn } from '../../src/distribution/places.ts'
import { Registry } from '../../src/distribution/registry.ts'
import { tokenUrl } from '../../src/distribution/registryToken.ts'
import { get } from '../../src/distribution/request.ts'
import { readSecrets, type SecretFiles } from '../../src/distribution/secrets.ts'
import { bundleBytesMax } from '../../src/opa/limits.ts'
import { Authority } from '../identity/fixtures/certificates.ts'
import { digestOf, layerOf, manifestOf, StandIn } from './registry.ts'

const bytes = gzipSync('a bundle')
const folder = mkdtempSync(join(tmpdir(), 'tollgate-registry-'))
const token = join(folder, 'token')
let standIn: StandIn

before(async () => {
  standIn = await StandIn.start()
  writeFileSync(token, 'ci:pass\n')
})
after(async () => {
  await standIn[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

function pull(reference: string, { etag, files = {} }: { etag?: string; files?: SecretFiles } = {}) {
  const place = placeIn(`oci://${standIn.host}/team/policy${reference}`) as ImagePlace
  return new Registry(place, files).ask({ etag, waitMs: 0, signal: new AbortController().signal })
}

test('the first layer of the right type is the bundle, and its digest is the ETag', async () => {
  standIn.push('1.4', bytes)
  const found = await pull(':1.4')
  assert.deepEqual(found, { kind: 'found', bytes, etag: digestOf(bytes), waits: false })
  standIn.asked.length = 0
  assert.deepEqual(await pull(':1.4', { etag: digestOf(bytes) }), { kind: 'same', waits: false })
  assert.deepEqual(standIn.asked, ['/v2/team/policy/manifests/1.4'], 'the layer is not asked for')
})

test('an image can be named by its digest, which then is what comes', async () => {
  standIn.push('1.4', bytes)
  const manifest = standIn.manifests.get('1.4') as string
  assert.equal((await pull(`:1.4@${digestOf(manifest)}`)).kind, 'found')
  standIn.manifests.set(digestOf(manifest), manifestOf([layerOf(gzipSync('another'))]))
  await assert.rejects(pull(`@${digestOf(manifest)}`), { code: 'bundle_digest_wrong' })
})

test('bytes that are not those of the digest are refused', async () => {
  standIn.push('1.5', bytes)
  standIn.blobs.set(digestOf(bytes), gzipSync('a bundl3'))
  await assert.rejects(pull(':1.5'), { code: 'bundle_digest_wrong', message: /answered with what has another digest$/ })
  standIn.blobs.set(digestOf(bytes), Buffer.concat([bytes, bytes]))
  await assert.rejects(pull(':1.5'), { code: 'bundle_too_large' }, 'no more is read than the manifest says')
})

test('a manifest that names no bundle is refused with what is wrong', async () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['bundle_image_wrong', 'no JSON', /has no manifest of an image with layers/],
    ['bundle_image_wrong', '{"manifests":[]}', /an index of several is none$/],
    ['bundle_image_wrong', '{"layers":[null,{"mediaType":"text/plain"}]}', /has no layer of the type/],
    ['bundle_image_wrong', manifestOf([{ ...layerOf(bytes), digest: 'md5:0' }]), /by no SHA-256 digest$/],
    ['bundle_image_wrong', manifestOf([{ ...layerOf(bytes), size: -1 }]), /says no size of its layer$/],
    ['bundle_too_large', manifestOf([{ ...layerOf(bytes), size: bundleBytesMax + 1 }]), /are allowed$/],
  ]
  for (const [code, manifest, message] of cases) {
    standIn.manifests.set('odd', manifest)
    await assert.rejects(pull(':odd'), { code, message })
  }
  await assert.rejects(pull(':none'), { code: 'bundle_status_wrong', httpCode: 404 })
})

test('a token is asked for where the registry says, for this repository and nothing else', async () => {
  standIn.push('1.6', bytes)
  standIn.credential = 'ci:pass'
  try {
    standIn.asked.length = 0
    assert.equal((await pull(':1.6', { files: { token } })).kind, 'found')
    const basic = `Basic ${Buffer.from('ci:pass').toString('base64')}`
    const bearer = 'Bearer for-repository:team/policy:pull'
    assert.deepEqual(standIn.asked, [
      `/v2/team/policy/manifests/1.6 ${basic}`,
      `/token ${basic}`,
      `/v2/team/policy/manifests/1.6 ${bearer}`,
      `/v2/team/policy/blobs/${digestOf(bytes)} ${bearer}`,
    ])
    await assert.rejects(pull(':1.6'), { code: 'bundle_status_wrong', httpCode: 401 })
    standIn.realm = 'http://registry.example.com/token'
    await assert.rejects(pull(':1.6', { files: { token } }), {
      code: 'bundle_redirected',
      message: /which is no `https:`$/,
    })
  } finally {
    standIn.credential = undefined
  }
})

test('a registry elsewhere sends no credential to what runs on this machine', () => {
  const place = placeIn('oci://registry.example.com/team/policy:1') as ImagePlace
  const from = new URL('https://registry.example.com/v2/team/policy/manifests/1')
  const challenge = { realm: 'http://127.0.0.1:9/token', service: undefined }
  assert.throws(() => tokenUrl(challenge, place, from), { code: 'bundle_redirected' })
  assert.equal(tokenUrl(challenge, place, new URL('http://127.0.0.1:5000/v2/')).port, '9')
})

test('a layer may be kept elsewhere, which is shown no credential', async () => {
  standIn.push('1.7', bytes)
  const shown: (string | undefined)[] = []
  const store = createServer(({ headers }, response) => {
    shown.push(headers.authorization)
    response.end(bytes)
  })
  await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve))
  standIn.elsewhere = `http://127.0.0.1:${(store.address() as AddressInfo).port}`
  try {
    assert.equal((await pull(':1.7', { files: { token } })).kind, 'found')
    assert.deepEqual(shown, [undefined])
  } finally {
    standIn.elsewhere = undefined
    store.close()
  }
})

const authority = new Authority()
const local = authority.issue({ subject: [['CN', 'localhost']], alternatives: [['ip', '127.0.0.1']] })

/** A server that asks for a certificate and takes whoever has none, and what it was shown. */
async function secured(
  answer: (url: string) => { readonly location?: string; readonly body: string | Uint8Array },
): Promise<SecureServer & { readonly shown: string[]; readonly origin: string }> {
  const shown: string[] = []
  const options = { ...local, ca: authority.cert, requestCert: true, rejectUnauthorized: false }
  const server = createSecureServer(options, ({ url = '', headers, socket }, response) => {
    const { subject } = (socket as TLSSocket).getPeerCertificate()
    shown.push(`${subject?.CN ?? 'no certificate'}, ${headers.authorization ?? 'no credential'}`)
    const { location, body } = answer(url)
    response.writeHead(location === undefined ? 200 : 307, location === undefined ? {} : { location }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(server, { shown, origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

function withCertificate(text: string): SecretFiles {
  const { cert, key } = authority.issue({ subject: [['CN', 'gate']] })
  const files = { token, cert: join(folder, 'cert'), key: join(folder, 'key'), ca: join(folder, 'ca') }
  for (const [file, content] of Object.entries({ token: text, cert, key, ca: authority.cert }))
    writeFileSync(join(folder, file), content)
  return files
}

test('the host that a layer is kept at is shown no certificate', async () => {
  const files = withCertificate('s3cret')
  const store = await secured(() => ({ body: bytes }))
  const named = await secured((url) =>
    url === '/blob' ? { location: `${store.origin}/blob`, body: '' } : { body: '' },
  )
  try {
    const asked = { secrets: readSecrets(files), bytesMax: 1_000, signal: new AbortController().signal }
    const answer = await get(new URL('/blob', named.origin), { ...asked, elsewhere: true })
    assert.deepEqual([answer.status, Buffer.from(answer.bytes)], [200, bytes])
    assert.deepEqual([named.shown, store.shown], [['gate, Bearer s3cret'], ['no certificate, no credential']])
  } finally {
    named.close()
    store.close()
  }
})

test('who gives tokens at another host is shown a user and password, and neither a token nor a certificate', async () => {
  const realm = await secured(() => ({ body: JSON.stringify({ token: 'for-repository:team/policy:pull' }) }))
  standIn.push('1.8', bytes)
  standIn.credential = 'ci:pass'
  standIn.realm = `${realm.origin}/token`
  try {
    for (const written of ['ci:pass', 's3cret'])
      assert.equal((await pull(':1.8', { files: withCertificate(written) })).kind, 'found')
    const basic = `Basic ${Buffer.from('ci:pass').toString('base64')}`
    assert.deepEqual(realm.shown, [`no certificate, ${basic}`, 'no certificate, no credential'])
  } finally {
    standIn.credential = undefined
    standIn.realm = undefined
    writeFileSync(token, 'ci:pass\n')
    realm.close()
  }
})
