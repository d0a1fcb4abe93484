/** Signatures: whom a bundle is believed from, that it is whole, how fresh it is, and every way in which it is not. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, hash } from 'node:crypto'
import { test } from 'node:test'
import { CompactSign } from 'jose'
import type { Algorithm } from '../../src/opa/algorithms.ts'
import { readBundle } from '../../src/opa/bundle.ts'
import { signingKey, verificationKey } from '../../src/opa/keys.ts'
import { pack } from '../../src/opa/pack.ts'
import { countersigned, signed } from '../../src/opa/sign.ts'
import { readTokens } from '../../src/opa/signatures.ts'
import type { Moment, Trust } from '../../src/opa/trust.ts'
import { verifyBundle } from '../../src/opa/verify.ts'
import { newPair, now, type Pair, signedBytes, signing, text, trusting } from './signer.ts'

const files = [text('data.json', '{"n":1.0}'), text('a.rego', 'package a\n'), text('.manifest', '{"revision":"1"}')]
const ours = newPair('EdDSA', 'ours')
const second = newPair('ES256', 'second')
const rsa = newPair('RS256', 'rsa')

async function verified(bytes: Uint8Array, trust: Trust, moment: Partial<Moment> = {}) {
  return verifyBundle(await readBundle(bytes), trust, { now, ...moment })
}

for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] as const satisfies readonly Algorithm[]) {
  test(`${algorithm}: what was signed is believed, and from nobody else`, async () => {
    const pair = newPair(algorithm, 'k')
    const bytes = await signedBytes(files, pair, { expiresAt: now / 1000 + 60 })
    const { signers, sequence, issuedAt, expiresAt } = await verified(bytes, trusting(pair))
    assert.deepEqual(
      { signers, sequence, issuedAt, expiresAt },
      {
        signers: [{ keyId: 'k', algorithm }],
        sequence: 7,
        issuedAt: now,
        expiresAt: now + 60_000,
      },
    )
    if (algorithm === 'HS256') return
    const other = { ...trusting(newPair(algorithm, 'k')) }
    await assert.rejects(verified(bytes, other), { code: 'bundle_signature_wrong' })
  })
}

test('white space and the order of keys in data and manifest change nothing, a number written otherwise does', async () => {
  const bundle = await readBundle(await signedBytes(files, ours))
  const as = (path: string, content: string) =>
    verified(pack(bundle.files.map((file) => (file.path === path ? text(path, content) : file))), trusting(ours))
  await as('data.json', '\n{ "n" : 1.0 }')
  await as('.manifest', '{"revision":\t"1"}')
  await assert.rejects(as('data.json', '{"n":1}'), { code: 'bundle_file_changed' })
  await assert.rejects(as('a.rego', 'package a\n\n'), { code: 'bundle_file_changed' })
})

test('a file added, removed, renamed or changed is told by name', async () => {
  const { files: whole } = await readBundle(await signedBytes(files, ours))
  const as = (other: typeof whole) => verified(pack(other), trusting(ours))
  const without = whole.filter(({ path }) => path !== 'a.rego')
  await assert.rejects(as([...whole, text('b.rego', '')]), { code: 'bundle_file_unsigned', message: /`b.rego`/ })
  await assert.rejects(as([...whole, text('._a.rego', '')]), { code: 'bundle_file_unsigned' })
  await assert.rejects(as(without), { code: 'bundle_file_missing', message: /`a.rego`/ })
  await assert.rejects(as([...without, text('c.rego', 'package a\n')]), { code: 'bundle_file_unsigned' })
  await assert.rejects(as(whole.filter(({ path }) => path !== '.signatures.json')), { code: 'bundle_unsigned' })
})

/** Tokens that no signer of ours makes, over the right files unless they say otherwise. */
const listed = files.map(({ path, bytes }) => ({
  name: path,
  algorithm: 'SHA-256',
  hash: hash('sha256', path === 'a.rego' ? bytes : path === 'data.json' ? '{"n":1.0}' : '{"revision":"1"}'),
}))
const claims = { files: listed, iat: now / 1000, sequence: 7 }

function tokenOf(payload: object, pair: Pair = ours, header: object = {}): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: pair.signing.algorithm, kid: pair.id, ...header })
    .sign(pair.signing.key)
}

const bundleWith = (signatures: unknown) => pack([...files, text('.signatures.json', JSON.stringify(signatures))])
const unsigned = (header: object, payload: object = claims, signature = '') =>
  `${[header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.${signature}`

test('the token by hand is believed: what follows fails for its own reason', async () => {
  await verified(bundleWith({ signatures: [await tokenOf(claims)] }), trusting(ours))
})

test('OPA makes tokens that name no key: one key is meant then, and of several none', async () => {
  const token = await tokenOf(claims, ours, { kid: undefined })
  await verified(bundleWith({ signatures: [token] }), trusting(ours))
  await assert.rejects(verified(bundleWith({ signatures: [token] }), trusting(ours, rsa)), {
    code: 'bundle_key_unknown',
  })
  const named = await tokenOf({ ...claims, keyid: 'ours' }, ours, { kid: undefined })
  await verified(bundleWith({ signatures: [named] }), trusting(ours, rsa))
})

const bad: Readonly<Record<string, readonly [string, () => Promise<unknown> | unknown, Trust?]>> = {
  'two tokens in `signatures`': [
    'bundle_signatures_invalid',
    async () => ({ signatures: [await tokenOf(claims), await tokenOf(claims)] }),
  ],
  'no token': ['bundle_signatures_invalid', () => ({ signatures: [] })],
  'no list of tokens': ['bundle_signatures_invalid', async () => ({ signatures: await tokenOf(claims) })],
  'a plugin': ['bundle_signatures_invalid', async () => ({ signatures: [await tokenOf(claims)], plugin: 'mine' })],
  'seventeen tokens': [
    'bundle_signatures_invalid',
    async () => ({ signatures: [await tokenOf(claims)], countersignatures: Array(16).fill('a.b.c') }),
  ],
  'something that is no token': ['bundle_signatures_invalid', () => ({ signatures: ['hello'] })],
  'a token of two parts': ['bundle_signatures_invalid', () => ({ signatures: ['e30.e30'] })],
  'a token with a key twice': [
    'bundle_signatures_invalid',
    () => ({ signatures: [`${Buffer.from('{"alg":"EdDSA","alg":"none"}').toString('base64url')}.e30.e30`] }),
  ],
  'a critical header': [
    'bundle_signatures_invalid',
    () => ({ signatures: [unsigned({ alg: 'EdDSA', kid: 'ours', crit: ['exp'], exp: 1 })] }),
  ],
  '`alg: none`': ['bundle_algorithm_refused', () => ({ signatures: [unsigned({ alg: 'none', kid: 'ours' })] })],
  'the public RSA key as a secret': [
    'bundle_algorithm_refused',
    async () => {
      const secret = { algorithm: 'HS256' as const, key: Buffer.from(rsa.public) }
      return {
        signatures: [
          await new CompactSign(Buffer.from(JSON.stringify(claims)))
            .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
            .sign(secret.key),
        ],
      }
    },
    trusting(rsa),
  ],
  'the algorithm of another family': [
    'bundle_algorithm_refused',
    async () => ({
      signatures: [await tokenOf(claims, { ...newPair('PS256', 'rsa'), id: 'rsa' })],
    }),
    trusting(rsa),
  ],
  'a key nobody knows': [
    'bundle_key_unknown',
    async () => ({ signatures: [await tokenOf(claims, ours, { kid: 'x' })] }),
  ],
  'the name of our key, by another': [
    'bundle_signature_wrong',
    async () => ({ signatures: [await tokenOf(claims, newPair('EdDSA', 'ours'))] }),
  ],
  'a changed claim': [
    'bundle_signature_wrong',
    async () => {
      const [header, , signature] = (await tokenOf(claims)).split('.')
      const later = Buffer.from(JSON.stringify({ ...claims, sequence: 8 })).toString('base64url')
      return { signatures: [[header, later, signature].join('.')] }
    },
  ],
  'MD5 hashes': [
    'bundle_hash_refused',
    async () => ({
      signatures: [
        await tokenOf({
          ...claims,
          files: files.map(({ path, bytes }) => ({ name: path, algorithm: 'MD5', hash: hash('md5', bytes) })),
        }),
      ],
    }),
  ],
  'no hash for a file': [
    'bundle_signatures_invalid',
    async () => ({ signatures: [await tokenOf({ ...claims, files: [{ name: 'a.rego' }] })] }),
  ],
  'a file listed twice': [
    'bundle_signatures_invalid',
    async () => ({ signatures: [await tokenOf({ ...claims, files: [...listed, listed[0]] })] }),
  ],
  'no list of files': ['bundle_signatures_invalid', async () => ({ signatures: [await tokenOf({ iat: 1 })] })],
  'a sequence that is none': [
    'bundle_signatures_invalid',
    async () => ({ signatures: [await tokenOf({ ...claims, sequence: 1.5 })] }),
  ],
  'another scope': ['bundle_scope_wrong', async () => ({ signatures: [await tokenOf({ ...claims, scope: 'write' })] })],
  'no scope where one is wanted': [
    'bundle_scope_wrong',
    async () => ({ signatures: [await tokenOf(claims)] }),
    { ...trusting(ours), scope: 'write' },
  ],
  'an end that has come': [
    'bundle_expired',
    async () => ({ signatures: [await tokenOf({ ...claims, exp: now / 1000 })] }),
  ],
  'a time to come': [
    'bundle_not_yet_valid',
    async () => ({ signatures: [await tokenOf({ ...claims, iat: now / 1000 + 3_600 })] }),
  ],
  'a beginning to come': [
    'bundle_not_yet_valid',
    async () => ({ signatures: [await tokenOf({ ...claims, nbf: now / 1000 + 3_600 })] }),
  ],
  'too great an age': [
    'bundle_expired',
    async () => ({ signatures: [await tokenOf({ ...claims, iat: now / 1000 - 61 })] }),
    { ...trusting(ours), ageMsMax: 60_000 },
  ],
  'no age where it counts': [
    'bundle_undated',
    async () => ({ signatures: [await tokenOf({ ...claims, iat: undefined })] }),
    { ...trusting(ours), ageMsMax: 60_000 },
  ],
  'too low a sequence': [
    'bundle_older',
    async () => ({ signatures: [await tokenOf(claims)] }),
    { ...trusting(ours), sequenceMin: 8 },
  ],
  'no sequence where one is wanted': [
    'bundle_sequence_missing',
    async () => ({ signatures: [await tokenOf({ ...claims, sequence: undefined })] }),
    { ...trusting(ours), sequenceMin: 0 },
  ],
}

for (const [what, [code, signatures, trust = trusting(ours)]] of Object.entries(bad)) {
  test(`refused: a bundle signed with ${what}`, async () => {
    await assert.rejects(verified(bundleWith(await signatures()), trust), { code })
  })
}

test('nobody is rolled back: not by a lower sequence, nor by none, nor by other content under the same', async () => {
  const trust = trusting(ours)
  const { seen } = await verified(await signedBytes(files, ours, { sequence: 9 }), trust)
  assert.ok(seen)
  const again = (bytes: Uint8Array) => verified(bytes, trust, { seen })
  assert.deepEqual((await again(await signedBytes(files, ours, { sequence: 9 }))).seen, seen)
  assert.equal((await again(await signedBytes(files, ours, { sequence: 10 }))).seen?.sequence, 10)
  await assert.rejects(again(await signedBytes(files, ours, { sequence: 8 })), { code: 'bundle_older' })
  const other = [...files, text('b.rego', 'package b\n')]
  await assert.rejects(again(await signedBytes(other, ours, { sequence: 9 })), { code: 'bundle_sequence_reused' })
  const none = bundleWith({ signatures: [await tokenOf({ ...claims, sequence: undefined })] })
  await assert.rejects(again(none), { code: 'bundle_sequence_missing' })
})

test('several have to sign, each with a key of its own, and OPA still finds one token', async () => {
  const one = await signed(files, signing(ours))
  const both = await countersigned(one, signing(second))
  const trust = { ...trusting(ours, second), threshold: 2 }
  assert.deepEqual(
    (await verified(pack(both), trust)).signers.map(({ keyId }) => keyId),
    ['ours', 'second'],
  )
  await assert.rejects(verified(pack(one), trust), { code: 'bundle_threshold_missed', message: /1 of the 2/ })
  const written = both.find(({ path }) => path === '.signatures.json')
  const { signatures, countersignatures } = JSON.parse(Buffer.from(written?.bytes ?? []).toString())
  assert.deepEqual([signatures.length, countersignatures.length], [1, 1])
  assert.equal(readTokens(written?.bytes as Uint8Array).length, 2)
})

test('one key under two names is one signer', async () => {
  const alias = { ...ours, id: 'alias', verification: { ...ours.verification, id: 'alias' } }
  const both = await countersigned(await signed(files, signing(ours)), signing(alias))
  const trust = { ...trusting(ours, alias), threshold: 2 }
  await assert.rejects(verified(pack(both), trust), { code: 'bundle_threshold_missed' })
})

test('who signs beside others is not in their way, and not believed for them', async () => {
  const stranger = newPair('EdDSA', 'stranger')
  const both = pack(await countersigned(await signed(files, signing(stranger)), signing(ours)))
  assert.deepEqual(
    (await verified(both, trusting(ours))).signers.map(({ keyId }) => keyId),
    ['ours'],
  )
  await assert.rejects(verified(both, trusting(second)), { code: 'bundle_key_unknown' })
  const forged = pack(await countersigned(await signed(files, signing(ours)), signing(newPair('ES256', 'second'))))
  await assert.rejects(verified(forged, trusting(ours, second)), { code: 'bundle_signature_wrong' })
})

test('signatures that do not agree on the sequence are refused, and a further one needs a first', async () => {
  const both = await countersigned(await signed(files, signing(ours)), signing(second, { sequence: 8 }))
  await assert.rejects(verified(pack(both), trusting(ours, second)), { code: 'bundle_signatures_invalid' })
  await assert.rejects(countersigned(files, signing(ours)), { code: 'bundle_unsigned' })
})

test('a key without a name counts for whatever name the token has', async () => {
  const nameless = {
    ...trusting(second),
    keys: [second, ours].map((pair) => verificationKey({ name: 'file', text: pair.public })),
  }
  const bytes = await signedBytes(files, ours)
  assert.deepEqual((await verified(bytes, nameless)).signers, [{ keyId: 'ours', algorithm: 'EdDSA' }])
  const other = await signedBytes(files, newPair('EdDSA', 'ours'))
  await assert.rejects(verified(other, nameless), { code: 'bundle_signature_wrong' })
  await assert.rejects(verified(await signedBytes(files, rsa), nameless), { code: 'bundle_algorithm_refused' })
})

test('where there are keys a signature that is taken away is missed, though unsigned bundles are allowed', async () => {
  const lax = { ...trusting(ours), allowUnsigned: true }
  await assert.rejects(verified(pack(files), lax), { code: 'bundle_unsigned' })
  assert.deepEqual(await verified(pack(files), { ...lax, keys: [] }), { signers: [] })
  const { files: whole } = await readBundle(await signedBytes(files, ours))
  await assert.rejects(verified(pack([...whole, text('b', '')]), lax), { code: 'bundle_file_unsigned' })
})

test('keys that are not what they should be are refused by name', () => {
  const invalid = { code: 'bundle_key_invalid' }
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' })
  const curve = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' })
  const key = (content: string, algorithm?: Algorithm) => () =>
    verificationKey({ name: 'k', text: content, ...(algorithm && { algorithm }) })
  assert.throws(key(rsa.public, 'HS256'), { ...invalid, message: /takes a secret/ })
  assert.throws(key(rsa.private), { ...invalid, message: /private key/ })
  assert.throws(key(rsa.public, 'ES256'), { ...invalid, message: /not for ES256/ })
  assert.throws(key(second.public, 'EdDSA'), invalid)
  assert.throws(key(weak as string), invalid)
  assert.throws(key(curve as string), invalid)
  assert.throws(key('a secret of some length'), { ...invalid, message: /no PEM/ })
  assert.throws(key('short', 'HS256'), { ...invalid, message: /5 bytes/ })
  assert.throws(key('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'), invalid)
  assert.throws(() => signingKey({ name: 'k', text: rsa.public }), invalid)
})
