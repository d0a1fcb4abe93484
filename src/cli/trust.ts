/** Whom bundles are believed from, as the options say it, and what is odd about that. */
import { trustWarnings } from '../bundle/trustFile.ts'
import type { Trust } from '../opa/trust.ts'
import { trustOf } from '../runtime/trust.ts'
import { say } from './log.ts'
import type { TrustOptions } from './trustOptions.ts'

const said = new Set<string>()

/** Throws `trust_invalid`, `secret_unreadable`, or a `BundleError` for a key that is none. */
export function trustOfOptions({ trust: file, verifyKey, allowUnsigned }: TrustOptions): Trust {
  const trust = trustOf({ trust: file, verifyKeys: verifyKey, allowUnsigned: Boolean(allowUnsigned) })
  for (const warning of trustWarnings(trust)) sayOnce(warning)
  return trust
}

/** A gate reads its keys with each bundle. */
function sayOnce(warning: string): void {
  if (said.has(warning)) return
  said.add(warning)
  say(`warning: ${warning}`)
}
