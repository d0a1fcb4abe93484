/** JSON Web Tokens of one issuer: verified, mapped to a principal, and remembered until they end. */
import { hash } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Principal } from '../model/call.ts'
import { invalidToken, type Known, Refused, type TokenSource } from './caller.ts'
import type { Claims } from './claims.ts'
import type { Keys } from './keySet.ts'
import { tokenCharsMax, tokensRememberedMax } from './limits.ts'

/** Signatures that only the issuer can make. No secret that two sides know, and not `none`. */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

export type Algorithm = (typeof algorithms)[number]

export interface TokenOptions {
  readonly issuer: string
  /** The token must be for one of these. */
  readonly audience: readonly string[]
  readonly algorithms: readonly Algorithm[]
  readonly clockSkewMs: number
  /** Each of these must be in its `scope`. */
  readonly scopes: readonly string[]
  readonly keys: Keys
  /** Throws a `Refused`. */
  readonly principalOf: (claims: Claims) => Principal
}

interface Remembered extends Required<Known> {
  readonly generation: number
}

export class Tokens implements TokenSource {
  readonly #options: TokenOptions
  /** By digest: a token is not kept longer than it is looked at. */
  readonly #remembered = new Map<string, Remembered>()

  constructor(options: TokenOptions) {
    this.#options = options
  }

  /** By the issuer that it names, which is verified with the rest. */
  takes(token: string): boolean {
    try {
      return decodeJwt(token).iss === this.#options.issuer
    } catch {
      return false
    }
  }

  async callerOf(token: string): Promise<Known> {
    const digest = hash('sha256', token)
    const generation = await this.#options.keys.generation()
    const known = this.#remembered.get(digest)
    if (known !== undefined && known.generation === generation && Date.now() < known.endsAt) return known
    this.#remembered.delete(digest)
    const claims = await this.#verified(token)
    this.#requireScopes(claims)
    const principal = this.#options.principalOf(claims as Claims)
    const caller = { principal, generation, endsAt: this.#endOf(claims) }
    this.#remember(digest, caller)
    return caller
  }

  async #verified(token: string): Promise<JWTPayload> {
    const { issuer, audience, algorithms, clockSkewMs, keys } = this.#options
    try {
      const { payload } = await jwtVerify(token, keys.keyOf, {
        issuer,
        audience: [...audience],
        algorithms: [...algorithms],
        clockTolerance: clockSkewMs / 1000,
        requiredClaims: ['exp'],
      })
      return payload
    } catch (error) {
      throw error instanceof Refused ? error : invalidToken(faultOf(error, algorithms))
    }
  }

  #requireScopes({ scope, scp }: JWTPayload): void {
    const { scopes } = this.#options
    const said = scope ?? scp
    const granted = new Set(typeof said === 'string' ? said.split(' ') : Array.isArray(said) ? said : [])
    if (scopes.every((one) => granted.has(one))) return
    const wanted = scopes.join(' ')
    throw new Refused(403, `the token lacks a scope: ask for one with \`${wanted}\``, 'insufficient_scope', wanted)
  }

  #endOf({ exp = 0 }: JWTPayload): number {
    return exp * 1000 + this.#options.clockSkewMs
  }

  /** The oldest goes first. */
  #remember(digest: string, remembered: Remembered): void {
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined && this.#remembered.size >= tokensRememberedMax) this.#remembered.delete(oldest)
    this.#remembered.set(digest, remembered)
  }
}

export function tooLong(token: string): boolean {
  return token.length > tokenCharsMax
}

/** What is wrong, and what to do; nothing of the token or of the settings. */
function faultOf(error: unknown, allowed: readonly string[]): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired: get a new one'
  if (error instanceof errors.JWTClaimValidationFailed) return claimFault(error)
  if (error instanceof errors.JOSEAlgNotAllowed)
    return `the token is signed with an algorithm that is not accepted: use ${allowed.join(', ')}`
  if (error instanceof errors.JWKSNoMatchingKey) return 'the token is signed with a key that the issuer does not have'
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return 'the token does not name its key, and several could be meant: it needs a `kid`'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong'
  return 'the token cannot be read as a signed JWT'
}

function claimFault({ claim, reason }: errors.JWTClaimValidationFailed): string {
  if (reason === 'missing') return `the token has no \`${claim}\`: get one that has`
  if (claim === 'aud') return 'the token is for another audience: get one for this gate'
  if (claim === 'iss') return 'the token is from another issuer: get one from the issuer that this gate names'
  if (claim === 'nbf') return 'the token is not valid yet: try again later'
  return `the token has a wrong \`${claim}\``
}
