/**
 * A registry of one's own that stands in for a real one where none can be had: manifests, blobs and the token that is asked
 * for, as far as a bundle is pulled. `make registry-test` asks a real one.
 */
import { hash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'
export const manifestType = 'application/vnd.oci.image.manifest.v1+json'

export const digestOf = (bytes: Uint8Array | string) => `sha256:${hash('sha256', bytes)}`

export function manifestOf(layers: readonly unknown[]): string {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 }
  return JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers })
}

export const layerOf = (bytes: Uint8Array) => ({ mediaType: layerType, digest: digestOf(bytes), size: bytes.length })

export class StandIn implements AsyncDisposable {
  readonly manifests = new Map<string, string>()
  readonly blobs = new Map<string, Uint8Array>()
  /** Method, path and credential of what was asked. */
  readonly asked: string[] = []
  /** `USER:PASSWORD` that gets the token which everything else wants. */
  credential: string | undefined
  /** Blobs are somewhere else. */
  elsewhere: string | undefined
  realm: string | undefined
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', this.url)
      const { authorization = '' } = request.headers
      this.asked.push(`${pathname} ${authorization}`.trim())
      if (pathname === '/token') {
        const basic = `Basic ${Buffer.from(this.credential ?? '').toString('base64')}`
        if (authorization !== basic) return response.writeHead(401).end()
        return response.end(JSON.stringify({ token: `for-${searchParams.get('scope')}` }))
      }
      if (this.credential !== undefined && authorization !== 'Bearer for-repository:team/policy:pull') {
        const challenge = `Bearer realm="${this.realm ?? `${this.url}/token`}",service="standin",scope="registry:catalog:*"`
        return response.writeHead(401, { 'www-authenticate': challenge }).end()
      }
      const [, kind, reference = ''] = /^\/v2\/team\/policy\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? []
      if (kind === 'blobs' && this.elsewhere !== undefined)
        return response.writeHead(307, { location: `${this.elsewhere}/${reference}` }).end()
      const found = kind === 'manifests' ? this.manifests.get(reference) : this.blobs.get(reference)
      if (found === undefined) return response.writeHead(404).end()
      response
        .writeHead(200, { 'content-type': kind === 'manifests' ? manifestType : 'application/octet-stream' })
        .end(found)
    })
  }

  static async start(): Promise<StandIn> {
    const registry = new StandIn()
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get url(): string {
    return `http://${this.host}`
  }

  push(tag: string, bytes: Uint8Array): void {
    const manifest = manifestOf([{ mediaType: 'text/plain', digest: digestOf('x'), size: 1 }, layerOf(bytes)])
    this.blobs.set(digestOf(bytes), bytes)
    this.manifests.set(tag, manifest).set(digestOf(manifest), manifest)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
