/** A bundle that is named where a policy file is: verified, opened, and tried out before anything is asked of it. */
import { resolve } from 'node:path'
import type { Artifact } from '../bundle/artifact.ts'
import type { OpenedBundle } from '../bundle/open.ts'
import { TollgateError } from '../model/errors.ts'
import type { Seen, Trust } from '../opa/trust.ts'

/** Whom bundles are believed from, as it stands now: keys are read again with each bundle, so that they can be rotated. */
export type TrustNow = () => Promise<Trust>

/** Of each file the newest that was opened by whoever says whom to believe: a file that is followed is never rolled back. */
const seenBy = new WeakMap<TrustNow, Map<string, Seen>>()

/** Throws a `TollgateError` (`bundle_*`, `engine_unloadable`), or a `PolicyError` for mistakes of its sources. */
export async function openBundleFile(
  file: string,
  bytes: Uint8Array,
  trust: TrustNow | undefined,
): Promise<OpenedBundle> {
  const { openBundle } = await import('../bundle/open.ts')
  const place = resolve(file)
  const believing = requireTrust(file, trust)
  const seenOf = seenBy.get(believing) ?? new Map<string, Seen>()
  seenBy.set(believing, seenOf)
  const seen = seenOf.get(place)
  const trusted = await believing()
  const opened = await withFileNamed(file, () => openBundle(bytes, trusted, { now: Date.now(), ...(seen && { seen }) }))
  await tryOut(opened.artifact)
  const latest = seenOf.get(place)?.sequence ?? 0
  if (opened.seen && opened.seen.sequence >= latest) seenOf.set(place, opened.seen)
  return opened
}

/** Of several bundles the one that is refused is to be told: what reads their bytes does not know what they are called. */
export async function withFileNamed<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!(cause instanceof TollgateError && cause.code.startsWith('bundle_'))) throw cause
    throw new TollgateError(cause.code, `\`${file}\`: ${cause.message}`, { cause })
  }
}

/** Throws `bundle_trust_missing`. */
export function requireTrust(file: string, trust: TrustNow | undefined): TrustNow {
  if (trust) return trust
  throw new TollgateError(
    'bundle_trust_missing',
    `\`${file}\`: nobody said whom the bundle is believed from: name the key with \`--verify-key FILE\`, or keys with \`--trust FILE\``,
  )
}

/** Its module may be one that no compiler of ours made: what never ends must end here, before a call waits for it. */
export async function tryOut(artifact: Artifact): Promise<void> {
  const { tryModule } = await import('../pdp/trial.ts')
  tryModule(artifact)
}
