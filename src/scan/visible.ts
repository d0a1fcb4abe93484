/** Text from a server as a person can read it: what cannot be seen, or steers a terminal, is spelled out as `\u{...}`. */

export const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gv

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

/** Line breaks and tabs are ordinary, and so is what emoji are made with, in its place within one. */
export function isPlain(char: string, offset: number, text: string): boolean {
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
