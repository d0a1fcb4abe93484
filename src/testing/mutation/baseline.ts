/**
 * A case as the policy decides it, to see without playing it again that a mutant decides it in the same way. What a case
 * comes to depends on the verdicts of the policy, on what the gate asks of it (its plan) and on nothing else: where a
 * mutant has the same plan and gives the same verdict on every input that was asked, each call goes as it went, and so
 * does the next.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Verdict } from '../../model/decision.ts'
import { type LayersVerdict, planForSet } from '../../model/layers.ts'
import type { Plan } from '../../model/plan.ts'
import type { PolicySet } from '../../model/policy.ts'
import type { ActiveLayers, ActivePolicy } from '../../pep/active.ts'
import type { Trial } from './run.ts'

type Active = ActivePolicy | ActiveLayers
type Said = Verdict | LayersVerdict

export interface Baseline {
  /** Everything was as the case expects. */
  readonly passes: boolean
  /** No mutant that decides so can be noticed by the case. */
  isAsBefore(active: Active): boolean
}

export function baselineOf(trial: Trial, active: Active): Baseline {
  const said = new Map<string, Said>()
  const passes = trial.passes(listening(active, said))
  const waits = [...said.values()].some((verdict) => waitsForRoom(verdict))
  const plans = (policy: PolicySet) => trial.targets.map((target) => known(planForSet(policy, target), waits))
  const before = plans(active.policy)
  return {
    passes,
    isAsBefore(mutant) {
      if (trial.hasLists || said.size > inputsKeptMax) return false
      if (!isDeepStrictEqual(plans(mutant.policy), before)) return false
      return [...said].every(([input, verdict]) => isDeepStrictEqual(mutant.evaluate(input), verdict))
    },
  }
}

/** Of a longer case it is as quick to play it. */
const inputsKeptMax = 1_000

function listening<A extends Active>(active: A, said: Map<string, Said>): Active {
  const evaluate = (input: string) => {
    const verdict = active.evaluate(input)
    if (said.size <= inputsKeptMax) said.set(input, verdict)
    return verdict
  }
  return { ...active, evaluate } as Active
}

/** How much room there is tells how long a refused call has to wait, and nothing else. */
function waitsForRoom(verdict: Said): boolean {
  return 'layers' in verdict ? verdict.full.length > 0 : verdict.counter !== undefined
}

function known(plan: Plan, withMaxima: boolean): unknown {
  if (withMaxima) return plan
  const counters = plan.counters.map(({ bounds, ...counter }) => ({ ...counter, bounds: bounds.map((one) => one.for) }))
  return { ...plan, counters }
}
