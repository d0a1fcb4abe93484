/** How a bundle is signed, as the options of `build` and `sign` say it. */

import { instantOf } from '../model/time.ts'
import { type Algorithm, isSecret } from '../opa/algorithms.ts'
import { signingKey } from '../opa/keys.ts'
import type { Signing } from '../opa/sign.ts'
import { durationMs } from '../policy/durations.ts'
import { readKeyFile } from '../runtime/trust.ts'
import { UsageError } from './exit.ts'
import { say } from './log.ts'

export interface SigningOptions {
  readonly signKey?: string
  readonly keyId?: string
  readonly algorithm?: Algorithm
  readonly scope?: string
  readonly expires?: string
  readonly sequence?: string
  readonly issuedAt?: string
}

/** Undefined where nothing is to be signed. Throws a `UsageError`, `secret_unreadable` or `bundle_key_invalid`. */
export function signingOf(options: SigningOptions): Signing | undefined {
  const { signKey, keyId, algorithm, scope, expires, sequence, issuedAt: issued } = options
  if (signKey === undefined) {
    const said = Object.entries({ keyId, algorithm, scope, expires, sequence, issuedAt: issued }).find(
      ([, value]) => value !== undefined,
    )
    if (said) throw new UsageError('without a key nothing is signed: name it with `--sign-key FILE`')
    return undefined
  }
  if (keyId === undefined || keyId === '')
    throw new UsageError('those who verify find the key by its id: name it with `--key-id ID`')
  const signedMs = signedMsOf(issued)
  const issuedAt = Math.floor(signedMs / 1000)
  const key = signingKey({ name: signKey, text: readKeyFile(signKey), ...(algorithm && { algorithm }) })
  if (isSecret(key.algorithm))
    say(`warning: \`${keyId}\` is a secret (${key.algorithm}): whoever can verify with it can sign with it`)
  return {
    ...key,
    keyId,
    issuedAt,
    // Of two that are built within a second the later one is the newer.
    sequence: sequence === undefined ? signedMs : sequenceOf(sequence),
    ...(scope !== undefined && { scope }),
    ...(expires !== undefined && { expiresAt: expiryOf(expires, issuedAt) }),
  }
}

/** Milliseconds. The variable is the one by which builds are made reproducible (reproducible-builds.org). */
function signedMsOf(said: string | undefined): number {
  if (said !== undefined) {
    const at = instantOf(said)
    if (at === undefined)
      throw new UsageError(`\`--issued-at\` takes a time like \`2027-01-01T00:00:00Z\`, got \`${said}\``)
    return Math.floor(at)
  }
  const epoch = process.env['SOURCE_DATE_EPOCH']
  if (epoch === undefined || epoch === '') return Date.now()
  if (!/^\d{1,12}$/.test(epoch))
    throw new UsageError(`\`$SOURCE_DATE_EPOCH\` is the seconds since 1970, got \`${epoch}\``)
  return Number(epoch) * 1000
}

function expiryOf(said: string, issuedAt: number): number {
  const ms = durationMs(said)
  const at = ms === undefined ? instantOf(said) : issuedAt * 1000 + ms
  if (at === undefined || at <= issuedAt * 1000)
    throw new UsageError(`\`--expires\` takes a later time like \`2027-01-01T00:00:00Z\`, or \`90d\`, got \`${said}\``)
  return Math.floor(at / 1000)
}

function sequenceOf(said: string): number {
  const sequence = Number(said)
  if (!/^\d{1,16}$/.test(said) || !Number.isSafeInteger(sequence))
    throw new UsageError(`\`--sequence\` takes a whole number, got \`${said}\``)
  return sequence
}
