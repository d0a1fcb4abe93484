/** What is shown of a configuration: how servers are started, and no value that could be a secret. */
import { applyEdits, type Edit, visit } from 'jsonc-parser/lib/umd/main.js'
import type { Document, Node } from './document.ts'
import type { Entry, Start } from './entries.ts'

export const hidden = '…'

/** The text with every value hidden that is not part of how a server is started. Lines stay lines. */
export function shownText({ text }: Document, entries: readonly Entry[]): string {
  const starts = entries.flatMap((entry) => (entry.kind === 'stdio' ? [entry.start] : []))
  const shown = new Map(starts.flatMap((start) => shownWords(start)).map(([node, word]) => [node.offset, word]))
  const edits: Edit[] = []
  const put = (offset: number, length: number, content: string) => void edits.push({ offset, length, content })
  visit(
    text.replace(/^\ufeff/, ' '),
    {
      onLiteralValue: (value, offset, length) => {
        const word = shown.get(offset)
        if (word === value || typeof value !== 'string') return
        put(offset, length, JSON.stringify(word ?? hidden))
      },
      onComment: (offset, length) => {
        const comment = text.slice(offset, offset + length)
        if (/[:=]/.test(comment.slice(2))) put(offset, length, comment.replace(/[^\s/*]+/g, hidden))
      },
    },
    { allowTrailingComma: true },
  )
  return applyEdits(text, edits)
}

function shownWords({ args, argsNode, command, commandMember }: Start): readonly (readonly [Node, string])[] {
  const items = argsNode?.children ?? []
  const words = shownArguments(args)
  return [[commandMember.value, command], ...items.map((item, at) => [item, words[at] as string] as const)]
}

const secretName = String.raw`[\w.-]*(?:token|secret|passw|api-?_?key|access-?_?key|auth|credential|bearer)[\w.-]*`
const secretFlag = new RegExp(`^-{1,2}${secretName}$`, 'i')
const secretPair = new RegExp(`^(-{0,2}${secretName}[=:]\\s*)(.+)$`, 'is')
const urlLogin = /(:\/\/)([^/@\s]+)@/g

/** Arguments without what looks like a secret: the value of `--token`, of `API_KEY=`, a password in a URL. */
export function shownArguments(args: readonly string[]): readonly string[] {
  return args.map((arg, at) => {
    if (at > 0 && secretFlag.test(args[at - 1] as string) && !arg.startsWith('-')) return hidden
    return arg.replace(secretPair, `$1${hidden}`).replace(urlLogin, `$1${hidden}@`)
  })
}

/** Shorter ones stand in too many words. */
const secretCharsMin = 4

/** Takes the secrets of a server out of what it wrote. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets
    .filter((secret) => secret.length >= secretCharsMin)
    .toSorted((a, b) => b.length - a.length)
  return longestFirst.reduce((rest, secret) => rest.replaceAll(secret, hidden), text)
}

/** Arguments that are not shown as they are, and what is secret in them: of `Authorization: Bearer x` that is `x` too. */
export function secretArguments(args: readonly string[]): readonly string[] {
  const shown = shownArguments(args)
  return args.flatMap((arg, at) => (shown[at] === arg ? [] : [arg, ...secretsIn(arg)]))
}

function secretsIn(arg: string): readonly string[] {
  const value = secretPair.exec(arg)?.[2] ?? ''
  const logins = [...arg.matchAll(urlLogin)].flatMap(([, , login = '']) => [login, login.replace(/^[^:]*:/, '')])
  return [value, value.split(/\s+/).at(-1) ?? '', ...logins]
}
