/** The command line in the process of a test: each one of its own would cost more than what is tested. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { exitWith } from '../../src/cli/exit.ts'
import { program } from '../../src/cli/program.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Result {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export async function tollgate(args: readonly string[]): Promise<Result> {
  const said = { stdout: '', stderr: '' }
  const before = { stdout: process.stdout.write, stderr: process.stderr.write }
  for (const stream of ['stdout', 'stderr'] as const)
    process[stream].write = ((chunk: string | Uint8Array, ...rest: []) => {
      // What the test runner says of this process is bytes.
      if (typeof chunk !== 'string') return before[stream].call(process[stream], chunk, ...rest)
      said[stream] += chunk
      return true
    }) as typeof process.stdout.write
  try {
    process.exitCode = undefined
    await program.parseAsync([process.execPath, main, ...args]).catch(exitWith)
    return { status: Number(process.exitCode ?? 0), ...said }
  } finally {
    Object.assign(process.stdout, { write: before.stdout })
    Object.assign(process.stderr, { write: before.stderr })
    process.exitCode = undefined
  }
}

/** That it went well. */
export async function done(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tollgate(args)
  assert.equal(status, 0, stderr)
  return stdout
}

export async function refused(args: readonly string[], code: string, message = /./): Promise<void> {
  const { status, stderr } = await tollgate(args)
  assert.equal(status, 1, stderr)
  assert.match(stderr, new RegExp(`\\(${code}\\)\n$`))
  assert.match(stderr, message)
}
