/** `tollgate run`: a stdio MCP server behind a policy. The server starts as soon as the policy is known to be good. */
import { startChild } from '../mcp/child.ts'
import { serverNamedInSet } from '../model/layers.ts'
import type { PolicySet } from '../model/policy.ts'
import { endOnSignals, UsageError } from './exit.ts'
import { choiceOf, loadPolicy, type PolicyOptions } from './policies.ts'

export interface RunOptions extends PolicyOptions {
  readonly server?: string
  readonly agent?: string
  readonly user?: string
  readonly project?: string
  readonly session?: string
  /** The file in which the host registers the run. */
  readonly run?: string
  readonly ledger?: string
  readonly durability: 'process' | 'power'
  readonly arguments: 'full' | 'digest' | 'none'
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

/** What the policy asks of the command line. Throws a `UsageError` where it is not told. */
function requireAnswers(policy: PolicySet, { server, run }: RunOptions): void {
  requireServerName(policy, server)
  const packs = ('layers' in policy ? policy.layers.map((layer) => layer.policy) : [policy]).flatMap((one) =>
    one.strategy === 'pack' ? [one] : [],
  )
  if (packs.length > 0 && run === undefined)
    throw new UsageError(
      'a policy pack decides by the run that calls belong to: say where it is registered with `--run FILE`',
    )
  // One registration would speak for all tools alike, whatever they do.
  if (packs.some(({ tools }) => tools === undefined))
    throw new UsageError(
      'the policy pack is not told what the tools of this server are: name it in a settings file that has `tools`',
    )
}

/** A policy that speaks of servers by name must be told which one this is: a guess could disarm a rule. */
function requireServerName(policy: PolicySet, server: string | undefined): void {
  if (server !== undefined) return
  const named = serverNamedInSet(policy)
  if (named !== undefined)
    throw new UsageError(
      `the policy speaks of servers by name (\`${named}\`): say which one this is with \`--server NAME\``,
    )
}
