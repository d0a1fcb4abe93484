/** The bundles of a gate, as its flags name them or a discovery bundle does; and who is told how it stands with them. */
import type { Failed } from '../distribution/distribution.ts'
import type { BundleStatus } from '../distribution/status.ts'
import { StatusReport } from '../distribution/statusReport.ts'
import { TollgateError } from '../model/errors.ts'
import { defaultBundleStore } from '../runtime/paths.ts'
import { version } from '../runtime/version.ts'
import { activationFailure, type Watching, type WatchPorts } from '../runtime/watch.ts'
import { type BundleOptions, statusUrlOf, wantedBundles } from './bundleOptions.ts'
import { UsageError } from './exit.ts'
import { withMistakesTold } from './policies.ts'
import { type Believing, type Heard, PolicyBundles } from './policyBundles.ts'
import type { Instance, PolicyFeed } from './policyFeed.ts'
import { trustNow } from './trustOptions.ts'

/** Rejects with a `UsageError`, or with why a bundle cannot be had or must not decide. */
export async function bundleFeed(options: BundleOptions): Promise<PolicyFeed> {
  const believing = believingOf(options)
  const followed = await withMistakesTold([], () => followedOf(options, believing))
  const reporting = statusReporting(options)
  const listeners: ((name: string, code: string) => void)[] = []
  return {
    loaded: followed.loaded,
    started: () => followed.started(),
    bundles: {
      status: () => followed.status(),
      discovery: () => followed.discovery?.(),
      onFailure: (listener) => listeners.push(listener),
    },
    follow(ports) {
      const report = reporting(followed, ports)
      let isOver = false
      const { stop, reload } = followed.follow(ports, {
        failed(failed) {
          for (const listener of listeners) listener(failed.name, codeOf(failed.error))
          if (!failed.again) void refused(failed, ports, () => isOver)
        },
        asked: () => report.changed(),
      })
      report.changed()
      return {
        stop() {
          isOver = true
          stop()
          report.stop()
        },
        reload,
      }
    },
  }
}

/** What decides, as it is named once and for all, or found out. */
export interface FollowedPolicies extends Pick<PolicyBundles, 'loaded' | 'started' | 'status'> {
  follow(ports: WatchPorts, heard: Heard): Watching
  /** How it stands with the discovery bundle, where there is one. */
  discovery?(): BundleStatus
  /** Who is told, where the discovery bundle says it. */
  readonly statusUrl?: URL | undefined
}

async function followedOf(options: BundleOptions, believing: Believing): Promise<FollowedPolicies> {
  if (options.discovery === undefined) return PolicyBundles.open(wantedBundles(options), believing)
  const { DiscoveredPolicies } = await import('./discovered.ts')
  return DiscoveredPolicies.open(options.discovery, options, believing)
}

/** Throws a `UsageError`. */
function believingOf(options: BundleOptions): Believing {
  const trust = trustNow(options)
  if (trust) return { trust, store: options.bundleStore ?? defaultBundleStore() }
  throw new UsageError(
    'say whom bundles are believed from: name the key with `--verify-key FILE`, or keys with `--trust FILE`',
  )
}

/** Who tells how it stands. Throws a `UsageError`. */
function statusReporting({ statusUrl, statusTokenFile: token, bundleCa: ca }: BundleOptions) {
  const named = statusUrl === undefined ? undefined : statusUrlOf(statusUrl, token)
  return (followed: FollowedPolicies, { say, instance }: WatchPorts & Instance) =>
    new StatusReport({
      url: () => named ?? followed.statusUrl,
      secrets: { token, ca },
      labels: { id: instance, version },
      status: () => followed.status(),
      discovery: () => followed.discovery?.(),
      say,
    })
}

/** Told, and recorded: but for a ledger that cannot be written, which the next question tries again. */
async function refused(
  { name, place, error }: Failed,
  { gate, say }: WatchPorts,
  isOver: () => boolean,
): Promise<void> {
  const failure = await activationFailure([place], error)
  if (isOver()) return
  const kept = gate.revision === '' ? 'every call is denied' : `policy ${gate.revision.slice(0, 12)} stays active`
  say(`bundle \`${name}\`: ${failure.detail}: ${kept}`, error)
  if (!failure.code.startsWith('ledger_')) gate.notActivated(failure)
}

function codeOf(error: unknown): string {
  return error instanceof TollgateError ? error.code : 'bundle_error'
}
