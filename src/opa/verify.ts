/** Is a bundle signed by those who are trusted, whole, and fresh? */
import { hash } from 'node:crypto'
import { compactVerify } from 'jose'
import { isSecret } from './algorithms.ts'
import { type Bundle, fileAt } from './bundle.ts'
import { BundleError } from './errors.ts'
import { type BundleFile, signaturesPath } from './files.ts'
import { fileHash } from './hashing.ts'
import type { VerificationKey } from './keys.ts'
import { clockSkewMs } from './limits.ts'
import { type Claims, claimsOf, headerOf, readTokens, type SignedFile } from './signatures.ts'
import type { Moment, Seen, Signer, Trust, Verified } from './trust.ts'

/** Throws a `BundleError` for whatever keeps the bundle from being believed. */
export async function verifyBundle({ files }: Bundle, trust: Trust, moment: Moment): Promise<Verified> {
  const signatures = fileAt(files, signaturesPath)
  if (!signatures) {
    if (isUnsignedAllowed(trust)) return { signers: [] }
    throw new BundleError('bundle_unsigned', 'the bundle is not signed')
  }
  if (isUnsignedAllowed(trust)) return { signers: [] }
  const tokens = readTokens(signatures.bytes)
  const judged = await Promise.all(tokens.map((token) => judgedToken(token, trust)))
  const counted = judged.filter((one): one is Counted => one !== undefined && 'signer' in one)
  const [wrong] = judged.filter((one) => one instanceof BundleError)
  if (counted.length === 0 && wrong) throw wrong
  requireThreshold(counted, trust)
  for (const { claims } of counted) {
    requireFiles(files, claims.files)
    requireFresh(claims, trust, moment)
  }
  return summary(counted, requireSequence(counted, trust, moment))
}

/** Where there are keys, whoever takes a signature away would get around them, and around the sequence. */
function isUnsignedAllowed({ keys, allowUnsigned }: Trust): boolean {
  return keys.length === 0 && allowUnsigned === true
}

interface Counted {
  readonly claims: Claims
  readonly key: VerificationKey
  readonly signer: Signer
}

/**
 * Undefined for a token by a key that is none of ours. One that names a key of ours and is not by it ends everything; where
 * keys have no names, it may be somebody else's, and is an error only when no other token counts.
 */
async function judgedToken(token: string, trust: Trust): Promise<Counted | BundleError | undefined> {
  const header = headerOf(token)
  const claims = claimsOf(token)
  const keyId = header.keyId ?? claims.keyId
  const keys = keysNamed(keyId, trust.keys)
  if (keys.length === 0) return undefined
  const key = await signerAmong(keys, token, header.algorithm)
  if (key instanceof BundleError) {
    if (keys.some(({ id }) => id !== undefined)) throw key
    return key
  }
  const scope = trust.scope ?? key.scope ?? ''
  if ((claims.scope ?? '') !== scope)
    throw new BundleError(
      'bundle_scope_wrong',
      `the bundle is signed for the scope \`${claims.scope ?? ''}\`, and \`${scope}\` is wanted`,
    )
  return { claims, key, signer: { keyId: key.id ?? keyId ?? '', algorithm: key.algorithm } }
}

/** Tokens that OPA's own `sign` makes name no key: then there must be one alone. */
function keysNamed(id: string | undefined, keys: readonly VerificationKey[]): readonly VerificationKey[] {
  if (id === undefined && keys.length === 1) return keys
  const named = id === undefined ? [] : keys.filter((key) => key.id === id)
  return named.length > 0 ? named : keys.filter((key) => key.id === undefined)
}

/** The algorithm is the one of the key. What the token says may only agree. */
async function signerAmong(
  keys: readonly VerificationKey[],
  token: string,
  algorithm: string,
): Promise<VerificationKey | BundleError> {
  const fitting = keys.filter((key) => key.algorithm === algorithm)
  const called = keys.map(({ id }) => (id === undefined ? 'the key' : `\`${id}\``)).join(', ')
  if (fitting.length === 0) {
    const wanted = keys.map((key) => key.algorithm).join(', ')
    return new BundleError(
      'bundle_algorithm_refused',
      `the signature says it is ${algorithm}, and ${called} is for ${wanted}${isSecret(algorithm) ? ': a secret is named in a trust file alone' : ''}`,
    )
  }
  for (const key of fitting) if (await isSignedBy(key, token)) return key
  return new BundleError('bundle_signature_wrong', `the signature does not match ${called}`)
}

async function isSignedBy({ key, algorithm }: VerificationKey, token: string): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}

function requireThreshold(counted: readonly Counted[], { keys, threshold }: Trust): void {
  if (counted.length === 0) {
    const known = keys.map(({ id }) => `\`${id ?? 'a key without a name'}\``).join(', ')
    throw new BundleError(
      'bundle_key_unknown',
      `the bundle is signed by no key that is trusted here: ${known || 'there is none'}`,
    )
  }
  // By the key itself: two names for one key are one signer.
  const signers = new Set(counted.map(({ key }) => key.fingerprint)).size
  if (signers < threshold)
    throw new BundleError(
      'bundle_threshold_missed',
      `the bundle has ${signers} of the ${threshold} signatures by different keys that are wanted`,
    )
}

/** Every file is listed, and everything that is listed is there. */
function requireFiles(files: readonly BundleFile[], listed: readonly SignedFile[]): void {
  const open = new Map(listed.map((file) => [file.name, file]))
  if (open.size < listed.length)
    throw new BundleError('bundle_signatures_invalid', 'the signatures are wrong: a token lists a file twice')
  for (const file of files) {
    if (file.path === signaturesPath) continue
    const signed = open.get(file.path)
    if (!signed) throw new BundleError('bundle_file_unsigned', `the file \`${file.path}\` is not in the signature`)
    if (fileHash(file, signed.algorithm) !== signed.hash)
      throw new BundleError('bundle_file_changed', `the file \`${file.path}\` is not what was signed`)
    open.delete(file.path)
  }
  const [missing] = open.keys()
  if (missing !== undefined)
    throw new BundleError('bundle_file_missing', `the file \`${missing}\` was signed, and is not there`)
}

function requireFresh({ issuedAt, notBefore, expiresAt }: Claims, { ageMsMax }: Trust, { now }: Moment): void {
  if (expiresAt !== undefined && now >= expiresAt * 1000)
    throw new BundleError('bundle_expired', `the signature of the bundle expired at ${shown(expiresAt)}`)
  const from = Math.max(notBefore ?? 0, issuedAt ?? 0)
  if (now + clockSkewMs < from * 1000)
    throw new BundleError(
      'bundle_not_yet_valid',
      `the bundle is signed for ${shown(from)} and later: is the clock right?`,
    )
  if (ageMsMax === undefined) return
  if (issuedAt === undefined)
    throw new BundleError('bundle_undated', 'the signature of the bundle does not say when it was made')
  if (now - issuedAt * 1000 > ageMsMax)
    throw new BundleError(
      'bundle_expired',
      `the signature of the bundle is of ${shown(issuedAt)}, which is too long ago`,
    )
}

function shown(seconds: number): string {
  const at = new Date(Math.min(seconds * 1000, 8.64e15))
  return at.toISOString()
}

/** All who signed agree on it. */
function requireSequence(counted: readonly Counted[], { sequenceMin }: Trust, { seen }: Moment): Seen | undefined {
  const [sequence, ...others] = new Set(counted.map(({ claims }) => claims.sequence))
  if (others.length > 0)
    throw new BundleError('bundle_signatures_invalid', 'the signatures are wrong: they do not agree on the sequence')
  if (sequence === undefined) {
    if (seen === undefined && sequenceMin === undefined) return undefined
    throw new BundleError(
      'bundle_sequence_missing',
      'the signature of the bundle has no sequence, and an earlier bundle had one',
    )
  }
  const lowest = Math.max(seen?.sequence ?? 0, sequenceMin ?? 0)
  if (sequence < lowest)
    throw new BundleError(
      'bundle_older',
      `the bundle has the sequence ${sequence}, and ${lowest} was reached already: whoever goes back to it signs it again, with a higher one`,
    )
  const content = contentDigest((counted[0] as Counted).claims.files)
  if (sequence === seen?.sequence && content !== seen.content)
    throw new BundleError(
      'bundle_sequence_reused',
      `the bundle has the sequence ${sequence}, which another bundle had before`,
    )
  return { sequence, content }
}

function contentDigest(files: readonly SignedFile[]): string {
  const lines = files.map(({ name, hash: digest, algorithm }) => JSON.stringify([name, algorithm, digest]))
  return hash('sha256', lines.sort().join('\n'))
}

function summary(counted: readonly Counted[], seen: Seen | undefined): Verified {
  const issued = counted.flatMap(({ claims }) => claims.issuedAt ?? [])
  const expires = counted.flatMap(({ claims }) => claims.expiresAt ?? [])
  return {
    signers: counted.map(({ signer }) => signer),
    ...(seen && { sequence: seen.sequence, seen }),
    ...(issued.length > 0 && { issuedAt: Math.min(...issued) * 1000 }),
    ...(expires.length > 0 && { expiresAt: Math.min(...expires) * 1000 }),
  }
}
