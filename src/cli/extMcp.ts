/** Where agentgateway asks (ExtMcp): the address, and what whoever asks there has to show. */
import type { TlsOptions } from 'node:tls'
import type { AdmissionGate, AdmissionPorts } from '../admission/ports.ts'
import type { Runs } from '../admission/runs.ts'
import type { AdminAddress } from '../admission/sockets.ts'
import { isLoopback } from '../http/hosts.ts'
import type { FollowedFiles } from '../identity/followed.ts'
import { UsageError } from './exit.ts'
import type { extMcpAuths } from './options.ts'
import { followTls, tlsOptions } from './serveTls.ts'
import type { TlsFiles } from './settingsFile.ts'

export interface ExtMcpOptions {
  /** `PORT`, `HOST:PORT`, or `unix:PATH`. */
  readonly extMcp?: string
  readonly extMcpAuth?: (typeof extMcpAuths)[number]
  readonly extMcpClientCa?: string
}

export interface ExtMcp {
  readonly address: AdminAddress
  readonly auth: (typeof extMcpAuths)[number]
  readonly tls: TlsFiles | undefined
}

/** What of the admission server counts here as well. */
export interface Beside {
  readonly addressOf: (flag: string, text: string) => AdminAddress
  readonly tls: TlsFiles | undefined
  readonly approvers: string | undefined
}

/** Undefined where nobody asks. Throws a `UsageError`. */
export function extMcpOf(options: ExtMcpOptions, { addressOf, tls, approvers }: Beside): ExtMcp | undefined {
  const { extMcp, extMcpAuth, extMcpClientCa: clientCa } = options
  if (extMcp === undefined) {
    const flag =
      extMcpAuth !== undefined ? '--ext-mcp-auth' : clientCa !== undefined ? '--ext-mcp-client-ca' : undefined
    if (flag !== undefined) throw new UsageError(`\`${flag}\` says something of ExtMcp: open it with \`--ext-mcp\``)
    return undefined
  }
  const address = addressOf('--ext-mcp', extMcp)
  const isOwn = 'path' in address || isLoopback(address.host)
  const auth = extMcpAuth ?? (isOwn ? 'none' : undefined)
  if (!isOwn && (auth === undefined || auth === 'none'))
    throw new UsageError(
      '`--ext-mcp` is reached from other machines: say with `--ext-mcp-auth` what whoever asks there shows, a `key` or a `certificate`',
    )
  if (!isOwn && tls === undefined)
    throw new UsageError(
      '`--ext-mcp` is reached from other machines, so it speaks TLS: name `--admin-tls-cert` and `--admin-tls-key`',
    )
  if (auth === 'key' && approvers === undefined)
    throw new UsageError('`--ext-mcp-auth key` wants `--approvers`, the file with the keys')
  if ((auth === 'certificate') !== (clientCa !== undefined))
    throw new UsageError('`--ext-mcp-auth certificate` and `--ext-mcp-client-ca` go together')
  if (auth === 'certificate' && tls === undefined)
    throw new UsageError('`--ext-mcp-auth certificate` wants TLS: name `--admin-tls-cert` and `--admin-tls-key`')
  return { address, auth: auth as ExtMcp['auth'], tls: tls && { ...tls, clientCa } }
}

export interface Asked {
  readonly gate: AdmissionGate
  readonly runs?: Runs
  readonly ledger: Pick<AdmissionPorts['ledger'], 'recordsOf'>
  readonly keyHolderOf: AdmissionPorts['keyHolderOf']
  readonly say: (sentence: string) => void
  readonly files?: FollowedFiles | undefined
}

/** Rejects with `listen_failed` and `tls_invalid`. */
export async function openExtMcp(
  { address, auth, tls: files }: ExtMcp,
  { gate, runs, ledger, keyHolderOf, say, files: followed }: Asked,
): Promise<{ readonly close: () => Promise<void> }> {
  const { ExtMcpServer } = await import('../admission/extMcpServer.ts')
  const { Reservations } = await import('../admission/reservations.ts')
  const tls = files && tlsOptions(files, say)
  const server = new ExtMcpServer({
    gate,
    ...(runs && { runs }),
    reservations: new Reservations(gate, ledger),
    ...(tls && { tls: strict(tls) }),
    ...(auth === 'key' && { keyHolderOf }),
    trustsClients: () => following?.trustsClients() ?? true,
    log: say,
  })
  const following = files && followTls(files, (renewed) => server.secure(renewed), { say, files: followed })
  const port = await server.listen(address)
  say(`agentgateway asks (ExtMcp) at ${'path' in address ? `unix:${address.path}` : `${address.host}:${port}`}`)
  return {
    async close() {
      following?.stop()
      await server.close()
    },
  }
}

/** gRPC has no words for a client without a certificate before it is one: the connection ends. */
function strict(tls: TlsOptions): TlsOptions {
  return tls.requestCert ? { ...tls, rejectUnauthorized: true } : tls
}
