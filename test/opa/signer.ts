/** Keys and signed bundles for tests: made once, of files that are a policy or only look like one. */
import { generateKeyPairSync } from 'node:crypto'
import type { Algorithm } from '../../src/opa/algorithms.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { type Key, signingKey, type VerificationKey, verificationKey } from '../../src/opa/keys.ts'
import { pack } from '../../src/opa/pack.ts'
import { type Signing, signed } from '../../src/opa/sign.ts'
import type { Trust } from '../../src/opa/trust.ts'

export interface Pair {
  readonly id: string
  /** PEM, or the secret. */
  readonly private: string
  readonly public: string
  readonly signing: Key
  readonly verification: VerificationKey
}

export function newPair(algorithm: Algorithm, id: string): Pair {
  const texts = newTexts(algorithm)
  return {
    id,
    ...texts,
    signing: signingKey({ text: texts.private, name: id, algorithm }),
    verification: verificationKey({ text: texts.public, name: id, id, algorithm }),
  }
}

function newTexts(algorithm: Algorithm): Pick<Pair, 'private' | 'public'> {
  if (algorithm.startsWith('HS')) return { private: 'a secret of some length\n', public: 'a secret of some length\n' }
  const { privateKey, publicKey } = keyPair(algorithm)
  return {
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    public: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  }
}

function keyPair(algorithm: Algorithm) {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** When everything in these tests happens. */
export const now = Date.UTC(2026, 2, 2, 9)

export function signing(pair: Pair, more: Partial<Signing> = {}): Signing {
  return { ...pair.signing, keyId: pair.id, issuedAt: now / 1000, sequence: 7, ...more }
}

export async function signedBytes(files: readonly BundleFile[], pair: Pair, more: Partial<Signing> = {}) {
  return pack(await signed(files, signing(pair, more)))
}

export function trusting(...pairs: readonly Pair[]): Trust {
  return { keys: pairs.map(({ verification }) => verification), threshold: 1 }
}

export const text = (path: string, content: string): BundleFile => ({ path, bytes: Buffer.from(content) })
