/** What holds a call, all of it: found by asking again as if it were approved, until nothing holds it any more. */
import type { Approved, LayeredApproved } from '../model/call.ts'
import type { Verdict } from '../model/decision.ts'
import { type ApprovalDemands, strictestDemands } from '../model/holds.ts'
import type { LayersVerdict } from '../model/layers.ts'

/** The policy's answer to an input, and the input that it was given. */
export interface Asked {
  readonly verdict: Verdict | LayersVerdict
  readonly input: string
}

export interface Held {
  readonly holds: Approved | LayeredApproved
  readonly demands: ApprovalDemands
  /** What the policy says once all of that is approved: allowed. */
  readonly cleared: Asked
}

/**
 * Undefined when no approval that is given here clears it: a policy pack asks for one that the host of the run registers.
 * Throws when an approval would turn a hold into something else than an allowed call.
 */
export function heldBy(first: Asked, ask: (approved: Approved | LayeredApproved) => Asked): Held | undefined {
  const holding: (Verdict | LayersVerdict)[] = []
  let holds: Approved | LayeredApproved | undefined
  let asked = first
  while (asked.verdict.decision === 'hold') {
    holding.push(asked.verdict)
    holds = withHolds(holds, asked.verdict)
    if (holds === undefined) return undefined
    asked = ask(holds)
  }
  if (asked.verdict.decision !== 'allow' || holds === undefined)
    throw new Error('an approval does not clear what holds it')
  return { holds, demands: strictestDemands(holding), cleared: asked }
}

/** Undefined when it holds for nothing that can be approved. Throws when what was approved holds still. */
function withHolds(
  before: Approved | LayeredApproved | undefined,
  verdict: Verdict | LayersVerdict,
): Approved | LayeredApproved | undefined {
  if (!('layers' in verdict))
    return verdict.hold === undefined ? undefined : withOne((before ?? []) as Approved, verdict.hold)
  if (verdict.holds.length === 0) return undefined
  const all = new Map(Object.entries((before ?? {}) as LayeredApproved))
  for (const { layer, hold } of verdict.holds) all.set(layer, withOne(all.get(layer) ?? [], hold))
  return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function withOne(before: Approved, hold: string): Approved {
  if (before.includes(hold)) throw new Error('what was approved holds still')
  return [...before, hold].sort()
}
