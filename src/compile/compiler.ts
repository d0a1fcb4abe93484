// The compiler as the rest of Tollgate sees it: started when first asked, reused, restarted when it died.
import { type Capabilities, policyCapabilities, testCapabilities } from './capabilities.ts'
import { CompileError, compileErrorOf, type Diagnostic, ownFailure } from './errors.ts'
import { idleMsMax, requestBytesMax, requestMsMax } from './limits.ts'
import { compilerFolder } from './module.ts'
import { CompilerProcess } from './process.ts'
import type {
  Answer,
  Build,
  BuildRequest,
  CheckRequest,
  CompilerVersion,
  CoverageReport,
  EvalRequest,
  FormatRequest,
  Request,
  TestReport,
  TestRequest,
  TestResult,
} from './request.ts'

export interface CompilerOptions {
  /** Where compiler.json and the packed module lie. */
  readonly folder?: string
  /** For one request, the start of the process included. */
  readonly timeLimitMs?: number
  /** How long its process waits for the next request before it ends. */
  readonly idleMs?: number
}

export interface Compiler extends AsyncDisposable {
  /** Throws a `CompileError` with every mistake. */
  build(request: BuildRequest): Promise<Build>
  /** Every mistake, or none. */
  check(request: CheckRequest): Promise<readonly Diagnostic[]>
  format(request: FormatRequest): Promise<string>
  test(request: TestRequest): Promise<TestReport>
  /** OPA's own evaluator: the value of the query once per solution, nothing when it is undefined. */
  eval(request: EvalRequest): Promise<readonly unknown[]>
  version(): Promise<CompilerVersion>
  close(): Promise<void>
}

export async function openCompiler(options: CompilerOptions = {}): Promise<Compiler> {
  return new OpenCompiler(options)
}

class OpenCompiler implements Compiler {
  readonly #folder: string
  readonly #timeLimitMs: number
  readonly #idleMs: number
  #process: CompilerProcess | undefined
  #last: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined
  #closed = false

  constructor({ folder = compilerFolder, timeLimitMs = requestMsMax, idleMs = idleMsMax }: CompilerOptions) {
    this.#folder = folder
    this.#timeLimitMs = timeLimitMs
    this.#idleMs = idleMs
  }

  async build(request: BuildRequest): Promise<Build> {
    const answer = await this.#ask({ op: 'build', ...request, ...allowed(request, policyCapabilities) })
    const { wasm, entrypoints } = succeeded(answer) as { wasm: string; entrypoints: readonly string[] }
    return { wasm: new Uint8Array(Buffer.from(wasm, 'base64')), entrypoints }
  }

  async check(request: CheckRequest): Promise<readonly Diagnostic[]> {
    const { errors = [] } = await this.#ask({ op: 'check', ...request, ...allowed(request, policyCapabilities) })
    const failure = ownFailure(errors)
    if (failure !== undefined) throw failure
    return errors
  }

  async format(request: FormatRequest): Promise<string> {
    const { text } = succeeded(await this.#ask({ op: 'format', ...request })) as { text: string }
    return text
  }

  async test(request: TestRequest): Promise<TestReport> {
    const answer = await this.#ask({ op: 'test', ...request, ...allowed(request, testCapabilities) })
    return succeeded(answer) as { tests: readonly TestResult[]; coverage?: CoverageReport }
  }

  async eval(request: EvalRequest): Promise<readonly unknown[]> {
    const answer = await this.#ask({ op: 'eval', ...request, ...allowed(request, policyCapabilities) })
    const { results } = succeeded(answer) as { results: readonly unknown[] }
    return results
  }

  async version(): Promise<CompilerVersion> {
    const { opa, go } = succeeded(await this.#ask({ op: 'version' })) as { opa: string; go: string }
    return { opa, go }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idle)
    await this.#process?.stop()
    this.#process = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Requests are answered in the order in which they were asked; a failed one does not fail the next. */
  #ask(request: Request): Promise<Answer> {
    const line = serialise(request)
    const answer = this.#last.then(() => this.#askNow(line))
    this.#last = answer.catch(() => {})
    return answer
  }

  async #askNow(line: string): Promise<Answer> {
    if (this.#closed) throw new CompileError('compiler_closed', 'the compiler is closed')
    clearTimeout(this.#idle)
    if (this.#process?.alive !== true) this.#process = new CompilerProcess(this.#folder)
    try {
      return readAnswer(await this.#process.ask(line, this.#timeLimitMs))
    } finally {
      this.#idle = setTimeout(() => this.#process?.stop(), this.#idleMs).unref()
    }
  }
}

/** A request that names no capabilities, even by an explicit `undefined`, must not be allowed everything. */
function allowed(request: { readonly capabilities?: Capabilities }, otherwise: Capabilities) {
  return { capabilities: request.capabilities ?? otherwise }
}

function serialise(request: Request): string {
  requireWellFormed(request)
  const line = JSON.stringify(request)
  if (Buffer.byteLength(line) > requestBytesMax) {
    throw new CompileError('compiler_request_too_large', `the request has more than ${requestBytesMax} bytes`)
  }
  return line
}

/** A lone surrogate would reach the compiler as another character than the one that was written. */
function requireWellFormed(request: Request): void {
  if (!('modules' in request)) return
  for (const [path, text] of Object.entries(request.modules)) {
    if (path.isWellFormed() && typeof text === 'string' && text.isWellFormed()) continue
    throw new CompileError('compiler_bad_request', `module \`${path.toWellFormed()}\` is not well-formed text`)
  }
}

function readAnswer(line: string): Answer {
  let answer: unknown
  try {
    answer = JSON.parse(line)
  } catch (cause) {
    throw new CompileError('compiler_internal', 'the compiler answered something that is not JSON', { cause })
  }
  if (typeof answer === 'object' && answer !== null) return answer as Answer
  throw new CompileError('compiler_internal', 'the compiler answered something that is not an object')
}

function succeeded(answer: Answer): Answer {
  if (answer.errors !== undefined) throw compileErrorOf(answer.errors)
  return answer
}
