/** The ways to one server over HTTP that are compared: without anything between, through a bare relay, through the gate. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { policyText, toolNames } from './policies.ts'
import type { Settings } from './settings.ts'

export type HttpWay = 'direct' | 'bare relay' | 'gate'

export const httpWays: readonly HttpWay[] = ['direct', 'bare relay', 'gate']

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const echoHttp = [here('./httpServer.mjs')]

export const everythingHttp = [
  here('../node_modules/@modelcontextprotocol/server-everything/dist/index.js'),
  'streamableHttp',
]

/** A program that listens, until it is closed. */
export class Listening {
  readonly url: URL
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: URL) {
    this.#child = child
    this.url = url
  }

  static async start([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Listening> {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    const url = await new Promise<string>((resolve, reject) => {
      createInterface(child.stderr).on('line', (line) => {
        said = `${said}${line}\n`.slice(-2_000)
        const [, address, port] = /listening on (?:(http:\S+)|port (\d+))/.exec(line) ?? []
        if (address !== undefined) resolve(address)
        else if (port !== undefined) resolve(`http://127.0.0.1:${port}/mcp`)
      })
      child.once('exit', () => reject(new Error(said)))
    })
    return new Listening(child, new URL(url))
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Processor time that it has used; not a number where the system does not say. */
  get processorMs(): number {
    try {
      const fields = readFileSync(`/proc/${this.pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')
      return (Number(fields[11]) + Number(fields[12])) * tickMs
    } catch {
      return Number.NaN
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 12_000)
    await exited
    clearTimeout(timer)
  }
}

/** What Linux counts processor time in, on every machine of today. */
const tickMs = 10

export async function startServer(args: readonly string[]): Promise<Listening> {
  return Listening.start([process.execPath, ...args], { PORT: String(await freePort()) })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

export function startRelay(server: Listening): Promise<Listening> {
  return Listening.start([process.execPath, here('./httpRelay.mjs'), server.url.href])
}

/** `name` keeps apart the ledgers of gates that run at the same time. */
export function startGate(server: Listening, name: string, settings: Settings): Promise<Listening> {
  const policy = join(settings.folder, `${name}.yaml`)
  // `echo` is the tool of server-everything.
  writeFileSync(policy, policyText([...toolNames(10), 'echo']))
  const options = ['-c', policy, '--ledger', join(settings.folder, `${name}.db`), '--agent', 'bench']
  return Listening.start([
    ...settings.gate,
    'serve',
    ...options,
    '--listen',
    '127.0.0.1:0',
    '--upstream',
    server.url.href,
  ])
}
