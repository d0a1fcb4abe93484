/** Where a message goes: on, back, or nowhere. */
import type { Line } from './framing.ts'

export type Plan = { readonly kind: 'toServer' | 'toClient'; readonly line: Line } | { readonly kind: 'drop' }

/** What to write, in order. The transport writes it, then calls `settle`. */
export interface Step {
  readonly toServer: readonly Line[]
  readonly toClient: readonly Line[]
}

export const drop: Plan = { kind: 'drop' }

export function toServer(line: Line): Plan {
  return { kind: 'toServer', line }
}

export function toClient(line: Line): Plan {
  return { kind: 'toClient', line }
}

export function stepOf(plans: readonly Plan[]): Step {
  const step = { toServer: [] as Line[], toClient: [] as Line[] }
  for (const plan of plans) if (plan.kind !== 'drop') step[plan.kind].push(plan.line)
  return step
}
