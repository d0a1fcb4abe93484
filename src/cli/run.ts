/** `tollgate run`: a stdio MCP server behind a policy. The server starts as soon as the policy is known to be good. */
import { startChild } from '../mcp/child.ts'
import { endOnSignals, UsageError } from './exit.ts'
import type { GateOptions } from './openedGate.ts'
import { choiceOf, loadPolicy } from './policies.ts'
import { requireAnswers } from './required.ts'

export interface RunOptions extends GateOptions {
  readonly session?: string
}

export async function run([command, ...args]: readonly string[], options: RunOptions): Promise<void> {
  if (command === undefined) throw new UsageError('the server to wrap is missing: put its command after `--`')
  const loaded = await loadPolicy(choiceOf(options))
  requireAnswers(loaded.policy, options)
  // The server starts while the gate is loaded and put together. Nothing reaches it before the gate stands.
  const child = startChild({ command, args })
  child.catch(() => {}) // until somebody waits for it
  // Until the relay passes signals on: whoever is told to end while it starts takes the server along.
  endOnSignals(async (signal) => (await child).kill(signal))
  try {
    const { relay } = await import('./relay.ts')
    await relay(child, loaded, options, (next) => requireAnswers(next, options))
  } catch (error) {
    child.then((started) => started.kill('SIGKILL')).catch(() => {}) // nobody has asked it anything yet
    throw error
  }
}
