/** Whom a gate of the library believes bundles from; its keys are read with each bundle, so that they can be rotated. */
import type { TrustNow } from '../runtime/bundleFile.ts'
import type { TrustSaid } from '../runtime/trust.ts'
import type { Reporter } from './report.ts'
import type { GateOptions } from './types.ts'

/** Undefined where nothing is said: then no bundle is believed. Throws a `TypeError`. */
export function readTrustSaid(options: GateOptions): TrustSaid | undefined {
  const { trust, verifyKeys, allowUnsigned = false, entrypoint } = options
  if (trust !== undefined && !isName(trust)) throw new TypeError('`trust` must be the path of a trust file')
  if (verifyKeys !== undefined && !(Array.isArray(verifyKeys) && verifyKeys.length > 0 && verifyKeys.every(isName)))
    throw new TypeError('`verifyKeys` must be a list of public keys: the paths of their files, or PEM')
  if (entrypoint !== undefined && !isName(entrypoint))
    throw new TypeError('`entrypoint` must be the path of a rule, as `authz/allow`')
  if (typeof allowUnsigned !== 'boolean') throw new TypeError('`allowUnsigned` must be a boolean')
  if (trust !== undefined && verifyKeys !== undefined)
    throw new TypeError('`trust` and `verifyKeys` do not go together: name the keys in the file')
  if (allowUnsigned && (trust !== undefined || verifyKeys !== undefined))
    throw new TypeError(
      '`allowUnsigned` does not go together with keys: whoever takes a signature away would get around them',
    )
  if (trust === undefined && verifyKeys === undefined && !allowUnsigned) return undefined
  const entrypoints = entrypoint === undefined ? undefined : [entrypoint]
  return { trust, verifyKeys: verifyKeys && [...verifyKeys], allowUnsigned, entrypoints }
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

/** What is odd about the keys is told once. */
export function trustNowOf(said: TrustSaid | undefined, report: Reporter): TrustNow | undefined {
  if (said === undefined) return undefined
  const told = new Set<string>()
  return async () => {
    const [{ trustOf }, { trustWarnings }] = await Promise.all([
      import('../runtime/trust.ts'),
      import('../bundle/trustFile.ts'),
    ])
    const trust = trustOf(said)
    for (const message of trustWarnings(trust).filter((one) => !told.has(one))) {
      told.add(message)
      report({ message })
    }
    return trust
  }
}
