/** What a replay found, added up while it runs: how many calls of which tool, agent and rule, and some of them to look at. */

import type { Principal } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import { type Change, changeOf, changes } from './change.ts'
import type { Decided, RecordedCall } from './event.ts'
import type { Lack } from './known.ts'
import { reportRowsMax } from './limits.ts'
import type { Judgement } from './replay.ts'

export type Outcome = Change | 'undecidable'

export const outcomes: readonly Outcome[] = [...changes, 'undecidable']

export type Counts = Readonly<Record<Outcome, number>>

export interface ToolCounts extends Counts {
  readonly server: string
  readonly method: string
  readonly name: string
  readonly decisions: number
}

export interface AgentCounts extends Counts {
  readonly agent: string | null
  readonly decisions: number
}

/** Calls that one rule decided before, and another one now; what cannot be told has no `after`. */
export interface RuleChange {
  readonly outcome: Outcome
  readonly before: Decided
  readonly after: Decided | null
  readonly cause: Lack['cause'] | null
  readonly decisions: number
  readonly examples: readonly Example[]
}

export interface Example {
  readonly decision_id: string
  readonly record: number
  readonly timestamp: string
  readonly server: string
  readonly method: string
  readonly name: string
  readonly principal: Principal
  readonly session_id: string
  /** As they were recorded: null where they were not kept, and then what the policy had read of them is in `read`. */
  readonly arguments: Json
  readonly read?: Json
  /** Arguments that the policy reads and nobody knows. */
  readonly needs?: readonly string[]
}

export interface ReplayCounts {
  /** Recorded decisions of calls that were judged again or could not be; checks are among them. */
  readonly decisions: number
  readonly checks: number
  readonly unchanged: number
  readonly changes: Counts
  readonly undecidable: Readonly<Record<string, number>>
  /** Calls that had been held and were made again, and that the new policy lets through the first time. */
  readonly repeats: number
  /** Refused messages that were no calls: no policy says anything of them. */
  readonly messages: number
  /** Decided without asking whether tools are what they were, though the policy wants that. */
  readonly pinning_left_out: number
  readonly first: string | null
  readonly last: string | null
  readonly by_tool: readonly ToolCounts[]
  readonly by_agent: readonly AgentCounts[]
  readonly by_rule: readonly RuleChange[]
}

interface Row<T> {
  readonly about: T
  readonly counts: Record<Outcome, number>
  decisions: number
}

interface RuleRow {
  readonly about: Pick<RuleChange, 'outcome' | 'before' | 'after' | 'cause'>
  readonly examples: Example[]
  decisions: number
}

export class Tally {
  readonly #examplesMax: number
  readonly #total = none()
  readonly #causes = new Map<string, number>()
  readonly #tools = new Map<string, Row<Pick<ToolCounts, 'server' | 'method' | 'name'>>>()
  readonly #agents = new Map<string, Row<Pick<AgentCounts, 'agent'>>>()
  readonly #rules = new Map<string, RuleRow>()
  #decisions = 0
  #checks = 0
  #unchanged = 0
  #repeats = 0
  #messages = 0
  #pinningLeftOut = 0
  #first: number | undefined
  #last: number | undefined

  constructor(examplesMax: number) {
    this.#examplesMax = examplesMax
  }

  addMessage(): void {
    this.#messages += 1
  }

  add(judgement: Judgement, isPinningLeftOut = false): void {
    const { recorded } = judgement
    this.#first ??= recorded.at
    this.#last = recorded.at
    if ('repeats' in judgement) {
      this.#repeats += 1
      return
    }
    this.#decisions += 1
    if (recorded.isCheck) this.#checks += 1
    if (isPinningLeftOut) this.#pinningLeftOut += 1
    const outcome = 'lack' in judgement ? 'undecidable' : changeOf(recorded.decided, judgement.decision)
    if (outcome) this.#total[outcome] += 1
    else this.#unchanged += 1
    this.#count(recorded, outcome)
    if (outcome) this.#note(judgement, outcome)
  }

  counts(): ReplayCounts {
    return {
      decisions: this.#decisions,
      checks: this.#checks,
      unchanged: this.#unchanged,
      changes: { ...this.#total },
      undecidable: Object.fromEntries(this.#causes),
      repeats: this.#repeats,
      messages: this.#messages,
      pinning_left_out: this.#pinningLeftOut,
      first: timeText(this.#first),
      last: timeText(this.#last),
      by_tool: rowsOf(this.#tools.values()),
      by_agent: rowsOf(this.#agents.values()),
      by_rule: [...this.#rules.values()]
        .toSorted((one, other) => orderOf(one) - orderOf(other) || other.decisions - one.decisions)
        .map(({ about, decisions, examples }) => ({ ...about, decisions, examples })),
    }
  }

  #count({ call: { server, method, name, principal } }: RecordedCall, outcome: Outcome | undefined): void {
    countIn(this.#tools, `${method}\n${server}\n${name}`, outcome, () => ({ server, method, name }))
    const agent = principal.agent ?? null
    countIn(this.#agents, agent ?? '', outcome, () => ({ agent }))
  }

  #note(judgement: Exclude<Judgement, { repeats: string }>, outcome: Outcome): void {
    const { recorded } = judgement
    const lack = 'lack' in judgement ? judgement.lack : undefined
    if (lack) this.#causes.set(lack.cause, (this.#causes.get(lack.cause) ?? 0) + 1)
    const before = wordsOf(recorded.decided)
    const after = 'decision' in judgement ? wordsOf(judgement.decision) : null
    const about = { outcome, before, after, cause: lack?.cause ?? null }
    const key = JSON.stringify(about)
    const row = this.#rules.get(key) ?? { about, examples: [], decisions: 0 }
    if (row.decisions === 0 && this.#rules.size >= reportRowsMax) return
    this.#rules.set(key, row)
    row.decisions += 1
    if (row.examples.length < this.#examplesMax) row.examples.push(exampleOf(recorded, lack))
  }
}

function countIn<T>(rows: Map<string, Row<T>>, key: string, outcome: Outcome | undefined, about: () => T): void {
  let row = rows.get(key)
  if (!row) {
    if (rows.size >= reportRowsMax) return
    row = { about: about(), counts: none(), decisions: 0 }
    rows.set(key, row)
  }
  row.decisions += 1
  if (outcome) row.counts[outcome] += 1
}

/** What changes most stands first. */
function rowsOf<T>(rows: Iterable<Row<T>>): (T & Counts & { readonly decisions: number })[] {
  const changed = ({ counts }: Row<T>) => outcomes.reduce((sum, outcome) => sum + counts[outcome], 0)
  return [...rows]
    .toSorted((one, other) => changed(other) - changed(one) || other.decisions - one.decisions)
    .map(({ about, counts, decisions }) => ({ ...about, decisions, ...counts }))
}

function orderOf({ about: { outcome } }: RuleRow): number {
  return outcomes.indexOf(outcome)
}

function none(): Record<Outcome, number> {
  return { newly_allowed: 0, newly_denied: 0, newly_held: 0, other_rule: 0, other_reason: 0, undecidable: 0 }
}

function wordsOf({ decision, variant, reason_code, rule }: Decided): Decided {
  return { decision, ...(variant && { variant }), reason_code, rule }
}

function exampleOf(
  { decisionId, place, at, call, arguments: args, input }: RecordedCall,
  lack: Lack | undefined,
): Example {
  const { server, method, name, principal, session } = call
  return {
    decision_id: decisionId,
    record: place,
    timestamp: new Date(at).toISOString(),
    server,
    method,
    name,
    principal,
    session_id: session,
    arguments: args.kept === 'whole' ? (args.value as Json) : null,
    ...(args.kept !== 'whole' && input && { read: input.arguments }),
    ...(lack?.needs && { needs: lack.needs }),
  }
}

function timeText(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
