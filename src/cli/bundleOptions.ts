/** What the flags about bundles say: where they come from, what is shown there, how often they are asked for. */
import { bundlesMax, pollMsMax, pollMsMin, waitMsMax } from '../distribution/limits.ts'
import { isOpenToOthers, originOf, type Place, placeIn, placeSays } from '../distribution/places.ts'
import type { SecretFiles } from '../distribution/secrets.ts'
import type { Rhythm } from '../distribution/source.ts'
import { durationMs, durationText } from '../policy/durations.ts'
import { isLayerName } from '../runtime/policySet.ts'
import { UsageError } from './exit.ts'
import type { TrustOptions } from './trustOptions.ts'

export interface BundleOptions extends TrustOptions {
  readonly bundle?: readonly string[]
  /** The place of a bundle that names the others. */
  readonly discovery?: string
  readonly bundleTokenFile?: readonly string[]
  readonly bundleCa?: string
  readonly bundleCert?: string
  readonly bundleCertKey?: string
  readonly bundlePoll: string
  readonly bundleWait: string
  readonly bundleStore?: string
  readonly statusUrl?: string
  readonly statusTokenFile?: string
}

/** A bundle that is wanted. */
export interface WantedBundle {
  readonly name: string
  readonly place: Place
  readonly secrets: SecretFiles
  readonly rhythm: Rhythm
  readonly waitMs: number
}

export interface WantedBundles {
  readonly bundles: readonly WantedBundle[]
  /** They are layers, and not one policy. */
  readonly isLayered: boolean
}

/** What one bundle without a name is called. */
const soleName = 'bundle'

/** Throws a `UsageError`. */
export function wantedBundles(options: BundleOptions): WantedBundles {
  const named = (options.bundle ?? []).map(namedPlace)
  const bundles = named.map(({ name = soleName, place }) => ({ name, place }))
  if (named.length > 1 && named.some(({ name }) => name === undefined))
    throw new UsageError('several bundles need a name each: `--bundle NAME=PLACE`')
  const twice = bundles.find(({ name }, index) => bundles.findIndex((one) => one.name === name) !== index)
  if (twice) throw new UsageError(`two bundles are named \`${twice.name}\``)
  requireKnown(bundles, options)
  return { ...wantedOf(bundles, options), isLayered: named.length > 1 || named[0]?.name !== undefined }
}

interface NamedPlace extends Pick<WantedBundle, 'name' | 'place'>, Partial<Pick<WantedBundle, 'rhythm' | 'waitMs'>> {}

/** Layers, with what is shown and how often is asked as the flags say it; `finder` is the bundle that names them, where one does. Throws a `UsageError`. */
export function wantedOf(named: readonly NamedPlace[], options: BundleOptions, finder?: Place): WantedBundles {
  if (named.length > bundlesMax)
    throw new UsageError(`there are ${named.length} bundles, and ${bundlesMax} are allowed`)
  const maxMs = lastingOf('--bundle-poll', options.bundlePoll, [pollMsMin, pollMsMax])
  // Between half of it and all of it: gates that started together do not ask together.
  const usual = { rhythm: { minMs: maxMs / 2, maxMs }, waitMs: waitOf(options) }
  const bundles = named.map((one) => ({ ...usual, ...one, secrets: secretsOf(one, options, finder) }))
  for (const { name, place, secrets } of bundles) {
    if (!isLayerName(name))
      throw new UsageError(`\`${name}\` is no name of a bundle: letters, digits, \`_\` and \`-\`, a letter first`)
    requireSafe(name, place, secrets)
  }
  return { bundles, isLayered: true }
}

export const discoveryName = 'discovery'

/** The bundle that names the others. Throws a `UsageError`. */
export function discoveryBundle(text: string, options: BundleOptions): WantedBundle {
  const place = placeIn(text)
  if (!place)
    throw new UsageError(`\`--discovery\` takes ${placeSays}, without user and password, got \`${hidden(text)}\``)
  if (place.kind === 'file' && (options.bundleTokenFile ?? []).some((one) => namedFile(one).name === undefined))
    throw new UsageError('the discovery bundle is a file: say whose token it is, as in `--bundle-token-file NAME=FILE`')
  return wantedOf([{ name: discoveryName, place }], options).bundles[0] as WantedBundle
}

/** What was written by mistake may be a password, and mistakes end in logs. */
function hidden(text: string): string {
  return text.replace(/\/\/.*@/s, '//…@').replace(/\?.*$/s, '?…')
}

/** No wait at all is one. */
function waitOf({ bundleWait }: BundleOptions): number {
  return durationMs(bundleWait) === 0 ? 0 : lastingOf('--bundle-wait', bundleWait, [pollMsMin, waitMsMax])
}

function namedPlace(text: string): { readonly name: string | undefined; readonly place: Place } {
  const [, name, written = text] = /^([A-Za-z][A-Za-z0-9_-]*)=(.*)$/s.exec(text) ?? []
  const place = placeIn(written)
  if (place) return { name, place }
  throw new UsageError(`\`--bundle\` takes ${placeSays}, without user and password, got \`${hidden(written)}\``)
}

/** What a discovery bundle names at another server is shown there only what the operator gave for it by its name. */
function secretsOf({ name, place }: NamedPlace, options: BundleOptions, finder: Place | undefined): SecretFiles {
  const { bundleTokenFile = [], bundleCa: ca, bundleCert: cert, bundleCertKey: key } = options
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('`--bundle-cert` and `--bundle-cert-key` go together')
  const files = bundleTokenFile.map(namedFile)
  const isDiscovered = finder !== undefined
  // A discovery bundle that names one by its own name gets its token sent nowhere by that.
  const own = isDiscovered && name === discoveryName ? undefined : files.find((one) => one.name === name)?.file
  if (isDiscovered && originOf(place) !== originOf(finder)) return { token: own, ca }
  return { token: own ?? files.find((one) => one.name === undefined)?.file, ca, cert, key }
}

function namedFile(text: string): { readonly name: string | undefined; readonly file: string } {
  const [, name, file = text] = /^([A-Za-z][A-Za-z0-9_-]*)=(.*)$/s.exec(text) ?? []
  return { name, file }
}

/** What was meant for one server must not go to another. */
function requireKnown(bundles: readonly NamedPlace[], { bundleTokenFile = [] }: BundleOptions): void {
  for (const { name } of bundleTokenFile.map(namedFile)) {
    if (name === undefined && bundles.length > 1)
      throw new UsageError(
        'several bundles are asked for: say whose token it is, as in `--bundle-token-file NAME=FILE`',
      )
    if (name !== undefined && !bundles.some((one) => one.name === name))
      throw new UsageError(`no bundle is named \`${name}\`, and it has a token`)
  }
}

function requireSafe(name: string, place: Place, { token }: SecretFiles): void {
  if (token !== undefined && isOpenToOthers(place))
    throw new UsageError(`bundle \`${name}\` has a token, which would go over the network in the open: use \`https:\``)
}

/** Where the status goes. Throws a `UsageError`. */
export function statusUrlOf(text: string, token: string | undefined): URL {
  const place = placeIn(text)
  if (place?.kind !== 'http')
    throw new UsageError(`\`--status-url\` takes a URL without user and password, got \`${hidden(text)}\``)
  if (token !== undefined && isOpenToOthers(place))
    throw new UsageError('the token of `--status-token-file` would go over the network in the open: use `https:`')
  return place.url
}

/** Throws a `UsageError`. */
function lastingOf(flag: string, text: string, [least, most]: readonly [number, number]): number {
  const ms = durationMs(text)
  if (ms !== undefined && ms >= least && ms <= most) return ms
  throw new UsageError(
    `\`${flag}\` must be a duration from ${durationText(least)} to ${durationText(most)}, got \`${text}\``,
  )
}
