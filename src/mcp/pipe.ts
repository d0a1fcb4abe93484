/** A stdio server that a gate keeps for callers elsewhere: lines in, lines out, and how it is brought to an end. */
import { lineBytesMax } from '../model/limits.ts'
import { type Child, type Command, signalGroup, startChild } from './child.ts'
import { Outlet, Tap } from './flow.ts'
import { type Frame, type Line, LineSplitter, tooLong } from './framing.ts'
import { drainMs, stopGraceMs, unreadBytesMax } from './limits.ts'

export interface PipePorts {
  /** Takes lines of the server as they came. */
  readonly take: (line: Buffer) => void
  /** Nothing comes any more, and nothing that is written arrives. */
  readonly gone: () => void
  readonly log: (sentence: string) => void
}

export class Pipe {
  readonly #child: Child
  readonly #ports: PipePorts
  readonly #tap: Tap
  readonly #out: Outlet
  readonly #lines = new LineSplitter(lineBytesMax)
  readonly #over: Promise<void>
  #isOver = false
  #stopTimer: NodeJS.Timeout | undefined

  private constructor(child: Child, ports: PipePorts) {
    this.#child = child
    this.#ports = ports
    this.#tap = new Tap(child.stdout)
    this.#out = new Outlet(child.stdin, () => this.stop())
    child.stdout.on('data', (chunk: Buffer) => this.#take(this.#lines.push(chunk)))
    child.stdout.once('end', () => this.stop())
    child.stdout.on('error', () => this.stop())
    child.on('error', ({ message }) => ports.log(`the MCP server cannot be signalled: ${message}`))
    this.#over = this.#end()
  }

  /** Rejects with `spawn_failed`. */
  static async start(command: Command, ports: PipePorts): Promise<Pipe> {
    return new Pipe(await startChild({ ...command, ownGroup: true }), ports)
  }

  /** It does not read what was written: more of it would only fill our memory. */
  get isStuck(): boolean {
    return this.#child.stdin.writableLength > unreadBytesMax
  }

  get over(): Promise<void> {
    return this.#over
  }

  write(line: Line): void {
    this.#out.write([line])
  }

  /** It is not read on until then. */
  async holdUntil(free: Promise<void>): Promise<void> {
    this.#tap.hold()
    await free
    this.#tap.release()
  }

  /** Its input ends; some servers outlive that, and some a SIGTERM. */
  stop(): void {
    if (this.#stopTimer !== undefined || this.#isOver) return
    this.#out.end()
    this.#stopTimer = setTimeout(() => {
      signalGroup(this.#child, 'SIGTERM')
      this.#stopTimer = setTimeout(() => signalGroup(this.#child, 'SIGKILL'), stopGraceMs)
    }, stopGraceMs)
  }

  #take(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (this.#isOver) return
      if (frame === tooLong) this.#ports.log(`dropped a line of the server: over ${lineBytesMax} bytes`)
      else this.#ports.take(frame)
    }
  }

  /** Once it has exited and what it wrote was read; whatever it started may hold its output open for ever. */
  async #end(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve))
    await new Promise((resolve) => this.#child.once('exit', resolve))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([closed, new Promise((resolve) => (timer = setTimeout(resolve, drainMs)))])
    clearTimeout(timer)
    clearTimeout(this.#stopTimer)
    this.#take(this.#lines.end())
    this.#isOver = true
    signalGroup(this.#child, 'SIGKILL') // what it left behind
    this.#ports.gone()
  }
}
