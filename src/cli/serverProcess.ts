/** A stdio server as a transport of the MCP client, in a process group of its own: all that it starts ends with it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from '@modelcontextprotocol/client'
import { stopGraceMs } from '../mcp/limits.ts'
import { starterFor } from '../mcp/starter.ts'

export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  /** This process's own unless told otherwise. */
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Hears what the server writes to stderr. */
  readonly hear: (chunk: Buffer) => void
}

/**
 * The client's own transport signals the process that it started and no other: of `npx SERVER` the server would live on,
 * and hold our end of its pipes open.
 */
export class ServerProcess implements Transport {
  onmessage?: NonNullable<Transport['onmessage']>
  onclose?: () => void
  onerror?: (error: Error) => void
  /** The client knows a stdio server by these two. */
  readonly stderr = null
  #child: ChildProcessByStdio<Writable, Readable, Readable> | undefined
  readonly #command: ServerCommand
  readonly #buffer = new ReadBuffer()

  constructor(command: ServerCommand) {
    this.#command = command
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    const { command, args, env, cwd, hear } = this.#command
    const starter = starterFor(process.platform)
    const start = starter ? await starter : spawn
    const surroundings = { ...(env !== undefined && { env }), ...(cwd !== undefined && { cwd }) }
    return new Promise((resolve, reject) => {
      const child = start(command, args, { ...surroundings, stdio: ['pipe', 'pipe', 'pipe'], detached: ownGroups })
      this.#child = child
      child.once('error', reject)
      child.once('spawn', resolve)
      child.once('close', () => this.onclose?.())
      child.stdin.on('error', (error) => this.onerror?.(error))
      child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
      child.stderr.on('data', hear)
    })
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (!this.#child?.stdin.writable) throw new Error('the server does not read any more')
    this.#child.stdin.write(serializeMessage(message))
  }

  /** Its input ends, then SIGTERM, then SIGKILL, each with some time to end by itself. */
  async close(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.pid === undefined) return
    child.stdin.end()
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await endsWithin(child.pid, stopGraceMs)) break
      signalAll(child.pid, signal)
    }
    await endsWithin(child.pid, killedMs)
    // Whoever left the group may still hold the other ends.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  }

  #read(chunk: Buffer): void {
    try {
      this.#buffer.append(chunk)
    } catch (error) {
      this.onerror?.(error as Error)
      void this.close()
      return
    }
    while (this.#readMessage());
  }

  /** False when there is no whole message any more. A line that is none is passed over. */
  #readMessage(): boolean {
    try {
      const message = this.#buffer.readMessage()
      if (message) this.onmessage?.(message)
      return message !== null
    } catch (error) {
      this.onerror?.(error as Error)
      return true
    }
  }
}

/** Windows has no process groups. */
const ownGroups = process.platform !== 'win32'

const pollMs = 20

/** The system takes a moment to clear away what it killed, and never does where nobody collects orphans. */
const killedMs = 500

async function endsWithin(pid: number, ms: number): Promise<boolean> {
  for (let waited = 0; waited < ms; waited += pollMs) {
    if (!signalAll(pid, 0)) return true
    await wait(pollMs)
  }
  return !signalAll(pid, 0)
}

/** False when nobody is left. */
function signalAll(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(ownGroups ? -pid : pid, signal)
  } catch {
    return false
  }
}
