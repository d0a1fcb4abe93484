/** The one place that escapes HTML. Texts of calls come from agents: they are shown, characters that nobody sees included. */
import { plain } from '../model/message/plain.ts'

/** HTML that was made here. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Part = Html | string | number | undefined | false | readonly Part[]

/** What stands between the words of ours is escaped, unless it is HTML that was made here. */
export function html(words: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(words.map((word, index) => word + textOf(parts[index])).join(''))
}

/** JSON on lines of its own, as it is: a line break in a value stays an escape. */
export function json(value: unknown): Html {
  const lines = JSON.stringify(value, null, 2).split('\n')
  return new Html(lines.map(escaped).join('\n'))
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return ''
  if (part instanceof Html) return part.text
  if (Array.isArray(part)) return part.map(textOf).join('')
  return escaped(String(part))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return plain(text.toWellFormed()).replace(/[&<>"']/g, (char) => entities[char] as string)
}
