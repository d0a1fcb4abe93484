/** Where a message goes: on, back, nowhere, or nowhere yet. */
import type { Id } from '../model/message/message.ts'
import type { Line } from './framing.ts'

export type Plan =
  | { readonly kind: 'toServer' | 'toClient'; readonly line: Line; readonly about?: About }
  | { readonly kind: 'keep'; readonly id: Id }
  | { readonly kind: 'drop' | 'taken' }

/** What of the client a message of the server belongs to, where it says so. */
export type About =
  | { readonly answers: Id; readonly errorCode?: number }
  /** The token of the request whose progress it tells. */
  | { readonly progress: unknown }

/** What to write, in order. The transport writes it, then calls `settle`. */
export interface Step {
  readonly toServer: readonly Line[]
  readonly toClient: readonly Line[]
  /** Calls that a person was asked about, and whose callers wait: the transport waits for each with `wait`. */
  readonly kept?: readonly Id[]
  /** A message was for the gate alone, and nothing is wrong with it. */
  readonly taken?: true
  /** Of a call that was kept open: nothing comes after this. */
  readonly isLast?: true
}

export const drop: Plan = { kind: 'drop' }

/** It was for the gate alone. */
export const taken: Plan = { kind: 'taken' }

export function toServer(line: Line): Plan {
  return { kind: 'toServer', line }
}

export function toClient(line: Line, about?: About): Plan {
  return { kind: 'toClient', line, ...(about && { about }) }
}

export function stepOf(plans: readonly Plan[]): Step {
  const step = { toServer: [] as Line[], toClient: [] as Line[] }
  const kept: Id[] = []
  for (const plan of plans) {
    if (plan.kind === 'keep') kept.push(plan.id)
    else if (plan.kind === 'toServer' || plan.kind === 'toClient') step[plan.kind].push(plan.line)
  }
  const isTaken = plans.some(({ kind }) => kind === 'taken')
  return { ...step, ...(kept.length > 0 && { kept }), ...(isTaken && { taken: true }) }
}
