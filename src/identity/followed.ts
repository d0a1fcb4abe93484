/**
 * A file that is read again when it changes: what keys and credentials rotate by. It is looked at with every use. One that
 * cannot be read again counts on as it was, for a bounded time: a key that was taken back in it must not live for ever.
 */
import { readFileSync, statSync } from 'node:fs'
import { messageOf, TollgateError } from '../model/errors.ts'
import { followedStaleMsMax, secretBytesMax } from './limits.ts'

export interface Followed<T> {
  /** Undefined while the file is gone, or was unreadable for too long. */
  value(): T | undefined
  /** Another number for each content that was read. */
  readonly generation: number
  /** Since when it cannot be read, if so. */
  unread(): Unread | undefined
}

/** A file as it is on the disk and as it counts are two things. */
export interface Unread {
  readonly file: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** What it said before counts until then; undefined where that does not end. */
  readonly until: number | undefined
}

/** All files that are followed, for whoever watches the gate. */
export class FollowedFiles {
  readonly #all: Followed<unknown>[] = []

  add(followed: Followed<unknown>): void {
    this.#all.push(followed)
  }

  unread(): readonly Unread[] {
    return this.#all.map((one) => one.unread()).filter((one) => one !== undefined)
  }
}

export interface Following {
  readonly say: (sentence: string) => void
  readonly files?: FollowedFiles | undefined
  /** How long what was read counts when the file cannot be read again; without end, where others decide what it is worth. */
  readonly staleMsMax?: number
  /** A clock that does not step back. */
  readonly now?: () => number
}

/**
 * Throws when the file cannot be read at first. Later a file that is wrong leaves what was read last for a bounded time, and
 * says so; one that is gone leaves nothing.
 */
export function follow<T>(file: string, read: (bytes: Uint8Array) => T, following: Following): Followed<T> {
  const { say, files, staleMsMax = followedStaleMsMax, now = () => performance.now() } = following
  let seen = signatureOf(file)
  let value: T | undefined = read(bytesOf(file))
  let generation = 1
  let unreadAt: number | undefined
  const drop = () => {
    value = undefined
    generation++
  }
  const readAgain = () => {
    try {
      value = read(bytesOf(file))
      generation++
      unreadAt = undefined
      say(`\`${file}\` changed and was read again`)
    } catch (error) {
      unreadAt ??= now()
      say(
        `${messageOf(error)}\n\`${file}\` was not read again: ${value === undefined ? 'nothing in it counts' : keptFor()}`,
      )
    }
  }
  const keptFor = () =>
    staleMsMax === Number.POSITIVE_INFINITY
      ? 'what it said before still counts'
      : `what it said before counts for ${Math.ceil((staleMsMax - age()) / 60_000)} min more`
  const age = () => (unreadAt === undefined ? 0 : now() - unreadAt)
  const look = () => {
    const found = signatureOf(file)
    if (found !== seen) {
      seen = found
      if (found !== undefined) return readAgain()
      drop()
      unreadAt ??= now()
      return say(`\`${file}\` is gone: nothing in it counts until it is back`)
    }
    if (value === undefined || age() < staleMsMax) return
    drop()
    say(`\`${file}\` could not be read for too long: nothing in it counts until it can`)
  }
  const followed: Followed<T> = {
    value() {
      look()
      return value
    },
    get generation() {
      look()
      return generation
    },
    unread() {
      look()
      if (unreadAt === undefined) return undefined
      const since = Math.round(Date.now() - age())
      const until = staleMsMax === Number.POSITIVE_INFINITY ? undefined : since + staleMsMax
      return { file, since, until: value === undefined ? since : until }
    },
  }
  files?.add(followed)
  return followed
}

export function bytesOf(file: string): Uint8Array {
  try {
    if (statSync(file).size > secretBytesMax) throw new Error(`it has more than ${secretBytesMax} bytes`)
    return readFileSync(file)
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new TollgateError(
      'secret_unreadable',
      `\`${file}\`: ${missing ? 'there is no such file' : messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}

/** Who keeps a secret where everybody can read it is told so. */
export function warnOfReaders(file: string, say: (sentence: string) => void): void {
  if (process.platform !== 'win32' && (statSync(file).mode & 0o004) !== 0)
    say(`warning: everybody on this machine can read \`${file}\`: \`chmod 600\` it`)
}

function signatureOf(file: string): string | undefined {
  try {
    const found = statSync(file, { bigint: true })
    // A mode that changed shows in its ctime alone.
    return `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`
  } catch {
    return undefined
  }
}
