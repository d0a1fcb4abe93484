/**
 * A policy in Rego that others wrote: one of its rules is asked, with the whole call. Nothing is known of it but its
 * answers: it has no rules, no limits and no counters that could be looked at.
 */
import type { Call } from './call.ts'
import { TollgateError } from './errors.ts'
import { runId } from './kill.ts'
import type { RunFacts } from './pack/run.ts'
import type { Plan } from './plan.ts'
import type { PolicyHead } from './policy.ts'

export interface RegoPolicy extends PolicyHead {
  readonly strategy: 'rego'
  readonly language: 'rego'
  /** The rule that is asked, as OPA spells it: `package/rule`. */
  readonly entrypoint: string
  /** SHA-256 over its module and its data: policies that ask rules of one name are not one. */
  readonly digest: string
}

/** What it reads nobody knows: it is given all that the caller says, and charges nothing. */
export const planOfRego: Plan = {
  shape: { fields: new Map(), read: true, whole: true },
  names: { fields: new Map(), folded: new Set() },
  amounts: [],
  counters: [],
  run: regoRun,
}

/** Of the run of a call its id: what else its host registers is for policy packs. */
export function regoRun({ run }: Pick<Call, 'run'>): RunFacts | undefined {
  const id = runId(run)
  return id === undefined ? undefined : ({ run_id: id } as RunFacts)
}

/** `what` cannot be done with its answers alone. */
export function needsModel({ entrypoint }: RegoPolicy, what: string): TollgateError {
  return new TollgateError(
    'policy_is_rego',
    `\`${entrypoint}\` is a rule in Rego that others wrote, of which nothing is known but its answers: ${what} needs a policy file of Tollgate`,
  )
}
