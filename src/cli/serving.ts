/** The gate of `tollgate serve`: it listens until it is told to end, and lets what is under way finish. */
import { randomUUID } from 'node:crypto'
import type { EndpointOptions } from '../http/endpoint.ts'
import { Front, type Route } from '../http/front.ts'
import type { Names } from '../http/hosts.ts'
import { Remote } from '../http/remote.ts'
import { endOnSignals, takeSignals } from './exit.ts'
import { type Opening, principalOf, registrationOf, say, withGate } from './openedGate.ts'
import type { Address, ServeOptions, Target } from './serveOptions.ts'

export interface Serving extends Omit<Opening, 'servers'> {
  readonly options: ServeOptions
  readonly address: Address
  readonly names: Names
  readonly targets: readonly Target[]
  readonly silenceMs: number
}

export async function serveUntilTold(serving: Serving): Promise<void> {
  const { targets, options, names, address, silenceMs } = serving
  const servers = targets.map(({ server }) => server ?? '')
  await withGate({ ...serving, servers }, async (gate, waiting) => {
    const told = signalled()
    const run = await registrationOf(options)
    const common = { gate, silenceMs, log: say, ...waiting, ...(run && { run }) }
    const routes = new Map(targets.map((target) => [target.path, routeOf(target, common)]))
    const principal = principalOf(options)
    const front = new Front({ gate, routes, names, identify: () => ({ principal }), log: say })
    const { port } = await front.listen(address.host, address.port)
    const host = address.host.includes(':') ? `[${address.host}]` : address.host
    for (const { path, server } of targets)
      say(`listening on http://${host}:${port}${path}${server === undefined ? '' : ` for ${server}`}`)
    await told
    say('ending: calls under way may finish')
    // Held calls are refused now: they are made again, of the next gate.
    waiting.answers.end()
    await front.drain()
  })
}

function routeOf({ server = '', url }: Target, common: Omit<EndpointOptions, 'server' | 'session'>): Route {
  const session = randomUUID()
  return { server, session, endpoint: new Remote({ ...common, server, session, url }) }
}

const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** The first signal asks to end, the second does not ask. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    const hear = () => {
      endOnSignals()
      for (const signal of signals) process.off(signal, hear)
      resolve()
    }
    for (const signal of signals) process.on(signal, hear)
    takeSignals()
  })
}
