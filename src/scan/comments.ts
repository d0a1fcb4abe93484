/** Comment lines of a policy. Every word from outside comes through here: no comment can hold what a reader cannot see. */
import { oneLine, shortened } from './visible.ts'

const lineCharsMax = 110

/** One paragraph as lines that begin with `#`; `hang` is put before every line but the first. */
export function comment(text: string, { charsMax = 2_000, hang = '' } = {}): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of shortened(oneLine(text), charsMax).split(' ').flatMap(pieces)) {
    const room = lineCharsMax - (lines.length > 0 ? hang.length : 0)
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((content, index) => `# ${index > 0 ? hang : ''}${content}`.trimEnd())
}

/** A word that is longer than a line, broken. */
function pieces(word: string): readonly string[] {
  if (word.length <= lineCharsMax) return [word]
  const chars = [...word]
  const count = Math.ceil(chars.length / 80)
  return Array.from({ length: count }, (_, index) => chars.slice(index * 80, (index + 1) * 80).join(''))
}

/** `# -- Read-only: 3 tools ----`. */
export function heading(title: string): string {
  return `# ── ${title} ${'─'.repeat(Math.max(3, 70 - title.length))}`
}

export function indented(lines: readonly string[], by: string): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `${by}${line}`))
}

/** `3 tools`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
