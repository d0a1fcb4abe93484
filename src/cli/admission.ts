/** The admission server beside a gate: where it listens, and whose keys it knows. */

import type { Outbox } from '../admission/outbox.ts'
import type { AdmissionGate, Notify, Status } from '../admission/ports.ts'
import type { Runs } from '../admission/runs.ts'
import type { AdminAddress } from '../admission/sockets.ts'
import { hostName, isLoopback, loopbackNames, type Names } from '../http/hosts.ts'
import type { FollowedFiles } from '../identity/followed.ts'
import type { SqliteLedger } from '../ledger/ledger.ts'
import type { GateEvent } from '../model/event.ts'
import { Approvals } from '../pep/approvals.ts'
import { Kills } from '../pep/kills.ts'
import { orderedId } from '../runtime/ids.ts'
import { adminUrlOf, pageOf } from './approvalWait.ts'
import { type ApproverTokens, openApproverTokens } from './approverTokens.ts'
import { UsageError } from './exit.ts'
import { type ExtMcp, type ExtMcpOptions, extMcpOf, openExtMcp } from './extMcp.ts'
import { RecordedCharges } from './recordedCharges.ts'
import { addressIn } from './serveOptions.ts'
import { followTls, tlsOptions } from './serveTls.ts'
import type { TlsFiles } from './settingsFile.ts'

export interface AdmissionOptions extends ExtMcpOptions {
  /** `PORT`, `HOST:PORT`, or `unix:PATH`. */
  readonly admin?: string
  readonly approvers?: string
  readonly adminUrl?: string
  /** The file that says who is told of requests. */
  readonly notify?: string
  readonly adminTlsCert?: string
  readonly adminTlsKey?: string
}

export interface Admission {
  readonly address: AdminAddress
  readonly names: Names
  /** Where persons reach it, where that is not the address. */
  readonly url: URL | undefined
  readonly approvers: string | undefined
  readonly notify: string | undefined
  readonly tls: TlsFiles | undefined
  readonly extMcp: ExtMcp | undefined
}

/** Undefined where none is wanted. Throws a `UsageError`. */
export function admissionOf(options: AdmissionOptions): Admission | undefined {
  const { admin, approvers, adminUrl, notify, adminTlsCert, adminTlsKey, extMcp } = options
  if (admin === undefined) {
    const others = {
      '--approvers': approvers,
      '--notify': notify,
      '--admin-tls-cert': adminTlsCert,
      '--admin-tls-key': adminTlsKey,
      '--ext-mcp': extMcp,
    }
    for (const [flag, value] of Object.entries(others))
      if (value !== undefined)
        throw new UsageError(`\`${flag}\` says something of the admission server: open it with \`--admin\``)
    extMcpOf(options, { addressOf, tls: undefined, approvers: undefined })
    return undefined
  }
  const address = addressOf('--admin', admin)
  const url = adminUrl === undefined ? undefined : adminUrlOf(adminUrl)
  const own = 'path' in address ? undefined : address.host
  if (own !== undefined && !isLoopback(own) && url === undefined)
    throw new UsageError(
      `\`${own}\` is reached from other machines: say by which address persons reach it with \`--admin-url\`, which should be https`,
    )
  const hosts = [...loopbackNames, ...[own, url && hostName(url.host)].filter((name) => name !== undefined)]
  const names = {
    hosts: new Set(hosts.map((name) => (name.includes(':') ? `[${name.replace(/[[\]]/g, '')}]` : name))),
    origins: new Set(url ? [url.origin] : []),
  }
  const tls = tlsOf(options)
  return { address, names, url, approvers, notify, tls, extMcp: extMcpOf(options, { addressOf, tls, approvers }) }
}

function tlsOf({ adminTlsCert: cert, adminTlsKey: key }: AdmissionOptions): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new UsageError('`--admin-tls-cert` and `--admin-tls-key` go together')
  return { cert, key, clientCa: undefined }
}

export interface Administered {
  readonly ledger: SqliteLedger
  /** Undefined where only a ledger is behind it. */
  readonly gate?: AdmissionGate
  readonly runs?: Runs
  readonly metrics?: { text(): Promise<string> }
  /** Whose tokens count there. */
  readonly tokens?: readonly ApproverTokens[]
  /** Files that are read again when they change. */
  readonly files?: FollowedFiles
  readonly describe: (event: GateEvent) => string
  readonly status: () => Status
  readonly say: (sentence: string) => void
  readonly report: (error: unknown) => void
}

/** Rejects with `listen_failed`, `approvers_invalid`, `notify_invalid`, and `tls_invalid`. */
export async function openAdmission(
  admission: Admission,
  administered: Administered,
): Promise<{ readonly close: () => Promise<void> }> {
  const { AdmissionServer } = await import('../admission/server.ts')
  const { Approvers } = await import('../admission/approvers.ts')
  const { address, names, url, approvers: file } = admission
  const { ledger, describe, status, say, report, gate: own, runs, metrics, tokens } = administered
  const approvers = file === undefined ? undefined : new Approvers(file, report)
  const notify = admission.notify === undefined ? undefined : await notifyOf(admission.notify)
  const charges = new RecordedCharges((revision) => ledger.policy(revision))
  const tls = admission.tls && tlsOptions(admission.tls, say)
  const ofToken = tokens && (await openApproverTokens(tokens, { say, files: administered.files }))
  const keyHolderOf = (credential: string) => approvers?.ofKey(credential) ?? ofToken?.(credential)
  const server = new AdmissionServer({
    ledger,
    approvals: new Approvals({ ledger, describe }),
    kills: new Kills({ ledger, describe, newId: orderedId }),
    chargesOf: (body) => charges.of(body),
    keyHolderOf,
    ...(own && { gate: own }),
    ...(runs && { runs }),
    ...(metrics && { metrics }),
    status,
    names,
    ...(notify && { notify }),
    secure: tls !== undefined || url?.protocol === 'https:',
    ...(tls && { tls }),
    log: say,
  })
  const port = await server.listen(address)
  say(
    `persons answer at ${url?.href ?? ('path' in address ? `unix:${address.path}` : addressText(tls ? 'https' : 'http', address.host, port))}`,
  )
  if (approvers === undefined && tokens === undefined)
    say('nobody can sign in there: `--approvers` names the file with their keys')
  const asked = { ledger, keyHolderOf, say, files: administered.files, ...(runs && { runs }) }
  const extMcp = admission.extMcp && own && (await openExtMcp(admission.extMcp, { ...asked, gate: own }))
  const following = admission.tls && followTls(admission.tls, (renewed) => server.secure(renewed), { say })
  const told = notify ? await toldOf(notify, admission, administered) : []
  return {
    async close() {
      following?.stop()
      await Promise.all(told.map((one) => one.stop()))
      await extMcp?.close()
      await server.close()
    },
  }
}

async function notifyOf(file: string): Promise<Notify> {
  const { readNotifyFile } = await import('../admission/notifySettings.ts')
  return readNotifyFile(file)
}

async function toldOf(notify: Notify, { url }: Admission, { ledger, say }: Administered): Promise<readonly Outbox[]> {
  const { outboxes } = await import('../admission/notify.ts')
  const told = outboxes(notify, { ledger, log: say, ...(url && { page: pageOf(url.href) }) })
  for (const one of told) one.start()
  return told
}

function addressText(scheme: string, host: string, port: number | undefined): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/`
}

export function isAdminAddress(text: string): boolean {
  return (text.startsWith('unix:') && text.length > 5) || addressIn(text) !== undefined
}

function addressOf(flag: string, text: string): AdminAddress {
  if (text.startsWith('unix:') && text.length > 5) return { path: text.slice(5) }
  const address = addressIn(text)
  if (address === undefined)
    throw new UsageError(`\`${flag}\` takes PORT, HOST:PORT or unix:PATH, as in \`127.0.0.1:8718\`, got \`${text}\``)
  return { ...address, host: address.host.toLowerCase() }
}
