/** Keys at a cluster's API server: TLS by the authority of a file, and the token of the gate, both replaced while it runs. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JWK } from 'jose'
import { remoteKeys } from '../../src/identity/jwks.ts'
import { KeySet } from '../../src/identity/keySet.ts'
import { until } from '../until.ts'
import { Volume } from '../volume.ts'
import { Authority } from './fixtures/certificates.ts'
import { Folder } from './fixtures/serving.ts'

const folder = new Folder()
after(() => folder[Symbol.dispose]())

const names = { subject: [['CN', 'kube-apiserver']], alternatives: [['ip', '127.0.0.1']] } as const
const keys = [{ kty: 'EC', crv: 'P-256', kid: 'k1', x: 'AA', y: 'AA' }]

test('the authority and the token of a projected volume are read again when the cluster renews them', async (t) => {
  const [first, second] = [new Authority(), new Authority()]
  const asked: (string | undefined)[] = []
  const server = createServer(first.issue(names), ({ headers }, response) => {
    asked.push(headers.authorization)
    response.writeHead(200, { 'content-type': 'application/jwk-set+json', connection: 'close' })
    response.end(JSON.stringify({ keys }))
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  t.after(() => server.close())
  const volume = new Volume(`${folder.path}/cluster`, { 'ca.crt': first.cert, token: 'one\n' })
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/openid/v1/jwks`)
  const load = remoteKeys({ url, caFile: volume.file('ca.crt'), tokenFile: volume.file('token') })
  assert.deepEqual(await load(), { keys })
  server.setSecureContext(second.issue(names))
  await assert.rejects(load, /certificate/)
  volume.update({ 'ca.crt': second.cert, token: 'two\n' })
  assert.deepEqual(await load(), { keys })
  assert.deepEqual(asked, ['Bearer one', 'Bearer two'])
  volume.update({ 'ca.crt': first.cert, token: 'two\n' })
  await assert.rejects(load, /certificate/, 'who was believed before is not')
})

test('without the file of the authority there is nobody to ask', () => {
  const url = new URL('https://127.0.0.1:1/openid/v1/jwks')
  assert.throws(() => remoteKeys({ url, caFile: `${folder.path}/none.crt` }), { code: 'secret_unreadable' })
})

test('callers who come with a new key while the keys are on their way wait for them', async () => {
  const made = ['k1', 'k2'].map((kid) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return { ...(publicKey.export({ format: 'jwk' }) as JWK), kid, alg: 'ES256' }
  })
  let known = made.slice(0, 1)
  let arrives = Promise.resolve()
  let asked = 0
  const load = async () => {
    asked++
    await arrives
    return { keys: known }
  }
  const cooldownMs = 50
  const set = new KeySet({ load, refreshMs: 600_000, cooldownMs, say: assert.fail })
  await set.load()
  await sleep(cooldownMs + 1)
  known = made
  const { promise, resolve } = Promise.withResolvers<void>()
  arrives = promise
  const keyOf = () => set.keyOf({ alg: 'ES256', kid: 'k2' }, { payload: '', signature: '' })
  const callers = [keyOf(), keyOf(), keyOf()]
  await until(() => asked === 2, 'the question')
  callers.push(keyOf())
  resolve()
  assert.equal((await Promise.all(callers)).length, 4)
  assert.equal(asked, 2, 'one question for all')
})
