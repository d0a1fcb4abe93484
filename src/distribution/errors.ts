/** Why no bundle came from its place. */
import { TollgateError } from '../model/errors.ts'

interface Circumstances {
  /** The status that a server answered with. */
  readonly httpCode?: number | undefined
  /** When the server wants to be asked again. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

export class SourceError extends TollgateError {
  override readonly name = 'SourceError'
  readonly httpCode: number | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: SourceErrorCode, message: string, { httpCode, retryAfterMs, cause }: Circumstances = {}) {
    super(code, message, { cause })
    this.httpCode = httpCode
    this.retryAfterMs = retryAfterMs
  }
}

export type SourceErrorCode =
  | 'bundle_absent'
  | 'bundle_content_wrong'
  | 'bundle_credential_missing'
  | 'bundle_digest_wrong'
  | 'bundle_etag_wrong'
  | 'bundle_image_wrong'
  | 'bundle_redirected'
  | 'bundle_status_wrong'
  | 'bundle_timeout'
  | 'bundle_too_large'
  | 'bundle_unreachable'
