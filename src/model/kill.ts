/**
 * The kill switch: whoever, or whatever, is stopped stays so until somebody lifts it by name. No time and no restart does.
 * Names are compared exactly, letter case and Unicode form too; those of tools may be patterns, as in policies.
 */
import type { Approver } from './approval.ts'
import type { Call, Principal } from './call.ts'
import { globMatches } from './match.ts'
import { quoted } from './message/quoted.ts'
import type { ReasonCode } from './reasons.ts'

/** What is about the caller stands before what is about the tool: that one leaves the session be. */
export const killKinds = ['session', 'agent', 'user', 'project', 'run', 'server', 'all', 'tool'] as const

export type KillKind = (typeof killKinds)[number]

/** What is stopped. The name of `all` is empty, and no other is. */
export interface KillTarget {
  readonly kind: KillKind
  readonly name: string
}

export interface Kill {
  /** `kill_` and a UUID. */
  readonly id: string
  readonly target: KillTarget
  /** Milliseconds. */
  readonly at: number
  /** The person who did it; absent where a policy did. */
  readonly by?: Approver
  /** The decision that did it. */
  readonly decision_id?: string
  readonly reason?: string
}

/** Who calls, and what, as far as a kill can be about it. */
export type Stoppable = Pick<Call, 'session' | 'principal'> &
  Partial<Pick<Call, 'method' | 'name' | 'server'>> & { readonly run?: Call['run'] | undefined }

/** The names by which they would be stopped, in the order of `killKinds`; null where there is none. */
export function namesFor({ session, principal, method, name, server, run }: Stoppable): readonly (string | null)[] {
  const { agent, user, project } = principal
  const tool = method === 'tools/call' ? name : undefined
  const of = [session, agent, user, project, runId(run), server]
  return [...of.map((one) => one || null), '', tool || null]
}

/** By which name a run is stopped. */
export function runId(run: Call['run'] | undefined): string | undefined {
  const id = run?.['run_id']
  return typeof id === 'string' && id !== '' ? id : undefined
}

/** Of what stands, what stops them: the first by `killKinds`, of several of a kind the one that was said first. */
export function killAmong<T extends { readonly target: KillTarget }>(
  standing: Iterable<T>,
  who: Stoppable,
): T | undefined {
  const names = namesFor(who)
  const stopping = [...standing].filter(({ target: { kind, name } }) => {
    const of = names[killKinds.indexOf(kind)] ?? null
    return of !== null && (kind === 'tool' ? isTool(name, of) : name === of)
  })
  return stopping.sort((one, other) => killKinds.indexOf(one.target.kind) - killKinds.indexOf(other.target.kind))[0]
}

/** Does the name of a tool, or the pattern of names, say this one? */
function isTool(said: string, name: string): boolean {
  return said === name || (isPattern(said) && globMatches(said, name))
}

export function isPattern(name: string): boolean {
  return /[*?]/.test(name)
}

/** What a refused call is told to be. */
export function killReason({ target }: Kill): ReasonCode {
  return target.kind === 'tool' ? 'TOOL_KILLED' : 'KILLED'
}

/** Who stopped what, and why, for whoever is refused. */
export function killSentence({ target, by, reason }: Kill): string {
  const who = by === undefined ? 'the policy' : quoted(by.name)
  const what = target.kind === 'session' ? 'this session' : killTitle(target)
  return `${who} stopped ${what}${reason === undefined ? '' : `: ${reason}`}`
}

/** Of what it is about. */
export function killTitle({ kind, name }: KillTarget): string {
  if (kind === 'tool' && isPattern(name)) return `all tools ${quoted(name)}`
  return kind === 'all' ? 'all calls' : `the ${kind} ${quoted(name)}`
}

/** The members of a record by which what a kill is about is found: those that the records of calls have. */
export function killMembers({ kind, name }: KillTarget): {
  readonly session_id?: string
  readonly principal?: Principal
  readonly method?: 'tools/call'
  readonly name?: string
  readonly server?: string
  readonly run_id?: string
} {
  switch (kind) {
    case 'session':
      return { session_id: name }
    case 'run':
      return { run_id: name }
    case 'server':
      return { server: name }
    case 'tool':
      return { method: 'tools/call', name }
    case 'agent':
    case 'user':
    case 'project':
      return { principal: { [kind]: name } }
    case 'all':
      return {}
  }
  return kind satisfies never
}
