/** The MCP server over HTTP: one request out, its answer in. Redirects are not followed, nothing is sent twice. */
import { Pool } from 'undici'
import type { Line } from '../mcp/framing.ts'
import { messageOf } from '../model/errors.ts'
import type { Fields } from './fields.ts'
import { type Answered, Incoming } from './incoming.ts'
import { connectMsMax, headerBytesMax } from './limits.ts'

export interface Sent {
  readonly fields: Fields
  readonly body?: Line
  readonly signal?: AbortSignal
  /** How long the server may say nothing, before its answer and within it; 0: as long as it likes. */
  readonly silenceMs: number
}

export class Upstream {
  readonly #pool: Pool
  readonly #path: string
  readonly #credential: () => Fields | undefined

  constructor(url: URL, credential: () => Fields | undefined = () => ({})) {
    this.#credential = credential
    this.#path = `${url.pathname}${url.search}`
    this.#pool = new Pool(url.origin, {
      connect: { timeout: connectMsMax },
      maxHeaderSize: headerBytesMax,
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  async send(method: 'POST' | 'GET' | 'DELETE', { fields, body, signal, silenceMs }: Sent): Promise<Answered> {
    const own = this.#credential()
    if (own === undefined) throw new NoCredential()
    const headers = { ...fields, ...(body !== undefined && { 'content-type': 'application/json' }), ...own }
    return new Promise((resolve, reject) => {
      const incoming = new Incoming(resolve, reject)
      const abort = () => incoming.abort(signal?.reason)
      if (signal?.aborted) abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.#pool.dispatch(
        { method, path: this.#path, headers, body: body ?? null, headersTimeout: silenceMs, bodyTimeout: silenceMs },
        incoming,
      )
    })
  }

  /** Ends connections, and what is under way on them. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** Why there is no answer, and what that says of the call. */
export interface Fault {
  readonly status: 502 | 504
  /** True when no byte of the call left the gate. */
  readonly unsent: boolean
  readonly why: string
}

/** Without its credential the gate asks nothing: the server would take it for somebody else, or for nobody. */
class NoCredential extends Error {
  constructor() {
    super('the credential of the gate for the MCP server is missing')
  }
}

/** Failures of making a connection: undici sends nothing before it has one. */
const unsentCodes: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

const silenceCodes: ReadonlySet<unknown> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

export function faultOf(error: unknown): Fault {
  if (error instanceof NoCredential) return { status: 502, unsent: true, why: error.message }
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (unsentCodes.has(code)) return { status: 502, unsent: true, why: 'the MCP server cannot be reached' }
  if (silenceCodes.has(code)) return { status: 504, unsent: false, why: 'the MCP server did not answer in time' }
  const lost = code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
  const why = lost ? 'the connection to the MCP server broke' : messageOf(error)
  return { status: 502, unsent: false, why }
}
