/** What sessions and runs did and spent, added up from their records. */
import type { Principal } from '../model/call.ts'
import { canonical, type Json } from '../model/canonical.ts'
import type { StoredRecord } from '../model/ledger.ts'
import { type Body, bodyOf, objectIn, textIn } from './body.ts'

/** What an allowed call took from a counter. */
export interface Charged {
  readonly policy_id: string
  readonly counter: string
  /** Calls, the steps that the policy counts in, or micro-units of an amount. */
  readonly unit: 'calls' | 'amount'
  readonly currency: string | null
  readonly amount: number
}

export interface ActivityPorts {
  /** Of an allowed call; undefined when it cannot be told any more: its policy is not kept. */
  readonly chargesOf: (body: Body) => readonly Charged[] | undefined
}

export interface Activity {
  /** Of the session, or of the run. */
  readonly id: string
  /** Milliseconds. */
  readonly firstAt: number
  lastAt: number
  /** By their canonical text, in the order in which they came. */
  readonly principals: Map<string, Principal>
  readonly servers: Set<string>
  /** The runs of a session, the sessions of a run. */
  readonly others: Set<string>
  /** Of a run: its workflow. */
  workflow: string | null
  readonly calls: { allowed: number; denied: number; held: number; killed: number }
  /** Messages that were refused without being judged. */
  refused: number
  readonly outcomes: { success: number; error: number; unknown: number; open: number }
  readonly spent: Map<string, Charged>
  /** Allowed calls of which nobody can tell what they took. */
  uncounted: number
}

interface OpenCall {
  readonly in: readonly Activity[]
  readonly charges: readonly Charged[]
}

export interface Activities {
  readonly sessions: ReadonlyMap<string, Activity>
  readonly runs: ReadonlyMap<string, Activity>
}

/** Adds up records, in their order. Outcomes of calls that were allowed before them belong to nobody. */
export class ActivitySums implements Activities {
  readonly #ports: ActivityPorts
  readonly sessions = new Map<string, Activity>()
  readonly runs = new Map<string, Activity>()
  readonly #open = new Map<string, OpenCall>()

  constructor(ports: ActivityPorts) {
    this.#ports = ports
  }

  add(record: StoredRecord): void {
    if (record.kind === 'decision') this.#decide(record, bodyOf(record))
    else if (record.kind === 'outcome') this.#end(record, bodyOf(record))
  }

  #decide({ at, decisionId = '' }: StoredRecord, body: Body): void {
    const session = textIn(body, 'session_id') ?? ''
    const run = runIn(body)
    const activities = [activityOf(this.sessions, session, at)]
    if (run !== undefined) activities.push(activityOf(this.runs, run.id, at))
    for (const activity of activities) {
      note(activity, at, body)
      if (run !== undefined) activity.workflow = run.workflow
    }
    if (run !== undefined) {
      activities[0]?.others.add(run.id)
      activities[1]?.others.add(session)
    }
    if (body['type'] !== 'refusal' && objectIn(body, 'result')['decision'] === 'allow')
      this.#allow(decisionId, activities, body)
  }

  /** Only a call that did not happen gives back what it took. */
  #end({ decisionId = '' }: StoredRecord, body: Body): void {
    const call = this.#open.get(decisionId)
    if (call === undefined) return
    this.#open.delete(decisionId)
    const status = body['status'] === 'success' || body['status'] === 'error' ? body['status'] : 'unknown'
    for (const { outcomes, spent } of call.in) {
      outcomes.open--
      outcomes[status]++
      if (status === 'error') for (const charge of call.charges) add(spent, charge, -1)
    }
  }

  #allow(decisionId: string, activities: readonly Activity[], body: Body): void {
    const charges = this.#ports.chargesOf(body)
    this.#open.set(decisionId, { in: activities, charges: charges ?? [] })
    for (const activity of activities) {
      activity.outcomes.open++
      if (charges === undefined) activity.uncounted++
      for (const charge of charges ?? []) add(activity.spent, charge, 1)
    }
  }
}

function activityOf(activities: Map<string, Activity>, id: string, at: number): Activity {
  const known = activities.get(id)
  if (known) return known
  const activity: Activity = {
    id,
    firstAt: at,
    lastAt: at,
    principals: new Map(),
    servers: new Set(),
    others: new Set(),
    workflow: null,
    calls: { allowed: 0, denied: 0, held: 0, killed: 0 },
    refused: 0,
    outcomes: { success: 0, error: 0, unknown: 0, open: 0 },
    spent: new Map(),
    uncounted: 0,
  }
  activities.set(id, activity)
  return activity
}

function note(activity: Activity, at: number, body: Body): void {
  activity.lastAt = at
  const principal = objectIn(body, 'principal') as Principal
  const key = canonical(principal as Json)
  if (!activity.principals.has(key)) activity.principals.set(key, principal)
  const server = textIn(body, 'server')
  if (server !== null && server !== '') activity.servers.add(server)
  if (body['type'] === 'refusal') activity.refused++
  else count(activity.calls, objectIn(body, 'result')['decision'])
}

function count(calls: Activity['calls'], decision: unknown): void {
  if (decision === 'allow') calls.allowed++
  else if (decision === 'hold') calls.held++
  else if (decision === 'kill') calls.killed++
  else calls.denied++
}

function add(spent: Map<string, Charged>, charge: Charged, sign: 1 | -1): void {
  const key = JSON.stringify([charge.policy_id, charge.counter, charge.currency])
  const amount = (spent.get(key)?.amount ?? 0) + sign * charge.amount
  spent.set(key, { ...charge, amount })
}

/** The run that the policy saw; of several layers, the first that saw one. */
function runIn(body: Body): { readonly id: string; readonly workflow: string | null } | undefined {
  const run = objectIn(objectIn(body, 'input'), 'run')
  const facts = Object.hasOwn(run, 'kill_signals') ? [run] : Object.values(run).filter(isBody)
  for (const one of facts) {
    const id = textIn(one, 'run_id')
    if (id !== null) return { id, workflow: textIn(one, 'workflow_id') }
  }
  return undefined
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
