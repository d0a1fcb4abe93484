/** Our own bundle server, asked by the gate's own question: certificates on both sides, answers that are held, odd requests. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { BundleServer } from '../../src/distribution/bundleServer.ts'
import { statusBytesMax } from '../../src/distribution/limits.ts'
import { Service } from '../../src/distribution/service.ts'
import { Authority } from '../identity/fixtures/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-bundle-server-'))
const inFolder = (name: string, content: string | Uint8Array) => {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}
const bytes = gzipSync('one')
inFolder('org.tar.gz', bytes)
const heard: unknown[] = []
const server = new BundleServer({ folder, heard: (status) => heard.push(status), log: assert.fail })
let origin = ''
const signal = new AbortController().signal

before(async () => {
  origin = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`
})
after(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

test('a gate with a certificate is served, one without or of another authority is not connected', async () => {
  const authority = new Authority()
  const ca = inFolder('ca.pem', authority.cert)
  const gate = authority.issue({ subject: [['CN', 'gate']] })
  const stranger = new Authority().issue({ subject: [['CN', 'gate']] })
  const own = authority.issue({ subject: [['CN', 'bundles']], alternatives: [['ip', '127.0.0.1']] })
  const tls = { cert: own.cert, key: own.key, ca: authority.cert, requestCert: true, rejectUnauthorized: true }
  const secured = new BundleServer({ folder, tls, heard: () => undefined, log: () => undefined })
  try {
    const url = new URL(`https://127.0.0.1:${await secured.listen('127.0.0.1', 0)}/bundles/org`)
    const question = { etag: undefined, waitMs: 0, signal }
    const files = { ca, cert: inFolder('gate.pem', gate.cert), key: inFolder('gate.key', gate.key) }
    const found = await new Service(url, files).ask(question)
    assert.deepEqual(found.kind === 'found' && Buffer.from(found.bytes), bytes)
    await assert.rejects(new Service(url, { ca }).ask(question), { code: 'bundle_unreachable' })
    const strange = { ca, cert: inFolder('stranger.pem', stranger.cert), key: inFolder('stranger.key', stranger.key) }
    await assert.rejects(new Service(url, strange).ask(question), { code: 'bundle_unreachable' })
    await assert.rejects(
      new Service(url, { ...files, ca: undefined }).ask(question),
      { code: 'bundle_unreachable' },
      'a server of an authority that nobody named is not believed',
    )
  } finally {
    await secured.close()
  }
})

test('an answer is held until the file changes, or until the wait is over', async () => {
  const service = new Service(new URL(`${origin}/bundles/org`), {})
  const first = await service.ask({ etag: undefined, waitMs: 30_000, signal })
  const etag = first.kind === 'found' ? first.etag : assert.fail('nothing was found')
  const started = performance.now()
  assert.deepEqual(await service.ask({ etag, waitMs: 1_000, signal }), { kind: 'same', waits: true })
  assert.ok(performance.now() - started >= 900)
  const held = service.ask({ etag, waitMs: 30_000, signal })
  const next = gzipSync('two')
  inFolder('org.tar.gz', next)
  const changed = await held
  assert.deepEqual(changed.kind === 'found' && Buffer.from(changed.bytes), next)
})

function raw(path: string, method: string, body = ''): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(`${origin}${path}`, { method }, (response) => resolve(response.resume().statusCode))
    asked.once('error', reject)
    asked.end(body)
  })
}

test('what is no question for a bundle is answered and harms nothing', async () => {
  const cases: readonly (readonly [path: string, method: string, status: number, body?: string])[] = [
    ['/bundles/org', 'DELETE', 405],
    ['/bundles/org', 'HEAD', 200],
    ['/bundles/org.tar.gz', 'GET', 200],
    ['/bundles/', 'GET', 404],
    ['/bundles/..', 'GET', 404],
    ['/bundles/%00', 'GET', 404],
    ['/bundles/org/more', 'GET', 404],
    ['//', 'GET', 404],
    ['/status', 'GET', 404],
    ['/status', 'POST', 400, 'no JSON'],
    ['/status', 'POST', 413, 'x'.repeat(statusBytesMax + 1)],
    ['/status/part', 'POST', 200, '{"labels":{"id":"1"}}'],
  ]
  for (const [path, method, status, body] of cases)
    assert.equal(await raw(path, method, body), status, `${method} ${path}`)
  assert.deepEqual(heard, [{ labels: { id: '1' } }])
})
