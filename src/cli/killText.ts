/** Kills for people. Names and reasons come from elsewhere: nothing of them reaches the terminal but as visible text. */
import { type Kill, killTitle } from '../model/kill.ts'
import { plain } from '../model/message/plain.ts'
import { type Column, tableLines } from './table.ts'

const columns: readonly Column<Kill>[] = [
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

export function killLines(kills: readonly Kill[], width: number, stream: NodeJS.WriteStream): Generator<string> {
  return tableLines(columns, kills, width, stream)
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
