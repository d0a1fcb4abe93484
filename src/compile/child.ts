// The compiler's process: verifies the module, then runs it between stdin and stdout until stdin ends.
//
// The Go program sees no file, no environment and no network: its `fs` is the two streams below and nothing else.
import { readFileSync } from 'node:fs'
import { runInThisContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { zstdDecompressSync } from 'node:zlib'
import { readIdentity, sha256 } from './module.ts'

/** What Go's wasm_exec.js defines. */
interface GoRuntime {
  readonly importObject: object
  exit: (code: number) => void
  run(instance: object): Promise<void>
}

/** The globals in use here that Node's types do not declare. */
interface Globals {
  readonly Go: new () => GoRuntime
  readonly WebAssembly: { instantiate(module: Uint8Array, imports: object): Promise<{ instance: object }> }
  readonly fs: Record<string, unknown>
}

type Done = (error: Error | null, count?: number) => void

class DigestMismatch extends Error {}

const globals = globalThis as unknown as Globals
const [folder, parentPid] = process.argv.slice(2)
if (folder === undefined || parentPid === undefined) throw new TypeError('started by process.ts only')
watchParent(Number(parentPid))
await main(folder)

async function main(folder: string): Promise<void> {
  try {
    const { wasm, shim } = readVerified(folder)
    runInThisContext(shim, { filename: 'wasm_exec.js' })
    connectStreams()
    const go: GoRuntime = new globals.Go()
    go.exit = (code) => process.exit(code)
    const { instance } = await globals.WebAssembly.instantiate(wasm, go.importObject)
    await go.run(instance)
  } catch (cause) {
    answerFailure(cause)
  }
}

/** Nothing runs before its bytes are proved to be the pinned ones. */
function readVerified(folder: string): { wasm: Uint8Array; shim: string } {
  const identity = readIdentity(folder)
  const shim = readFileSync(`${folder}/wasm_exec.js`, 'utf8')
  const wasm = zstdDecompressSync(readFileSync(`${folder}/compiler.wasm.zst`), { maxOutputLength: identity.size })
  requireDigest('compiler.wasm', sha256(wasm), identity.digest)
  requireDigest('wasm_exec.js', sha256(shim), identity.shimDigest)
  return { wasm, shim }
}

function requireDigest(name: string, got: string, want: string): void {
  if (got !== want) throw new DigestMismatch(`digest of \`${name}\` is ${got}, compiler.json says ${want}`)
}

/** wasm_exec.js leaves an `fs` in which every function answers ENOSYS; three of them are replaced. */
function connectStreams(): void {
  const { fs } = globals
  Reflect.deleteProperty(globalThis, 'fetch')
  const pending = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  let rest: Uint8Array = new Uint8Array(0)

  fs['read'] = (_fd: number, into: Uint8Array, offset: number, length: number, _at: null, done: Done): void => {
    const deliver = (): void => {
      const count = Math.min(length, rest.length)
      into.set(rest.subarray(0, count), offset)
      rest = rest.subarray(count)
      done(null, count)
    }
    if (rest.length > 0) {
      deliver()
      return
    }
    pending.next().then(
      ({ value, done: ended }) => {
        if (ended !== true) rest = value
        deliver()
      },
      (error: Error) => done(error),
    )
  }
  fs['write'] = (fd: number, from: Uint8Array, offset: number, length: number, _at: null, done: Done): void => {
    const stream = fd === 1 ? process.stdout : process.stderr
    stream.write(from.slice(offset, offset + length), (error) => done(error ?? null, length))
  }
  fs['writeSync'] = (_fd: number, from: Uint8Array): number => {
    process.stderr.write(from.slice()) // the Go runtime's last words
    return from.length
  }
}

/** A module that never ran answers the first request with the reason. */
function answerFailure(cause: unknown): void {
  const code = cause instanceof DigestMismatch ? 'digest_mismatch' : 'unavailable'
  const message = cause instanceof Error ? cause.message : String(cause)
  const errors = [{ code, message, file: '', row: 0, col: 0 }]
  process.stdout.write(`${JSON.stringify({ errors })}\n`, () => process.exit(1))
}

/** The end of stdin is seen between requests only; this ends a long one whose parent has died. */
function watchParent(pid: number): void {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'))
  new Worker(new URL(`./watchdog${extension}`, import.meta.url), { workerData: pid }).unref()
}
