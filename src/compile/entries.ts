// The cache folder: what was made of the same input before, in files named by the digest of that input.
//
// An entry is trusted only when it is ours and whole: owned by this user and writable by nobody else, named and
// headed by its name, and equal to the digest it carries. Anything else counts as absent and is made again.
import { hash, randomUUID } from 'node:crypto'
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
import { cacheFolder } from './folder.ts'
import { cacheEntriesMax, cacheEntryBytesMax } from './limits.ts'

/** `name` is a digest, 64 hexadecimal digits, and what kind of thing the entry is: `….wasm`, `….artifact`. */
export function readEntry(name: string, folder: string = cacheFolder()): Uint8Array | undefined {
  try {
    return requireEntry(readWhole(name, folder), name)
  } catch {
    return undefined // absent, unreadable, damaged or not ours: all mean that it has to be made
  }
}

/** A cache that cannot be written costs time at the next start and nothing else, so it is no error. */
export function writeEntry(name: string, content: Uint8Array, folder: string = cacheFolder()): void {
  const temporary = join(folder, `${name}.${randomUUID()}.tmp`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(temporary, Buffer.concat([headerOf(name, content), content]), { flag: 'wx', mode: 0o600 })
    renameSync(temporary, join(folder, name))
    prune(folder)
  } catch {
    remove(temporary)
  }
}

function headerOf(name: string, content: Uint8Array): Buffer {
  return Buffer.from(`tollgate cache 2 ${name} ${hash('sha256', content)}\n`)
}

function readWhole(name: string, folder: string): Buffer {
  requireOurs(lstatSync(folder))
  // A link would lead to a file whose folder was not looked at. Windows has no such flag.
  const file = openSync(join(folder, name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    const found = fstatSync(file)
    requireOurs(found)
    if (!found.isFile() || found.size > cacheEntryBytesMax) throw new Error('not an entry')
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function requireEntry(entry: Buffer, name: string): Uint8Array {
  const content = entry.subarray(entry.indexOf(0x0a) + 1)
  const header = headerOf(name, content)
  if (!entry.subarray(0, header.length).equals(header)) throw new Error('damaged entry')
  return new Uint8Array(content)
}

function requireOurs(found: Stats): void {
  if (process.getuid === undefined) return // Windows: the folder lies in the user's profile
  if (found.uid !== process.getuid() || (found.mode & 0o022) !== 0) throw new Error('others can write here')
}

/** Keeps the newest entries; a temporary file is left by a process that died between two lines above. */
function prune(folder: string): void {
  const entries = readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}\..*(wasm|artifact|tmp)$/.test(name))
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
