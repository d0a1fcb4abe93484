/** A mistake for a person: the sentence, the line it stands in, what is underlined there, and what was meant. */

import { plain } from '../model/message/plain.ts'
import { type Diagnostic, formatDiagnostic } from '../policy/diagnostics.ts'
import type { Colour } from './terminal.ts'

export interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly paint: (colour: Colour, text: string) => string
}

/** `lines` are those of the file, without their ends. */
export function diagnosticText(
  diagnostic: Diagnostic,
  lines: readonly string[],
  { width, paint }: TextOptions,
): string {
  const { line, col, endLine, endCol, severity, suggestion } = diagnostic
  const colour = severity === 'error' ? 'red' : 'yellow'
  const sentence = paint(colour, formatDiagnostic(diagnostic))
  const source = lines[line - 1]
  if (source === undefined || source.trim() === '') return sentence
  const gutter = String(line).length
  const bar = (number: string | number) => paint('dim', `${String(number).padStart(gutter + 1)} |`)
  const end = endLine === undefined ? col + 1 : endLine === line ? (endCol as number) : source.length + 1
  const { shown, before, marked } = excerpt(source, col - 1, Math.max(end - 1, col), width - gutter - 4)
  const indent = ' '.repeat(before)
  const found = [`${bar(line)} ${shown}`, `${bar('')} ${indent}${paint(colour, '^'.repeat(marked))}`]
  const meant = suggestion === undefined ? [] : [`${bar('')} ${indent}${paint('green', plain(suggestion))}`]
  return [sentence, ...found, ...meant].join('\n')
}

export interface Excerpt {
  readonly shown: string
  /** Columns before what is marked, and of it. */
  readonly before: number
  readonly marked: number
}

interface Cell {
  readonly text: string
  readonly width: number
}

const cut: Cell = { text: '...', width: 3 }

/** What fits of a line around the part from `start` to `end`, in columns as a terminal counts them. */
export function excerpt(line: string, start: number, end: number, widthMax: number): Excerpt {
  const width = Math.max(widthMax, 20)
  // A line may have millions of characters: what lies further away than this is never shown.
  const from = wholeFrom(line, start - width)
  const to = wholeFrom(line, start + width)
  let before = cellsOf(line.slice(from, start), 0)
  let marked = cellsOf(line.slice(start, Math.min(end, to)), widthOf(before))
  let after = cellsOf(line.slice(Math.max(start, Math.min(end, to)), to), widthOf(before) + widthOf(marked))
  let cutBefore = from > 0
  let cutAfter = to < line.length
  if (cutBefore || cutAfter || widthOf(before) + widthOf(marked) + widthOf(after) > width) {
    const room = width - 2 * cut.width
    const wanted = Math.min(widthOf(marked) + widthOf(after), Math.ceil(room / 2))
    const kept = last(before, room - wanted)
    cutBefore ||= kept.length < before.length
    before = kept
    const most = first(marked, room - widthOf(before))
    const rest = most.length < marked.length ? [] : first(after, room - widthOf(before) - widthOf(marked))
    cutAfter ||= most.length < marked.length || rest.length < after.length
    marked = most
    after = rest
  }
  const cells = [...(cutBefore ? [cut] : []), ...before, ...marked, ...after, ...(cutAfter ? [cut] : [])]
  return {
    shown: cells
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
    before: widthOf(before) + (cutBefore ? cut.width : 0),
    marked: Math.max(1, widthOf(marked)),
  }
}

/** A place in the line that does not tear a character apart. */
function wholeFrom(line: string, index: number): number {
  const at = Math.min(Math.max(0, index), line.length)
  return at > 0 && /[\uD800-\uDBFF]/.test(line[at - 1] as string) ? at - 1 : at
}

const tabColumns = 4

function cellsOf(text: string, column: number): readonly Cell[] {
  let at = column
  return [...text].map((char) => {
    const cell = char === '\t' ? tab(at) : visible(char)
    at += cell.width
    return cell
  })
}

function tab(column: number): Cell {
  const width = tabColumns - (column % tabColumns)
  return { text: ' '.repeat(width), width }
}

function visible(char: string): Cell {
  const text = plain(char)
  return { text, width: text === char ? columnsOf(char) : text.length }
}

/** East Asian characters and pictures take two columns; the halfwidth forms do not. */
const wide =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6]/u

function columnsOf(char: string): number {
  if (/\p{Mn}|\p{Me}/u.test(char)) return 0
  return wide.test(char) && !/[\uFF61-\uFFDC]/.test(char) ? 2 : 1
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { width }) => sum + width, 0)
}

function first(cells: readonly Cell[], width: number): readonly Cell[] {
  let used = 0
  return cells.filter((cell) => {
    used += cell.width
    return used <= width
  })
}

function last(cells: readonly Cell[], width: number): readonly Cell[] {
  return first(cells.toReversed(), width).toReversed()
}
