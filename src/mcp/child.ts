/** The server as a child process: how it is started, and how it is brought to an end. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { messageOf, TollgateError } from '../model/errors.ts'
import { starterFor } from './starter.ts'

export type Child = ChildProcessByStdio<Writable, Readable, null>

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** A running child; what it writes to stderr goes to ours. */
export async function startChild({ command, args, env, cwd }: Command): Promise<Child> {
  const starter = starterFor(process.platform)
  const start = starter ? await starter : spawn
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(spawnFailed(command, error))
    try {
      const options = { ...(env !== undefined && { env }), ...(cwd !== undefined && { cwd }) }
      const child = start(command, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] })
      child.once('error', fail)
      child.once('spawn', () => resolve(child))
    } catch (error) {
      fail(error)
    }
  })
}

function spawnFailed(command: string, error: unknown): TollgateError {
  const code = (error as NodeJS.ErrnoException).code
  const why = code === 'ENOENT' ? 'there is no such command or folder' : messageOf(error)
  return new TollgateError('spawn_failed', `cannot start \`${command}\`: ${why}`, { cause: error })
}

/** The exit code of a process as a shell gives it. */
export function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? (signal === null ? 1 : 128 + constants.signals[signal])
}
