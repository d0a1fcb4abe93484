// Compiled policies by the digest of everything that went into them, so that a gate starts without its compiler.
import { canonical, type Json } from '../model/canonical.ts'
import { policyCapabilities } from './capabilities.ts'
import type { Compiler } from './compiler.ts'
import { readEntry, writeEntry } from './entries.ts'
import { cacheFolder } from './folder.ts'
import { sharedIdleMsMax } from './limits.ts'
import { compilerFolder, readIdentity, sha256 } from './module.ts'
import type { BuildRequest } from './request.ts'

export interface CacheOptions {
  /** The user's cache folder unless told otherwise. */
  readonly folder?: string
  /** A compiler that is open already; otherwise a miss goes to the one that this process shares. */
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
  return readEntry(entryName(key), folder)
}

export function writeCached(key: string, wasm: Uint8Array, folder: string = cacheFolder()): void {
  writeEntry(entryName(key), wasm, folder)
}

function entryName(key: string): string {
  return `${key}.wasm`
}

async function compile(request: BuildRequest, compiler: Compiler | undefined): Promise<Uint8Array> {
  return (await (compiler ?? (await sharedCompiler())).build(request)).wasm
}

/** Layers are compiled together, and a compiler takes longer to start than to compile: one serves all of this process. */
let shared: Promise<Compiler> | undefined

function sharedCompiler(): Promise<Compiler> {
  shared ??= import('./compiler.ts').then(({ openCompiler }) => openCompiler({ idleMs: sharedIdleMsMax }))
  return shared
}
