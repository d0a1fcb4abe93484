/** `npm run bench`: what a call through the gate costs, beside what the same costs without it. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine, type Section, toMarkdown } from './report.ts'
import type { Settings } from './settings.ts'

type Benchmark = (settings: Settings) => Promise<Section>

const benchmarks: ReadonlyMap<string, Benchmark> = new Map([
  ['decision', async (settings: Settings) => (await import('./decision.ts')).decisionSection(settings)],
  ['pack', async (settings: Settings) => (await import('./pack.ts')).packSection(settings)],
  ['aegis', async (settings: Settings) => (await import('./aegis.ts')).aegisSection(settings)],
  ['admit', async (settings: Settings) => (await import('./admit.ts')).admitSection(settings)],
  ['replay', async (settings: Settings) => (await import('./replay.ts')).replaySection(settings)],
  ['stdio', async (settings: Settings) => (await import('./stdio.ts')).stdioSection(settings)],
  ['http', async (settings: Settings) => (await import('./http.ts')).httpSection(settings)],
  ['sessions', async (settings: Settings) => (await import('./sessions.ts')).sessionsSection(settings)],
  ['soak', async (settings: Settings) => (await import('./soak.ts')).soakSection(settings)],
  ['start', async (settings: Settings) => (await import('./start.ts')).startSection(settings)],
  ['memory', async (settings: Settings) => (await import('./memory.ts')).memorySection(settings)],
])

/** They take long, and are run when they are named. */
const onDemand: ReadonlySet<string> = new Set(['soak'])

const usage = `usage: npm run bench -- [--only NAME[,NAME]] [--json] [--quick] [--soak SECONDS] [--gate COMMAND]
  --only   of ${[...benchmarks.keys()].join(', ')}; all but ${[...onDemand].join(', ')}, if not given
  --json   the numbers as JSON
  --soak   how long soak takes; 600, if not given
  --quick  a smoke run: a few seconds, and numbers that mean nothing
  --gate   what starts the gate, its words apart by spaces; bin/tollgate, if not given`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    soak: { type: 'string', default: '600' },
    gate: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log(usage)
else await run()

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'))
  // Compiled anew for every run, and nothing of it is left: here and in the gates that are started.
  process.env['TOLLGATE_CACHE_DIR'] = join(folder, 'cache')
  const soakSeconds = Number(values.soak)
  const settings: Settings = { quick: values.quick, gate: gateCommand(values.gate), folder, soakSeconds }
  try {
    const sections: Section[] = []
    for (const [name, benchmark] of chosen(values.only)) {
      process.stderr.write(`${name} ...\n`)
      sections.push(await benchmark(settings))
    }
    if (values.json) console.log(JSON.stringify({ machine: machine(), sections }, null, 2))
    else console.log(toMarkdown(sections, machine()))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function chosen(only: string | undefined): readonly (readonly [string, Benchmark])[] {
  if (only === undefined) return [...benchmarks].filter(([name]) => !onDemand.has(name))
  return only.split(',').map((name) => {
    const benchmark = benchmarks.get(name)
    if (!benchmark) throw new Error(`no benchmark \`${name}\`\n${usage}`)
    return [name, benchmark]
  })
}

function gateCommand(given: string | undefined): readonly string[] {
  if (given !== undefined) return given.split(' ')
  const built = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
  if (!existsSync(built)) throw new Error('the gate is not built yet: run `make build` first')
  return [fileURLToPath(new URL('../bin/tollgate', import.meta.url))]
}
