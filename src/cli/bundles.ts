/** The bundles of a gate: verified, made what decides, and told of. */
import type { Artifact } from '../bundle/artifact.ts'
import { openBundle } from '../bundle/open.ts'
import { type Active, Distribution, type Failed } from '../distribution/distribution.ts'
import { LocalBundle } from '../distribution/file.ts'
import { Kept } from '../distribution/kept.ts'
import { lookMs } from '../distribution/limits.ts'
import { isRemote, placeText } from '../distribution/places.ts'
import { Registry } from '../distribution/registry.ts'
import { Service } from '../distribution/service.ts'
import type { Source } from '../distribution/source.ts'
import type { BundleStatus } from '../distribution/status.ts'
import { StatusReport } from '../distribution/statusReport.ts'
import { type Open, Supply } from '../distribution/supply.ts'
import { TollgateError } from '../model/errors.ts'
import { type TrustNow, tryOut } from '../runtime/bundleFile.ts'
import { defaultBundleStore } from '../runtime/paths.ts'
import { type LoadedSet, layered, single } from '../runtime/policySet.ts'
import { version } from '../runtime/version.ts'
import { activationFailure, type WatchPorts } from '../runtime/watch.ts'
import { type BundleOptions, statusUrlOf, type WantedBundle, wantedBundles } from './bundleOptions.ts'
import { UsageError } from './exit.ts'
import { say } from './log.ts'
import { withMistakesTold } from './policies.ts'
import type { Instance, PolicyFeed } from './policyFeed.ts'
import { trustNow } from './trustOptions.ts'

/** Rejects with a `UsageError`, or with why a bundle cannot be had or must not decide. */
export async function bundleFeed(options: BundleOptions): Promise<PolicyFeed> {
  const { bundles, isLayered, rhythm, waitMs } = wantedBundles(options)
  const report = statusReportOf(options)
  const open = opening(trustNow(options))
  const store = options.bundleStore ?? defaultBundleStore()
  const supplies = bundles.map(
    ({ name, place, secrets }) =>
      new Supply<Artifact>({
        name,
        place: placeText(place),
        source: sourceOf({ name, place, secrets }),
        isRemote: isRemote(place),
        rhythm: isRemote(place) ? rhythm : { minMs: lookMs, maxMs: lookMs },
        waitMs,
        kept: new Kept(store, name, placeText(place)),
        open,
        clock: Date.now,
      }),
  )
  const distribution = new Distribution(supplies, Date.now)
  const setOf = (active: Active<Artifact>) => loadedSet(active, isLayered)
  const first = await withMistakesTold([], () => distribution.first(say))
  const listeners: ((name: string, code: string) => void)[] = []
  return {
    loaded: setOf(first),
    started() {
      distribution.started()
      for (const one of first) say(activeSentence(one))
    },
    bundles: {
      status: () => distribution.status(),
      onFailure: (listener) => listeners.push(listener),
    },
    follow(ports) {
      const told = report?.(() => distribution.status(), ports)
      let isOver = false
      const { stop, reload } = distribution.follow({
        activate(active) {
          const loaded = setOf(active)
          ports.accept?.(loaded.policy)
          ports.gate.activate(loaded.active())
          for (const one of active) ports.say(activeSentence(one))
        },
        expired(sentence) {
          ports.gate.deactivate(sentence)
          ports.say(
            `${sentence}: every call is denied until a newer one comes`,
            new TollgateError('bundle_expired', sentence),
          )
        },
        failed(failed) {
          for (const listener of listeners) listener(failed.name, codeOf(failed.error))
          if (!failed.again) void refused(failed, ports, () => isOver)
        },
        say: ports.say,
        asked: () => told?.changed(),
        chance: Math.random,
      })
      told?.changed()
      return {
        stop() {
          isOver = true
          stop()
          told?.stop()
        },
        reload,
      }
    },
  }
}

/** What reports the status once there is one; undefined where nobody is to be told. Throws a `UsageError`. */
function statusReportOf({ statusUrl, statusTokenFile: token, bundleCa: ca }: BundleOptions) {
  if (statusUrl === undefined) return undefined
  const url = statusUrlOf(statusUrl, token)
  return (status: () => Readonly<Record<string, BundleStatus>>, { say, instance }: WatchPorts & Instance) =>
    new StatusReport({ url, secrets: { token, ca }, labels: { id: instance, version }, status, say })
}

/** Keys are read with each bundle, so that they can be rotated. */
function opening(trust: TrustNow | undefined): Open<Artifact> {
  if (!trust)
    throw new UsageError(
      'say whom bundles are believed from: name the key with `--verify-key FILE`, or keys with `--trust FILE`',
    )
  return async (bytes, seen) => {
    const opened = await openBundle(bytes, await trust(), { now: Date.now(), ...(seen && { seen }) })
    const { revision, roots, artifact, expiresAt } = opened
    await tryOut(artifact)
    return { revision, roots, seen: opened.seen, expiresAtMs: expiresAt, content: artifact }
  }
}

function sourceOf({ place, secrets }: WantedBundle): Source {
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

/** Told, and recorded: but for a ledger that cannot be written, which the next question tries again. */
async function refused(
  { name, place, error }: Failed,
  { gate, say }: WatchPorts,
  isOver: () => boolean,
): Promise<void> {
  const failure = await activationFailure([place], error)
  if (isOver()) return
  const kept = gate.revision === '' ? 'every call is denied' : `revision ${gate.revision.slice(0, 12)} stays active`
  say(`bundle \`${name}\`: ${failure.detail}: ${kept}`, error)
  if (!failure.code.startsWith('ledger_')) gate.notActivated(failure)
}

function codeOf(error: unknown): string {
  return error instanceof TollgateError ? error.code : 'bundle_error'
}
