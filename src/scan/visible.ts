/** Text from a server as a person can read it: what cannot be seen, or steers a terminal, is spelled out as `\u{...}`. */

const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gv

/** Line breaks and tabs as they are; everything else that cannot be seen is spelled out. */
export function visible(text: string): string {
  return text.replace(unseen, (char, offset: number) => (isPlain(char, offset, text) ? char : spelt(char)))
}

/** Visible, and on one line. */
export function oneLine(text: string): string {
  return visible(text).replace(/\s+/g, ' ').trim()
}

/** The first characters, and how many more there are. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const chars = [...text]
  if (chars.length <= charsMax) return text
  return `${chars.slice(0, charsMax).join('').trimEnd()}... (${chars.length - charsMax} more characters)`
}

/** A name in a sentence. */
export function called(name: string): string {
  return `\`${shortened(oneLine(name), 80)}\``
}

/** Is there a character that cannot be seen? In a name not even an emoji may have one: two names would look alike. */
export function hasUnseen(name: string): boolean {
  return /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/v.test(name)
}

/** What text is hidden with, and how a sentence calls it. Each character is of the first kind that it fits. */
const kinds: readonly (readonly [what: string, sign: RegExp])[] = [
  ['control character', /\p{Cc}/v],
  ['direction control', /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/v],
  ['tag character', /[\u{e0000}-\u{e0fff}]/v],
  ['zero-width character', /[\p{Cf}\p{Default_Ignorable_Code_Point}]/v],
]

/** `2 zero-width characters, 1 control character`; undefined when nothing hides in the text. */
export function hiddenIn(text: string): string | undefined {
  const counts = new Map<string, number>()
  for (const { 0: char, index } of text.matchAll(unseen)) {
    const kind = isPlain(char, index, text) ? undefined : kinds.find(([, sign]) => sign.test(char))?.[0]
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  if (counts.size === 0) return undefined
  return [...counts].map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`).join(', ')
}

/** Line breaks and tabs are ordinary, and so is what emoji are made with, in its place within one. */
function isPlain(char: string, offset: number, text: string): boolean {
  if (char === '\n' || char === '\t' || char === '\r') return true
  const before = text.slice(Math.max(0, offset - 3), offset)
  const after = text.slice(offset + 1, offset + 3)
  if (char === '\ufe0f')
    return /\p{Extended_Pictographic}$/v.test(before) || (/[0-9#*]$/.test(before) && after[0] === '\u20e3')
  if (char !== '\u200d') return false
  return (
    /[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?$/v.test(before) && /^\p{Extended_Pictographic}/v.test(after)
  )
}

function spelt(char: string): string {
  return `\\u{${(char.codePointAt(0) as number).toString(16)}}`
}
