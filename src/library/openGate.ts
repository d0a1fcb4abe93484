/** The door of the library. What a gate is made of is loaded when one is opened. */
import { readOptions } from './options.ts'
import type { Gate, GateOptions } from './types.ts'

/**
 * Opens a gate: a policy, compiled, and a ledger. Rejects with a `PolicyError` (every mistake in its `diagnostics`), with
 * a `TollgateError` (`policy_unreadable`, `ledger_*`, `compiler_*`, `engine_unloadable`), or with a `TypeError` for
 * options that are none.
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  const settings = readOptions(options)
  const { openLocalGate } = await import('./localGate.ts')
  return openLocalGate(settings)
}
