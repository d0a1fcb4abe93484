/** Options that say whom bundles are believed from. */
import { type Command, Option } from 'commander'
import type { TrustNow } from '../runtime/bundleFile.ts'
import { UsageError } from './exit.ts'
import { collected } from './options.ts'

export interface TrustOptions {
  readonly trust?: string
  readonly verifyKey?: readonly string[]
  /** A word where a file of settings or a variable says so. */
  readonly allowUnsigned?: boolean | string
  /** The rules that may decide in bundles of Rego by others. */
  readonly entrypoint?: readonly string[]
}

export function addTrustOptions(command: Command): Command {
  return command
    .option('--trust <file>', 'bundles are believed from the keys in this file, as it says')
    .addOption(
      new Option(
        '--verify-key <file>',
        'bundles are believed that this public key signed; several, each after its own',
      ).argParser(collected),
    )
    .option('--allow-unsigned', 'bundles that nobody signed are believed: for tests')
    .addOption(
      new Option(
        '--entrypoint <path>',
        'the rule that decides in a bundle of Rego by others, as PACKAGE/RULE; several, where bundles differ',
      ).argParser(collected),
    )
}

/** Undefined where no option says anything: then a bundle is refused, and a policy file needs none of it. Throws a `UsageError`. */
export function trustNow(options: TrustOptions): TrustNow | undefined {
  const { trust, verifyKey, allowUnsigned } = options
  if (trust === undefined && verifyKey === undefined && !allowUnsigned) return undefined
  if (trust !== undefined && verifyKey)
    throw new UsageError('`--trust` and `--verify-key` do not go together: name the key in the file')
  if (allowUnsigned && (trust !== undefined || verifyKey))
    throw new UsageError(
      '`--allow-unsigned` does not go together with keys: whoever takes a signature away would get around them',
    )
  return async () => (await import('./trust.ts')).trustOfOptions(options)
}
