/** What a gate decides by, and how that is kept up to date: policy files that are followed, or bundles that are asked for. */
import type { BundleStatus } from '../distribution/status.ts'
import type { LoadedSet } from '../runtime/policySet.ts'
import { type Watching, type WatchPorts, watchPolicy } from '../runtime/watch.ts'
import type { BundleOptions } from './bundleOptions.ts'
import { UsageError } from './exit.ts'
import { choiceOf, loadPolicy, type PolicyOptions } from './policies.ts'

export interface PolicyFeed {
  readonly loaded: LoadedSet
  /** What was loaded has become active. */
  readonly started?: () => void
  readonly follow: (ports: WatchPorts & Instance) => Watching
  readonly bundles?: FollowedBundles
}

/** What status messages say of the process. */
export interface Instance {
  readonly instance: string
}

export interface FollowedBundles {
  readonly status: () => Readonly<Record<string, BundleStatus>>
  /** Of the discovery bundle, where there is one. */
  readonly discovery: () => BundleStatus | undefined
  readonly onFailure: (listener: (name: string, code: string) => void) => void
}

export type FeedOptions = PolicyOptions & BundleOptions

/** Throws a `UsageError` for options that name no policy, or two. */
export function requirePolicy(options: FeedOptions): void {
  const { bundle, discovery, config, layer } = options
  if (bundle === undefined && discovery === undefined) {
    choiceOf(options)
    return
  }
  if (config || layer)
    throw new UsageError('bundles do not go together with `-c` and `--layer`: give each policy as a bundle')
  if (bundle && discovery !== undefined)
    throw new UsageError('`--bundle` and `--discovery` do not go together: name bundles, or the one that names them')
}

/** Rejects with a `UsageError`, or with why the policy cannot decide. */
export async function policyFeed(options: FeedOptions): Promise<PolicyFeed> {
  requirePolicy(options)
  if (options.bundle !== undefined || options.discovery !== undefined)
    return (await import('./bundles.ts')).bundleFeed(options)
  const choice = { ...choiceOf(options), bundlesOnly: true }
  return { loaded: await loadPolicy(choice), follow: (ports) => watchPolicy(choice, ports) }
}
