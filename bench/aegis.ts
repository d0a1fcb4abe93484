/** Aegis files, decided by the gate and by agent-aegis itself, each with a clock of its own inside its own process. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildPolicy } from '../src/bundle/build.ts'
import { activePolicy } from '../src/runtime/policyFile.ts'
import { callOf } from './calls.ts'
import { bareGate } from './gates.ts'
import type { Section } from './report.ts'
import { type Settings, times } from './settings.ts'
import { median, type Spread, spreadOf } from './stats.ts'

interface Case {
  readonly name: string
  readonly policy: string
  readonly tools: readonly string[]
  /** p50, µs. */
  readonly limit: number
}

const args = { amount: 12, sql: 'SELECT name FROM customers', tags: ['a', 'b'] }

export async function aegisSection(settings: Settings): Promise<Section> {
  const cases = [literalCase(settings), globCase(settings)]
  const measured = []
  for (const one of cases) measured.push({ ...one, ours: await ours(one, settings), theirs: theirs(one, settings) })
  const rows = measured.map(({ name, ours, theirs }) => [
    name,
    ours.p50,
    ours.p99,
    ...(theirs ? [theirs.p50, theirs.p99] : ['not installed', 'not installed']),
  ])
  return {
    title: 'Aegis files',
    about:
      'The gate: from a call to the verdict, as above. agent-aegis 1.0.0 (`make aegis` installs it): `Policy.evaluate` ' +
      'alone, in a loop inside Python that reads `perf_counter_ns` before and after. The calls are of tools that rules ' +
      'from the first to the last match, in turn; half of the rules have a condition on an argument.',
    tables: [{ columns: ['policy', 'gate p50 µs', 'gate p99 µs', 'agent-aegis p50 µs', 'agent-aegis p99 µs'], rows }],
    targets: measured.map(({ name, limit, ours }) => ({
      what: `Aegis, ${name}, p50`,
      bound: 'at most',
      limit,
      unit: ' µs',
      measured: ours.p50,
    })),
  }
}

function literalCase(settings: Settings): Case {
  const names = Array.from({ length: times(1_000, settings) }, (_, index) => `tool_${index}`)
  return { name: '1,000 rules with literal names', policy: policyOf(names), tools: spread(names), limit: 20 }
}

/** As they are written: prefixes, suffixes, parts, and single characters. */
function globCase(settings: Settings): Case {
  const globs = Array.from({ length: times(200, settings) }, (_, index) => {
    const shapes = [
      `area${index}_*`,
      `*_area${index}`,
      `area${index}_?et`,
      `*_in_area${index}_*`,
      `area${index}_[gs]et`,
    ]
    return shapes[index % shapes.length] as string
  })
  const tools = globs.map((_, index) =>
    index % 5 === 1 ? `get_area${index}` : index % 5 === 3 ? `get_in_area${index}_x` : `area${index}_get`,
  )
  return { name: '200 glob rules', policy: policyOf(globs), tools: spread(tools), limit: 150 }
}

/** Every rule lets through what it matches; some name the server too, half of them look at an argument. */
function policyOf(types: readonly string[]): string {
  const rules = types.map((type, index) => ({
    name: `rule ${index}`,
    match: { type, ...(index % 3 === 0 && { target: 'bench' }) },
    ...(index % 2 === 0 && { conditions: { param_lte: { amount: 500 } } }),
    risk_level: 'low',
    approval: 'auto',
  }))
  return JSON.stringify({ version: '1', defaults: { approval: 'block' }, rules })
}

/** Ten from the first to the last. */
function spread(names: readonly string[]): readonly string[] {
  return Array.from({ length: 10 }, (_, index) => names[Math.floor((index * (names.length - 1)) / 9)] as string)
}

async function ours({ policy, tools }: Case, settings: Settings): Promise<Spread> {
  const gate = bareGate()
  gate.activate(activePolicy(await buildPolicy({ name: 'aegis.yaml', text: policy })))
  const rounds = Array.from({ length: times(20, settings) }, () => {
    const took = new Float64Array(times(2_000, settings))
    for (const index of took.keys()) {
      const call = { ...callOf(tools[index % tools.length] as string, args), server: 'bench' }
      const started = performance.now()
      const [decision] = gate.admit([call])
      took[index] = (performance.now() - started) * 1_000
      if (decision?.decision !== 'allow') throw new Error(`the call was not allowed: ${decision?.message}`)
    }
    return spreadOf(took)
  })
  return { p50: median(rounds.map(({ p50 }) => p50)), p99: median(rounds.map(({ p99 }) => p99)) }
}

function theirs({ policy, tools }: Case, settings: Settings): Spread | undefined {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  const python = process.env['TOLLGATE_AEGIS_PYTHON'] || here('../.cache/aegis/bin/python')
  if (!existsSync(python)) return undefined
  const calls = tools.map((tool) => [tool, 'bench'])
  const input = JSON.stringify({ policy, calls, arguments: args, rounds: times(200, settings) })
  const { stdout, status } = spawnSync(python, [here('agent_aegis.py')], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error('agent-aegis could not be timed')
  return spreadOf(JSON.parse(stdout))
}
