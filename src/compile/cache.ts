// Compiled policies by the digest of everything that went into them, so that a gate starts without its compiler.
//
// An entry is trusted only when it is ours and whole: owned by this user and writable by nobody else, named and
// headed by its key, and equal to the digest it carries. Anything else counts as absent and is compiled again.
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { canonical, type Json } from '../model/canonical.ts'
import { policyCapabilities } from './capabilities.ts'
import type { Compiler } from './compiler.ts'
import { cacheFolder } from './folder.ts'
import { cacheEntriesMax, cacheEntryBytesMax } from './limits.ts'
import { compilerFolder, readIdentity, sha256 } from './module.ts'
import type { BuildRequest } from './request.ts'

export interface CacheOptions {
  /** The user's cache folder unless told otherwise. */
  readonly folder?: string
  /** A compiler that is open already; otherwise one is opened for a miss and closed after it. */
  readonly compiler?: Compiler
}

export interface CompiledPolicy {
  readonly wasm: Uint8Array
  readonly key: string
  readonly fromCache: boolean
}

/** The module of a request, from the cache where it holds it. Throws what `Compiler.build` throws. */
export async function compileCached(request: BuildRequest, options: CacheOptions = {}): Promise<CompiledPolicy> {
  const key = cacheKey(request)
  const folder = options.folder ?? cacheFolder()
  const kept = readCached(key, folder)
  if (kept !== undefined) return { wasm: kept, key, fromCache: true }
  const wasm = await compile(request, options.compiler)
  writeCached(key, wasm, folder)
  return { wasm, key, fromCache: false }
}

/** SHA-256 over the request and over the compiler that would serve it. */
export function cacheKey({ modules, data = {}, entrypoints, capabilities = policyCapabilities }: BuildRequest): string {
  const { digest: compiler } = readIdentity(compilerFolder)
  return sha256(canonical({ capabilities, compiler, data, entrypoints, modules } as unknown as Json))
}

export function readCached(key: string, folder: string = cacheFolder()): Uint8Array | undefined {
  try {
    return requireEntry(readEntry(key, folder), key)
  } catch {
    return undefined // absent, unreadable, damaged or not ours: all mean that it has to be compiled
  }
}

/** A cache that cannot be written costs time at the next start and nothing else, so it is no error. */
export function writeCached(key: string, wasm: Uint8Array, folder: string = cacheFolder()): void {
  const temporary = join(folder, `${key}.${randomUUID()}.tmp`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(temporary, Buffer.concat([headerOf(key, wasm), wasm]), { flag: 'wx', mode: 0o600 })
    renameSync(temporary, entryPath(key, folder))
    prune(folder)
  } catch {
    remove(temporary)
  }
}

async function compile(request: BuildRequest, compiler: Compiler | undefined): Promise<Uint8Array> {
  if (compiler !== undefined) return (await compiler.build(request)).wasm
  const { openCompiler } = await import('./compiler.ts')
  const opened = await openCompiler()
  try {
    return (await opened.build(request)).wasm
  } finally {
    await opened.close()
  }
}

function entryPath(key: string, folder: string): string {
  return join(folder, `${key}.wasm`)
}

function headerOf(key: string, wasm: Uint8Array): Buffer {
  return Buffer.from(`tollgate compiled policy 1 ${key} ${sha256(wasm)}\n`)
}

function readEntry(key: string, folder: string): Buffer {
  requireOurs(lstatSync(folder))
  // A link would lead to a file whose folder was not looked at. Windows has no such flag.
  const file = openSync(entryPath(key, folder), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    const found = fstatSync(file)
    requireOurs(found)
    if (!found.isFile() || found.size > cacheEntryBytesMax) throw new Error('not an entry')
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function requireEntry(entry: Buffer, key: string): Uint8Array {
  const wasm = entry.subarray(entry.indexOf(0x0a) + 1)
  const header = headerOf(key, wasm)
  if (!entry.subarray(0, header.length).equals(header)) throw new Error('damaged entry')
  return new Uint8Array(wasm)
}

function requireOurs(found: Stats): void {
  if (process.getuid === undefined) return // Windows: the folder lies in the user's profile
  if (found.uid !== process.getuid() || (found.mode & 0o022) !== 0) throw new Error('others can write here')
}

/** Keeps the newest entries; a temporary file is left by a process that died between two lines above. */
function prune(folder: string): void {
  const entries = readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}\..*(wasm|tmp)$/.test(name))
    .map((name) => ({ path: join(folder, name), writtenMs: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.writtenMs - a.writtenMs)
  for (const { path } of entries.slice(cacheEntriesMax)) remove(path)
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true, recursive: true })
  } catch {
    // What cannot be removed now is looked at again by the next write.
  }
}
