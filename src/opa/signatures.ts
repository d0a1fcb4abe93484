/**
 * `.signatures.json`. OPA wants exactly one token in `signatures`. Tokens of further signers stand beside it, under
 * `countersignatures`, which OPA does not read: each is a whole token of its own, over the same files.
 */
import type { Json } from '../model/canonical.ts'
import { messageOf } from '../model/errors.ts'
import { isObject } from '../model/message/json.ts'
import type { JsonObject } from '../model/message/message.ts'
import { BundleError } from './errors.ts'
import { signaturesPath } from './files.ts'
import { readValue } from './json.ts'
import { tokensMax } from './limits.ts'

/** Compact JWS, the one that OPA reads first. */
export type Tokens = readonly [string, ...string[]]

/** Throws `bundle_signatures_invalid`. */
export function readTokens(bytes: Uint8Array): Tokens {
  const read = readValue(signaturesPath, bytes)
  if (!isObject(read)) throw invalid('it is no object')
  const { signatures, plugin = '', countersignatures = [] } = read
  // `opa build` writes the name of its own.
  if (plugin !== '' && plugin !== '_default') throw invalid('it asks for a plugin to verify it')
  const [first, ...more] = textsIn('signatures', signatures)
  if (first === undefined) throw invalid('it has no signature')
  if (more.length > 0)
    throw invalid(
      `it has ${more.length + 1} tokens in \`signatures\`, and OPA wants one: others belong in \`countersignatures\``,
    )
  const others = textsIn('countersignatures', countersignatures)
  if (others.length >= tokensMax) throw invalid(`it has more than ${tokensMax} tokens`)
  return [first, ...others]
}

function textsIn(name: string, written: Json | undefined): readonly string[] {
  if (Array.isArray(written) && written.every((one) => typeof one === 'string')) return written as string[]
  throw invalid(`\`${name}\` is no list of texts`)
}

export function tokensText([first, ...others]: Tokens): string {
  return `${JSON.stringify({ signatures: [first], ...(others.length > 0 && { countersignatures: others }) }, null, 1)}\n`
}

/** What a signer says. Nothing of it counts before the signature is verified. */
export interface Claims {
  readonly files: readonly SignedFile[]
  readonly keyId?: string
  readonly scope?: string
  readonly issuer?: string
  /** Seconds since 1970, as tokens have times. */
  readonly issuedAt?: number
  readonly notBefore?: number
  readonly expiresAt?: number
  readonly sequence?: number
}

export interface SignedFile {
  readonly name: string
  /** Lower-case hex. */
  readonly hash: string
  readonly algorithm: string
}

export interface Header {
  readonly algorithm: string
  readonly keyId?: string
}

/** Throws `bundle_signatures_invalid`. */
export function headerOf(token: string): Header {
  const { alg, kid, crit } = part(token, 0)
  if (typeof alg !== 'string') throw invalid('a token names no algorithm')
  if (crit !== undefined) throw invalid('a token has a critical header that nobody here knows')
  if (kid !== undefined && typeof kid !== 'string') throw invalid('the key id of a token is no text')
  return { algorithm: alg, ...(kid !== undefined && kid !== '' && { keyId: kid }) }
}

/** Throws `bundle_signatures_invalid`. */
export function claimsOf(token: string): Claims {
  const { files, keyid: keyId, scope, iss: issuer, iat, nbf, exp, sequence } = part(token, 1)
  if (!Array.isArray(files)) throw invalid('a token lists no files')
  for (const [name, value] of Object.entries({ keyid: keyId, scope, iss: issuer }))
    if (value !== undefined && typeof value !== 'string') throw invalid(`\`${name}\` of a token is no text`)
  const texts = { keyId, scope, issuer } as { readonly [name: string]: string | undefined }
  const times = { issuedAt: time('iat', iat), notBefore: time('nbf', nbf), expiresAt: time('exp', exp) }
  if (sequence !== undefined && !(Number.isSafeInteger(sequence) && (sequence as number) >= 0))
    throw invalid('`sequence` of a token is no whole number')
  return { files: files.map(signedFile), ...defined({ ...texts, ...times, sequence: sequence as number | undefined }) }
}

/** A member that is empty says nothing, as in OPA. */
function defined(members: Readonly<Record<string, string | number | undefined>>): Omit<Claims, 'files'> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== ''))
}

function time(name: string, value: Json | undefined): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
  throw invalid(`\`${name}\` of a token is no time`)
}

function signedFile(file: Json): SignedFile {
  const { name, hash, algorithm } = isObject(file) ? file : {}
  if (typeof name !== 'string' || typeof hash !== 'string' || typeof algorithm !== 'string')
    throw invalid('a file of a token has no name, hash and algorithm')
  return { name, hash: hash.toLowerCase(), algorithm }
}

function part(token: string, index: 0 | 1): JsonObject {
  const parts = token.split('.')
  const text = parts[index] ?? ''
  if (parts.length !== 3 || !/^[A-Za-z0-9_-]+$/.test(text)) throw invalid('a token is no compact JWS')
  try {
    const read = readValue('a token', Buffer.from(text, 'base64url'))
    if (isObject(read)) return read
  } catch (cause) {
    throw invalid(`a token cannot be read: ${messageOf(cause)}`)
  }
  throw invalid('a part of a token is no object')
}

export function invalid(why: string): BundleError {
  return new BundleError('bundle_signatures_invalid', `the signatures are wrong: ${why}`)
}
