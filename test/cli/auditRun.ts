/** Runs the command line as a person does, and gives what it printed. */
import { spawnSync } from 'node:child_process'

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export function tollgate(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Ran {
  const { PATH = '', HOME = '', TOLLGATE_CACHE_DIR = '', NODE_COMPILE_CACHE = '' } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { PATH, HOME, TOLLGATE_CACHE_DIR, NODE_COMPILE_CACHE, ...env },
    ...(cwd !== undefined && { cwd }),
  })
  return { status, stdout, stderr }
}
