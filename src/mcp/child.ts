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
  /** In a process group of its own, where there are any, so that all that it starts can be signalled with it. */
  readonly ownGroup?: boolean
}

/** A running child; what it writes to stderr goes to ours. */
export async function startChild({ command, args, env, cwd, ownGroup }: Command): Promise<Child> {
  const starter = starterFor(process.platform)
  const start = starter ? await starter : spawn
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(spawnFailed(command, error))
    try {
      const options = { ...(env !== undefined && { env }), ...(cwd !== undefined && { cwd }) }
      const detached = ownGroup === true && hasGroups
      const child = start(command, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'], detached })
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

/** Windows has no process groups. */
const hasGroups = process.platform !== 'win32'

/** Signals a child that was started in a group of its own, and all that it started. */
export function signalGroup({ pid }: Child, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(hasGroups ? -pid : pid, signal)
  } catch {
    // nobody is left
  }
}

/** The exit code of a process as a shell gives it. */
export function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? (signal === null ? 1 : 128 + constants.signals[signal])
}
