/** Whom bundles are believed from, as the commands and programs say it: the keys are read when a bundle is. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { readTrust } from '../bundle/trustFile.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { type KeyText, verificationKey } from '../opa/keys.ts'
import type { Trust } from '../opa/trust.ts'

/** A file with keys, or keys, or that none is wanted. */
export interface TrustSaid {
  readonly trust?: string | undefined
  /** The paths of their files, or themselves as PEM. */
  readonly verifyKeys?: readonly string[] | undefined
  readonly allowUnsigned?: boolean | undefined
  /** See `Trust`. */
  readonly entrypoints?: readonly string[] | undefined
}

/** A key is some hundred bytes, a file of keys some thousand. */
const fileBytesMax = 1024 * 1024

/** Throws `trust_invalid`, `secret_unreadable`, or a `BundleError` for a key that is none. */
export function trustOf({ trust: file, verifyKeys = [], allowUnsigned, entrypoints }: TrustSaid): Trust {
  const read =
    file === undefined ? { keys: verifyKeys.map(keyTextOf).map(verificationKey), threshold: 1 } : ofFile(file)
  return { ...read, ...(allowUnsigned && { allowUnsigned: true }), ...(entrypoints && { entrypoints }) }
}

function ofFile(file: string): Trust {
  return readTrust(file, readKeyFile(file), (name) => readKeyFile(resolve(dirname(file), name)))
}

/** What may be a key is never taken for the name of a file, which errors say. */
function keyTextOf(said: string): KeyText {
  return said.includes('-----BEGIN ') ? { name: 'in PEM', text: said } : { name: said, text: readKeyFile(said) }
}

/** A key, or a file of keys. Throws `secret_unreadable`. */
export function readKeyFile(file: string): Uint8Array {
  try {
    if (!statSync(file).isFile()) throw new Error('it is no regular file')
    const bytes = readFileSync(file)
    if (bytes.length > fileBytesMax) throw new Error(`it has ${bytes.length} bytes, which is no key`)
    return bytes
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const why = missing ? 'there is no such file' : messageOf(cause)
    throw new TollgateError('secret_unreadable', `\`${file}\`: ${why}`, { cause })
  }
}
