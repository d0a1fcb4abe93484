/** The door of the library. What a gate is made of is loaded when one is opened. */
import { TollgateError } from '../model/errors.ts'
import { nodeTrouble } from '../model/nodeVersion.ts'
import { readOptions } from './options.ts'
import type { Gate, GateOptions } from './types.ts'

/**
 * Opens a gate: a policy, compiled, and a ledger. Rejects with a `PolicyError` (every mistake in its `diagnostics`), with
 * a `TollgateError` (`node_unsupported`, `policy_unreadable`, `bundle_*`, `trust_invalid`, `secret_unreadable`, `ledger_*`,
 * `compiler_*`, `engine_unloadable`), or with a `TypeError` for options that are none.
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  const trouble = nodeTrouble(process.versions.node)
  if (trouble !== undefined) throw new TollgateError('node_unsupported', trouble)
  const settings = readOptions(options)
  const { openLocalGate } = await import('./localGate.ts')
  return openLocalGate(settings)
}
