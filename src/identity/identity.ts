/** Who calls: one credential of a request becomes a principal, and everything else a refusal that says what to do next. */
import { decodeProtectedHeader } from 'jose'
import { messageOf } from '../model/errors.ts'
import { invalidToken, type Known, type Presented, Refused, type TokenSource } from './caller.ts'
import { type CertificateMapping, principalOfCertificate } from './certificate.ts'
import { reasonsToldMax, toldAgainMs } from './limits.ts'
import { tooLong } from './tokens.ts'
import { principalOfHeaders, type TrustedHeaders } from './trustedHeader.ts'

export interface IdentityOptions {
  readonly tokens: readonly TokenSource[]
  readonly headers?: TrustedHeaders | undefined
  readonly certificates?: CertificateMapping | undefined
  /** The project of those of whom nothing else says it. */
  readonly project?: string | undefined
  readonly log: (sentence: string) => void
}

export type Identified = Known | { readonly refused: Refused }

export class Identity {
  readonly #options: IdentityOptions
  readonly #told = new Map<string, { at: number; more: number }>()

  constructor(options: IdentityOptions) {
    this.#options = options
  }

  get takesTokens(): boolean {
    return this.#options.tokens.length > 0
  }

  /** Never rejects. */
  async identify(presented: Presented): Promise<Identified> {
    try {
      const { project } = this.#options
      const caller = await this.#callerOf(presented)
      const { principal, endsAt } = caller
      const whole = project === undefined || principal.project !== undefined ? principal : { ...principal, project }
      return { principal: whole, ...(endsAt !== undefined && { endsAt }) }
    } catch (error) {
      const refused = error instanceof Refused ? error : new Refused(503, 'the gate failed to find out who calls')
      this.#tell(presented, error instanceof Refused ? refused.message : messageOf(error))
      return { refused }
    }
  }

  async #callerOf(presented: Presented): Promise<Known> {
    const { headers, certificates } = this.#options
    const said = headers && principalOfHeaders(presented, headers)
    const token = this.takesTokens ? tokenIn(presented) : undefined
    if (said !== undefined && token !== undefined)
      throw new Refused(400, 'two credentials were shown, a token and a header: show one', 'invalid_request')
    if (said !== undefined) return { principal: said }
    if (token !== undefined) return this.#callerOfToken(token)
    const { certificate } = presented
    if (certificates !== undefined && certificate !== undefined)
      return { principal: principalOfCertificate(certificate, certificates), endsAt: certificate.endsAt }
    throw new Refused(this.takesTokens ? 401 : 403, `nobody knows who calls: ${this.#missing()}`)
  }

  #callerOfToken(token: string): Promise<Known> | Known {
    if (tooLong(token)) throw invalidToken('the token is too long')
    const source = this.#options.tokens.find((one) => one.takes(token))
    if (source !== undefined) return source.callerOf(token)
    throw invalidToken(
      isJwt(token)
        ? 'the token is from another issuer: get one from the issuer that this gate names'
        : 'the token is none that this gate takes',
    )
  }

  #missing(): string {
    const { headers, certificates } = this.#options
    const ways = [
      ...(this.takesTokens ? ['send a token in `Authorization: Bearer`'] : []),
      ...(certificates ? ['show a client certificate'] : []),
      ...(headers ? ['call through the proxy that this gate trusts'] : []),
    ]
    return ways.join(', or ')
  }

  /** Once in a while for each reason: whoever is not let in must not fill the log. */
  #tell({ address = 'an unknown address' }: Presented, why: string): void {
    const now = performance.now()
    const before = this.#told.get(why)
    if (before !== undefined && now - before.at < toldAgainMs) {
      before.more++
      return
    }
    const more = before === undefined || before.more === 0 ? '' : ` (${before.more} more since it was said last)`
    if (this.#told.size >= reasonsToldMax) this.#told.clear()
    this.#told.set(why, { at: now, more: 0 })
    this.#options.log(`a caller at ${address} was refused: ${why}${more}`)
  }
}

/** Throws a `Refused` where there are several, or something else than a token. */
function tokenIn({ headers }: Presented): string | undefined {
  const [value, second] = headers['authorization'] ?? []
  if (value === undefined) return undefined
  if (second !== undefined)
    throw new Refused(400, '`Authorization` stands there twice: send one token', 'invalid_request')
  const [, token] = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(value.trim()) ?? []
  if (token === undefined)
    throw new Refused(401, '`Authorization` must be `Bearer` and a token: send one so', 'invalid_token')
  return token
}

function isJwt(token: string): boolean {
  try {
    return decodeProtectedHeader(token).alg !== undefined
  } catch {
    return false
  }
}
