/** Files to the bytes of a bundle: the same on every machine. */
import { gzipSync } from 'fflate'
import type { BundleFile } from './files.ts'
import { blockBytes } from './tar.ts'

/** What we call the header with a long name; nobody reads it. */
const extensionName = 'PaxHeader'

/**
 * Compressed by a library in JavaScript, and not by Node: what zlib makes of the same bytes differs between processors
 * and versions.
 */
export function pack(files: readonly BundleFile[]): Uint8Array {
  return gzipSync(writeTar(files), { level: 9, mem: 12, mtime: 0 })
}

/** The same bytes for the same files: no time, no owner, names as OPA writes them. */
export function writeTar(files: readonly BundleFile[]): Uint8Array {
  const blocks = files.flatMap(({ path, bytes }) => [...headersOf(`/${path}`, bytes.length), padded(bytes)])
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)])
}

function headersOf(name: string, size: number): readonly Buffer[] {
  const bytes = Buffer.from(name)
  if (bytes.length <= 100 && bytes.length === name.length) return [headerOf(bytes, size, '0')]
  const record = paxRecord('path', name)
  return [
    headerOf(Buffer.from(extensionName), record.length, 'x'),
    padded(record),
    headerOf(bytes.subarray(0, 100), size, '0'),
  ]
}

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest
  while (length !== rest + String(length).length) length = rest + String(length).length
  return Buffer.from(`${length} ${key}=${value}\n`)
}

function headerOf(name: Buffer, size: number, type: string): Buffer {
  const header = Buffer.alloc(blockBytes)
  header.set(name)
  header.write('0000600\0', 100, 'latin1')
  header.write('0000000\0', 108, 'latin1')
  header.write('0000000\0', 116, 'latin1')
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  header.write('00000000000\0', 136, 'latin1')
  header.write('        ', 148, 'latin1')
  header.write(type, 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

function padded(bytes: Uint8Array): Buffer {
  const whole = Buffer.alloc(Math.ceil(bytes.length / blockBytes) * blockBytes)
  whole.set(bytes)
  return whole
}
