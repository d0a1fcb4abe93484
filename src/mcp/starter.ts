/**
 * How a server is started: as MCP clients do it. On Windows `npx` and its like are scripts, which the system does not start
 * by themselves; the library finds them and quotes for their shell.
 */
import type { spawn } from 'node:child_process'

/** Undefined where the system's own way is enough: nobody waits for anything there. */
export function starterFor(platform: NodeJS.Platform): Promise<typeof spawn> | undefined {
  if (platform !== 'win32') return undefined
  return import('cross-spawn').then(({ default: crossSpawn }) => crossSpawn as typeof spawn)
}
