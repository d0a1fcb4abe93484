/** Keys that sign bundles and keys that bundles are verified with. The algorithm belongs to the key, never to the token. */
import { createPrivateKey, createPublicKey, createSecretKey, hash, type KeyObject } from 'node:crypto'
import { messageOf } from '../model/errors.ts'
import { type Algorithm, isSecret } from './algorithms.ts'
import { BundleError } from './errors.ts'
import { rsaBitsMin, secretBytesMin } from './limits.ts'

export interface Key {
  readonly algorithm: Algorithm
  readonly key: KeyObject
}

export interface VerificationKey extends Key {
  /** Undefined: of a token that names any key, or none. */
  readonly id?: string
  /** What the token must say it is for. */
  readonly scope?: string
  /** SHA-256 of the key itself: one key under two names is one signer. */
  readonly fingerprint: string
}

export interface KeyText {
  /** PEM; of HS256 the secret, verbatim. */
  readonly text: string | Uint8Array
  /** What errors call it. */
  readonly name: string
  /** Of a PEM, the one that fits the key unless told otherwise. */
  readonly algorithm?: Algorithm
}

/** Throws `bundle_key_invalid`. */
export function verificationKey({
  id,
  scope,
  ...text
}: KeyText & Pick<VerificationKey, 'id' | 'scope'>): VerificationKey {
  const secretHint = 'a secret stands in a trust file, with `algorithm: HS256`'
  const read = keyOf(text, secretHint, (pem) => {
    if (/PRIVATE KEY-----/.test(pem))
      throw invalid(text.name, 'is a private key: whoever verifies needs the public one alone')
    return createPublicKey(pem)
  })
  const bytes = read.key.type === 'secret' ? read.key.export() : read.key.export({ format: 'der', type: 'spki' })
  return {
    ...read,
    ...(id !== undefined && { id }),
    ...(scope !== undefined && { scope }),
    fingerprint: hash('sha256', bytes),
  }
}

/** Throws `bundle_key_invalid`. */
export function signingKey(text: KeyText): Key {
  return keyOf(text, 'a secret needs `HS256` to be said', (pem) => {
    if (/BEGIN (RSA )?PUBLIC KEY-----/.test(pem))
      throw invalid(text.name, 'is a public key: whoever signs needs the private one')
    return createPrivateKey(pem)
  })
}

function keyOf({ text, name, algorithm }: KeyText, secretHint: string, read: (pem: string) => KeyObject): Key {
  const bytes = Buffer.from(text as Uint8Array)
  const isPem = bytes.includes('-----BEGIN ')
  if (algorithm !== undefined && isSecret(algorithm)) {
    // A public key is known to all: as a secret it would let anybody sign.
    if (isPem) throw invalid(name, `is a PEM key, and ${algorithm} takes a secret`)
    if (bytes.length < secretBytesMin)
      throw invalid(name, `is a secret of ${bytes.length} bytes, at least ${secretBytesMin} are needed`)
    return { algorithm, key: createSecretKey(bytes) }
  }
  if (!isPem) throw invalid(name, `is no PEM key: ${secretHint}`)
  const key = parsed(name, bytes.toString('latin1'), read)
  const fitting = algorithmsOf(key)
  if (fitting.length === 0) throw invalid(name, `is a key that signs no bundles (${key.asymmetricKeyType})`)
  const chosen = algorithm ?? (fitting[0] as Algorithm)
  if (!fitting.includes(chosen)) throw invalid(name, `is a key for ${fitting.join(', ')}, and not for ${chosen}`)
  return { algorithm: chosen, key }
}

function parsed(name: string, pem: string, read: (pem: string) => KeyObject): KeyObject {
  try {
    return read(pem)
  } catch (cause) {
    if (cause instanceof BundleError) throw cause
    throw invalid(name, `cannot be read as a key: ${messageOf(cause)}`, cause)
  }
}

const curves: Readonly<Record<string, Algorithm>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }

/** The first is the one that is meant where nothing else is said. */
function algorithmsOf(key: KeyObject): readonly Algorithm[] {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return modulusLength < rsaBitsMin ? [] : ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
    case 'ec':
      return Object.hasOwn(curves, namedCurve) ? [curves[namedCurve] as Algorithm] : []
    case 'ed25519':
      return ['EdDSA']
    default:
      return []
  }
}

function invalid(name: string, why: string, cause?: unknown): BundleError {
  return new BundleError(
    'bundle_key_invalid',
    `the key \`${name}\` ${why}`,
    cause === undefined ? undefined : { cause },
  )
}
