/** Whom bundles are believed from, as the options say it: the keys are read when a bundle is. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { readTrust, trustWarnings } from '../bundle/trustFile.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import { verificationKey } from '../opa/keys.ts'
import type { Trust } from '../opa/trust.ts'
import { say } from './log.ts'
import type { TrustOptions } from './trustOptions.ts'

/** A key is some hundred bytes, a file of keys some thousand. */
const fileBytesMax = 1024 * 1024

const said = new Set<string>()

/** Throws `trust_invalid`, `secret_unreadable`, or a `BundleError` for a key that is none. */
export function trustOf({ trust: file, verifyKey, allowUnsigned }: TrustOptions): Trust {
  const read = file === undefined ? ofKeys(verifyKey ?? []) : ofFile(file)
  const trust = { ...read, ...(allowUnsigned && { allowUnsigned: true }) }
  for (const warning of trustWarnings(trust)) sayOnce(warning)
  return trust
}

function ofFile(file: string): Trust {
  return readTrust(file, readKeyFile(file), (name) => readKeyFile(resolve(dirname(file), name)))
}

function ofKeys(files: readonly string[]): Trust {
  return { keys: files.map((file) => verificationKey({ name: file, text: readKeyFile(file) })), threshold: 1 }
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

/** A gate reads its keys with each bundle. */
function sayOnce(warning: string): void {
  if (said.has(warning)) return
  said.add(warning)
  say(`warning: ${warning}`)
}
