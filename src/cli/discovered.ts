/**
 * Policies that a discovery bundle names. Another one of those brings other bundles: all of them are had and verified before
 * they take the place of those that decide, in one step.
 */
import { type Discovered, discoveredIn } from '../distribution/discovery.ts'
import { Distribution } from '../distribution/distribution.ts'
import { isOpenToOthers } from '../distribution/places.ts'
import type { BundleStatus } from '../distribution/status.ts'
import type { Open } from '../distribution/supply.ts'
import { TollgateError } from '../model/errors.ts'
import { readBundle } from '../opa/bundle.ts'
import { verifyBundle } from '../opa/verify.ts'
import type { LoadedSet } from '../runtime/policySet.ts'
import type { Watching, WatchPorts } from '../runtime/watch.ts'
import {
  type BundleOptions,
  discoveryBundle,
  discoveryName,
  type WantedBundle,
  type WantedBundles,
  wantedOf,
} from './bundleOptions.ts'
import type { FollowedPolicies } from './bundles.ts'
import { UsageError } from './exit.ts'
import { say } from './log.ts'
import { type Believing, type Heard, PolicyBundles, supplyOf } from './policyBundles.ts'

/** What one discovery bundle says, ready to decide. */
interface Prepared extends Pick<Discovered, 'statusUrl'> {
  readonly policies: PolicyBundles
}

export class DiscoveredPolicies implements FollowedPolicies {
  readonly loaded: LoadedSet
  readonly #distribution: Distribution<Prepared>
  /** Bundles that are still being asked for keep no gate from stopping. */
  readonly #ending: AbortController
  #now: Prepared

  private constructor(distribution: Distribution<Prepared>, first: Prepared, ending: AbortController) {
    this.loaded = first.policies.loaded
    this.#distribution = distribution
    this.#now = first
    this.#ending = ending
  }

  static async open(place: string, options: BundleOptions, believing: Believing): Promise<DiscoveredPolicies> {
    const ending = new AbortController()
    const wanted = discoveryBundle(place, options)
    const supply = supplyOf(wanted, believing, preparing(wanted, options, believing, ending.signal))
    const distribution = new Distribution([supply], Date.now)
    const [first] = await distribution.first(say)
    if (!first) throw new TypeError('no discovery bundle')
    return new DiscoveredPolicies(distribution, first.content, ending)
  }

  started(): void {
    this.#distribution.started()
    this.#now.policies.started()
  }

  status(): Readonly<Record<string, BundleStatus>> {
    return this.#now.policies.status()
  }

  discovery(): BundleStatus {
    return this.#distribution.status()[discoveryName] as BundleStatus
  }

  get statusUrl(): URL | undefined {
    return this.#now.statusUrl
  }

  follow(ports: WatchPorts, heard: Heard): Watching {
    const ending = this.#ending
    let followed = this.#now.policies.follow(ports, heard)
    const discovery = this.#distribution.follow({
      ...heard,
      activate: ([next]) => {
        if (!next) return
        const { loaded } = next.content.policies
        next.content.policies.requireLatest()
        ports.accept?.(loaded.policy)
        ports.gate.activate(loaded.active())
        followed.stop()
        this.#now = next.content
        this.#now.policies.started()
        followed = this.#now.policies.follow(ports, heard)
      },
      // What it named goes on: those bundles expire by themselves.
      expired: (sentence) => ports.say(`${sentence}: what it named goes on deciding`),
      say: ports.say,
      chance: Math.random,
    })
    return {
      stop() {
        discovery.stop()
        ending.abort()
        followed.stop()
      },
      reload() {
        discovery.reload()
        followed.reload()
      },
    }
  }
}

/** Throws `discovery_invalid` for what would be a mistake of the command line, were it said there. */
function wantedIn(bundles: Discovered['bundles'], options: BundleOptions, { place }: WantedBundle): WantedBundles {
  try {
    return wantedOf(bundles, options, place)
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause
    throw new TollgateError('discovery_invalid', `the discovery bundle says what cannot be taken: ${cause.message}`, {
      cause,
    })
  }
}

/** What a discovery bundle says may not show a token to everybody. Throws `discovery_invalid`. */
function requireTokenHidden(url: URL | undefined, { statusUrl, statusTokenFile }: BundleOptions): void {
  if (!url || statusUrl !== undefined || statusTokenFile === undefined || !isOpenToOthers({ kind: 'http', url })) return
  throw new TollgateError(
    'discovery_invalid',
    `the discovery bundle says what cannot be taken: the token of \`--status-token-file\` would go to \`${url.origin}\` over the network in the open`,
  )
}

/** All that it names is had before it is believed to be good. */
function preparing(
  finder: WantedBundle,
  options: BundleOptions,
  believing: Believing,
  signal: AbortSignal,
): Open<Prepared> {
  return async (bytes, seen) => {
    const bundle = await readBundle(bytes)
    const moment = { now: Date.now(), ...(seen && { seen }) }
    const verified = await verifyBundle(bundle, await believing.trust(), moment)
    const { bundles, statusUrl } = discoveredIn(bundle)
    requireTokenHidden(statusUrl, options)
    const policies = await PolicyBundles.open(wantedIn(bundles, options, finder), believing, signal)
    const { revision, roots } = bundle.manifest
    return {
      revision,
      roots,
      seen: verified.seen,
      expiresAtMs: verified.expiresAt,
      content: { policies, statusUrl } as Prepared,
    }
  }
}
