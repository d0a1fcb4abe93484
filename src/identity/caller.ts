/** What a caller shows of itself, and what comes of it: a principal, or a refusal in words that say what to do next. */
import type { Principal } from '../model/call.ts'

/** A request as far as it says who calls. */
export interface Presented {
  /** Every value of each header, by its name in lower case. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>
  /** The address of the other end of the connection. */
  readonly address: string | undefined
  /** The certificate of the other end, if it showed one. */
  readonly certificate?: Certificate | undefined
}

export interface Certificate {
  /** Signed by an authority that the operator named, and not over. */
  readonly isTrusted: boolean
  /** Values by the short name of the attribute, `CN` or `OU`. */
  readonly subject: Readonly<Record<string, string | readonly string[] | undefined>>
  /** As OpenSSL prints it: `URI:spiffe://a/b, DNS:c`. */
  readonly alternativeNames: string | undefined
  /** Milliseconds since 1970: a connection may outlive the certificate that it was made with. */
  readonly endsAt: number
}

/** The codes of RFC 6750. */
export type RefusalCode = 'invalid_request' | 'invalid_token' | 'insufficient_scope'

/** Nobody is let in with what was shown. */
export class Refused extends Error {
  readonly status: 400 | 401 | 403 | 503
  readonly code: RefusalCode | undefined
  readonly scope: string | undefined

  constructor(status: Refused['status'], message: string, code?: RefusalCode, scope?: string) {
    super(message)
    this.status = status
    this.code = code
    this.scope = scope
  }
}

export function invalidToken(message: string): Refused {
  return new Refused(401, message, 'invalid_token')
}

/** Who calls, and how long the credential counts. */
export interface Known {
  readonly principal: Principal
  /** Milliseconds since 1970. */
  readonly endsAt?: number
}

/** What finds out who calls by one kind of token. */
export interface TokenSource {
  /** Is the token one of this kind, by its look? */
  takes(token: string): boolean
  /** Throws a `Refused`. */
  callerOf(token: string): Promise<Known> | Known
}
