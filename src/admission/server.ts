/**
 * The admission server: the operator's own door, on a port or a Unix socket of its own. Programs ask its API, persons its
 * pages; both show who they are.
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import type { TlsOptions } from 'node:tls'
import express from 'express'
import { isKnownHost, isKnownOrigin, type Names } from '../http/hosts.ts'
import { headerBytesMax, headersMsMax, requestMsMax } from '../http/limits.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { api } from './api.ts'
import { adminConnectionsMax, adminDrainMs, expiryMs } from './limits.ts'
import { Live } from './live.ts'
import { pages } from './pages.ts'
import type { AdmissionPorts } from './ports.ts'
import { expireOverdue } from './requests.ts'
import { Reservations } from './reservations.ts'
import { SignIns } from './signIns.ts'

export type AdminAddress = { readonly host: string; readonly port: number } | { readonly path: string }

export interface AdmissionOptions extends AdmissionPorts {
  readonly names: Names
  /** Persons reach it over TLS, which it speaks itself or somebody in front of it does. */
  readonly secure: boolean
  /** With it the server speaks TLS. */
  readonly tls?: TlsOptions
}

export class AdmissionServer {
  readonly #server: Server | TlsServer
  readonly #live: Live
  readonly #sweeper: NodeJS.Timeout
  readonly #reservations: Reservations | undefined

  constructor(options: AdmissionOptions) {
    this.#sweeper = setInterval(() => expireOverdue(options), expiryMs).unref()
    this.#live = new Live({
      version: () => options.ledger.approvalsVersion(),
      report: (error) => options.log(`open pages are not told of changes: ${messageOf(error)}`),
    })
    this.#reservations = options.gate && new Reservations(options.gate, options.ledger)
    const app = express().disable('x-powered-by').disable('etag')
    app.use((request, response, next) => {
      response.setHeader('x-content-type-options', 'nosniff')
      const { host, origin } = request.headers
      if (isKnownHost(host, options.names) && isKnownOrigin(origin, options.names)) return next()
      response
        .status(403)
        .json({ error: { code: 'host_unknown', message: 'the host or the origin is not one of this gate' } })
    })
    app.use(api(options, this.#reservations))
    app.use(pages({ ...options, live: this.#live, signIns: new SignIns(options) }))
    const limits = { maxHeaderSize: headerBytesMax, headersTimeout: headersMsMax, requestTimeout: requestMsMax }
    const { tls } = options
    this.#server = tls ? createTlsServer({ ...tls, ...limits }, app) : createServer(limits, app)
    this.#server.maxConnections = adminConnectionsMax
  }

  /** Rejects with `listen_failed`. Gives the port, of an address that has one. */
  async listen(address: AdminAddress): Promise<number | undefined> {
    if (!('path' in address)) {
      await this.#listen(address, `${address.host}:${address.port}`)
      return (this.#server.address() as AddressInfo).port
    }
    await removeStale(address.path)
    await this.#listen(address, address.path)
    chmodSync(address.path, 0o600)
    return undefined
  }

  /** New connections get this certificate. */
  secure(tls: TlsOptions): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(tls)
  }

  async close(): Promise<void> {
    this.#live.end()
    clearInterval(this.#sweeper)
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => this.#server.closeAllConnections(), adminDrainMs)
    await closed
    clearTimeout(timer)
    this.#reservations?.end()
  }

  #listen(where: AdminAddress, name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const why = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'it is in use' : messageOf(cause)
        reject(new TollgateError('listen_failed', `cannot listen on \`${name}\`: ${why}`, { cause }))
      })
      this.#server.listen({ ...where }, resolve)
    })
  }
}

/** A socket file that a dead process left. One that somebody answers on stays, and so does any other file. */
async function removeStale(path: string): Promise<void> {
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
  // Linux refuses a connection to a file of any kind.
  if (code === 'ECONNREFUSED' && lstatSync(path).isSocket()) unlinkSync(path)
}
