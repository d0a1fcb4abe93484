/** The certificate of `tollgate serve`: read at the start, and again when its files change. */
import { X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { createSecureContext, type TlsOptions } from 'node:tls'
import { bytesOf, type Following, follow, warnOfReaders } from '../identity/followed.ts'
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

export interface FollowedTls {
  /** False while the file with the authorities of clients is gone, or was unreadable for too long. */
  readonly trustsClients: () => boolean
  readonly stop: () => void
}

/** Files that make no certificate leave the one that is used, and the authorities of clients are those of their own file. */
export function followTls(files: TlsFiles, use: (options: TlsOptions) => void, following: Following): FollowedTls {
  const { say } = following
  const authorities = files.clientCa === undefined ? undefined : follow(files.clientCa, asAuthorities, following)
  let last = read(files)
  let seen = signatureOf(files)
  const timer = setInterval(() => {
    const now = signatureOf(files)
    if (now === seen) return
    seen = now
    try {
      last = read(files)
      use(last)
      say(`\`${files.cert}\` changed: new connections get the new certificate`)
    } catch (error) {
      const ca = authorities?.value()
      if (ca) use({ ...last, ca })
      say(`${messageOf(error)}\nthe certificate was not read again: the one before is still used`)
    }
  }, lookMs)
  timer.unref()
  return {
    trustsClients: () => authorities === undefined || authorities.value() !== undefined,
    stop: () => clearInterval(timer),
  }
}

/** Throws when they are none. */
function asAuthorities(bytes: Uint8Array): Buffer {
  const ca = Buffer.from(bytes)
  // OpenSSL passes over what it does not know: without one certificate nothing would be left to believe.
  new X509Certificate(ca)
  createSecureContext({ ca })
  return ca
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
