/** Bundles that decide together: verified, made one policy or layers, and followed. */
import type { Artifact } from '../bundle/artifact.ts'
import { openBundle } from '../bundle/open.ts'
import { type Active, Distribution, type Ports } from '../distribution/distribution.ts'
import { LocalBundle } from '../distribution/file.ts'
import { Kept } from '../distribution/kept.ts'
import { lookMs } from '../distribution/limits.ts'
import { isRemote, type Place, placeKey, placeText } from '../distribution/places.ts'
import { Registry } from '../distribution/registry.ts'
import type { SecretFiles } from '../distribution/secrets.ts'
import { Service } from '../distribution/service.ts'
import type { Rhythm, Source } from '../distribution/source.ts'
import type { BundleStatus } from '../distribution/status.ts'
import { type Open, Supply } from '../distribution/supply.ts'
import { TollgateError } from '../model/errors.ts'
import type { Trust } from '../opa/trust.ts'
import { tryOut } from '../runtime/bundleFile.ts'
import { type LoadedSet, layered, single } from '../runtime/policySet.ts'
import type { Watching, WatchPorts } from '../runtime/watch.ts'
import type { WantedBundle, WantedBundles } from './bundleOptions.ts'
import { say } from './log.ts'

/** Where the last good ones are kept, and whom they are believed from. */
export interface Believing {
  readonly store: string
  /** Keys are read with each bundle, so that they can be rotated. */
  readonly trust: () => Promise<Trust>
}

/** What else is done when a question failed, and after each one. */
export type Heard = Pick<Ports<unknown>, 'failed' | 'asked'>

export class PolicyBundles {
  /** What decides at first. */
  readonly loaded: LoadedSet
  readonly #distribution: Distribution<Artifact>
  readonly #first: Active<Artifact>
  readonly #isLayered: boolean

  private constructor(distribution: Distribution<Artifact>, first: Active<Artifact>, isLayered: boolean) {
    this.loaded = loadedSet(first, isLayered)
    this.#distribution = distribution
    this.#first = first
    this.#isLayered = isLayered
  }

  /** Rejects with why one of them cannot be had, or why they cannot decide together. */
  static async open(
    { bundles, isLayered }: WantedBundles,
    believing: Believing,
    signal?: AbortSignal,
  ): Promise<PolicyBundles> {
    const open = opening(believing)
    const distribution = new Distribution(
      bundles.map((wanted) => supplyOf(wanted, believing, open)),
      Date.now,
    )
    return new PolicyBundles(distribution, await distribution.first(say, signal), isLayered)
  }

  /** The first ones decide. */
  started(): void {
    this.#distribution.started()
    for (const one of this.#first) say(activeSentence(one))
  }

  /** What decides meanwhile may be newer than what was prepared. Throws `bundle_older`. */
  requireLatest(): void {
    this.#distribution.requireLatest()
  }

  status(): Readonly<Record<string, BundleStatus>> {
    return this.#distribution.status()
  }

  follow({ gate, say, accept }: WatchPorts, heard: Heard): Watching {
    return this.#distribution.follow({
      ...heard,
      activate: (active) => {
        const loaded = loadedSet(active, this.#isLayered)
        accept?.(loaded.policy)
        gate.activate(loaded.active())
        for (const one of active) say(activeSentence(one))
      },
      expired(sentence) {
        gate.deactivate(sentence)
        const error = new TollgateError('bundle_expired', sentence)
        say(`${sentence}: every call is denied until a newer one comes`, error)
      },
      say,
      chance: Math.random,
    })
  }
}

export function supplyOf<P>(wanted: WantedBundle, { store }: Believing, open: Open<P>): Supply<P> {
  const { name, place, secrets, rhythm, waitMs } = wanted
  const text = placeText(place)
  return new Supply({
    name,
    place: text,
    source: sourceOf(place, secrets),
    isRemote: isRemote(place),
    rhythm: isRemote(place) ? rhythm : looking,
    waitMs,
    kept: new Kept(store, name, placeKey(place)),
    open,
    clock: Date.now,
  })
}

const looking: Rhythm = { minMs: lookMs, maxMs: lookMs }

function sourceOf(place: Place, secrets: SecretFiles): Source {
  switch (place.kind) {
    case 'file':
      return new LocalBundle(place.path)
    case 'http':
      return new Service(place.url, secrets)
    case 'oci':
      return new Registry(place, secrets)
  }
  return place satisfies never
}

function opening({ trust }: Believing): Open<Artifact> {
  return async (bytes, seen) => {
    const opened = await openBundle(bytes, await trust(), { now: Date.now(), ...(seen && { seen }) })
    const { revision, roots, artifact, expiresAt } = opened
    await tryOut(artifact)
    return { revision, roots, seen: opened.seen, expiresAtMs: expiresAt, content: artifact }
  }
}

/** Throws `layers_invalid`. */
function loadedSet(active: Active<Artifact>, isLayered: boolean): LoadedSet {
  const policies = active.map(({ name, revision, seen, content }) => ({
    name,
    artifact: content,
    bundle: { name, revision, ...(seen && { sequence: seen.sequence }) },
  }))
  const [sole] = policies
  return isLayered || !sole ? layered(policies) : single(sole)
}

function activeSentence({ name, revision, seen, content }: Active<Artifact>[number]): string {
  const sequence = seen ? `, sequence ${seen.sequence}` : ''
  return `bundle \`${name}\` decides: revision \`${revision}\`${sequence}, policy ${content.revision.slice(0, 12)}`
}
