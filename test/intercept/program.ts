/** Intercept itself, as a program: what it says of calls, in their order, as its own event log has it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RandomCall } from './arbitrary.ts'

export interface Said {
  readonly result: 'allowed' | 'denied'
  readonly rule?: string
  readonly message?: string
}

/** The program to ask, or undefined where there is none. */
export function findIntercept(): string | undefined {
  const program = process.env['TOLLGATE_INTERCEPT'] ?? 'intercept'
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 20_000 })
  return status === 0 && stdout.includes('intercept') ? program : undefined
}

/** Throws what it wrote when it refuses the policy. Its upstream is `cat`: a request that comes back is no answer. */
export function askIntercept(program: string, policy: string, calls: readonly RandomCall[]): readonly Said[] {
  const home = mkdtempSync(join(tmpdir(), 'tollgate-intercept-'))
  try {
    mkdirSync(join(home, 'state'))
    const file = join(home, 'policy.yaml')
    writeFileSync(file, policy)
    const input = calls.map((call, index) => `${JSON.stringify(requestOf(call, index))}\n`).join('')
    const args = ['-c', file, '--state-dir', join(home, 'state'), '--log-level', 'error', '--', 'cat']
    const run = spawnSync(program, args, {
      input,
      encoding: 'utf8',
      timeout: 60_000,
      env: { PATH: process.env['PATH'], HOME: home },
    })
    if (run.status !== 0) throw new Error(run.stderr)
    return saidIn(join(home, '.intercept', 'events'))
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function requestOf({ tool, arguments: args }: RandomCall, id: number) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } }
}

function saidIn(folder: string): readonly Said[] {
  const lines = readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean),
  )
  const events = lines.map((line) => JSON.parse(line) as Said & { readonly type: string })
  return events.filter(({ type }) => type === 'tool_call')
}
