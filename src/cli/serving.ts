/** The gate of `tollgate serve`: it listens until it is told to end, and lets what is under way finish. */
import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import type { Status } from '../admission/ports.ts'
import { notReady } from '../admission/ready.ts'
import { Runs } from '../admission/runs.ts'
import { Front, type FrontOptions, type Route } from '../http/front.ts'
import { isLoopback, type Names } from '../http/hosts.ts'
import { Local } from '../http/local.ts'
import { Remote, type RemoteOptions } from '../http/remote.ts'
import { sessionlessFor } from '../http/sessions.ts'
import { callerOf } from '../http/shares.ts'
import { FollowedFiles, type Unread } from '../identity/followed.ts'
import { type Credential, credentialOf } from '../identity/upstream.ts'
import { version } from '../runtime/version.ts'
import { type Admission, openAdmission } from './admission.ts'
import { endOnSignals, takeSignals } from './exit.ts'
import { report, say } from './log.ts'
import { loggedCalls } from './loggedCalls.ts'
import { ledgerFileOf, type Opening, principalOf, registrationOf, withGate } from './openedGate.ts'
import { openTraces } from './openTraces.ts'
import { callersOf } from './serveCallers.ts'
import { metricsOf } from './serveMetrics.ts'
import type { Address, ServeOptions, Target } from './serveOptions.ts'
import { runOf } from './serveRuns.ts'
import { isFor } from './serveSettings.ts'
import { followTls, tlsOptions } from './serveTls.ts'
import type { GateSettings } from './settingsFile.ts'

/** As in `relay.ts`. */
setFlagsFromString('--no-parallel-scavenge')

export interface Serving extends Omit<Opening, 'servers'> {
  readonly options: ServeOptions
  readonly address: Address
  readonly names: Names
  readonly targets: readonly Target[]
  readonly silenceMs: number
  readonly settings: GateSettings
  readonly admission: Admission | undefined
}

export async function serveUntilTold(serving: Serving): Promise<void> {
  const { targets, options, admission, names, address, silenceMs, settings, feed } = serving
  const { bundles } = feed
  const tls = settings.tls && tlsOptions(settings.tls, say)
  const files = new FollowedFiles()
  let front: Front | undefined
  const following = settings.tls && followTls(settings.tls, (renewed) => front?.secure(renewed), { say, files })
  const credentials = credentialsFor(targets, settings, files)
  const callers = callersFor(serving, files, () => following?.trustsClients() ?? true)
  const servers = targets.map(({ server }) => server ?? '')
  await withGate({ ...serving, servers }, async (gate, waiting, { ledger, describe, reload }) => {
    const told = signalled(reload)
    const runs = admission && new Runs(ledger)
    const run = runs ? runOf(runs, await registrationOf(options)) : await registrationOf(options)
    const measured = { ledger, ledgerFile: ledgerFileOf(options), waiting, files, bundles }
    const metrics = runs && (await metricsOf(gate, { ...measured, runs }))
    const counted = metrics?.counted(gate) ?? gate
    const traces = await openTraces()
    const common = {
      gate: loggedCalls(traces?.traced(counted) ?? counted),
      silenceMs,
      log: say,
      ...waiting,
      ...(run && { run }),
      ...(settings.identity && { callerOf }),
    }
    const routes = new Map(
      targets.map((target) => [target.path, routeOf(target, { ...common, credential: credentials.get(target) })]),
    )
    const ready = () => notReady({ ledger, revision: gate.revision })
    const served = { gate: counted, routes, names, notReady: ready, ...callers, ...(tls && { tls }) }
    const opened = new Front({ ...served, log: say })
    front = opened
    const { port } = await opened.listen(address.host, address.port)
    const host = address.host.includes(':') ? `[${address.host}]` : address.host
    for (const { path, server } of targets)
      say(
        `listening on ${tls ? 'https' : 'http'}://${host}:${port}${path}${server === undefined ? '' : ` for ${server}`}`,
      )
    const startedAt = new Date().toISOString()
    const status = (): Status => ({
      version,
      revision: gate.revision,
      servers,
      started_at: startedAt,
      kept_open: waiting.answers.waiting,
      files_unread: files.unread().map(unreadText),
      ...(bundles && { bundles: bundles.status(), discovery: bundles.discovery() }),
    })
    const { approverTokens: tokens } = settings
    const asked = {
      gate: counted,
      files,
      ...(runs && { runs }),
      ...(metrics && { metrics }),
      ...(tokens && { tokens }),
    }
    const admitted = admission && (await openAdmission(admission, { ledger, describe, status, say, report, ...asked }))
    if (!settings.identity && !isLoopback(address.host))
      say('warning: nobody is asked who calls, and other machines can connect: whoever does is the one caller')
    await told
    say('ending: calls under way may finish')
    // Held calls are refused now: they are made again, of the next gate.
    waiting.answers.end()
    following?.stop()
    await opened.drain()
    await admitted?.close()
    await traces?.end()
  })
}

/** Who calls, as the settings say; without any, everybody is the one caller of the flags. */
function callersFor(
  { settings, options, targets }: Serving,
  files: FollowedFiles,
  trustsClients: () => boolean,
): Pick<FrontOptions, 'identify' | 'document'> {
  const { identity, publicUrl } = settings
  const principal = principalOf(options)
  if (identity === undefined) return { identify: () => ({ principal }) }
  const isServed = (path: string) => targets.some((target) => target.path === path)
  return callersOf({ settings: identity, project: options.project, publicUrl, isServed, say, files, trustsClients })
}

function credentialsFor(
  targets: readonly Target[],
  { credentials }: GateSettings,
  files: FollowedFiles,
): ReadonlyMap<Target, Credential> {
  const found = credentials.flatMap((one) =>
    targets
      .filter((target) => isFor(one.server, target, targets))
      .map((target) => [target, credentialOf(one, { say, files })] as const),
  )
  return new Map(found)
}

function unreadText({ file, since, until }: Unread): Status['files_unread'][number] {
  const counts_until = until === undefined ? null : new Date(until).toISOString()
  return { file, since: new Date(since).toISOString(), counts_until }
}

function routeOf({ server = '', upstream }: Target, common: Omit<RemoteOptions, 'server' | 'session' | 'url'>): Route {
  const session = randomUUID()
  const options = { ...common, server, session, sessionFor: sessionlessFor(server) }
  const endpoint =
    upstream instanceof URL ? new Remote({ ...options, url: upstream }) : new Local({ ...options, command: upstream })
  return { server, session, endpoint }
}

/**
 * The first signal asks to end, the second does not ask. With `reload`, SIGHUP is the word to look at the files again, but
 * where a terminal sends it, that was closed.
 */
export function signalled(reload?: () => void): Promise<void> {
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  return new Promise((resolve) => {
    const hear = (signal: NodeJS.Signals) => {
      if (signal === 'SIGHUP' && reload !== undefined && !process.stdin.isTTY) return reload()
      endOnSignals()
      for (const one of signals) process.off(one, hear)
      resolve()
    }
    for (const signal of signals) process.on(signal, hear)
    takeSignals()
  })
}
