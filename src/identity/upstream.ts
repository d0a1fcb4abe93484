/** What the gate shows a server of itself: the operator's credential, from a file that rotates, or from the environment. */
import { TollgateError } from '../model/errors.ts'
import type { CredentialSettings } from './credentials.ts'
import { type Following, follow, warnOfReaders } from './followed.ts'

/** Headers for the server; undefined while they cannot be had, and then nothing is sent to it. */
export type Credential = () => Readonly<Record<string, string>> | undefined

/** Throws when it cannot be read at first. */
export function credentialOf({ from, place }: CredentialSettings, following: Following): Credential {
  if (from === 'bearer_env') {
    const fields = bearer(process.env[place] ?? '', `the variable \`${place}\``)
    return () => fields
  }
  const read = (bytes: Uint8Array) => {
    const text = Buffer.from(bytes).toString('utf8')
    return from === 'bearer_file' ? bearer(text, `\`${place}\``) : headersIn(text, place)
  }
  // What a credential is worth is decided by the server that is shown it.
  const followed = follow(place, read, { ...following, staleMsMax: Number.POSITIVE_INFINITY })
  warnOfReaders(place, following.say)
  return () => followed.value()
}

function bearer(text: string, where: string): Readonly<Record<string, string>> {
  const token = text.trim()
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new TollgateError('credential_invalid', `${where} must hold one token and nothing else`)
  return { authorization: `Bearer ${token}` }
}

/** Headers that the gate itself makes, or that say how a message is sent. */
const own =
  /^(?:host|connection|content-|transfer-encoding|accept|mcp-|te$|trailer|upgrade|keep-alive|expect|last-event-id)/

/** The values are secrets: a mistake tells the line alone. */
function headersIn(text: string, file: string): Readonly<Record<string, string>> {
  const lines = text.split(/\r?\n/)
  const wrong: string[] = []
  const fields: Record<string, string> = {}
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue
    const [, name, value] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e]+?)[ \t]*$/.exec(line) ?? []
    const known = name?.toLowerCase()
    if (known === undefined || value === undefined)
      wrong.push(`${file}:${index + 1}:1: must be a header, \`NAME: VALUE\``)
    else if (own.test(known)) wrong.push(`${file}:${index + 1}:1: \`${known}\` is a header of the gate's own`)
    else if (Object.hasOwn(fields, known)) wrong.push(`${file}:${index + 1}:1: \`${known}\` stands there twice`)
    else fields[known] = value
  }
  if (wrong.length === 0 && Object.keys(fields).length === 0) wrong.push(`${file}:1:1: holds no header`)
  if (wrong.length > 0) throw new TollgateError('credential_invalid', wrong.join('\n'))
  return fields
}
