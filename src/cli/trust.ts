/** Whom bundles are believed from, as the options say it, and what is odd about that. */
import { isEntrypoint } from '../bundle/rego.ts'
import { trustWarnings } from '../bundle/trustFile.ts'
import type { Trust } from '../opa/trust.ts'
import { trustOf } from '../runtime/trust.ts'
import { UsageError } from './exit.ts'
import { say } from './log.ts'
import type { TrustOptions } from './trustOptions.ts'

const said = new Set<string>()

/** Throws `trust_invalid`, `secret_unreadable`, or a `BundleError` for a key that is none. */
export function trustOfOptions({ trust: file, verifyKey, allowUnsigned, entrypoint }: TrustOptions): Trust {
  const entrypoints = entrypoint?.map(entrypointIn)
  const trust = trustOf({ trust: file, verifyKeys: verifyKey, allowUnsigned: Boolean(allowUnsigned), entrypoints })
  for (const warning of trustWarnings(trust)) sayOnce(warning)
  return trust
}

/** Throws a `UsageError`. */
function entrypointIn(text: string): string {
  if (isEntrypoint(text)) return text
  throw new UsageError(
    `\`--entrypoint\` takes the path of a rule with slashes, as \`authz/allow\` for \`data.authz.allow\`, got \`${text}\``,
  )
}

/** A gate reads its keys with each bundle. */
function sayOnce(warning: string): void {
  if (said.has(warning)) return
  said.add(warning)
  say(`warning: ${warning}`)
}
