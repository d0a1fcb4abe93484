/** The memory of the gate while calls go through it: it must not grow with them. */
import { execFileSync } from 'node:child_process'
import { Client } from './client.ts'
import { passingArguments } from './policies.ts'
import type { Section } from './report.ts'
import { type Settings, times } from './settings.ts'
import { median } from './stats.ts'
import { echoServer, waysTo } from './ways.ts'

const samples = 20
const inFlight = 16

export async function memorySection(settings: Settings): Promise<Section> {
  const calls = times(100_000, settings)
  const commands = waysTo(echoServer, 'memory', settings)
  const gate = await residentAfter(commands.gate, calls)
  const pipe = await residentAfter(commands['bare pipe'], calls)
  const early = median(gate.slice(samples / 4, samples / 2))
  const late = median(gate.slice(-samples / 4))
  return {
    title: 'Memory',
    about:
      `Resident memory of the process alone, as the system tells it (\`ps -o rss\`), while ${calls.toLocaleString('en')} ` +
      `calls go through it, ${inFlight} at a time. The server is a process of its own and is not counted.`,
    tables: [
      {
        columns: ['calls', 'gate MB', 'bare pipe MB'],
        rows: gate.flatMap((mb, index) =>
          index % (samples / 5) === samples / 5 - 1 || index === 0
            ? [[Math.round((calls / samples) * (index + 1)).toLocaleString('en'), mb, pipe[index] as number]]
            : [],
        ),
      },
    ],
    targets: [
      {
        what: 'memory of the gate, at its highest',
        bound: 'at most',
        limit: 90,
        unit: ' MB',
        measured: Math.max(...gate),
      },
      {
        what: 'memory over the last quarter of the calls against the second',
        bound: 'at most',
        limit: 1.05,
        unit: ' times',
        measured: late / early,
      },
    ],
  }
}

async function residentAfter(command: readonly string[], calls: number): Promise<readonly number[]> {
  const client = new Client(command)
  await client.initialize()
  const found: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    let left = Math.ceil(calls / samples)
    const worker = async () => {
      while (left-- > 0) await client.call('tool_0000', passingArguments())
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
    found.push(residentMb(client.pid))
  }
  await client.close()
  return found
}

function residentMb(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024
}
