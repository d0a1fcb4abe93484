// One running compiler: a child process that takes a line and answers a line, one at a time.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { CompileError } from './errors.ts'
import { answerBytesMax, crashReportBytesMax } from './limits.ts'

type Child = ChildProcessByStdio<Writable, Readable, Readable>

interface Waiting {
  readonly resolve: (line: string) => void
  readonly reject: (error: CompileError) => void
  readonly timer: NodeJS.Timeout
}

// Run as TypeScript from the sources and as JavaScript from dist/.
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
const entry = fileURLToPath(new URL(`./child${extension}`, import.meta.url))

export class CompilerProcess {
  readonly #child: Child
  readonly #ended: Promise<void>
  #waiting: Waiting | undefined
  #chunks: Buffer[] = []
  #bytes = 0
  #crash = ''
  #alive = true

  constructor(folder: string) {
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, folder], {
      stdio: ['pipe', 'pipe', 'pipe'], // the parent's stdout belongs to MCP
      env: childEnvironment(),
      windowsHide: true,
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve(this.#end()))
      this.#child.once('error', (error) => resolve(this.#end(error)))
    })
    this.#child.stdin.on('error', () => {}) // a broken pipe is told by the end of the process
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => {
      if (this.#crash.length < crashReportBytesMax) this.#crash += chunk.toString('utf8')
    })
    this.#hold(false)
  }

  get alive(): boolean {
    return this.#alive
  }

  /** The caller asks one thing at a time. A request that takes too long costs the process its life. */
  ask(line: string, timeLimitMs: number): Promise<string> {
    if (this.#waiting !== undefined) throw new TypeError('the compiler was asked twice at once')
    this.#hold(true)
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new CompileError('compiler_timeout', `the compiler gave no answer within ${timeLimitMs} ms`))
      }, timeLimitMs)
      this.#waiting = { resolve, reject, timer }
      this.#child.stdin.write(`${line}\n`)
    })
  }

  async stop(): Promise<void> {
    this.#fail(new CompileError('compiler_closed', 'the compiler was closed before it answered'))
    this.#hold(true)
    await this.#ended
  }

  #receive(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > answerBytesMax) {
      this.#fail(new CompileError('compiler_answer_too_large', `the answer has more than ${answerBytesMax} bytes`))
      return
    }
    this.#chunks.push(chunk)
    if (chunk.at(-1) !== 0x0a) return // one answer to one question: its newline is the last byte
    const line = Buffer.concat(this.#chunks).toString('utf8')
    this.#chunks = []
    this.#bytes = 0
    this.#settle((waiting) => waiting.resolve(line))
  }

  #fail(error: CompileError): void {
    this.#alive = false
    this.#child.kill('SIGKILL')
    this.#settle((waiting) => waiting.reject(error))
  }

  #end(cause?: Error): void {
    this.#alive = false
    const report = cause?.message ?? this.#crash.slice(0, crashReportBytesMax).trim()
    const message = `the compiler stopped before it answered${report === '' ? '' : `: ${report}`}`
    this.#settle((waiting) => waiting.reject(new CompileError('compiler_stopped', message, { cause })))
  }

  #settle(tell: (waiting: Waiting) => void): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    clearTimeout(waiting.timer)
    this.#hold(false)
    tell(waiting)
  }

  /** The parent waits for an answer, never for an idle compiler. */
  #hold(yes: boolean): void {
    const pipes = [this.#child.stdin, this.#child.stdout, this.#child.stderr] as unknown as Socket[]
    for (const handle of [this.#child, ...pipes]) {
      if (yes) handle.ref()
      else handle.unref()
    }
  }
}

/** Options meant for the parent's own Node (inspectors, loaders, test reporters) stay with the parent. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, NODE_V8_COVERAGE: _coverage, ...rest } = process.env
  return rest
}
