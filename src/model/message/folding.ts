/** Keys as a lax parser compares them: letter case does not count. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has them
const asciiText = /^[\x00-\x7f]*$/

/**
 * Equal for keys that Go's `EqualFold` or Java's `equalsIgnoreCase` take for the same: `K` is the Kelvin sign too, `s`
 * is `ſ` too, and `i` is the Turkish letters with and without the dot. Where the two differ, the wider one counts.
 */
export function foldedKey(key: string, ascii: boolean): string {
  if (ascii || asciiText.test(key)) return key.toLowerCase()
  let folded = ''
  for (const letter of key) folded += foldedLetter(letter)
  return folded
}

function foldedLetter(letter: string): string {
  const upper = letter.toUpperCase()
  const lower = (isOneLetter(upper) ? upper : letter).toLowerCase()
  return isOneLetter(lower) ? lower : String.fromCodePoint(lower.codePointAt(0) ?? 0)
}

/** Full mappings such as `ß` to `SS` are not what a comparison of letters does. */
function isOneLetter(text: string): boolean {
  return text.length === 1 || (text.length === 2 && (text.codePointAt(0) ?? 0) > 0xffff)
}
