/** Tables of the pages, as rows of cells. */
import { readFileSync } from 'node:fs'

export const root = new URL('../../', import.meta.url)

export function readPage(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

/** What stands under a heading, up to the next heading of its level or above. */
export function section(page: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0
  const start = page.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`there is no heading \`${heading}\``)
  const rest = page.slice(start + heading.length + 2)
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'))
  return end < 0 ? rest : rest.slice(0, end)
}

/** The rows of all tables in a text, without their heads. */
export function rows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n')
  return lines.flatMap((line, at) => {
    const isHead = /^\|[ |:-]+\|$/.test(lines[at + 1] ?? '')
    return line.startsWith('| ') && !isHead && !/^\|[ |:-]+\|$/.test(line) ? [cells(line)] : []
  })
}

/** A bar inside a cell is written `\|`. */
function cells(line: string): readonly string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

/** The cell without its backticks. */
export function code(cell: string | undefined): string {
  return (cell ?? '').replace(/^`(.*)`$/, '$1')
}
