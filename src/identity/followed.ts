/** A file that is read again when it changes: what keys and credentials rotate by. It is looked at with every use. */
import { readFileSync, statSync } from 'node:fs'
import { messageOf, TollgateError } from '../model/errors.ts'
import { secretBytesMax } from './limits.ts'

export interface Followed<T> {
  /** Undefined while the file is gone. */
  value(): T | undefined
  /** Another number for each content that was read. */
  readonly generation: number
}

/**
 * Throws when the file cannot be read at first. Later a file that is wrong leaves what was read last, and says so; one that
 * is gone leaves nothing.
 */
export function follow<T>(file: string, read: (bytes: Uint8Array) => T, say: (sentence: string) => void): Followed<T> {
  let seen = signatureOf(file)
  let value: T | undefined = read(bytesOf(file))
  let generation = 1
  const look = () => {
    const now = signatureOf(file)
    if (now === seen) return
    seen = now
    if (now === undefined) {
      value = undefined
      generation++
      return say(`\`${file}\` is gone: nothing in it counts until it is back`)
    }
    try {
      value = read(bytesOf(file))
      generation++
      say(`\`${file}\` changed and was read again`)
    } catch (error) {
      const kept = value === undefined ? 'nothing in it counts' : 'what it said before still counts'
      say(`${messageOf(error)}\n\`${file}\` was not read again: ${kept}`)
    }
  }
  return {
    value() {
      look()
      return value
    },
    get generation() {
      look()
      return generation
    },
  }
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
    return `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`
  } catch {
    return undefined
  }
}
