/**
 * A bundle service over HTTP, as OPA asks one: `If-None-Match` with the ETag of what is there, and `Prefer: wait=…` for an
 * answer that comes when something changes. A web server with a file is one, too.
 */

import { guess } from '../opa/archive.ts'
import { bundleBytesMax } from '../opa/limits.ts'
import { SourceError } from './errors.ts'
import { etagCharsMax, heldMsMin, wholeAgainMs } from './limits.ts'
import { urlText } from './places.ts'
import { type Answered, get, type Patience, statusFault } from './request.ts'
import { readSecrets, type SecretFiles } from './secrets.ts'
import type { Answer, Question, Source } from './source.ts'

/** The type by which a service says that it holds answers. */
export const bundleType = 'application/vnd.openpolicyagent.bundles'

/** As web servers, object stores and artifact stores call a compressed archive; some call it nothing. */
const types: ReadonlySet<string> = new Set([
  bundleType,
  'application/gzip',
  'application/x-gzip',
  'application/octet-stream',
  'binary/octet-stream',
  'application/tar+gzip',
  'application/x-tar',
  'application/x-gtar',
  'application/x-compressed-tar',
  'application/x-tgz',
])

export interface ServiceOptions {
  readonly clock?: () => number
  readonly patience?: Patience
}

export class Service implements Source {
  readonly #url: URL
  readonly #files: SecretFiles
  readonly #clock: () => number
  readonly #patience: Patience | undefined
  /** With its last bundle it said so, or said nothing yet. */
  #waits = true
  #wholeAt: number

  constructor(url: URL, files: SecretFiles, { clock = Date.now, patience }: ServiceOptions = {}) {
    this.#url = url
    this.#files = files
    this.#clock = clock
    this.#patience = patience
    this.#wholeAt = clock()
  }

  async ask({ etag, waitMs, signal }: Question): Promise<Answer> {
    const known = Math.abs(this.#clock() - this.#wholeAt) < wholeAgainMs ? etag : undefined
    // Without an ETag there is nothing that a service could wait for.
    const held = this.#waits && known !== undefined ? waitMs : 0
    const asked = performance.now()
    const answer = await get(this.#url, {
      headers: {
        prefer: `modes=snapshot${held > 0 ? `;wait=${Math.ceil(held / 1_000)}` : ''}`,
        ...(known !== undefined && { 'if-none-match': known }),
      },
      secrets: readSecrets(this.#files),
      bytesMax: bundleBytesMax,
      waitMs: held,
      signal,
      patience: this.#patience,
    })
    if (answer.status === 304) return this.#same(answer, known, held > 0 && performance.now() - asked >= heldMsMin)
    if (answer.status !== 200) throw statusFault(answer, this.#url)
    return this.#found(answer)
  }

  /** Whoever says at once that nothing changed does not wait for a change, whatever it says of itself. */
  #same({ headers }: Answered, known: string | undefined, waits: boolean): Answer {
    if (known === undefined)
      throw this.#wrong('says that nothing changed, and was told of nothing that it could compare with')
    if (headers.etag !== undefined && strong(headers.etag) !== strong(known))
      throw this.#wrong(`says that nothing changed since ETag ${known}, and names another one`)
    return { kind: 'same', waits }
  }

  #found({ headers, bytes }: Answered): Answer {
    const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
    if (type !== undefined && !types.has(type))
      throw new SourceError(
        'bundle_content_wrong',
        `\`${urlText(this.#url)}\` answered with \`${type}\`: a bundle is \`application/gzip\``,
        { httpCode: 200 },
      )
    requireGzip(bytes, urlText(this.#url))
    this.#waits = type === bundleType
    this.#wholeAt = this.#clock()
    const etag = headers.etag !== undefined && isRemembered(headers.etag) ? headers.etag : undefined
    return { kind: 'found', bytes, etag, waits: this.#waits }
  }

  #wrong(what: string): SourceError {
    return new SourceError('bundle_etag_wrong', `\`${urlText(this.#url)}\` ${what}`)
  }
}

/** Proxies make ETags weak. */
function strong(etag: string): string {
  return etag.replace(/^W\//, '')
}

function isRemembered(etag: string): boolean {
  return etag.length <= etagCharsMax && /^[\x21-\x7e]+$/.test(etag)
}

/** What a captive portal or an error page with status 200 says is no bundle, whatever it is called. */
export function requireGzip(bytes: Uint8Array, where: string): void {
  if (bytes.length === 0) throw new SourceError('bundle_absent', `\`${where}\` is empty: it has no bundle`)
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b)
    throw new SourceError('bundle_content_wrong', `\`${where}\` is no gzip, and so no bundle${guess(bytes)}`)
}
