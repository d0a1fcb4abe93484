/** Kills for people. Names and reasons come from elsewhere: nothing of them reaches the terminal but as visible text. */
import { type Kill, killTitle } from '../model/kill.ts'
import { plain } from '../model/message/plain.ts'
import { columnWidths, fitted, widthOf } from './auditColumns.ts'
import { paint } from './terminal.ts'

interface Column {
  readonly title: string
  readonly least: number
  readonly leaveOut?: number
  readonly cell: (kill: Kill) => string
}

const columns: readonly Column[] = [
  { title: 'ID', least: 41, cell: ({ id }) => id },
  {
    title: 'STOPPED',
    least: 12,
    cell: ({ target }) => (target.kind === 'all' ? 'all' : `${target.kind} ${target.name}`),
  },
  { title: 'SINCE', least: 20, leaveOut: 1, cell: ({ at }) => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z') },
  { title: 'BY', least: 6, leaveOut: 3, cell: ({ by }) => by?.name ?? 'policy' },
  { title: 'REASON', least: 8, leaveOut: 2, cell: ({ reason = '' }) => reason },
]

const gap = '  '

export function* killLines(kills: readonly Kill[], width: number, stream: NodeJS.WriteStream): Generator<string> {
  if (kills.length === 0) return
  const rows = kills.map((kill) => columns.map(({ cell }) => plain(cell(kill)) || '-'))
  const sizes = columns.map(({ title, least, leaveOut }, index) => ({
    natural: rows.reduce((most, row) => Math.max(most, widthOf(row[index] as string)), title.length),
    least,
    ...(leaveOut !== undefined && { leaveOut }),
  }))
  const widths = columnWidths(sizes, width, gap.length)
  const lineOf = (row: readonly string[]) =>
    row
      .map((text, index) => fitted(text, widths[index] as number))
      .filter((_, index) => (widths[index] as number) > 0)
      .join(gap)
      .trimEnd()
  yield `${paint('bold', lineOf(columns.map(({ title }) => title)), stream)}\n`
  for (const row of rows) yield `${lineOf(row)}\n`
}

export function killedText({ id, target, by, at, reason }: Kill, again: boolean): string {
  const what = killTitle(target)
  if (!again) return `stopped ${what} (${plain(id)})\n`
  const why = reason === undefined ? '' : `: ${plain(reason)}`
  const since = new Date(at).toISOString()
  return `${what} ${target.kind === 'all' ? 'were' : 'was'} stopped before (${plain(id)}), by ${plain(by?.name ?? 'the policy')} at ${since}${why}\n`
}

export function liftedText({ id, target }: Kill): string {
  return `lifted ${plain(id)}: ${killTitle(target)} may go on\n`
}
