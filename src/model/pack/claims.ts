/** Attributes of a run from the claims of a token that was verified: who acts in which run, and nothing about the act. */
import type { Json } from '../canonical.ts'
import { valueAt } from '../input.ts'
import type { Path } from '../policy.ts'
import type { Run } from './run.ts'

/** A person's approval, evidence and the phase of a run are the host's to say, call by call; a token outlives them. */
export const claimedAttributes = ['workflow_id', 'agent_id', 'agent_class', 'run_id', 'maturity_stage'] as const

export type ClaimedAttribute = (typeof claimedAttributes)[number]

/** Where in the claims each attribute stands. */
export type ClaimsMapping = Readonly<Partial<Record<ClaimedAttribute, Path>>>

/** What is mapped and not claimed is null: nothing else may fill it in. */
export function runFromClaims(mapping: ClaimsMapping, claims: { readonly [claim: string]: Json }): Run {
  return Object.fromEntries(
    Object.entries(mapping).map(([attribute, path]) => [attribute, valueAt(claims, path) ?? null]),
  )
}
