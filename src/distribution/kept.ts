/**
 * The last good bundle on disk: a start without a network goes on with it, and an older one is known for what it is. One
 * file has the bytes and what is known of them, so that one rename replaces both. It is named by the sequence, and the
 * highest counts: of processes that share the store and keep theirs at the same moment none can put an older one in its place.
 */
import { hash, randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { messageOf, TollgateError } from '../model/errors.ts'
import { bundleBytesMax } from '../opa/limits.ts'
import type { Seen } from '../opa/trust.ts'
import { keptStateBytesMax, leftOverMs } from './limits.ts'

/** What is known of the bundle that was active last. */
export interface KeptState {
  readonly name: string
  readonly place: string
  readonly sha256: string
  readonly revision: string
  readonly seen?: Seen
  readonly etag?: string
}

export interface KeptBundle {
  readonly state: KeptState
  readonly bytes: Uint8Array
}

export class Kept {
  readonly folder: string
  readonly #new: string
  #written: KeptState | undefined

  /** A bundle of the same name from another place is another one. */
  constructor(store: string, name: string, place: string) {
    this.folder = join(store, `${name}-${hash('sha256', place).slice(0, 16)}`)
    this.#new = join(this.folder, `bundle.${randomUUID()}.new`)
  }

  /** Undefined when nothing was kept yet. Throws `bundle_store_damaged`: what may have been said there is not guessed. */
  read(): KeptBundle | undefined {
    for (let before: string | undefined; ; ) {
      const newest = readable(this.folder, () => keptNames(this.folder).at(-1))
      if (newest === undefined) return undefined
      const file = join(this.folder, newest)
      const all = readable(file, () => bounded(file))
      if (all) return keptIn(all) ?? damaged(file, 'it is not what was written there')
      // Another process had a newer one, and took this one away.
      if (newest === before) return damaged(file, 'there is no such file')
      before = newest
    }
  }

  /** Writes what is about to become active. Throws `bundle_store_unwritable`. */
  write({ state, bytes }: KeptBundle): void {
    this.#writing(() => {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 })
      removeLeftOver(this.folder)
      writeDurably(this.#new, [Buffer.from(`${JSON.stringify(state)}\n`), bytes])
    })
    this.#written = state
  }

  /** From now on what was written last counts. Throws `bundle_store_unwritable`. */
  commit(): void {
    this.#writing(() => {
      renameSync(this.#new, join(this.folder, `bundle.${this.#written?.seen?.sequence ?? 0}`))
      syncFolder(this.folder)
      for (const older of keptNames(this.folder).slice(0, -1)) rmSync(join(this.folder, older), { force: true })
    })
  }

  #writing(work: () => void): void {
    try {
      work()
    } catch (cause) {
      throw new TollgateError('bundle_store_unwritable', `\`${this.folder}\` cannot be written: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
}

function readable<T>(path: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return damaged(path, messageOf(cause))
  }
}

function damaged(path: string, why: string): never {
  throw new TollgateError(
    'bundle_store_damaged',
    `what is kept in \`${path}\` cannot be read: ${why}; remove it to begin without it`,
  )
}

/** Those that count, the newest last. */
function keptNames(folder: string): readonly string[] {
  const sequenceOf = (name: string) => Number(name.slice('bundle.'.length))
  return readdirSync(folder)
    .filter((name) => /^bundle\.\d+$/.test(name))
    .sort((one, other) => sequenceOf(one) - sequenceOf(other))
}

function bounded(file: string): Buffer {
  const { size } = statSync(file)
  if (size > bundleBytesMax + keptStateBytesMax) throw new Error(`it has ${size} bytes`)
  return readFileSync(file)
}

/** A line of what is known, then the bytes. Undefined for anything else. */
function keptIn(all: Buffer): KeptBundle | undefined {
  const end = all.indexOf(0x0a)
  const bytes = all.subarray(end + 1)
  const state = end > 0 && end <= keptStateBytesMax ? stateIn(all.subarray(0, end)) : undefined
  return state && hash('sha256', bytes) === state.sha256 ? { state, bytes } : undefined
}

function stateIn(text: Buffer): KeptState | undefined {
  try {
    const state = JSON.parse(text.toString('utf8')) as KeptState
    const { name, place, sha256, revision, seen, etag } = state
    const isSeen = seen === undefined || (Number.isSafeInteger(seen.sequence) && isText(seen.content))
    return [name, place, sha256, revision, etag ?? ''].every(isText) && isSeen ? state : undefined
  } catch {
    return undefined
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** What processes wrote that ended before it counted. */
function removeLeftOver(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.new'))) {
    const path = join(folder, name)
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {}
    if (mtimeMs !== undefined && Date.now() - mtimeMs > leftOverMs) rmSync(path, { force: true })
  }
}

function writeDurably(file: string, parts: readonly Uint8Array[]): void {
  const descriptor = openSync(file, 'w', 0o600)
  try {
    for (const part of parts)
      for (let written = 0; written < part.length; ) written += writeSync(descriptor, part, written)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** The rename itself is to survive a power cut, too. Windows opens no folder, and writes renames through. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
