/** Sessions and runs for people. Names come from outside: nothing of them reaches the terminal but as visible text. */
import type { ActivityView, RunView, SessionView, SpentView } from '../log/activityView.ts'
import type { Principal } from '../model/call.ts'
import { plain } from '../model/message/plain.ts'
import { columnWidths, fitted, widthOf } from './auditColumns.ts'
import { paint } from './terminal.ts'

type View = SessionView | RunView

interface Column {
  readonly title: string
  readonly least: number
  readonly leaveOut?: number
  readonly cell: (view: View) => string
}

const columns: readonly Column[] = [
  { title: 'ID', least: 8, cell: (view) => ('run_id' in view ? view.run_id : view.session_id) },
  { title: 'STATE', least: 7, cell: stateOf },
  { title: 'LAST', least: 20, leaveOut: 2, cell: ({ last_at }) => shortTime(last_at) },
  { title: 'FIRST', least: 20, leaveOut: 4, cell: ({ first_at }) => shortTime(first_at) },
  { title: 'FOR', least: 6, leaveOut: 1, cell: ({ principals }) => principals.map(nameOf).join(', ') },
  { title: 'ALLOWED', least: 7, cell: ({ calls }) => String(calls.allowed) },
  { title: 'DENIED', least: 6, cell: ({ calls }) => String(calls.denied + calls.killed) },
  { title: 'HELD', least: 4, leaveOut: 5, cell: ({ calls }) => String(calls.held) },
  { title: 'OPEN', least: 4, leaveOut: 6, cell: ({ outcomes }) => String(outcomes.open) },
  { title: 'SPENT', least: 10, leaveOut: 3, cell: ({ spent }) => spent.map(spentText).join(', ') },
]

const gap = '  '

export function* activityLines(views: readonly View[], width: number, stream: NodeJS.WriteStream): Generator<string> {
  if (views.length === 0) return
  const rows = views.map((view) => columns.map(({ cell }) => plain(cell(view)) || '-'))
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

export function activityText(view: View): string {
  const { calls, outcomes, spent, principals, servers, first_at, last_at, refused_messages, uncounted_calls } = view
  const lines: readonly (readonly [string, string])[] = [
    'run_id' in view ? ['run', view.run_id] : ['session', view.session_id || '-'],
    ...('run_id' in view ? [['workflow', view.workflow_id ?? '-'] as const] : []),
    ['state', stateText(view)],
    ['first', first_at],
    ['last', last_at],
    ...principals.map((principal, index) => [index === 0 ? 'for' : '', nameOf(principal) || 'nobody known'] as const),
    ['servers', servers.join(', ') || '-'],
    'run_id' in view ? ['sessions', view.sessions.join(', ')] : ['runs', view.runs.join(', ') || '-'],
    ['calls', `${calls.allowed} allowed, ${calls.denied} denied, ${calls.held} held, ${calls.killed} stopped`],
    ['refused', `${refused_messages} other messages`],
    ['outcomes', outcomesText(outcomes)],
    ...spent.map((one, index) => [index === 0 ? 'spent' : '', spentText(one)] as const),
    ...(uncounted_calls > 0 ? [['uncounted', `${uncounted_calls} calls whose policy is not kept`] as const] : []),
  ]
  return lines.map(([name, text]) => `${`${name.padEnd(10)} ${plain(text)}`.trimEnd()}\n`).join('')
}

function stateOf(view: View): string {
  if ('stopped' in view && view.stopped) return 'stopped'
  return view.outcomes.open > 0 ? 'open' : '-'
}

function stateText(view: View): string {
  const stopped = 'stopped' in view ? view.stopped : null
  if (!stopped) return view.outcomes.open > 0 ? 'calls are under way' : '-'
  const why = stopped.reason === null ? '' : `: ${stopped.reason}`
  return `stopped (${stopped.target}) by ${stopped.said_by} at ${stopped.since}${why} (${stopped.id})`
}

function outcomesText({ success, error, unknown, open }: ActivityView['outcomes']): string {
  return `${success} succeeded, ${error} failed, ${unknown} ended unknown, ${open} open`
}

function spentText({ counter, used, currency }: SpentView): string {
  return `${counter}: ${used}${currency === null ? '' : ` ${currency}`}`
}

function nameOf({ agent, user, project }: Principal): string {
  return [user, agent, project].filter(Boolean).join(' / ')
}

function shortTime(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}
