/**
 * The kill switch: whoever, or whatever, is stopped stays so until somebody lifts it by name. No time and no restart does.
 * Names are compared exactly, letter case and Unicode form too.
 */
import type { Approver } from './approval.ts'
import type { Call, Principal } from './call.ts'
import { quoted } from './message/quoted.ts'
import type { ReasonCode } from './reasons.ts'

/** What is about the caller stands before what is about the tool: that one leaves the session be. */
export const killKinds = ['session', 'agent', 'user', 'project', 'all', 'tool'] as const

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
export type Stoppable = Pick<Call, 'session' | 'principal'> & Partial<Pick<Call, 'method' | 'name'>>

/** The names by which they would be stopped, in the order of `killKinds`; null where there is none. */
export function namesFor({ session, principal, method, name }: Stoppable): readonly (string | null)[] {
  const { agent, user, project } = principal
  const tool = method === 'tools/call' ? name : undefined
  return [session || null, agent || null, user || null, project || null, '', tool || null]
}

/** All that would stop them. */
export function targetsFor(who: Stoppable): readonly KillTarget[] {
  const names = namesFor(who)
  return killKinds.flatMap((kind, index) => {
    const name = names[index] ?? null
    return name === null ? [] : [{ kind, name }]
  })
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
  return kind === 'all' ? 'all calls' : `the ${kind} ${quoted(name)}`
}

/** The members of a record by which what a kill is about is found: those that the records of calls have. */
export function killMembers({ kind, name }: KillTarget): {
  readonly session_id?: string
  readonly principal?: Principal
  readonly method?: 'tools/call'
  readonly name?: string
} {
  switch (kind) {
    case 'session':
      return { session_id: name }
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
