/**
 * One decision: from a call to the verdict, through the WASM. The gate's own code runs; only its ledger is a stand-in
 * that knows every fact at once and forgets every record, so that nothing but the decision is left.
 */
import type { Call } from '../src/model/call.ts'
import type { Gate } from '../src/pep/gate.ts'
import { activePolicy } from '../src/runtime/policyFile.ts'
import { callOf } from './calls.ts'
import { bareGate } from './gates.ts'
import { compiled, passingArguments, toolNames } from './policies.ts'
import type { Section } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { median, type Spread, spreadOf } from './stats.ts'

/** As many tools as one agent may use; policies of any size are compared by calls of so many. */
const toolsCalled = 10

export async function decisionSection(settings: Settings): Promise<Section> {
  const small = passingArguments()
  const large = { ...small, attachment: 'x'.repeat(1 << 20) }
  const [ten, hundred, thousand] = [await sized(10, settings), await sized(100, settings), await sized(1_000, settings)]
  const contestants = {
    '10 tools': deciding(ten, toolsCalled, small, settings),
    '100 tools': deciding(hundred, toolsCalled, small, settings),
    '1,000 tools': deciding(thousand, toolsCalled, small, settings),
    '1,000 tools, all of them called in turn': deciding(thousand, 1_000, small, settings),
    '10 tools, 1 MB argument that is not read': deciding(ten, toolsCalled, large, settings),
  }
  for (const decide of Object.values(contestants)) decide()
  const results = await inTurns(times(40, settings), contestants)
  return {
    title: 'Decision',
    about:
      'In: the plan of the target, amounts, counter keys, the projected input in canonical form, the WASM, the verdict ' +
      'read and checked, the ids. Out: the ledger, the record. Every tool has a spend cap, two arguments that are read ' +
      'and a rate; the calls go in turn to ten tools of the policy, except where it says all.',
    tables: [
      {
        columns: ['policy', 'p50 µs', 'p99 µs', 'p50 against 10 tools'],
        rows: Object.entries(results).map(([name, rounds]) => [
          name,
          medianOf(rounds, 'p50'),
          medianOf(rounds, 'p99'),
          ratioOf(rounds, results['10 tools']),
        ]),
      },
    ],
    targets: [
      bound('decision, 10 tools, p50', 15, ' µs', medianOf(results['10 tools'], 'p50')),
      bound('decision, 1,000 tools, p50', 15, ' µs', medianOf(results['1,000 tools'], 'p50')),
      bound('decision, 1,000 tools against 10', 1.3, ' times', ratioOf(results['1,000 tools'], results['10 tools'])),
      bound(
        'decision, 1,000 tools, all called in turn, against 10',
        1.3,
        ' times',
        ratioOf(results['1,000 tools, all of them called in turn'], results['10 tools']),
      ),
      bound(
        'decision, 1 MB argument that is not read against none',
        1.5,
        ' times',
        ratioOf(results['10 tools, 1 MB argument that is not read'], results['10 tools']),
      ),
    ],
  }
}

export function bound(what: string, limit: number, unit: string, measured: number) {
  return { what, bound: 'at most', limit, unit, measured } as const
}

export function medianOf(rounds: readonly Spread[], which: keyof Spread): number {
  return median(rounds.map((round) => round[which]))
}

/** The rounds stand side by side, so their ratios do. */
function ratioOf(these: readonly Spread[], those: readonly Spread[]): number {
  return median(these.map(({ p50 }, round) => p50 / (those[round] as Spread).p50))
}

interface SizedPolicy {
  readonly tools: readonly string[]
  readonly gate: Gate
}

async function sized(count: number, settings: Settings): Promise<SizedPolicy> {
  const tools = toolNames(settings.quick ? Math.ceil(count / 100) : count)
  const gate = bareGate()
  gate.activate(activePolicy(await compiled(tools)))
  return { tools, gate }
}

/** A function that decides a batch of calls and says in microseconds how long each took. */
function deciding(
  { tools, gate }: SizedPolicy,
  called: number,
  args: Call['arguments'],
  settings: Settings,
): () => Spread {
  // Spread over the policy: its first tools are not its last.
  const step = Math.max(1, Math.floor(tools.length / called))
  let next = 0
  return () => {
    const took = new Float64Array(times(4_000, settings))
    for (const index of took.keys()) {
      const tool = tools[((next++ % called) * step) % tools.length] as string
      const call = callOf(tool, args)
      const started = performance.now()
      const [decision] = gate.admit([call])
      took[index] = (performance.now() - started) * 1_000
      if (decision?.decision !== 'allow') throw new Error(`the call was not allowed: ${decision?.message}`)
    }
    return spreadOf(took)
  }
}
