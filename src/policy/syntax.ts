/** What the YAML parser complains about, in our words. One mistake a line: what follows on it is fallout. */
import type { YAMLError } from 'yaml'
import { quote, type Report } from './diagnostics.ts'
import type { Lines } from './text.ts'

export function reportSyntax(text: string, errors: readonly YAMLError[], lines: Lines, report: Report): void {
  const told = new Set<number>()
  for (const error of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    // Tags are refused, with their place, when the tree is built.
    if (error.code === 'TAG_RESOLVE_FAILED') continue
    const at = lines.span(...error.pos)
    if (told.has(at.line)) continue
    told.add(at.line)
    report.error(at, 'yaml_syntax', sentence(error, text))
  }
}

function sentence({ code, message, pos }: YAMLError, text: string): string {
  if (startsWithStar(text, pos[0])) return 'a name that begins with `*` needs quotes, without them it is an alias'
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'indentation must be spaces, found a tab'
    case 'BAD_DQ_ESCAPE':
      return `${quote(text.slice(pos[0], pos[0] + 2))} is no escape between double quotes: use single quotes, or double the backslash`
    case 'BLOCK_AS_IMPLICIT_KEY':
      if (beginsLine(text, pos[0]))
        return 'the line is indented less than those before it, and more than what they belong to'
      return 'a value with a `: ` in it needs quotes'
    case 'BAD_SCALAR_START':
      return `a value that begins with ${quote(text.slice(pos[0], pos[0] + 1))} needs quotes`
    case 'KEY_OVER_1024_CHARS':
      return 'a key of more than 1024 characters needs a `?` before it'
    case 'RESOURCE_EXHAUSTION':
      return 'the file is nested too deeply'
    case 'MISSING_CHAR':
      if (message.startsWith('Missing closing')) return 'a quote is not closed'
      return `not YAML: ${plainly(message)}`
    default:
      return `not YAML: ${plainly(message)}`
  }
}

function beginsLine(text: string, offset: number): boolean {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset).trim() === ''
}

/** A key that was meant as a name with a star at its beginning. */
function startsWithStar(text: string, offset: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] as string
  return /^\s*(?:-\s+)?\*[^\s]*\s*:(?:\s|$)/.test(line) || /^\s*(?:-\s+)?\*\s*$/.test(line)
}

function plainly(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '')
}
