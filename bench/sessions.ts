/** Many sessions, each with its stream: what they cost in memory, and what a call costs among them. And many connections. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connectionsMax } from '../src/http/limits.ts'
import { HttpClient } from './httpClient.ts'
import { echoHttp, type Listening, startGate, startServer } from './httpWays.ts'
import { passingArguments } from './policies.ts'
import type { Section } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { median, spreadOf } from './stats.ts'

export async function sessionsSection(settings: Settings): Promise<Section> {
  const server = await startServer(echoHttp)
  const few = await startGate(server, 'few-sessions', settings)
  const many = await startGate(server, 'many-sessions', settings)
  const crowded = await startGate(server, 'connections', settings)
  try {
    const idleMb = residentMb(many)
    const fewClients = await opened(few, times(10, settings))
    const manyClients = await opened(many, times(1_000, settings))
    const count = times(1_000, settings)
    for (const clients of [fewClients, manyClients]) await calls(clients, count)
    const spreads = await inTurns(times(10, settings), {
      few: () => calls(fewClients, count),
      many: () => calls(manyClients, count),
    })
    const manyMb = residentMb(many)
    const p99 = { few: median(spreads.few.map((one) => one.p99)), many: median(spreads.many.map((one) => one.p99)) }
    const crowd = await connections(crowded, times(connectionsMax, settings))
    return {
      title: 'Sessions and connections',
      about:
        'Each session is opened by a client and has its stream from the gate, and the stream of the gate from the server. ' +
        'Calls are made one at a time, in all sessions in turn. Memory is that of the gate alone, as the system tells it. ' +
        'The connections of the last row stay open and say nothing after a first call.',
      tables: [
        {
          columns: ['sessions with a stream', 'call p50 ms', 'call p99 ms', 'gate MB'],
          rows: [
            [0, '', '', idleMb],
            [fewClients.length, median(spreads.few.map((one) => one.p50)), p99.few, residentMb(few)],
            [manyClients.length, median(spreads.many.map((one) => one.p50)), p99.many, manyMb],
          ],
        },
        {
          columns: ['connections', 'call p50 ms', 'call p99 ms', 'gate MB', 'closed of 10 more'],
          rows: [[crowd.connections + 1, crowd.p50, crowd.p99, crowd.mb, crowd.refused]],
        },
      ],
      targets: [
        { what: '1,000 sessions with streams, memory', bound: 'at most', limit: 250, unit: ' MB', measured: manyMb },
        {
          what: 'a call among 1,000 sessions against 10, p99',
          bound: 'at most',
          limit: 2,
          unit: ' times',
          measured: median(spreads.many.map((one, round) => one.p99 / (spreads.few[round]?.p99 ?? Number.NaN))),
        },
      ],
    }
  } finally {
    for (const program of [few, many, crowded, server]) await program.close()
  }
}

async function opened(gate: Listening, count: number): Promise<readonly HttpClient[]> {
  const clients = Array.from({ length: count }, () => new HttpClient(gate.url))
  for (const client of clients) {
    await client.initialize()
    await client.listen()
  }
  return clients
}

async function calls(clients: readonly HttpClient[], count: number) {
  const took = new Float64Array(count)
  for (const index of took.keys()) {
    const started = performance.now()
    await clients[index % clients.length]?.call('tool_0000', passingArguments())
    took[index] = performance.now() - started
  }
  return spreadOf(took)
}

/** Connections that stay open, and a caller among them; then one connection more than there may be. */
async function connections(gate: Listening, count: number) {
  const caller = new HttpClient(gate.url)
  await caller.initialize()
  const sockets: Socket[] = []
  while (sockets.length < count - 1) {
    const some = Math.min(100, count - 1 - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => waiting(gate)))))
  }
  const { p50, p99 } = await calls([caller], Math.ceil(count / 10))
  const mb = residentMb(gate)
  const extra = await Promise.all(Array.from({ length: 10 }, () => isRefused(gate)))
  for (const socket of sockets) socket.destroy()
  return { connections: sockets.length, p50, p99, mb, refused: extra.filter(Boolean).length }
}

async function waiting({ url }: Listening): Promise<Socket> {
  const socket = connect(Number(url.port), '127.0.0.1').on('error', () => {})
  socket.write(`DELETE ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\nmcp-session-id: none\r\n\r\n`)
  await once(socket, 'data')
  return socket
}

async function isRefused({ url }: Listening): Promise<boolean> {
  const socket = connect(Number(url.port), '127.0.0.1').on('error', () => {})
  const answered = new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(false)).once('close', () => resolve(true))
  })
  socket.write(`DELETE ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\nmcp-session-id: none\r\n\r\n`)
  const refused = await answered
  socket.destroy()
  return refused
}

function residentMb({ pid }: Listening): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024
}
