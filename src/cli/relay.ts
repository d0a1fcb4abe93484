/** The gate of `tollgate run`, between a client and its server. stdout belongs to MCP; everything we say goes to stderr. */
import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import type { Child } from '../mcp/child.ts'
import { relayTo } from '../mcp/stdio.ts'
import type { PolicySet } from '../model/policy.ts'
import { takeSignals } from './exit.ts'
import { say } from './log.ts'
import { loggedCalls } from './loggedCalls.ts'
import { principalOf, registrationOf, withGate } from './openedGate.ts'
import { openTraces } from './openTraces.ts'
import type { PolicyFeed } from './policyFeed.ts'
import type { RunOptions } from './run.ts'

/** The nursery of a gate is small and holds little that lives: to wake other threads for it costs more than they do. */
setFlagsFromString('--no-parallel-scavenge')

/** Until the server ends. `accept` throws on a policy that must not become active here. */
export async function relay(
  child: () => Promise<Child>,
  feed: PolicyFeed,
  options: RunOptions,
  accept: (policy: PolicySet) => void,
): Promise<void> {
  const server = options.server ?? ''
  await withGate({ feed, options, servers: [server], accept }, async (gate, waiting) => {
    const session = options.session ?? randomUUID()
    const run = await registrationOf(options)
    const principal = principalOf(options)
    if (process.stdin.isTTY)
      say(
        'waiting for an MCP client on standard input: put this command into its configuration, in place of the server',
      )
    const traces = await openTraces()
    const relayed = relayTo(await child(), {
      gate: loggedCalls(traces?.traced(gate) ?? gate),
      server,
      principal,
      session,
      log: say,
      ...waiting,
      ...(run && { run }),
    })
    takeSignals()
    const { code } = await relayed
    await traces?.end()
    process.exitCode = code
  })
}
