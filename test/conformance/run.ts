/**
 * The official conformance suites, against the fixture server directly and through the gate, with the same result check by
 * check. Differences that must be are in `differences.json`, each with its reason; a new one and a stale one both fail.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

interface Suite {
  readonly name: string
  readonly command: readonly string[]
  /** Checks that the fixture passes directly: fewer, and the suite has found nothing to compare. */
  readonly passedMin: number
}

interface Difference {
  readonly suite: string
  readonly check: string
  readonly direct: string
  readonly gate: string
  readonly why: string
}

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const stable = at('../../node_modules/mcp-conformance-stable/dist/index.js')
const next = at('../../node_modules/mcp-conformance-next/dist/index.js')
const suites: readonly Suite[] = [
  { name: 'stable', command: [stable, 'server'], passedMin: 40 },
  { name: 'next 2025-11-25', command: [next, 'server', '--requirements', '2025-11-25'], passedMin: 84 },
  { name: 'next 2026-07-28', command: [next, 'server', '--requirements', '2026-07-28'], passedMin: 164 },
]
const folder = mkdtempSync(join(tmpdir(), 'tollgate-conformance-'))
const started: ChildProcess[] = []

/** Starts a program, and gives the first match of what it says on stderr. */
async function start(ready: RegExp, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] as const }
  const child = spawn(process.execPath, args, { ...options, stdio: [...options.stdio] })
  started.push(child)
  return new Promise((resolve, reject) => {
    createInterface(child.stderr as NodeJS.ReadableStream).on('line', (line) => {
      const found = ready.exec(line)
      if (found) resolve(found[1] ?? '')
      else process.stderr.write(`${basename(args[0] ?? '')}: ${line}\n`)
    })
    child.once('exit', () => reject(new Error(`${args[0]} ended`)))
  })
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return String(port)
}

/** Every check of a suite with what came of it, under `scenario/check`, numbered where one stands several times. */
async function results({ name, command }: Suite, who: string, url: string): Promise<ReadonlyMap<string, string>> {
  const output = join(folder, `${name} ${who}`)
  mkdirSync(output)
  const child = spawn(process.execPath, [...command, '--url', url, '-o', output], { cwd: output, stdio: 'ignore' })
  await once(child, 'exit')
  const found = new Map<string, string>()
  for (const file of globSync('**/checks.json', { cwd: output }).sort()) {
    const scenario = basename(dirname(file)).replace(/-\d{4}-\d\d-\d\dT.*$/, '')
    for (const { id, status } of JSON.parse(readFileSync(join(output, file), 'utf8'))) {
      let key = `${scenario}/${id}`
      for (let n = 2; found.has(key); n++) key = `${scenario}/${id}#${n}`
      found.set(key, status)
    }
  }
  return found
}

function compare({ name }: Suite, direct: ReadonlyMap<string, string>, gate: ReadonlyMap<string, string>): string[] {
  const expected = (JSON.parse(readFileSync(at('differences.json'), 'utf8')) as Difference[]).filter(
    ({ suite }) => suite === name,
  )
  const checks = new Set([...direct.keys(), ...gate.keys(), ...expected.map(({ check }) => check)])
  return [...checks].sort().flatMap((check) => {
    const [one = 'not there', two = 'not there'] = [direct.get(check), gate.get(check)]
    const known = expected.find((difference) => difference.check === check)
    if (known === undefined) return one === two ? [] : [`${check}: ${one} directly, ${two} through the gate`]
    const holds = known.direct === one && known.gate === two
    return holds ? [] : [`${check}: differences.json is stale, it is ${one} directly and ${two} through the gate`]
  })
}

function countOf(found: ReadonlyMap<string, string>, status: string): number {
  return [...found.values()].filter((one) => one === status).length
}

async function run(): Promise<boolean> {
  writeFileSync(join(folder, 'allow.yaml'), 'version: "1"\ndefault: allow\ntools: {}\n')
  const port = await freePort()
  await start(/(fixture is listening)/, [at('server.ts')], { PORT: port })
  const direct = `http://localhost:${port}/mcp`
  const options = ['-c', 'allow.yaml', '--ledger', 'ledger.db', '--listen', '127.0.0.1:0', '--upstream', direct]
  const gate = (await start(/listening on (\S+)/, [at('../../src/cli/main.ts'), 'serve', ...options])).replace(
    '127.0.0.1',
    'localhost',
  )
  let same = true
  for (const suite of suites) {
    const one = await results(suite, 'direct', direct)
    const two = await results(suite, 'gate', gate)
    const wrong = compare(suite, one, two)
    const passed = countOf(one, 'SUCCESS')
    if (passed < suite.passedMin) wrong.push(`only ${passed} checks pass directly, ${suite.passedMin} did`)
    const counts = `${passed} passed and ${countOf(one, 'FAILURE')} failed directly, ${countOf(two, 'SUCCESS')} and ${countOf(two, 'FAILURE')} through the gate`
    process.stdout.write(`${suite.name}: ${counts}\n${wrong.map((line) => `  ${line}\n`).join('')}`)
    same &&= wrong.length === 0
  }
  return same
}

try {
  process.exitCode = (await run()) ? 0 : 1
} finally {
  for (const child of started) child.kill()
  rmSync(folder, { recursive: true, force: true })
}
