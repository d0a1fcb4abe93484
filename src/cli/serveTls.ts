/** The certificate of `tollgate serve`: read at the start, and again when its files change. */
import { statSync } from 'node:fs'
import { createSecureContext, type TlsOptions } from 'node:tls'
import { bytesOf, warnOfReaders } from '../identity/followed.ts'
import { messageOf, TollgateError } from '../model/errors.ts'
import type { TlsFiles } from './settingsFile.ts'

/** Renewals are files that are replaced: to look a few times a minute is soon enough. */
const lookMs = 5_000

/** Throws `tls_invalid` when the files make no certificate with its key. */
export function tlsOptions(files: TlsFiles, say: (sentence: string) => void): TlsOptions {
  const options = read(files)
  warnOfReaders(files.key, say)
  return options
}

function read({ cert, key, clientCa }: TlsFiles): TlsOptions {
  const options: TlsOptions = {
    cert: Buffer.from(bytesOf(cert)),
    key: Buffer.from(bytesOf(key)),
    // A caller without one is answered in words, and not by a connection that breaks.
    ...(clientCa !== undefined && { ca: Buffer.from(bytesOf(clientCa)), requestCert: true, rejectUnauthorized: false }),
  }
  try {
    createSecureContext(options)
  } catch (cause) {
    throw new TollgateError('tls_invalid', `\`${cert}\` and \`${key}\` make no TLS: ${messageOf(cause)}`, { cause })
  }
  return options
}

/** Gives a function that stops looking. Files that make no certificate leave the one that is used. */
export function followTls(
  files: TlsFiles,
  use: (options: TlsOptions) => void,
  say: (sentence: string) => void,
): () => void {
  let seen = signatureOf(files)
  const timer = setInterval(() => {
    const now = signatureOf(files)
    if (now === seen) return
    seen = now
    try {
      use(read(files))
      say(`\`${files.cert}\` changed: new connections get the new certificate`)
    } catch (error) {
      say(`${messageOf(error)}\nthe certificate was not read again: the one before is still used`)
    }
  }, lookMs)
  timer.unref()
  return () => clearInterval(timer)
}

function signatureOf({ cert, key, clientCa }: TlsFiles): string {
  return [cert, key, clientCa ?? cert].map(stamp).join('\n')
}

function stamp(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch {
    return 'nothing'
  }
}
