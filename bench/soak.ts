/**
 * Full load for a long time, with another policy every second: no wrong decision, nothing that grows, every call recorded.
 * It takes ten minutes unless told otherwise, and is run alone.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLedger } from '../src/ledger/ledger.ts'
import { HttpClient } from './httpClient.ts'
import { echoHttp, Listening, startServer } from './httpWays.ts'
import { passingArguments } from './policies.ts'
import type { Section } from './report.ts'
import type { Settings } from './settings.ts'
import { median } from './stats.ts'

const inFlight = 16

/** After so many calls a caller leaves its session and opens another. */
const callsOfSession = 500

export async function soakSection(settings: Settings): Promise<Section> {
  const seconds = settings.quick ? 4 : settings.soakSeconds
  const server = await startServer(echoHttp)
  const policy = join(settings.folder, 'soak.yaml')
  const ledger = join(settings.folder, 'soak.db')
  writeFileSync(policy, policyText(0))
  const options = ['-c', policy, '--ledger', ledger, '--listen', '127.0.0.1:0', '--upstream', server.url.href]
  const gate = await Listening.start([...settings.gate, 'serve', ...options])
  const soak = new Soak(gate.url)
  const memory: number[] = []
  let edits = 0
  const editor = setInterval(() => {
    writeFileSync(policy, policyText(++edits))
    memory.push(residentMb(gate))
  }, 1_000)
  try {
    const started = performance.now()
    await soak.run(seconds * 1_000)
    const took = (performance.now() - started) / 1_000
    clearInterval(editor)
    await gate.close()
    const recorded = recordsIn(ledger)
    const half = Math.floor(memory.length / 2)
    const early = median(memory.slice(Math.floor(half / 2), half + 1))
    const late = median(memory.slice(-Math.ceil(half / 2)))
    return {
      title: 'Soak',
      about:
        `${seconds} seconds with ${inFlight} calls always under way, in sessions of ${callsOfSession} calls, while the policy ` +
        'is edited every second: each edit is compiled and activated. One tool is always allowed, one never, one in every ' +
        'second edit. Afterwards each decision in the ledger is made again from its stored input by the policy that was ' +
        'active then (`tollgate audit verify`).',
      tables: [
        {
          columns: ['what', 'number'],
          rows: [
            ['calls', soak.calls],
            ['calls a second', soak.calls / took],
            ['sessions', soak.sessions],
            ['edits of the policy', edits],
            ['policies that became active', recorded.activations],
            ['MB of the gate, second quarter', early],
            ['MB of the gate, last quarter', late],
          ],
        },
      ],
      targets: [
        none('soak: calls that were answered wrongly', soak.wrong),
        none('soak: calls without a decision in the record', soak.calls - recorded.decisions),
        none('soak: allowed calls without an outcome in the record', recorded.allowed - recorded.outcomes),
        none('soak: decisions that are not proved', isProved(settings, ledger) ? 0 : 1),
        {
          what: 'soak: memory, last quarter against the second',
          bound: 'at most',
          limit: 1.1,
          unit: ' times',
          measured: late / early,
        },
      ],
    }
  } finally {
    clearInterval(editor)
    await gate.close()
    await server.close()
  }
}

function none(what: string, measured: number) {
  return { what, bound: 'at most', limit: 0, unit: '', measured: Math.abs(measured) } as const
}

function policyText(edit: number): string {
  const rate = 1_000_000_000 + edit
  return `version: "1"
default: deny
tools:
  tool_0000: { rules: [{ rate_limit: ${rate}/day }] }
  never: { rules: [{ arguments: { currency: { enum: [NONE] } } }] }
  sometimes: { rules: [{ arguments: { currency: { enum: [${edit % 2 === 0 ? 'EUR' : 'NONE'}] } } }] }
`
}

/** Callers without a pause. What is allowed and unknown to the server is an error of the server, and no refusal. */
class Soak {
  readonly #url: URL
  calls = 0
  sessions = 0
  wrong = 0

  constructor(url: URL) {
    this.#url = url
  }

  async run(ms: number): Promise<void> {
    const until = performance.now() + ms
    await Promise.all(Array.from({ length: inFlight }, () => this.#caller(until)))
  }

  async #caller(until: number): Promise<void> {
    while (performance.now() < until) {
      const client = new HttpClient(this.#url)
      await client.initialize()
      this.sessions++
      for (let n = 0; n < callsOfSession && performance.now() < until; n++) await this.#call(client, n)
      await client.close()
    }
  }

  async #call(client: HttpClient, n: number): Promise<void> {
    const tool = n % 8 === 3 ? 'never' : n % 8 === 5 ? 'sometimes' : 'tool_0000'
    this.calls++
    const said = await client.call(tool, passingArguments()).then(
      () => 'done',
      ({ message }: Error) => message,
    )
    const isBlocked = said.includes('Blocked by policy')
    if (tool === 'tool_0000' ? said !== 'done' : tool === 'never' ? !isBlocked : said !== 'done' && !isBlocked) {
      if (this.wrong++ === 0) process.stderr.write(`soak: ${tool} was answered with ${said}\n`)
    }
  }
}

function recordsIn(file: string) {
  const ledger = openLedger({ file, readOnly: true })
  const found = { decisions: 0, allowed: 0, outcomes: 0, activations: 0 }
  for (const { kind, body } of ledger.records()) {
    if (kind === 'activation') found.activations++
    if (kind === 'outcome') found.outcomes++
    if (kind !== 'decision') continue
    found.decisions++
    if (JSON.parse(body).result.decision === 'allow') found.allowed++
  }
  ledger.close()
  return found
}

function isProved({ gate: [command = '', ...args] }: Settings, ledger: string): boolean {
  try {
    execFileSync(command, [...args, 'audit', 'verify', '--ledger', ledger], { stdio: ['ignore', 'ignore', 'inherit'] })
    return true
  } catch {
    return false
  }
}

function residentMb({ pid }: Listening): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024
}
