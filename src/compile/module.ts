// The compiler's module: where it lies, which one it must be, and the proof that it is that one.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Beside the sources and beside dist/ alike, so the same path serves both. */
export const compilerFolder = fileURLToPath(new URL('../../compiler/dist/', import.meta.url))

export interface CompilerIdentity {
  readonly digest: string
  readonly size: number
  readonly shimDigest: string
  readonly opa: string
  readonly go: string
}

export function readIdentity(folder: string): CompilerIdentity {
  const found: unknown = JSON.parse(readFileSync(`${folder}/compiler.json`, 'utf8'))
  if (typeof found !== 'object' || found === null) throw new Error('compiler.json is not an object')
  const { digest, size, shim_digest: shimDigest, opa, go } = found as Record<string, unknown>
  if (typeof size !== 'number') throw new Error('compiler.json names no size')
  return { digest: text(digest), size, shimDigest: text(shimDigest), opa: text(opa), go: text(go) }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('compiler.json lacks a digest or a version')
  return value
}
