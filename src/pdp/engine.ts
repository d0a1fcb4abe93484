/**
 * The policy decision point: one loaded policy, asked one question at a time. This is the one file that touches
 * `@open-policy-agent/opa-wasm`, and it answers for what that library leaves open: the question goes past its `evaluate`
 * (which takes falsy values for no input, and copies what it is given twice), thrown strings become errors, memory is
 * bounded, and an answer that came late is no answer. It prints to stdout, where MCP lives: what a module says there is
 * dropped.
 */
import { createRequire, Module } from 'node:module'
import type { LoadedPolicy } from '@open-policy-agent/opa-wasm'
import type { Json } from '../model/canonical.ts'
import type { Verdict } from '../model/decision.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { evaluationMsMax, wasmPagesMax } from '../model/limits.ts'
import { ownResources } from './sections.ts'
import { endsWithin } from './timeLimit.ts'
import { unheard } from './unheard.ts'
import { readVerdict } from './verdict.ts'

interface Library {
  loadPolicySync(module: WebAssembly.Module, memory: { initial: number; maximum: number }): LoadedPolicy
}

const require = createRequire(import.meta.url)

/**
 * The library is CommonJS with a types-only default; `require` gives it without an interop copy. It brings a YAML parser
 * along for a built-in that no policy of ours can call, 5 MB and as many milliseconds: it is handed nothing instead, and
 * only while it is loaded, since others may share that parser.
 */
function library(): Library {
  const name = '@open-policy-agent/opa-wasm'
  const parser = createRequire(require.resolve(name)).resolve('yaml')
  if (parser in require.cache) return require(name)
  require.cache[parser] = Object.assign(new Module(parser), { loaded: true })
  try {
    return require(name)
  } finally {
    delete require.cache[parser]
  }
}

const pageBytes = 64 * 1024

/** What OPA's runtime takes; the texts of a policy come on top and are in the module, so they are no larger than it. */
const ownPages = 5

export interface EngineOptions {
  /** From the result set on an input document to a verdict; that of our own policies unless told otherwise. */
  readonly read?: (results: unknown, input: string) => Verdict
  /** An answer that took longer is not taken; `evaluationMsMax` unless told otherwise. */
  readonly msMax?: number
  /** An evaluation that takes so long is ended wherever it is. Otherwise it is waited for. */
  readonly isEnded?: boolean
}

export class Engine {
  readonly #module: WebAssembly.Module
  readonly #pages: number
  readonly #data: Json
  readonly #entrypoint: string
  readonly #read: NonNullable<EngineOptions['read']>
  readonly #msMax: number
  readonly #limited: (ask: () => unknown) => unknown
  #ask: Ask | undefined

  /** Throws `engine_unloadable` when the module is not one that can be evaluated here, `engine_builtin_missing` when it lacks a function. */
  constructor(wasm: Uint8Array, data: Json, entrypoint: string, options: EngineOptions = {}) {
    const { read = readVerdict, msMax = evaluationMsMax, isEnded = false } = options
    this.#read = read
    this.#msMax = msMax
    this.#limited = isEnded ? endsWithin(msMax) : (ask) => ask()
    this.#data = data
    this.#entrypoint = entrypoint
    this.#pages = ownPages + Math.ceil(wasm.byteLength / pageBytes)
    try {
      this.#module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)
      requireOpa(this.#module)
      refuseHostBuiltins(this.#module)
      refuseOwnResources(wasm)
      this.#ask = unheard(() => this.#load())
    } catch (cause) {
      if (cause instanceof TollgateError) throw cause
      throw new TollgateError('engine_unloadable', `the policy module cannot be loaded: ${messageOf(cause)}`, { cause })
    }
  }

  /**
   * The verdict on an input document, given as its canonical JSON text. Throws `decision_undefined`, and `engine_failed` on anything but one
   * well-formed verdict in time; the next question gets a fresh instance, as a trap leaves the memory in any state.
   */
  evaluate(input: string): Verdict {
    try {
      this.#ask ??= unheard(() => this.#load())
      const ask = this.#ask
      // The first call of a policy loads it: on a busy machine that alone could take longer than a decision may.
      const started = performance.now()
      const verdict = this.#read(
        unheard(() => this.#limited(() => ask(input))),
        input,
      )
      const took = performance.now() - started
      if (took > this.#msMax) throw new Error(`evaluation took ${Math.round(took)} ms`)
      return verdict
    } catch (cause) {
      if (cause instanceof TollgateError) throw cause
      this.#ask = undefined
      throw new TollgateError('engine_failed', `the policy gave no decision: ${messageOf(cause)}`, { cause })
    }
  }

  #load(): Ask {
    const policy = library().loadPolicySync(this.#module, { initial: this.#pages, maximum: wasmPagesMax })
    if (!Object.hasOwn(policy.entrypoints, this.#entrypoint)) throw new Error(`no entrypoint \`${this.#entrypoint}\``)
    if (!(policy.minorVersion >= 2)) throw new Error(`an ABI before 1.2: 1.${policy.minorVersion}`)
    refuseMissingBuiltins(policy)
    policy.setData(this.#data as object)
    return asking(policy, policy.entrypoints[this.#entrypoint])
  }
}

/** JSON text in, the result set out. */
type Ask = (input: string) => unknown

/** `opa_eval` of OPA's ABI 1.2: context, entrypoint, data, input and its length, free memory, format of the answer. */
type OpaEval = (...args: [0, number, number, number, number, number, 0]) => number

/** The text is written where the module reads it, and the answer read where the module leaves it. */
function asking(policy: LoadedPolicy, entrypoint: number): Ask {
  const { mem, dataAddr, dataHeapPtr: start } = policy
  const { opa_eval: evaluate } = (policy.wasmInstance as WebAssembly.Instance).exports as { opa_eval: OpaEval }
  let memory = Buffer.from(mem.buffer)
  return (input) => {
    const length = Buffer.byteLength(input)
    const missing = start + length - memory.length
    if (missing > 0) mem.grow(Math.ceil(missing / pageBytes))
    if (memory.buffer !== mem.buffer) memory = Buffer.from(mem.buffer)
    memory.write(input, start)
    const answer = evaluate(0, entrypoint, dataAddr, start, length, start + length, 0)
    if (memory.buffer !== mem.buffer) memory = Buffer.from(mem.buffer) // it grew, and the old view sees nothing
    return JSON.parse(memory.toString('utf8', answer, memory.indexOf(0, answer)))
  }
}

/** Functions that OPA's modules do not have in them: those of time, chance and the network, and others that each host would have in its own way. */
function refuseMissingBuiltins({ mem, wasmInstance }: LoadedPolicy): void {
  const { builtins, opa_json_dump: dump } = (wasmInstance as WebAssembly.Instance).exports as {
    builtins: () => number
    opa_json_dump: (address: number) => number
  }
  const start = dump(builtins())
  const memory = Buffer.from(mem.buffer)
  const names = Object.keys(JSON.parse(memory.toString('utf8', start, memory.indexOf(0, start))) as object).sort()
  if (names.length === 0) return
  throw new TollgateError(
    'engine_builtin_missing',
    `the policy module asks its host for functions: ${names.map((name) => `\`${name}\``).join(', ')}; a decision depends on its input alone, and a gate has none of them`,
  )
}

/** The library says on stdout, where MCP lives, that a module has no ABI, and goes on. */
function requireOpa(module: WebAssembly.Module): void {
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name))
  for (const name of ['opa_wasm_abi_version', 'opa_wasm_abi_minor_version', 'opa_eval'])
    if (!names.has(name)) throw new Error(`it is no module of OPA: it has no \`${name}\``)
}

/** A function the host would have to supply is one that our compiler never lets through: time, chance, the network. */
function refuseHostBuiltins(module: WebAssembly.Module): void {
  const known = new Set([
    'memory',
    'opa_abort',
    'opa_println',
    'opa_builtin0',
    'opa_builtin1',
    'opa_builtin2',
    'opa_builtin3',
    'opa_builtin4',
  ])
  const odd = WebAssembly.Module.imports(module).find(({ module: from, name }) => from !== 'env' || !known.has(name))
  if (odd) throw new Error(`unknown import \`${odd.module}.${odd.name}\``)
}

/** What a module takes for itself is bounded by nobody. */
function refuseOwnResources(wasm: Uint8Array): void {
  const trouble = ownResources(wasm)
  if (trouble !== undefined) throw new Error(trouble)
}
