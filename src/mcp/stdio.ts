/** A stdio server behind the gate: what its client writes is judged on the way, what it answers is looked through. */
import type { Readable, Writable } from 'node:stream'
import type { Principal } from '../model/call.ts'
import { lineBytesMax } from '../model/limits.ts'
import type { Id } from '../model/message/message.ts'
import { readMessage, unreadLine } from '../model/message/read.ts'
import type { Run } from '../model/pack/run.ts'
import type { Gatekeeper } from '../pep/gatekeeper.ts'
import { type Child, type Command, exitCode, startChild } from './child.ts'
import { Outlet, Tap } from './flow.ts'
import { type Frame, LineSplitter, tooLong } from './framing.ts'
import { Interceptor } from './interceptor.ts'
import { drainMs, stopGraceMs, stoppedGraceMs } from './limits.ts'
import type { Step } from './plan.ts'
import type { WaitOptions } from './scope.ts'

export interface RelayOptions extends WaitOptions {
  readonly gate: Gatekeeper
  /** Name of the server, as the policy knows it. */
  readonly server: string
  readonly principal: Principal
  readonly session: string
  /** The run of a workflow that the calls belong to, as its host has registered it by now. */
  readonly run?: (principal: Principal) => Run | undefined
  /** Takes a sentence for the operator; nothing but MCP may go to `clientOut`. */
  readonly log: (sentence: string) => void
  readonly clientIn?: Readable
  readonly clientOut?: Writable
}

const passedSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Runs the server until it ends. Rejects with `spawn_failed` when it cannot be started. */
export async function relayStdio(options: RelayOptions & Command): Promise<{ readonly code: number }> {
  return relayTo(await startChild(options), options)
}

/** The same for a server that has just been started. */
export function relayTo(child: Child, options: RelayOptions): Promise<{ readonly code: number }> {
  return new Relay(options, child).run()
}

class Relay {
  readonly #options: RelayOptions
  readonly #child: Child
  readonly #clientIn: Readable
  readonly #clientTap: Tap
  readonly #serverTap: Tap
  readonly #toClient: Outlet
  readonly #toServer: Outlet
  readonly #clientLines = new LineSplitter(lineBytesMax)
  readonly #serverLines = new LineSplitter(lineBytesMax)
  readonly #interceptor: Interceptor
  #stopTimer: NodeJS.Timeout | undefined
  /** Nobody is left whose call could go on. */
  readonly #gone = new AbortController()
  #clientGone = false
  #whenClientGone = () => {}
  #signalled = false
  /** The caller was stopped: its server ends, and it is told so as long as it asks. */
  #isStopped = false
  #over = false

  constructor(options: RelayOptions, child: Child) {
    this.#options = options
    this.#child = child
    this.#clientIn = options.clientIn ?? process.stdin
    this.#clientTap = new Tap(this.#clientIn)
    this.#serverTap = new Tap(child.stdout)
    this.#toClient = new Outlet(options.clientOut ?? process.stdout, () => this.#lostClient())
    this.#toServer = new Outlet(child.stdin, () => this.#stop())
    this.#interceptor = new Interceptor({ ...options, unasked: 'drop' })
  }

  async run(): Promise<{ readonly code: number }> {
    const onSignal = (signal: NodeJS.Signals) => this.#passSignal(signal)
    for (const signal of passedSignals) process.on(signal, onSignal)
    this.#options.gate.onPolicyChange(() => this.#changePolicy())
    this.#options.gate.onKill(() => this.#endStopped())
    this.#endStopped()
    this.#listen()
    const code = await this.#ended()
    if (this.#isStopped && !this.#clientGone)
      await new Promise<void>((resolve) => {
        this.#whenClientGone = resolve
      })
    this.#over = true
    this.#gone.abort()
    clearTimeout(this.#stopTimer)
    this.#write(this.#interceptor.serverGone('the MCP server ended before it answered'), this.#serverTap)
    this.#clientIn.pause()
    for (const signal of passedSignals) process.off(signal, onSignal)
    await this.#toClient.flushed()
    return { code }
  }

  #listen(): void {
    this.#clientIn.on('data', (chunk: Buffer) => this.#fromClient(this.#clientLines.push(chunk)))
    this.#clientIn.once('end', () => {
      this.#fromClient(this.#clientLines.end())
      this.#lostClient()
    })
    this.#clientIn.once('error', () => this.#lostClient())
    this.#clientIn.once('close', () => this.#lostClient())
    this.#child.stdout.on('data', (chunk: Buffer) => this.#fromServer(this.#serverLines.push(chunk)))
    this.#child.stdout.once('end', () => {
      this.#fromServer(this.#serverLines.end())
      this.#stop()
    })
    this.#child.stdout.on('error', () => this.#stop())
    this.#child.on('error', (error) => this.#options.log(`the server cannot be signalled: ${error.message}`))
  }

  #fromClient(frames: readonly Frame[]): void {
    if (this.#over || frames.length === 0) return
    const reads = frames.map((frame) =>
      frame === tooLong ? unreadLine(lineBytesMax) : readMessage(frame.subarray(0, -1)),
    )
    const step = this.#interceptor.fromClient(reads)
    this.#write(step, this.#clientTap)
    for (const id of step.kept ?? []) void this.#wait(id)
  }

  /** A call that a person was asked about, until it goes on or is refused. */
  async #wait(id: Id): Promise<void> {
    for await (const step of this.#interceptor.wait(id, this.#gone.signal)) this.#write(step, this.#clientTap)
  }

  #fromServer(frames: readonly Frame[]): void {
    if (this.#over || frames.length === 0) return
    const lines = frames.filter((frame) => frame !== tooLong)
    if (lines.length < frames.length) this.#options.log(`dropped a line of the server: over ${lineBytesMax} bytes`)
    this.#write(this.#interceptor.fromServer(lines), this.#serverTap)
  }

  #endStopped(): void {
    if (this.#over) return
    this.#write(this.#interceptor.endStopped(), this.#serverTap)
    const { stopped } = this.#interceptor
    if (stopped === undefined || this.#isStopped) return
    this.#isStopped = true
    this.#options.log(`${stopped.message}: the MCP server ends, and every message is refused`)
    this.#interceptor.close()
    this.#endServer(stoppedGraceMs)
  }

  #changePolicy(): void {
    if (!this.#over && !this.#isStopped) this.#write(this.#interceptor.policyChanged(), this.#serverTap)
  }

  #write({ toServer, toClient }: Step, cause: Tap): void {
    this.#toServer.write(toServer, cause)
    this.#toClient.write(toClient, cause)
    this.#interceptor.settle()
  }

  #lostClient(): void {
    this.#clientGone = true
    this.#whenClientGone()
    this.#stop()
  }

  #passSignal(signal: NodeJS.Signals): void {
    this.#signalled = true
    this.#whenClientGone()
    this.#child.kill(signal)
    this.#stop()
  }

  /** Some servers outlive the end of their input, and some a SIGTERM. */
  #stop(): void {
    if (this.#stopTimer !== undefined || this.#over || this.#isStopped) return
    this.#gone.abort()
    this.#clientTap.hold()
    this.#endServer()
  }

  #endServer(graceMs = stopGraceMs): void {
    if (this.#stopTimer !== undefined) return
    this.#toServer.end()
    this.#stopTimer = setTimeout(() => {
      this.#child.kill('SIGTERM')
      this.#stopTimer = setTimeout(() => this.#child.kill('SIGKILL'), stopGraceMs)
    }, graceMs)
  }

  /** The exit code, once the server has exited and all that it wrote was read. */
  #ended(): Promise<number> {
    return new Promise((resolve) => {
      let code = 0
      let silence: NodeJS.Timeout | undefined
      const finish = () => {
        clearTimeout(silence)
        resolve(code)
      }
      const finishIfRead = () => (this.#child.stdout.isPaused() ? silence?.refresh() : finish())
      this.#child.once('exit', (exit, signal) => {
        code = this.#codeOf(exit, signal)
        silence = setTimeout(finishIfRead, drainMs)
        this.#child.stdout.on('data', () => silence?.refresh())
      })
      this.#child.once('close', finish)
    })
  }

  /** A server that we had to kill because its client was gone has not failed. */
  #codeOf(code: number | null, signal: NodeJS.Signals | null): number {
    const killedByUs = signal === 'SIGTERM' || signal === 'SIGKILL'
    const wanted = (this.#clientGone || this.#isStopped) && !this.#signalled
    return killedByUs && wanted ? 0 : exitCode(code, signal)
  }
}
