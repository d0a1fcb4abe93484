/** The text of a configuration as a tree with places: JSON, or JSON with comments and trailing commas. */
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser/lib/umd/main.js'

export type { Node }

export interface Document {
  /** As it stands in the file, byte order mark and all. */
  readonly text: string
  /** Absent: there is nothing but space and comments in it. */
  readonly root: Node | undefined
}

/** Why a file cannot be read, and where. */
export interface Fault {
  readonly line: number
  readonly col: number
  readonly message: string
}

export type Read = { readonly document: Document; readonly fault?: undefined } | { readonly fault: Fault }

const byteOrderMark = '\ufeff'

export function readBytes(bytes: Uint8Array): Read {
  const text = decoded(bytes)
  return text === undefined ? { fault: { line: 1, col: 1, message: 'it is not UTF-8' } } : readText(text)
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

export function readText(text: string): Read {
  const errors: ParseError[] = []
  // A space in its place keeps every offset as it is.
  const parsed = text.startsWith(byteOrderMark) ? ` ${text.slice(1)}` : text
  const root = parsedTree(parsed, errors)
  if (root === 'too deep') return { fault: { line: 1, col: 1, message: 'it is nested too deeply' } }
  const [first] = errors
  if (first) return { fault: { ...placeOf(text, first.offset), message: sentence(first, parsed) } }
  if (root && root.type !== 'object')
    return { fault: { ...placeOf(text, root.offset), message: 'it is no JSON object' } }
  return { document: { text, root } }
}

function parsedTree(text: string, errors: ParseError[]): Node | undefined | 'too deep' {
  try {
    return parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true })
  } catch (error) {
    if (error instanceof RangeError) return 'too deep'
    throw error
  }
}

/** `CommaExpected` is `comma expected`. */
function sentence({ error, offset }: ParseError, text: string): string {
  if (offset >= text.trimEnd().length) return 'it ends too early'
  return printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
}

export function placeOf(text: string, offset: number): { readonly line: number; readonly col: number } {
  const before = text.slice(text.startsWith(byteOrderMark) ? 1 : 0, offset)
  const start = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, col: before.length - start + 1 }
}

/** The value of a key, as often as the key is there. */
export function valuesOf(node: Node | undefined, key: string): readonly Node[] {
  return membersOf(node).flatMap((member) => (member.key === key ? [member.value] : []))
}

export interface Member {
  readonly key: string
  readonly value: Node
  /** Key and value. */
  readonly property: Node
}

export function membersOf(node: Node | undefined): readonly Member[] {
  if (node?.type !== 'object') return []
  return (node.children ?? []).flatMap((property) => {
    const [key, value] = property.children ?? []
    return key && value ? [{ key: String(key.value), value, property }] : []
  })
}
