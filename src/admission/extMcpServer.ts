/**
 * The gRPC server that agentgateway asks. Its sockets are ours: so that it speaks TLS as the admission server does, and a
 * socket file is its owner's from the first moment. Loaded where it is wanted: the one file with `@grpc`.
 */
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net'
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import {
  type ConnectionInjector,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceClientConstructor,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { messageOf } from '../model/errors.ts'
import { checkRequest, checkResponse, type ExtMcpPorts, type McpResult, type Refusal } from './extMcp.ts'
import { adminDrainMs, extMcpConnectionsMax, extMcpMessageBytesMax } from './limits.ts'
import { type AdmissionPorts, bearerIn } from './ports.ts'
import { Rates } from './rates.ts'
import type { Reservations } from './reservations.ts'
import { type AdminAddress, listenAt } from './sockets.ts'

export interface ExtMcpOptions extends ExtMcpPorts {
  readonly reservations: Reservations
  /** With it the server speaks TLS, and knows clients by their certificates where it says so. */
  readonly tls?: TlsOptions
  /** With it each question shows a key. */
  readonly keyHolderOf?: AdmissionPorts['keyHolderOf']
  /** False while it is not known whose certificates count. */
  readonly trustsClients?: () => boolean
  readonly log: (sentence: string) => void
}

export class ExtMcpServer {
  readonly #options: ExtMcpOptions
  readonly #grpc: Server
  readonly #sockets: NetServer | TlsServer
  readonly #rates = new Rates()

  constructor(options: ExtMcpOptions) {
    this.#options = options
    this.#grpc = new Server({
      'grpc.max_receive_message_length': extMcpMessageBytesMax,
      'grpc.max_send_message_length': extMcpMessageBytesMax,
      'grpc.enable_channelz': 0,
    })
    this.#grpc.addService(serviceOf(), {
      CheckRequest: this.#answering(checkRequest),
      CheckResponse: this.#answering(checkResponse),
    })
    const connections: ConnectionInjector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure())
    const { tls } = options
    this.#sockets = tls
      ? createTlsServer({ ...tls, ALPNProtocols: ['h2'] }, (socket) => connections.injectConnection(socket))
      : createServer((socket) => connections.injectConnection(socket))
    this.#sockets.maxConnections = extMcpConnectionsMax
  }

  /** Rejects with `listen_failed`. Gives the port, of an address that has one. */
  async listen(address: AdminAddress): Promise<number | undefined> {
    await listenAt(this.#sockets, address)
    return 'path' in address ? undefined : (this.#sockets.address() as AddressInfo).port
  }

  /** New connections get this certificate. */
  secure(tls: TlsOptions): void {
    if ('setSecureContext' in this.#sockets) this.#sockets.setSecureContext(tls)
  }

  async close(): Promise<void> {
    this.#sockets.close()
    const timer = setTimeout(() => this.#grpc.forceShutdown(), adminDrainMs)
    await new Promise((resolve) => this.#grpc.tryShutdown(resolve))
    clearTimeout(timer)
    this.#options.reservations.end()
  }

  #answering<Asked>(check: (asked: Asked, ports: ExtMcpPorts) => McpResult) {
    return async (call: ServerUnaryCall<Asked, McpResult>, answer: sendUnaryData<McpResult>) => {
      const trouble = await this.#troubleOf(call).catch((error) => this.#failed(error))
      if (trouble !== undefined) return answer(null, { error: trouble })
      try {
        answer(null, check(call.request, this.#options))
      } catch (error) {
        answer(null, { error: this.#failed(error) })
      }
    }
  }

  /** Why the asker is not heard. */
  async #troubleOf({ metadata }: { metadata: ServerUnaryCall<unknown, unknown>['metadata'] }) {
    const { keyHolderOf, trustsClients } = this.#options
    if (trustsClients?.() === false) return denied('the gate cannot read whose certificates count: ask its operator')
    if (keyHolderOf === undefined) return undefined
    const key = bearerIn(metadata.get('authorization').join(','))
    const known = key === undefined ? undefined : await keyHolderOf(key)
    if (known === undefined) return denied('a key is wanted: `authorization: Bearer KEY`, with a line in `--approvers`')
    if (!known.scopes.includes('admission')) return denied('this key lacks the scope `admission`')
    if (!this.#rates.take(known.holder.name, Date.now()))
      return { code: 'RESOURCE_EXHAUSTED', reason: 'too many requests with this key: ask later' } as const
    return undefined
  }

  #failed(error: unknown): Refusal {
    this.#options.log(`a question of agentgateway failed: ${messageOf(error)}`)
    return { code: 'UNKNOWN', reason: 'the gate failed' }
  }
}

function denied(reason: string): Refusal {
  return { code: 'PERMISSION_DENIED', reason }
}

function serviceOf(): ServiceClientConstructor['service'] {
  return extMcpClient().service
}

/** The client that belongs to it, with the names of the wire. */
export function extMcpClient(): ServiceClientConstructor {
  const file = fileURLToPath(new URL('../../proto/ext_mcp.proto', import.meta.url))
  const definition = loadSync(file, { keepCase: true, enums: String, longs: String, oneofs: false, arrays: true })
  const { agentgateway } = loadPackageDefinition(definition) as never as Package
  return agentgateway.dev.ext_mcp.ExtMcp
}

interface Package {
  readonly agentgateway: { readonly dev: { readonly ext_mcp: { readonly ExtMcp: ServiceClientConstructor } } }
}
