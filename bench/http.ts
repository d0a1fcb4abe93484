/** A call over HTTP: the same client and the same server, with nothing, a bare relay, or the gate between them. */
import { Client as SdkClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { HttpClient } from './httpClient.ts'
import {
  echoHttp,
  everythingHttp,
  type HttpWay,
  httpWays,
  type Listening,
  startGate,
  startRelay,
  startServer,
} from './httpWays.ts'
import { passingArguments } from './policies.ts'
import type { Section, Table, Target } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { median, type Spread, spreadOf } from './stats.ts'

const inFlight = 16

interface Caller {
  call(args: object): Promise<unknown>
  close(): Promise<void>
}

/** What one round gave, and the processor time of what stood between. */
interface Round<Result> {
  readonly result: Result
  readonly processorMsPerCall: number
}

type Rounds<Result> = Readonly<Record<HttpWay, readonly Round<Result>[]>>

interface Measured {
  readonly what: string
  readonly latencies: Rounds<Spread>
  readonly rates: Rounds<number>
}

export async function httpSection(settings: Settings): Promise<Section> {
  const echo = await measured('echo server, light client', echoHttp, lightCaller('tool_0000'), settings)
  const everything = await measured('server-everything, light client', everythingHttp, lightCaller('echo'), settings)
  const sdk = await measured('server-everything, SDK client', everythingHttp, sdkCaller, settings)
  const all = [echo, everything, sdk]
  return {
    title: 'A call over HTTP',
    about:
      'In: everything between the client posting the call and having parsed the answer, with the record on disk, over ' +
      'connections that stay open, in one session. The policy is that of the calls over stdio. The bare relay is a ' +
      'program of Node that passes bodies on and does nothing else. The echo server answers with JSON, ' +
      'server-everything with a stream of events. Processor time is that of the relay or the gate alone, as the system counts it.',
    tables: [latencyTable(all), rateTable(all)],
    targets: [
      ...all.flatMap(({ what, latencies }) => [
        added(`HTTP call, added at p50 (${what})`, 0.55, latencies, 'p50'),
        added(`HTTP call, added at p99 (${what})`, 3, latencies, 'p99'),
      ]),
      ...all.map(
        ({ what, rates }): Target => ({
          what: `HTTP, ${inFlight} in flight (${what})`,
          bound: 'at least',
          limit: 0.6,
          unit: ' of direct',
          measured: share(rates.gate, rates.direct),
        }),
      ),
    ],
  }
}

function added(what: string, limit: number, { gate, direct }: Measured['latencies'], at: keyof Spread): Target {
  return { what, bound: 'at most', limit, unit: ' ms', measured: over(gate, direct, at) }
}

async function measured(
  what: string,
  args: readonly string[],
  open: (url: URL) => Promise<Caller>,
  settings: Settings,
): Promise<Measured> {
  const server = await startServer(args)
  const relay = await startRelay(server)
  const gate = await startGate(server, what.replaceAll(/\W+/g, '-'), settings)
  const between: Readonly<Record<HttpWay, Listening>> = { direct: server, 'bare relay': relay, gate }
  const callers = { direct: await open(server.url), 'bare relay': await open(relay.url), gate: await open(gate.url) }
  const each = { one: times(100, settings), many: times(800, settings) }
  const one = (way: HttpWay) => timed(between[way], each.one, () => oneByOne(callers[way], each.one))
  const many = (way: HttpWay) => timed(between[way], each.many, () => sideBySide(callers[way], each.many))
  try {
    for (const way of httpWays) await oneByOne(callers[way], times(1_500, settings))
    const latencies = await contest(times(20, settings), one)
    for (const way of httpWays) await many(way)
    return { what, latencies, rates: await contest(times(12, settings), many) }
  } finally {
    for (const caller of Object.values(callers)) await caller.close()
    for (const program of [gate, relay, server]) await program.close()
  }
}

function contest<Result>(rounds: number, run: (way: HttpWay) => Promise<Round<Result>>): Promise<Rounds<Result>> {
  return inTurns(rounds, {
    direct: () => run('direct'),
    'bare relay': () => run('bare relay'),
    gate: () => run('gate'),
  })
}

async function timed<Result>(program: Listening, calls: number, run: () => Promise<Result>): Promise<Round<Result>> {
  const before = program.processorMs
  const result = await run()
  return { result, processorMsPerCall: (program.processorMs - before) / calls }
}

async function oneByOne(caller: Caller, count: number): Promise<Spread> {
  const took = new Float64Array(count)
  for (const index of took.keys()) {
    const started = performance.now()
    await caller.call(passingArguments())
    took[index] = performance.now() - started
  }
  return spreadOf(took)
}

/** Calls a second with so many always under way. */
async function sideBySide(caller: Caller, count: number): Promise<number> {
  let left = count
  const started = performance.now()
  const worker = async () => {
    while (left-- > 0) await caller.call(passingArguments())
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return (count / (performance.now() - started)) * 1_000
}

function over(these: readonly Round<Spread>[], those: readonly Round<Spread>[], at: keyof Spread): number {
  return median(these.map(({ result }, round) => result[at] - (those[round] as Round<Spread>).result[at]))
}

function share(these: readonly Round<number>[], those: readonly Round<number>[]): number {
  return median(these.map(({ result }, round) => result / (those[round] as Round<number>).result))
}

/** Of the server itself where nothing stands between. */
function processorMs(rounds: readonly Round<unknown>[]): number {
  return rounds.reduce((sum, { processorMsPerCall }) => sum + processorMsPerCall, 0) / rounds.length
}

function latencyTable(all: readonly Measured[]): Table {
  const rows = all.flatMap(({ what, latencies }) =>
    httpWays.map((way) => [
      what,
      way,
      median(latencies[way].map(({ result }) => result.p50)),
      median(latencies[way].map(({ result }) => result.p99)),
      way === 'direct' ? '' : over(latencies[way], latencies.direct, 'p50'),
      way === 'direct' ? '' : over(latencies[way], latencies.direct, 'p99'),
      way === 'direct' ? '' : processorMs(latencies[way]),
    ]),
  )
  const columns = ['one call at a time', 'through', 'p50 ms', 'p99 ms', 'added at p50', 'added at p99', 'processor ms']
  return { columns, rows }
}

function rateTable(all: readonly Measured[]): Table {
  const rows = all.flatMap(({ what, rates }) =>
    httpWays.map((way) => [
      what,
      way,
      median(rates[way].map(({ result }) => result)),
      way === 'direct' ? '' : share(rates[way], rates.direct),
      way === 'direct' ? '' : processorMs(rates[way]),
    ]),
  )
  return { columns: [`${inFlight} calls in flight`, 'through', 'calls a second', 'of direct', 'processor ms'], rows }
}

function lightCaller(tool: string): (url: URL) => Promise<Caller> {
  return async (url) => {
    const client = new HttpClient(url)
    await client.initialize()
    return { call: (args) => client.call(tool, args), close: () => client.close() }
  }
}

async function sdkCaller(url: URL): Promise<Caller> {
  const client = new SdkClient({ name: 'bench', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(url))
  const call = async (args: object) => {
    const { isError, content } = await client.callTool({ name: 'echo', arguments: { ...args } })
    if (isError) throw new Error(JSON.stringify(content))
  }
  return { call, close: () => client.close() }
}
