/** From the start of the command to the first answer: what a client waits for when it opens a wrapped server. */
import { Client } from './client.ts'
import type { Section } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { median, quantile } from './stats.ts'
import { type Commands, echoServer, everythingServer, type Way, waysTo } from './ways.ts'

export async function startSection(settings: Settings): Promise<Section> {
  const echo = await starts(waysTo(echoServer, 'start', settings), times(25, settings))
  const everything = await starts(waysTo(everythingServer, 'start', settings), times(10, settings))
  return {
    title: 'Start',
    about:
      'From the start of the process to the answer to `initialize`. The policy has eleven tools and was compiled by an ' +
      'earlier start; the ledger exists. In: the shell script that finds Node, the policy, the ledger and the record of ' +
      'the activation.',
    tables: [
      {
        columns: ['server', 'through', 'median ms', 'p90 ms', 'over direct'],
        rows: [...rowsOf('echo server', echo), ...rowsOf('server-everything', everything)],
      },
    ],
    targets: [
      {
        what: '`run` to the first `initialize` answer, over the direct start',
        bound: 'at most',
        limit: 100,
        unit: ' ms',
        measured: over(echo.gate, echo.direct),
      },
    ],
  }
}

type Starts = Readonly<Record<Way, readonly number[]>>

async function starts(commands: Commands, rounds: number): Promise<Starts> {
  await startMs(commands.gate) // compiles the policy
  return inTurns(rounds, {
    direct: () => startMs(commands.direct),
    'bare pipe': () => startMs(commands['bare pipe']),
    gate: () => startMs(commands.gate),
  })
}

async function startMs(command: readonly string[]): Promise<number> {
  const started = performance.now()
  const client = new Client(command)
  await client.initialize()
  const took = performance.now() - started
  await client.close()
  return took
}

function rowsOf(server: string, measured: Starts) {
  return (['direct', 'bare pipe', 'gate'] as const).map((way) => [
    server,
    way,
    median(measured[way]),
    quantile(measured[way], 0.9),
    way === 'direct' ? '' : over(measured[way], measured.direct),
  ])
}

function over(these: readonly number[], those: readonly number[]): number {
  return median(these.map((took, round) => took - (those[round] as number)))
}
