/** Recorded calls judged again by another policy, from a ledger and from what was exported of it. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Found, replayed } from '../src/cli/replay.ts'
import type { Source } from '../src/cli/replaySource.ts'
import { openGateWith } from '../src/runtime/open.ts'
import { activePolicy } from '../src/runtime/policyFile.ts'
import { type LoadedSet, loadPolicySet } from '../src/runtime/policySet.ts'
import { callOf } from './calls.ts'
import { compiled, passingArguments, policyText, toolNames } from './policies.ts'
import type { Section } from './report.ts'
import { inTurns } from './rounds.ts'
import { type Settings, times } from './settings.ts'
import { median } from './stats.ts'

/** What one replay took: seconds of the processor, all threads together, and of the clock. */
interface Round {
  readonly processor: number
  readonly clock: number
}

const tools = toolNames(10)

export async function replaySection(settings: Settings): Promise<Section> {
  const decisions = times(100_000, settings)
  const ledger = join(settings.folder, 'replay.db')
  const lines = join(settings.folder, 'replay.jsonl')
  await record(ledger, decisions)
  const [program = '', ...args] = settings.gate
  execFileSync(program, [...args, 'audit', '--ledger', ledger, '--all', '--format', 'jsonl', '-o', lines], {
    stdio: 'pipe',
  })
  const same = await loaded(settings, 'same', policyText(tools))
  const other = await loaded(settings, 'other', policyText(tools).replaceAll('1000000000/day', '10/minute'))
  const contestants = {
    'a ledger, the policy that decided': () => timed({ kind: 'ledger', file: ledger }, same, decisions, false),
    'a ledger, lower limits': () => timed({ kind: 'ledger', file: ledger }, other, decisions, true),
    'exported lines, lower limits': () => timed({ kind: 'decisions', file: lines }, other, decisions, true),
  }
  const results = Object.entries(await inTurns(times(5, settings), contestants))
  // To what a hundred thousand would take: a smoke run has fewer.
  const seconds = (rounds: readonly Round[], of: keyof Round) =>
    (median(rounds.map((one) => one[of])) * 100_000) / decisions
  return {
    title: 'Replay',
    about:
      '100,000 recorded decisions of 200 sessions, each with its outcome, judged again. In: reading the record, its hash ' +
      'chain, the gate with its counters in memory, the WASM, the report. Out: the start of the program, compiling the ' +
      'policy. Processor time is that of all threads together.',
    tables: [
      {
        columns: ['from', 'processor s', 'clock s', 'decisions a second of the processor'],
        rows: results.map(([name, rounds]) => [
          name,
          seconds(rounds, 'processor'),
          seconds(rounds, 'clock'),
          100_000 / seconds(rounds, 'processor'),
        ]),
      },
    ],
    targets: results.map(([name, rounds]) => ({
      what: `replay of 100,000 decisions, ${name}`,
      bound: 'at most',
      limit: 10,
      unit: ' s of the processor',
      measured: seconds(rounds, 'processor'),
    })),
  }
}

async function record(ledgerFile: string, decisions: number): Promise<void> {
  let at = Date.parse('2026-03-02T09:00:00Z')
  const report = (error: unknown) => {
    throw error
  }
  const { gate, ledger } = openGateWith({ ledgerFile, clock: () => at, report })
  gate.activate(activePolicy(await compiled(tools)))
  const together = 50
  for (let done = 0; done < decisions; done += together) {
    at += 1_000
    const calls = Array.from({ length: Math.min(together, decisions - done) }, (_, index) => ({
      ...callOf(tools[index % tools.length] as string, passingArguments()),
      session: `session-${(done + index) % 200}`,
    }))
    const allowed = gate.admit(calls).filter(({ decision }) => decision === 'allow')
    if (allowed.length < calls.length) throw new Error('a call was not allowed')
    gate.settle(allowed.map(({ decision_id: decisionId }) => ({ decisionId, status: 'success' })))
  }
  ledger.close()
}

async function loaded(settings: Settings, name: string, text: string): Promise<LoadedSet> {
  const file = join(settings.folder, `${name}.yaml`)
  writeFileSync(file, text)
  return loadPolicySet({ files: [file] })
}

async function timed(source: Source, policy: LoadedSet, decisions: number, changes: boolean): Promise<Round> {
  const [before, started] = [process.cpuUsage(), performance.now()]
  const { counts }: Found = await replayed(source, policy)
  const { user, system } = process.cpuUsage(before)
  const clock = (performance.now() - started) / 1_000
  if (counts.decisions !== decisions) throw new Error(`${counts.decisions} decisions were replayed, not ${decisions}`)
  if ((counts.unchanged === decisions) === changes && decisions > 20_000) throw new Error('the limits do not tell')
  return { processor: (user + system) / 1_000_000, clock }
}
