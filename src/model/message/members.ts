/** The members of the outermost object of a text, by where their values stand: a shallow look, without parsing. */
import { afterSpace, closingQuote, unescaped } from './ambiguity.ts'

export interface Member {
  readonly key: string
  /** The value as it stands in the text. */
  readonly text: string
}

const quote = 0x22
const comma = 0x2c
const openArray = 0x5b
const closeArray = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/** In order, duplicates included. Never throws: of a text that is no JSON it gives some members or none. Linear. */
export function members(text: string): readonly Member[] {
  const found: Member[] = []
  let at = afterSpace(text, 0)
  if (text[at] !== '{') return found
  at = afterSpace(text, at + 1)
  while (text[at] === '"') {
    const keyEnd = closingQuote(text, at + 1)
    const colon = afterSpace(text, keyEnd + 1)
    if (text[colon] !== ':') return found
    const start = afterSpace(text, colon + 1)
    const end = valueEnd(text, start)
    found.push({ key: readKey(text.slice(at + 1, keyEnd)), text: text.slice(start, end) })
    if (text[end] !== ',') return found
    at = afterSpace(text, end + 1)
  }
  return found
}

/** The text of the one member that could be meant by the name; undefined when there is none, or more than one. */
export function memberText(found: readonly Member[], name: string): string | undefined {
  const meant = found.filter(({ key }) => key.toLowerCase() === name)
  return meant.length === 1 && meant[0]?.key === name ? meant[0].text : undefined
}

function readKey(raw: string): string {
  try {
    return raw.includes('\\') ? unescaped(raw) : raw
  } catch {
    return raw
  }
}

/** Where the value ends: the comma or the closing bracket after it. */
function valueEnd(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === quote) at = closingQuote(text, at + 1)
    else if (char === openObject || char === openArray) depth++
    else if (char === closeObject || char === closeArray) {
      if (depth-- === 0) return at
    } else if (char === comma && depth === 0) return at
  }
  return text.length
}
