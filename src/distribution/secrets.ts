/** What a gate shows a server of bundles: a token, or a certificate. Read with every question, so that they can be renewed. */
import { readFileSync, statSync } from 'node:fs'
import { messageOf } from '../model/errors.ts'
import { SourceError } from './errors.ts'
import { secretBytesMax } from './limits.ts'

export interface SecretFiles {
  /** Holds a token, or `USER:PASSWORD` as registries have it. */
  readonly token?: string | undefined
  /** A certificate and its key, which the server asks for. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The authorities that the server is believed by, in the place of those of the system. */
  readonly ca?: string | undefined
}

export interface Secrets {
  /** The value of the header. */
  readonly authorization?: string
  readonly tls: { readonly cert?: string; readonly key?: string; readonly ca?: string }
}

/** Throws `bundle_credential_missing`. */
export function readSecrets({ token, cert, key, ca }: SecretFiles): Secrets {
  return {
    ...(token !== undefined && { authorization: authorizationIn(token) }),
    tls: {
      ...(cert !== undefined && { cert: textOf(cert) }),
      ...(key !== undefined && { key: textOf(key) }),
      ...(ca !== undefined && { ca: textOf(ca) }),
    },
  }
}

/** What is left for a server that nobody named: who it is believed by, and no credential. */
export function withoutCredentials({ tls: { ca } }: Secrets): Secrets {
  return { tls: ca === undefined ? {} : { ca } }
}

/** A user and a password, as registries have it. */
export function isPassword({ authorization }: Secrets): boolean {
  return authorization?.startsWith('Basic ') ?? false
}

/** What is no token would be a header that nobody meant; nothing of it is said. */
function authorizationIn(file: string): string {
  const text = textOf(file).trim()
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new SourceError('bundle_credential_missing', `\`${file}\` holds no token: one word, without spaces`)
  return text.includes(':') ? `Basic ${Buffer.from(text).toString('base64')}` : `Bearer ${text}`
}

function textOf(file: string): string {
  try {
    if (statSync(file).size > secretBytesMax) throw new Error(`it has more than ${secretBytesMax} bytes`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const why = missing ? 'there is no such file' : messageOf(cause)
    throw new SourceError('bundle_credential_missing', `\`${file}\`: ${why}`, { cause })
  }
}
