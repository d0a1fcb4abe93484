/** `tollgate sessions` and `tollgate runs`: what each did and spent, from the records. */
import { openLedger, type SqliteLedger } from '../ledger/ledger.ts'
import { type Activity, ActivitySums } from '../log/activity.ts'
import { type RunView, runView, type SessionView, sessionView } from '../log/activityView.ts'
import { TollgateError } from '../model/errors.ts'
import { quoted } from '../model/message/quoted.ts'
import { existingLedger } from './auditLedger.ts'
import { instantOf } from './auditTime.ts'
import { UsageError } from './exit.ts'
import { RecordedCharges } from './recordedCharges.ts'
import { activityLines, activityText } from './sessionsText.ts'

export type Kind = 'sessions' | 'runs'

export interface SessionsShowOptions {
  readonly ledger?: string
  readonly since?: string
  readonly json?: boolean
}

export interface SessionsListOptions extends SessionsShowOptions {
  readonly limit?: string
}

/** What a person reads at once. */
const tableMax = 50

export function activitiesList(kind: Kind, options: SessionsListOptions): void {
  const limit = limitOf(options)
  const views = reading(options, (ledger, since) => viewsOf(kind, ledger, since))
  const shown = limit === undefined ? views : views.slice(-limit)
  if (options.json) {
    print(shown)
    return
  }
  for (const line of activityLines(shown, process.stdout.columns ?? Number.POSITIVE_INFINITY, process.stdout))
    process.stdout.write(line)
  if (views.length === 0) process.stderr.write(`no record is of a ${noun(kind)}\n`)
  else if (shown.length < views.length)
    process.stderr.write(
      `${shown.length} ${kind}, and there are ${views.length - shown.length} older ones: see \`--limit\`\n`,
    )
}

export function activitiesShow(kind: Kind, id: string, options: SessionsShowOptions): void {
  const views = reading(options, (ledger, since) => viewsOf(kind, ledger, since))
  const found = views.find((view) => ('run_id' in view ? view.run_id : view.session_id) === id)
  if (!found)
    throw new TollgateError(
      'activity_unknown',
      `no record is of the ${noun(kind)} ${quoted(id)}: \`tollgate ${kind} list\` shows them`,
    )
  if (options.json) print(found)
  else process.stdout.write(activityText(found))
}

/** In the order in which they were last heard of. */
function viewsOf(kind: Kind, ledger: SqliteLedger, since: number | undefined): readonly (SessionView | RunView)[] {
  const charges = new RecordedCharges((revision) => ledger.policy(revision))
  const sums = new ActivitySums({ chargesOf: (body) => charges.of(body) })
  for (const record of ledger.records(since === undefined ? {} : { since })) sums.add(record)
  const activities: readonly Activity[] = [...sums[kind].values()].sort((one, other) => one.lastAt - other.lastAt)
  const kills = ledger.kills()
  return activities.map((one) => (kind === 'runs' ? runView(one) : sessionView(one, kills)))
}

function reading<T>(
  { ledger: file, since }: SessionsShowOptions,
  read: (ledger: SqliteLedger, since?: number) => T,
): T {
  const from = since === undefined ? undefined : instantOf('--since', since, Date.now())
  const ledger = openLedger({ file: existingLedger(file), readOnly: true })
  try {
    return read(ledger, from)
  } finally {
    ledger.close()
  }
}

function limitOf({ limit, json }: SessionsListOptions): number | undefined {
  if (limit === undefined) return json ? undefined : tableMax
  if (/^[1-9][0-9]{0,8}$/.test(limit)) return Number(limit)
  throw new UsageError(`\`--limit\` takes a whole number from 1 on, got \`${limit}\``)
}

function noun(kind: Kind): string {
  return kind === 'runs' ? 'run' : 'session'
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}
