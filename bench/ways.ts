/** The ways to one and the same server that are compared: without anything between, through a bare pipe, through the gate. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { policyText, toolNames } from './policies.ts'
import type { Settings } from './settings.ts'

export type Way = 'direct' | 'bare pipe' | 'gate'

export type Commands = Readonly<Record<Way, readonly string[]>>

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const echoServer = [process.execPath, here('./server.mjs')]

export const everythingServer = [
  process.execPath,
  here('../node_modules/@modelcontextprotocol/server-everything/dist/index.js'),
  'stdio',
]

/** `name` keeps apart the ledgers of gates that run at the same time. */
export function waysTo(server: readonly string[], name: string, settings: Settings): Commands {
  const policy = join(settings.folder, 'policy.yaml')
  // `echo` is the tool of server-everything.
  writeFileSync(policy, policyText([...toolNames(10), 'echo']))
  const options = ['-c', policy, '--ledger', join(settings.folder, `${name}.db`), '--agent', 'bench']
  return {
    direct: server,
    'bare pipe': [process.execPath, here('./pipe.mjs'), ...server],
    gate: [...settings.gate, 'run', ...options, '--', ...server],
  }
}
