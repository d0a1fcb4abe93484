/** A session or a run as people and programs read it. `docs/sessions.md` is the table of its members. */
import type { Principal } from '../model/call.ts'
import { unitsText } from '../model/decimal.ts'
import { type Kill, killAmong } from '../model/kill.ts'
import type { Activity, Charged } from './activity.ts'
import { type KillView, killView } from './kills.ts'

export interface ActivityView {
  readonly first_at: string
  readonly last_at: string
  readonly principals: readonly Principal[]
  readonly servers: readonly string[]
  readonly calls: Activity['calls']
  readonly refused_messages: number
  readonly outcomes: Activity['outcomes']
  readonly spent: readonly SpentView[]
  /** Allowed calls whose policy is not kept, so that nobody can tell what they took. */
  readonly uncounted_calls: number
}

export interface SpentView extends Omit<Charged, 'amount'> {
  /** A number of calls, or an amount in its currency as decimal text. */
  readonly used: number | string
}

export interface SessionView extends ActivityView {
  readonly session_id: string
  readonly runs: readonly string[]
  /** What stops it now, if something does. */
  readonly stopped: KillView | null
}

export interface RunView extends ActivityView {
  readonly run_id: string
  readonly workflow_id: string | null
  readonly sessions: readonly string[]
}

/** `kills` are those that stand. */
export function sessionView(activity: Activity, kills: readonly Kill[]): SessionView {
  const { id, others } = activity
  const principal = [...activity.principals.values()].at(-1) ?? {}
  const [server, ...more] = activity.servers
  const kill = killAmong(kills, {
    session: id,
    principal,
    ...(server !== undefined && more.length === 0 && { server }),
  })
  return { session_id: id, ...viewOf(activity), runs: [...others], stopped: kill ? killView(kill) : null }
}

export function runView(activity: Activity): RunView {
  const { id, workflow, others } = activity
  return { run_id: id, workflow_id: workflow, ...viewOf(activity), sessions: [...others] }
}

function viewOf(activity: Activity): ActivityView {
  const { firstAt, lastAt, principals, servers, calls, refused, outcomes, spent, uncounted } = activity
  return {
    first_at: new Date(firstAt).toISOString(),
    last_at: new Date(lastAt).toISOString(),
    principals: [...principals.values()],
    servers: [...servers],
    calls,
    refused_messages: refused,
    outcomes,
    spent: [...spent.values()].map(({ amount, ...of }) => ({
      ...of,
      used: of.unit === 'calls' ? amount : unitsText(amount),
    })),
    uncounted_calls: uncounted,
  }
}
