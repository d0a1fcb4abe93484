/**
 * The admission server: the operator's own door, on a port or a Unix socket of its own. Programs ask its API, persons its
 * pages; both show who they are.
 */
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TlsOptions } from 'node:tls'
import express from 'express'
import { isKnownHost, isKnownOrigin, type Names } from '../http/hosts.ts'
import { headerBytesMax, headersMsMax, requestMsMax } from '../http/limits.ts'
import { messageOf } from '../model/errors.ts'
import { api } from './api.ts'
import { adminConnectionsMax, adminDrainMs, expiryMs } from './limits.ts'
import { Live } from './live.ts'
import { pages } from './pages.ts'
import type { AdmissionPorts } from './ports.ts'
import { expireOverdue } from './requests.ts'
import { Reservations } from './reservations.ts'
import { SignIns } from './signIns.ts'
import { type AdminAddress, listenAt } from './sockets.ts'

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
    await listenAt(this.#server, address)
    return 'path' in address ? undefined : (this.#server.address() as AddressInfo).port
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
}
