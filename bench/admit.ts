/** Admission: the gate and its ledger on disk, as `tollgate run` puts them together. */
import { join } from 'node:path'
import type { Call } from '../src/model/call.ts'
import type { Gate } from '../src/pep/gate.ts'
import { openGateWith } from '../src/runtime/open.ts'
import { activePolicy } from '../src/runtime/policyFile.ts'
import { callOf } from './calls.ts'
import { compiled, passingArguments, toolNames } from './policies.ts'
import type { Section } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { median, type Spread, spreadOf } from './stats.ts'

/** What one round of a contestant took: microseconds a call, and the rate that all of it together allows. */
interface Round {
  readonly admit: Spread
  readonly admitsASecond: number
  /** With the record of the outcome, which the relay writes after the answer has gone. */
  readonly callsASecond: number
}

export async function admitSection(settings: Settings): Promise<Section> {
  const artifact = await compiled(toolNames(10))
  const small = passingArguments()
  const attached = (bytes: number) => ({ ...small, attachment: 'x'.repeat(bytes) })
  const opened: { close(): void }[] = []
  const gateOn = (name: string, durability: 'process' | 'power'): Gate => {
    const ledgerFile = join(settings.folder, `admit-${name}.db`)
    const { gate, ledger } = openGateWith({ ledgerFile, durability, report: rethrow })
    gate.activate(activePolicy(artifact))
    opened.push(ledger)
    return gate
  }
  const count = times(2_000, settings)
  const results = await inTurns(times(25, settings), {
    'one call': admitting(gateOn('one', 'process'), small, { count, together: 1 }),
    '16 calls that arrive together': admitting(gateOn('sixteen', 'process'), small, { count, together: 16 }),
    'one call, 16 KB of arguments': admitting(gateOn('16k', 'process'), attached(16_384), { count, together: 1 }),
    'one call, 1 MB of arguments': admitting(gateOn('1m', 'process'), attached(1 << 20), {
      count: Math.ceil(count / 50),
      together: 1,
    }),
    'one call, survives a power cut': admitting(gateOn('power', 'power'), small, {
      count: Math.ceil(count / 20),
      together: 1,
    }),
  })
  for (const ledger of opened) ledger.close()
  const one = results['one call']
  return {
    title: 'Admit',
    about:
      'In: everything from the call to the commit: plan, facts read from the ledger, decision, two reservations, the ' +
      'record with its hash, the commit into the log of a ledger on disk, checkpoints. `and settled` adds the record of ' +
      'the outcome, a transaction of its own. The ledger grows all the while. Out: reading the message, the pipes.',
    tables: [
      {
        columns: ['what', 'p50 µs', 'p99 µs', 'admits a second', 'and settled, a second'],
        rows: Object.entries(results).map(([name, rounds]) => [
          name,
          median(rounds.map(({ admit }) => admit.p50)),
          median(rounds.map(({ admit }) => admit.p99)),
          median(rounds.map(({ admitsASecond }) => admitsASecond)),
          median(rounds.map(({ callsASecond }) => callsASecond)),
        ]),
      },
    ],
    targets: [
      {
        what: 'admit, p50',
        bound: 'at most',
        limit: 100,
        unit: ' µs',
        measured: median(one.map(({ admit }) => admit.p50)),
      },
      {
        what: 'admits a second on one core',
        bound: 'at least',
        limit: 8_000,
        unit: '',
        measured: median(one.map(({ admitsASecond }) => admitsASecond)),
      },
    ],
  }
}

interface Load {
  readonly count: number
  readonly together: number
}

/** One round: admits so many calls, so many of them in one transaction, and settles each lot before the next. */
function admitting(gate: Gate, args: Call['arguments'], { count, together }: Load): () => Round {
  const names = toolNames(10)
  let next = 0
  return () => {
    const perCall = new Float64Array(Math.ceil(count / together))
    let admitMs = 0
    const started = performance.now()
    for (const index of perCall.keys()) {
      const calls = Array.from({ length: together }, () => callOf(names[next++ % names.length] as string, args))
      const asked = performance.now()
      const decisions = gate.admit(calls)
      const took = performance.now() - asked
      admitMs += took
      perCall[index] = (took * 1_000) / together
      gate.settle(decisions.map(({ decision_id: decisionId }) => ({ decisionId, status: 'success' })))
      const refused = decisions.find(({ decision }) => decision !== 'allow')
      if (refused) throw new Error(`the call was not allowed: ${refused.message}`)
    }
    const calls = perCall.length * together
    return {
      admit: spreadOf(perCall),
      admitsASecond: (calls / admitMs) * 1_000,
      callsASecond: (calls / (performance.now() - started)) * 1_000,
    }
  }
}

function rethrow(error: unknown): never {
  throw error
}
