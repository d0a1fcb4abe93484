/** A call over stdio: the same client and the same server, with nothing, a bare pipe, or the gate between them. */
import { randomUUID } from 'node:crypto'
import { Client as SdkClient } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client } from './client.ts'
import { passingArguments } from './policies.ts'
import type { Section, Table, Target } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { median, type Spread, spreadOf } from './stats.ts'
import { type Commands, echoServer, everythingServer, type Way, waysTo } from './ways.ts'

const inFlight = 16

/** Somebody who can call the tool, and be done with it. */
interface Caller {
  call(args: object): Promise<unknown>
  close(): Promise<void>
}

type Callers = Readonly<Record<Way, Caller>>

export async function stdioSection(settings: Settings): Promise<Section> {
  const small = passingArguments()
  const large = { ...small, message: 'x'.repeat(16_384) }
  const echo = await callersOf(waysTo(echoServer, 'echo', settings), (command) => lightCaller(command, 'tool_0000'))
  const one = await latencies(echo, small, settings)
  const sixteenKb = await latencies(echo, large, settings)
  const rate = await rates(echo, small, settings)
  await closeAll(echo)
  const echoSdk = await measured(echoServer, (command) => sdkCaller(command, 'tool_0000'), settings)
  const everything = await measured(everythingServer, (command) => lightCaller(command, 'echo'), settings)
  const everythingSdk = await measured(everythingServer, (command) => sdkCaller(command, 'echo'), settings)
  return {
    title: 'A call over stdio',
    about:
      'In: everything between the client writing the call and having parsed the answer, with the record on disk. The gate ' +
      'judges by a policy of eleven tools, each with a spend cap, two arguments and a rate. The answer repeats the ' +
      'message. Small calls have about 180 bytes. The echo server and the light client are as quick as Node lets them ' +
      'be; server-everything and the SDK client are what most servers and clients are built on.',
    tables: [
      latencyTable([
        ['echo server, light client', one],
        ['the same, 16 KB argument', sixteenKb],
        ['echo server, SDK client', echoSdk.latencies],
        ['server-everything, light client', everything.latencies],
        ['server-everything, SDK client', everythingSdk.latencies],
      ]),
      rateTable([
        ['echo server, light client', rate],
        ['echo server, SDK client', echoSdk.rates],
        ['server-everything, light client', everything.rates],
        ['server-everything, SDK client', everythingSdk.rates],
      ]),
    ],
    targets: [
      added('stdio call, added at p50', 0.3, one),
      added('stdio call with a 16 KB argument, added at p50', 0.7, sixteenKb),
      kept(`stdio, ${inFlight} in flight, server-everything, SDK client`, everythingSdk.rates),
      kept(`stdio, ${inFlight} in flight, echo server, light client`, rate),
    ],
  }
}

/** Small calls to a server, one at a time and many at a time. */
async function measured(
  server: readonly string[],
  open: (command: readonly string[]) => Promise<Caller>,
  settings: Settings,
): Promise<{ readonly latencies: Latencies; readonly rates: Rates }> {
  const callers = await callersOf(waysTo(server, randomUUID(), settings), open)
  const found = {
    latencies: await latencies(callers, passingArguments(), settings),
    rates: await rates(callers, passingArguments(), settings),
  }
  await closeAll(callers)
  return found
}

type Latencies = Readonly<Record<Way, readonly Spread[]>>
type Rates = Readonly<Record<Way, readonly number[]>>

function added(what: string, limit: number, { direct, gate }: Latencies): Target {
  return { what, bound: 'at most', limit, unit: ' ms', measured: over(gate, direct) }
}

function kept(what: string, { direct, gate }: Rates): Target {
  return { what, bound: 'at least', limit: 0.45, unit: ' of direct', measured: share(gate, direct) }
}

/** What is added at the median, round by round. */
function over(these: readonly Spread[], those: readonly Spread[]): number {
  return median(these.map(({ p50 }, round) => p50 - (those[round] as Spread).p50))
}

function share(these: readonly number[], those: readonly number[]): number {
  return median(these.map((rate, round) => rate / (those[round] as number)))
}

function latencyTable(measured: readonly (readonly [string, Latencies])[]): Table {
  const rows = measured.flatMap(([what, ways]) =>
    (['direct', 'bare pipe', 'gate'] as const).map((way) => [
      what,
      way,
      median(ways[way].map(({ p50 }) => p50)),
      median(ways[way].map(({ p99 }) => p99)),
      way === 'direct' ? '' : over(ways[way], ways.direct),
    ]),
  )
  return { columns: ['one call at a time', 'through', 'p50 ms', 'p99 ms', 'added at p50'], rows }
}

function rateTable(measured: readonly (readonly [string, Rates])[]): Table {
  const rows = measured.flatMap(([what, ways]) =>
    (['direct', 'bare pipe', 'gate'] as const).map((way) => [
      what,
      way,
      median(ways[way]),
      way === 'direct' ? '' : share(ways[way], ways.direct),
    ]),
  )
  return { columns: [`${inFlight} calls in flight`, 'through', 'calls a second', 'of direct'], rows }
}

async function callersOf(commands: Commands, open: (command: readonly string[]) => Promise<Caller>): Promise<Callers> {
  return {
    direct: await open(commands.direct),
    'bare pipe': await open(commands['bare pipe']),
    gate: await open(commands.gate),
  }
}

async function closeAll(callers: Callers): Promise<void> {
  for (const caller of Object.values(callers)) await caller.close()
}

async function latencies(callers: Callers, args: object, settings: Settings): Promise<Latencies> {
  const round = (caller: Caller) => () => oneByOne(caller, args, times(200, settings))
  const warm = times(2_000, settings)
  for (const caller of Object.values(callers)) await oneByOne(caller, args, warm)
  return inTurns(times(30, settings), {
    direct: round(callers.direct),
    'bare pipe': round(callers['bare pipe']),
    gate: round(callers.gate),
  })
}

async function oneByOne(caller: Caller, args: object, count: number): Promise<Spread> {
  const took = new Float64Array(count)
  for (const index of took.keys()) {
    const started = performance.now()
    await caller.call(args)
    took[index] = performance.now() - started
  }
  return spreadOf(took)
}

async function rates(callers: Callers, args: object, settings: Settings): Promise<Rates> {
  const round = (caller: Caller) => () => sideBySide(caller, args, times(2_000, settings))
  for (const caller of Object.values(callers)) await round(caller)()
  return inTurns(times(15, settings), {
    direct: round(callers.direct),
    'bare pipe': round(callers['bare pipe']),
    gate: round(callers.gate),
  })
}

/** Calls a second with so many always under way. */
async function sideBySide(caller: Caller, args: object, count: number): Promise<number> {
  let left = count
  const started = performance.now()
  const worker = async () => {
    while (left-- > 0) await caller.call(args)
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return (count / (performance.now() - started)) * 1_000
}

async function lightCaller(command: readonly string[], tool: string): Promise<Caller> {
  const client = new Client(command)
  await client.initialize()
  return { call: (args) => client.call(tool, args), close: () => client.close() }
}

async function sdkCaller([command = '', ...args]: readonly string[], tool: string): Promise<Caller> {
  const client = new SdkClient({ name: 'bench', version: '1.0.0' })
  const env = { TOLLGATE_CACHE_DIR: process.env['TOLLGATE_CACHE_DIR'] ?? '' }
  await client.connect(new StdioClientTransport({ command, args: [...args], stderr: 'ignore', env }))
  return {
    call: async (args) => {
      const { isError, content } = await client.callTool({ name: tool, arguments: args as Record<string, unknown> })
      if (isError) throw new Error(JSON.stringify(content))
    },
    close: () => client.close(),
  }
}
