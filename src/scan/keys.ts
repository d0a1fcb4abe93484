/** Names from a server as keys of a policy: each matches what it names and nothing else, or it is no key at all. */
import { nameCharsMax, uriCharsMax } from '../model/limits.ts'
import { unsafeUri } from '../model/uri.ts'
import { hasUnseen } from './visible.ts'

/** A key, or why there is none, to follow "left out: ". */
export type Key = { readonly key: string } | { readonly key?: undefined; readonly why: string }

/**
 * A tool of any server, or of the one that is named. A key is read as server and tool at its first `/`, and also as the
 * whole name of a tool: `a/b` is the narrowest key for a tool called `a/b`.
 */
export function toolKey(name: string, server?: string): Key {
  const why = nameTrouble(name, nameCharsMax) ?? (server === undefined ? slashTrouble(name) : undefined)
  if (why !== undefined) return { why }
  return { key: server === undefined ? name : `${server}/${name}` }
}

export function promptKey(name: string): Key {
  const why = nameTrouble(name, nameCharsMax)
  return why === undefined ? { key: name } : { why }
}

/** A `?` is common in URIs: as a key it matches itself, though also any other character there. */
export function resourceKey(uri: string): Key {
  const unsafe = unsafeUri(uri)
  const why = textTrouble(uri, uriCharsMax) ?? starTrouble(uri) ?? (unsafe && `every read of it is refused: ${unsafe}`)
  return why === undefined ? { key: uri } : { why }
}

/** Every expression of a URI template (RFC 6570) becomes a star. */
export function templateKey(template: string): Key {
  const key = template.replace(/\{[^{}]*\}/g, '*')
  const why = textTrouble(key, uriCharsMax) ?? starTrouble(template.replace(/\{[^{}]*\}/g, ''))
  if (why !== undefined) return { why }
  return /^[*?]*$/.test(key) ? { why: 'it would list every resource there is' } : { key }
}

/** Why a server may not be called so; undefined when it may. */
export function serverNameTrouble(server: string): string | undefined {
  return nameTrouble(server, nameCharsMax) ?? (server.includes('/') ? 'it has a `/`' : undefined)
}

function nameTrouble(name: string, charsMax: number): string | undefined {
  const wild = /[*?]/.test(name) ? 'it has a `*` or a `?`, which stand for other characters in a policy' : undefined
  return textTrouble(name, charsMax) ?? wild
}

function textTrouble(text: string, charsMax: number): string | undefined {
  if (text === '') return 'it is empty'
  if (text.length > charsMax) return `it has ${text.length} characters, at most ${charsMax} can be listed`
  if (hasUnseen(text)) return 'it has characters that cannot be seen'
  return /^\s|\s$/.test(text) ? 'it begins or ends with a space' : undefined
}

function starTrouble(uri: string): string | undefined {
  return uri.includes('*') ? 'it has a `*`, which stands for any characters in a policy' : undefined
}

function slashTrouble(name: string): string | undefined {
  const slash = name.indexOf('/')
  if (slash !== 0 && slash !== name.length - 1) return undefined
  return 'nothing stands on one side of its `/`: scan with `--server NAME` to list it'
}

/** Words that some reader of YAML takes for something else than text. */
const reserved = /^(?:y|yes|n|no|on|off|true|false|null)$/i

/** What is no plain word in every YAML, and no escape in JSON either. */
const escapedIn = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gv

/** A text as a YAML scalar that can stand anywhere. */
export function scalar(text: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_./-]*$/.test(text) && !reserved.test(text)) return text
  return JSON.stringify(text).replace(escapedIn, (char) => {
    const code = (char.codePointAt(0) as number).toString(16)
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`
  })
}

/** YAML wants a sign before a key of more than 1024 characters. */
export function keyLines(key: string): readonly string[] {
  const written = scalar(key)
  return written.length < 1_000 ? [`${written}:`] : [`? ${written}`, ':']
}
