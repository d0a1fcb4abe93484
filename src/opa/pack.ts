/** Files to the bytes of a bundle: the same on every machine. */
import { gzipSync } from 'fflate'
import type { BundleFile } from './files.ts'
import { writeTar } from './tar.ts'

/**
 * Compressed by a library in JavaScript, and not by Node: what zlib makes of the same bytes differs between processors
 * and versions.
 */
export function pack(files: readonly BundleFile[]): Uint8Array {
  return gzipSync(writeTar(files), { level: 9, mem: 12, mtime: 0 })
}
