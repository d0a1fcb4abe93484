// Verifies the compiler's module, then runs it between stdin and stdout of this thread.
//
// The Go program sees no file, no environment and no network: its `fs` is the two streams below and nothing else.
import { readFileSync } from 'node:fs'
import { runInThisContext } from 'node:vm'
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
const [folder] = process.argv.slice(2)
if (folder === undefined) throw new TypeError('started by child.ts only')

try {
  const go = await load(folder)
  await go()
} catch (cause) {
  answerFailure(cause)
}

async function load(folder: string): Promise<() => Promise<void>> {
  const { wasm, shim } = readVerified(folder)
  runInThisContext(shim, { filename: 'wasm_exec.js' })
  connectStreams()
  const go = new globals.Go()
  go.exit = (code) => process.exit(code)
  const { instance } = await globals.WebAssembly.instantiate(wasm, go.importObject)
  return () => go.run(instance)
}

/** Nothing runs before its bytes are proved to be the pinned ones. */
function readVerified(folder: string): { wasm: Uint8Array; shim: string } {
  const identity = readIdentity(folder)
  const shim = readFileSync(`${folder}/wasm_exec.js`, 'utf8')
  const packed = readFileSync(`${folder}/compiler.wasm.zst`)
  const wasm = zstdDecompressSync(packed, { maxOutputLength: identity.size, chunkSize: identity.size }) // in one piece
  requireDigest('compiler.wasm', sha256(wasm), identity.digest)
  requireDigest('wasm_exec.js', sha256(shim), identity.shimDigest)
  return { wasm, shim }
}

function requireDigest(name: string, got: string, want: string): void {
  if (got !== want) throw new DigestMismatch(`digest of \`${name}\` is ${got}, compiler.json says ${want}`)
}

/** wasm_exec.js leaves an `fs` in which every function answers ENOSYS; three of them are replaced. */
function connectStreams(): void {
  Reflect.deleteProperty(globalThis, 'fetch')
  const requests = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  let rest: Uint8Array = new Uint8Array(0)

  const deliver = (into: Uint8Array, done: Done): void => {
    const count = Math.min(into.length, rest.length)
    into.set(rest.subarray(0, count))
    rest = rest.subarray(count)
    done(null, count)
  }
  globals.fs['read'] = (_fd: number, memory: Uint8Array, offset: number, length: number, _at: null, done: Done) => {
    const into = memory.subarray(offset, offset + length)
    if (rest.length > 0) {
      deliver(into, done)
      return
    }
    requests.next().then(({ value, done: ended }) => {
      if (ended !== true) rest = value
      deliver(into, done)
    }, done)
  }
  globals.fs['write'] = (fd: number, from: Uint8Array, offset: number, length: number, _at: null, done: Done) => {
    const stream = fd === 1 ? process.stdout : process.stderr
    stream.write(from.slice(offset, offset + length), (error) => done(error ?? null, length))
  }
  globals.fs['writeSync'] = (_fd: number, from: Uint8Array): number => {
    process.stderr.write(from.slice()) // the Go runtime's last words
    return from.length
  }
}

/** A module that never ran answers the first request with the reason. */
function answerFailure(cause: unknown): void {
  const code = cause instanceof DigestMismatch ? 'digest_mismatch' : 'unavailable'
  const message = cause instanceof Error ? cause.message : String(cause)
  const errors = [{ code, message, file: '', row: 0, col: 0 }]
  process.stdout.write(`${JSON.stringify({ errors })}\n`)
}
