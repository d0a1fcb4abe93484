/** A table for people: a head, a line for each row, as wide as the terminal. */
import { plain } from '../model/message/plain.ts'
import { type ColumnSize, columnWidths, fitted, widthOf } from './auditColumns.ts'
import { type Colour, paint } from './terminal.ts'

export interface Column<T> extends Omit<ColumnSize, 'natural'> {
  readonly title: string
  /** A text of whatever origin. */
  readonly cell: (row: T) => unknown
  readonly colour?: (cell: string) => Colour | undefined
}

const gap = '  '

/** `width` is Infinity where nothing has to fit. Colours go where `stream` is a terminal. */
export function* tableLines<T>(
  columns: readonly Column<T>[],
  rows: Iterable<T>,
  width: number,
  stream: NodeJS.WriteStream | undefined,
): Generator<string> {
  const table = [...rows].map((row) => columns.map(({ cell }) => textOf(cell(row))))
  if (table.length === 0) return
  const sizes = columns.map(({ title, least, leaveOut }, index) => ({
    natural: table.reduce((most, cells) => Math.max(most, widthOf(cells[index] as string)), title.length),
    least,
    ...(leaveOut !== undefined && { leaveOut }),
  }))
  const widths = columnWidths(sizes, width, gap.length)
  const painted = (colour: Colour | undefined, text: string) => (colour && stream ? paint(colour, text, stream) : text)
  const lineOf = (cells: readonly string[]) =>
    cells
      .filter((_, index) => (widths[index] as number) > 0)
      .join(gap)
      .trimEnd()
  const head = columns.map(({ title }, index) => fitted(title, widths[index] as number))
  yield `${painted('bold', lineOf(head))}\n`
  for (const cells of table) {
    const shown = columns.map(({ colour }, index) => {
      const cell = cells[index] as string
      return painted(colour?.(cell), fitted(cell, widths[index] as number))
    })
    yield `${lineOf(shown)}\n`
  }
}

/** Plain, and without the line breaks and escapes that an agent could put into a name. */
function textOf(value: unknown): string {
  return (typeof value === 'string' && plain(value)) || '-'
}
