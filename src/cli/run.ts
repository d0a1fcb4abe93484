/** `tollgate run`: an MCP server behind a policy. One that is a command starts as soon as the policy is known to be good. */
import type { Command } from 'commander'
import { startChild } from '../mcp/child.ts'
import { endOnSignals, exitWith, UsageError } from './exit.ts'
import { openLog, say } from './log.ts'
import type { GateOptions } from './openedGate.ts'
import { policyFeed } from './policyFeed.ts'
import { requireAnswers } from './required.ts'
import type { CredentialOptions } from './serveSettings.ts'

export interface RunOptions extends GateOptions, CredentialOptions {
  readonly session?: string
  readonly upstream?: string
  readonly timeout: string
}

export async function run([command, ...args]: readonly string[], flags: RunOptions, parsed: Command): Promise<void> {
  const options = await withVariables(flags, parsed)
  if (options.upstream !== undefined) {
    if (command !== undefined)
      throw new UsageError('the server is a command after `--`, or has a URL in `--upstream`: not both')
    return (await import('./runRemote.ts')).runRemote(options.upstream, options)
  }
  if (options.upstreamBearerFile || options.upstreamHeaderFile)
    throw new UsageError('a server that is a command is shown no credential: give it what it needs in its environment')
  if (command === undefined)
    throw new UsageError('the server to wrap is missing: put its command after `--`, or its URL in `--upstream`')
  const feed = await policyFeed(options)
  requireAnswers(feed.loaded.policy, options)
  // The server starts while the gate is loaded and put together. Nothing reaches it before the gate stands.
  const starting = Promise.allSettled([startChild({ command, args })])
  const child = async () => {
    const [started] = await starting
    if (started.status === 'rejected') throw started.reason
    return started.value
  }
  // Until the relay passes signals on: whoever is told to end while it starts takes the server along.
  endOnSignals(async (signal) => (await child()).kill(signal))
  try {
    const { relay } = await import('./relay.ts')
    await relay(child, feed, options, (next) => requireAnswers(next, options))
  } catch (error) {
    const [started] = await starting
    // Nobody has asked it anything yet. Where it did not start either, two things are wrong, and both are told.
    if (started.status === 'fulfilled') started.value.kill('SIGKILL')
    else if (started.reason !== error) exitWith(started.reason)
    throw error
  }
}

/** Variables that the parser of flags, or who reads the value, knows. */
const known = /^TOLLGATE_(?:AGENT|USER|PROJECT|GROUPS|LEDGER|CACHE_DIR)$/

/** What reads variables is loaded where there are some: most clients start `run` without any. */
async function withVariables(flags: RunOptions, parsed: Command): Promise<RunOptions> {
  if (!Object.keys(process.env).some((name) => name.startsWith('TOLLGATE_') && !known.test(name))) {
    await openLog(flags)
    return flags
  }
  const { settled } = await import('./settled.ts')
  const { options, mistakes, warnings } = settled(parsed, flags, parsed.args)
  await openLog(options)
  for (const warning of warnings) say(warning)
  if (mistakes.any) throw mistakes.asError()
  return options
}
