/** `tollgate run --upstream URL`: an MCP server over HTTP behind a policy, for a client that speaks stdio. */
import { randomUUID } from 'node:crypto'
import { Remote } from '../http/remote.ts'
import { StdioFront } from '../http/stdioFront.ts'
import { takeSignals } from './exit.ts'
import { principalOf, registrationOf, say, withGate } from './openedGate.ts'
import { choiceOf, loadPolicy } from './policies.ts'
import { requireAnswers } from './required.ts'
import type { RunOptions } from './run.ts'
import { silenceOf, urlOf } from './serveOptions.ts'

const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export async function runRemote(upstream: string, options: RunOptions): Promise<void> {
  const url = urlOf(upstream)
  const silenceMs = silenceOf(options.timeout)
  const loaded = await loadPolicy(choiceOf(options))
  const accept = (policy: typeof loaded.policy) => requireAnswers(policy, options)
  accept(loaded.policy)
  const server = options.server ?? ''
  await withGate({ loaded, options, servers: [server], accept }, async (gate, waiting) => {
    const session = options.session ?? randomUUID()
    const run = await registrationOf(options)
    const common = {
      gate,
      server,
      session,
      newSession: () => session,
      silenceMs,
      log: say,
      ...waiting,
      ...(run && { run }),
    }
    const endpoint = new Remote({ ...common, url })
    const front = new StdioFront({ endpoint, principal: principalOf(options), log: say })
    const running = front.run()
    for (const signal of signals) process.once(signal, () => front.end())
    takeSignals()
    const { code } = await running
    process.exitCode = code
    process.stdin.destroy()
  })
}
