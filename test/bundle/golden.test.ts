/**
 * A bundle that was signed in an earlier commit is believed in this one. `UPDATE=1` signs it anew: when the Rego that
 * Tollgate writes has changed, bundles have to be built again, and that is worth a line in the changelog.
 */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import { openBundle } from '../../src/bundle/open.ts'
import { readBundle } from '../../src/opa/bundle.ts'
import { signingKey, verificationKey } from '../../src/opa/keys.ts'
import { pack } from '../../src/opa/pack.ts'
import { signed } from '../../src/opa/sign.ts'
import { verifyBundle } from '../../src/opa/verify.ts'

const file = new URL('fixtures/golden.tar.gz', import.meta.url)
const policy = `version: "1"
default: deny
tools:
  create_refund:
    rules:
      - { arguments: { amount: { max: 100 } } }
      - { rate_limit: 10/day }
  get_balance: {}
`
/** No secret: its 32 bytes are all the same. */
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
})
const now = Date.UTC(2026, 10, 21)
const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string
const trust = { keys: [verificationKey({ id: 'golden', name: 'golden', text: pem })], threshold: 1 }

async function newBundle(): Promise<Uint8Array> {
  const artifact = await buildPolicy({ name: 'refunds.yaml', text: policy })
  const signing = signingKey({ name: 'golden', text: key.export({ type: 'pkcs8', format: 'pem' }) as string })
  const files = bundleFiles(artifact, { version: '0.1.0', revision: 'golden' })
  return pack(await signed(files, { ...signing, keyId: 'golden', issuedAt: now / 1000, sequence: 1 }))
}

test('a bundle of an earlier commit is verified', async () => {
  if (process.env['UPDATE']) writeFileSync(file, await newBundle())
  const verified = await verifyBundle(await readBundle(readFileSync(file)), trust, { now })
  assert.deepEqual([verified.sequence, verified.signers], [1, [{ keyId: 'golden', algorithm: 'EdDSA' }]])
})

test('a bundle of an earlier commit is opened, and built again it has the same bytes', async () => {
  const kept = readFileSync(file)
  const { revision, artifact } = await openBundle(kept, trust, { now })
  assert.equal(revision, 'golden')
  assert.equal(artifact.sources[0]?.text, policy)
  assert.ok(kept.equals(await newBundle()), 'UPDATE=1 signs it anew')
})
