/**
 * A small bundle service over a folder: `NAME.tar.gz` in it is `/bundles/NAME`. It says by an ETag what it has, holds an
 * answer until that changes, and hears how gates stand.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { messageOf, TollgateError } from '../model/errors.ts'
import { heldItemsMax, servedConnectionsMax, statusBytesMax, waitMsMax } from './limits.ts'
import { ServedFolder } from './servedFolder.ts'
import { bundleType } from './service.ts'

export interface BundleServerOptions {
  readonly folder: string
  /** What is to be shown as `Authorization: Bearer …`; asked for anew with each request. */
  readonly token?: (() => string) | undefined
  readonly tls?: TlsOptions | undefined
  /** Told of each status message of a gate. */
  readonly heard: (status: unknown) => void
  readonly log: (sentence: string) => void
}

export class BundleServer {
  readonly #server: Server
  readonly #folder: ServedFolder
  readonly #options: BundleServerOptions
  readonly #ending = new AbortController()
  #held = 0

  constructor(options: BundleServerOptions) {
    this.#options = options
    this.#folder = new ServedFolder(options.folder)
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answered(request, response)
    this.#server = options.tls ? createTlsServer(options.tls, answer) : createServer(answer)
    this.#server.maxConnections = servedConnectionsMax
  }

  /** Gives the port. Rejects with `listen_failed`. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) =>
        reject(
          new TollgateError('listen_failed', `cannot listen on \`${host}:${port}\`: ${messageOf(cause)}`, { cause }),
        ),
      )
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port))
    })
  }

  /** Those whose answer is held hear that nothing changed. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#ending.abort()
    this.#server.closeIdleConnections()
    await closed
  }

  async #answered(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (!this.#isKnown(request)) {
        response.setHeader('www-authenticate', 'Bearer')
        return end(response, 401)
      }
      const [pathname = ''] = (request.url ?? '').split('?')
      const name = /^\/bundles\/([\w.-]+?)(?:\.tar\.gz)?$/.exec(pathname)?.[1]
      const isStatus = pathname === '/status' || pathname.startsWith('/status/')
      if (isStatus && request.method === 'POST') return await this.#hear(request, response)
      if (name === undefined) return end(response, 404)
      if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405)
      await this.#give(name, request, response)
    } catch (error) {
      this.#options.log(`${request.method} ${request.url}: ${messageOf(error)}`)
      end(response, 500)
    }
  }

  #isKnown({ headers }: IncomingMessage): boolean {
    const { token } = this.#options
    if (!token) return true
    const shown = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
    // Of digests, so that their length says nothing.
    return timingSafeEqual(hash('sha256', shown, 'buffer'), hash('sha256', token(), 'buffer'))
  }

  async #give(name: string, { headers, method }: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = new Set((headers['if-none-match'] ?? '').split(',').map((one) => one.trim()))
    const first = this.#folder.bundle(name)
    const waitMs = first && known.has(first.etag) ? waitIn(headers['prefer']) : 0
    const found = waitMs > 0 ? await this.#changed(name, known, waitMs, response) : first
    if (!found) return end(response, 404)
    response.setHeader('etag', found.etag)
    response.setHeader('cache-control', 'no-cache')
    if (known.has(found.etag)) return end(response, 304)
    response.writeHead(200, { 'content-type': bundleType, 'content-length': found.bytes.length })
    response.end(method === 'HEAD' ? undefined : found.bytes)
  }

  async #changed(name: string, known: ReadonlySet<string>, waitMs: number, response: ServerResponse) {
    if (this.#held >= heldItemsMax) return this.#folder.bundle(name)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, this.#ending.signal, AbortSignal.timeout(waitMs)])
    this.#held++
    try {
      return await this.#folder.changed(name, ({ etag }) => !known.has(etag), signal)
    } finally {
      this.#held--
    }
  }

  async #hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length
      // To leave off reading would end the connection before the answer.
      if (length <= statusBytesMax) chunks.push(chunk)
    }
    if (length > statusBytesMax) return end(response, 413)
    try {
      this.#options.heard(JSON.parse(Buffer.concat(chunks).toString('utf8')))
    } catch {
      return end(response, 400)
    }
    end(response, 200)
  }
}

function end(response: ServerResponse, status: number): void {
  if (!response.headersSent) response.writeHead(status)
  response.end()
}

/** `Prefer: modes=snapshot,delta;wait=30` */
function waitIn(prefer: string | readonly string[] | undefined): number {
  const seconds = /(?:^|[;,\s])wait=(\d{1,6})/.exec([prefer].flat().join(';'))?.[1]
  return Math.min(Number(seconds ?? 0) * 1_000, waitMsMax)
}
