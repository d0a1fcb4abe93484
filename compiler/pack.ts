// Compares a freshly built compiler with the one in the repository, or puts it in its place. Called by build.sh.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'

const folder = join(import.meta.dirname, 'dist')
const [mode, rawPath, goRoot, opa, go, flags] = process.argv.slice(2)
if (mode === undefined || rawPath === undefined || goRoot === undefined) throw new TypeError('called by build.sh only')

const shimPath = join(goRoot, 'lib', 'wasm', 'wasm_exec.js')
const raw = readFileSync(rawPath)
const built = {
  digest: digestOf(raw),
  size: raw.length,
  shim_digest: digestOf(readFileSync(shimPath)),
  opa,
  go,
  flags,
}

if (mode === '--update') update()
else compare()

function update(): void {
  mkdirSync(folder, { recursive: true })
  // The highest level that needs no more memory to unpack than the module itself takes.
  const params = { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 26 }
  const packed = zstdCompressSync(raw, { params, pledgedSrcSize: raw.length })
  writeFileSync(join(folder, 'compiler.wasm.zst'), packed)
  writeFileSync(join(folder, 'compiler.json'), `${JSON.stringify(built, null, 2)}\n`)
  copyFileSync(shimPath, join(folder, 'wasm_exec.js'))
  copyFileSync(join(goRoot ?? '', 'LICENSE'), join(folder, 'wasm_exec.LICENSE'))
  console.log(`updated: ${built.digest}, ${raw.length} bytes, ${packed.length} packed`)
}

function compare(): void {
  const kept = JSON.parse(readFileSync(join(folder, 'compiler.json'), 'utf8'))
  const same = kept.digest === built.digest && kept.shim_digest === built.shim_digest
  console.log(same ? `identical: ${built.digest}` : `differs: built ${built.digest}, the repository has ${kept.digest}`)
  process.exitCode = same ? 0 : 1
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
