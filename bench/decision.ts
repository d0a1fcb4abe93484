/**
 * One decision: from a call to the verdict, through the WASM. The gate's own code runs; only its ledger is a stand-in
 * that knows every fact at once and forgets every record, so that nothing but the decision is left.
 */
import { randomUUID } from 'node:crypto'
import type { Call } from '../src/model/call.ts'
import type { Ledger, StoredRecord, Transaction } from '../src/model/ledger.ts'
import { Gate } from '../src/pep/gate.ts'
import { activePolicy } from '../src/runtime/policyFile.ts'
import { callOf } from './calls.ts'
import { compiled, passingArguments, toolNames } from './policies.ts'
import type { Section } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { median, type Spread, spreadOf } from './stats.ts'

export async function decisionSection(settings: Settings): Promise<Section> {
  const small = passingArguments()
  const large = { ...small, attachment: 'x'.repeat(1 << 20) }
  const contestants = {
    '10 tools': await deciding(10, small, settings),
    '100 tools': await deciding(100, small, settings),
    '1,000 tools': await deciding(1_000, small, settings),
    '10 tools, 1 MB that is not read': await deciding(10, large, settings),
  }
  for (const decide of Object.values(contestants)) decide()
  const results = await inTurns(times(40, settings), contestants)
  const { '10 tools': ten, '1,000 tools': thousand, '10 tools, 1 MB that is not read': unread } = results
  return {
    title: 'Decision',
    about:
      'In: the plan of the target, amounts, counter keys, the projected input in canonical form, the WASM, the verdict ' +
      'read and checked, the ids. Out: the ledger, the record. Every tool has a spend cap, two arguments that are read ' +
      'and a rate; the calls go through all tools in turn.',
    tables: [
      {
        columns: ['policy', 'p50 µs', 'p99 µs'],
        rows: Object.entries(results).map(([name, rounds]) => [name, medianOf(rounds, 'p50'), medianOf(rounds, 'p99')]),
      },
    ],
    targets: [
      bound('decision, 10 tools, p50', 15, ' µs', medianOf(ten, 'p50')),
      bound('decision, 1,000 tools, p50', 15, ' µs', medianOf(thousand, 'p50')),
      bound('decision, 1,000 tools against 10', 1.3, ' times', ratioOf(thousand, ten)),
      bound('decision, 1 MB argument that is not read against none', 1.5, ' times', ratioOf(unread, ten)),
    ],
  }
}

function bound(what: string, limit: number, unit: string, measured: number) {
  return { what, bound: 'at most', limit, unit, measured } as const
}

function medianOf(rounds: readonly Spread[], which: keyof Spread): number {
  return median(rounds.map((round) => round[which]))
}

/** The rounds stand side by side, so their ratios do. */
function ratioOf(these: readonly Spread[], those: readonly Spread[]): number {
  return median(these.map(({ p50 }, round) => p50 / (those[round] as Spread).p50))
}

/** A function that decides a batch of calls and says in microseconds how long each took. */
async function deciding(tools: number, args: Call['arguments'], settings: Settings): Promise<() => Spread> {
  const names = toolNames(settings.quick ? Math.ceil(tools / 100) : tools)
  const gate = new Gate({ ledger: forgetfulLedger(), describe: () => '', newId: randomUUID, report: rethrow })
  gate.activate(activePolicy(await compiled(names)))
  let next = 0
  return () => {
    const took = new Float64Array(times(4_000, settings))
    for (const index of took.keys()) {
      const call = callOf(names[next++ % names.length] as string, args)
      const started = performance.now()
      const [decision] = gate.admit([call])
      took[index] = (performance.now() - started) * 1_000
      if (decision?.decision !== 'allow') throw new Error(`the call was not allowed: ${decision?.message}`)
    }
    return spreadOf(took)
  }
}

function forgetfulLedger(): Ledger {
  const now = Date.now()
  const record: StoredRecord = { kind: 'decision', body: '', seq: 1, at: now, hash: '', previousHash: '' }
  const tx: Transaction = {
    now,
    used: () => ({ used: 1 }),
    roomAt: () => now,
    open: () => {},
    reserve: () => {},
    settle: () => true,
    append: () => record,
    keepPolicy: () => {},
  }
  return {
    transact: (work) => work(tx),
    records: () => [].values(),
    policy: () => undefined,
    close: () => {},
  }
}

function rethrow(error: unknown): never {
  throw error
}
