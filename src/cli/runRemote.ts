/** `tollgate run --upstream URL`: an MCP server over HTTP behind a policy, for a client that speaks stdio. */
import { randomUUID } from 'node:crypto'
import { Remote } from '../http/remote.ts'
import { StdioFront } from '../http/stdioFront.ts'
import { credentialOf } from '../identity/upstream.ts'
import { takeSignals, UsageError } from './exit.ts'
import { say } from './log.ts'
import { loggedCalls } from './loggedCalls.ts'
import { principalOf, registrationOf, withGate } from './openedGate.ts'
import { openTraces } from './openTraces.ts'
import { policyFeed } from './policyFeed.ts'
import { requireAnswers } from './required.ts'
import type { RunOptions } from './run.ts'
import { silenceOf, urlOf } from './serveOptions.ts'
import { credentialsOf } from './serveSettings.ts'

const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export async function runRemote(upstream: string, options: RunOptions): Promise<void> {
  const url = urlOf(upstream)
  const silenceMs = silenceOf(options.timeout)
  const [shown, ...more] = credentialsOf(options)
  if (shown && (shown.server !== '' || more.length > 0))
    throw new UsageError('one server has one credential: name one file, without a name before it')
  const credential = shown && credentialOf(shown, { say })
  const feed = await policyFeed(options)
  const accept = (policy: typeof feed.loaded.policy) => requireAnswers(policy, options)
  accept(feed.loaded.policy)
  const server = options.server ?? ''
  await withGate({ feed, options, servers: [server], accept }, async (gate, waiting) => {
    const session = options.session ?? randomUUID()
    const run = await registrationOf(options)
    const traces = await openTraces()
    const common = {
      gate: loggedCalls(traces?.traced(gate) ?? gate),
      server,
      session,
      newSession: () => session,
      silenceMs,
      log: say,
      ...waiting,
      ...(run && { run }),
    }
    const endpoint = new Remote({ ...common, url, credential })
    const front = new StdioFront({ endpoint, principal: principalOf(options), log: say })
    const running = front.run()
    for (const signal of signals) process.once(signal, () => front.end())
    takeSignals()
    const { code } = await running
    await traces?.end()
    process.exitCode = code
    process.stdin.destroy()
  })
}
