/** Signatures over the files of a bundle, as `opa` verifies them. */
import { CompactSign } from 'jose'
import { BundleError } from './errors.ts'
import { type BundleFile, signaturesPath } from './files.ts'
import { fileHash } from './hashing.ts'
import type { Key } from './keys.ts'
import { readTokens, type Tokens, tokensText } from './signatures.ts'

export interface Signing extends Key {
  readonly keyId: string
  readonly scope?: string
  readonly issuer?: string
  /** Seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt?: number
  /** Grows from bundle to bundle: a lower one is refused by all who have seen a higher one. */
  readonly sequence: number
}

/** With one signature, the first and only. Throws a `BundleError` for files that cannot be hashed. */
export async function signed(files: readonly BundleFile[], signing: Signing): Promise<readonly BundleFile[]> {
  return withTokens(files, [await tokenOver(files, signing)])
}

/** With one more signature, behind those that are there. Throws `bundle_unsigned` where there is none. */
export async function countersigned(files: readonly BundleFile[], signing: Signing): Promise<readonly BundleFile[]> {
  const before = files.find(({ path }) => path === signaturesPath)
  if (!before)
    throw new BundleError('bundle_unsigned', 'the bundle is not signed: a further signature needs a first one')
  return withTokens(files, [...readTokens(before.bytes), await tokenOver(files, signing)])
}

async function tokenOver(files: readonly BundleFile[], signing: Signing): Promise<string> {
  const { algorithm, key, keyId, scope, issuer, issuedAt, expiresAt, sequence } = signing
  const claims = {
    files: files.filter(({ path }) => path !== signaturesPath).map(signedFile),
    ...(scope !== undefined && { scope }),
    ...(issuer !== undefined && { iss: issuer }),
    iat: issuedAt,
    ...(expiresAt !== undefined && { exp: expiresAt }),
    sequence,
    keyid: keyId,
  }
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: algorithm, kid: keyId })
    .sign(key)
}

function signedFile(file: BundleFile): object {
  return { name: file.path, hash: fileHash(file, 'SHA-256'), algorithm: 'SHA-256' }
}

/** Signatures stand before the manifest, where OPA writes them. */
function withTokens(files: readonly BundleFile[], tokens: Tokens): readonly BundleFile[] {
  const others = files.filter(({ path }) => path !== signaturesPath)
  const file = { path: signaturesPath, bytes: Buffer.from(tokensText(tokens)) }
  const at = others.findIndex(({ path }) => path === '.manifest')
  return at === -1 ? [...others, file] : others.toSpliced(at, 0, file)
}
