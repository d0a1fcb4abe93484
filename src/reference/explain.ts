/**
 * Why a policy decides as it does: what it asked, in order, what it saw, and what would have had to differ. It stands on
 * the reference evaluator and has one page for each strategy; it is never on the enforcement path.
 */
import type { Input } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import type { Verdict } from '../model/decision.ts'
import type { Place, Policy } from '../model/policy.ts'
import { needsModel } from '../model/rego.ts'
import { evaluate } from './evaluate.ts'
import { explainAll } from './explainAll.ts'
import { explainFirst } from './explainFirst.ts'
import { explainPack } from './explainPack.ts'

/** Something that a question is about, and what was there; without a value: nothing. */
export interface Seen {
  readonly name: string
  readonly value?: Json
}

export interface Step {
  readonly rule: string
  readonly place?: Place
  readonly asks: string
  readonly saw: readonly Seen[]
  /** Of what is asked; of an ordered rule: whether it matches. `unclear`: what is there can be neither taken for a yes nor for a no, and so counts against the call. */
  readonly result: 'passed' | 'failed' | 'unclear' | 'not_reached'
  readonly decides: boolean
  /** Of a step that stopped the call: any of these would have let it pass here. */
  readonly otherwise?: readonly string[]
}

export interface Explanation {
  readonly verdict: Verdict
  readonly steps: readonly Step[]
}

/** What the record knows beside the input. */
export interface Beside {
  /** The whole arguments, as far as they were kept. */
  readonly arguments?: Json
  readonly retryAfterMs?: number
}

export function explain(policy: Policy, input: Input, beside: Beside = {}): Explanation {
  return { verdict: evaluate(policy, input), steps: stepsOf(policy, input, beside) }
}

function stepsOf(policy: Policy, input: Input, beside: Beside): readonly Step[] {
  switch (policy.strategy) {
    case 'all':
      return explainAll(policy, input, beside)
    case 'pack':
      return explainPack(policy, input)
    case 'first':
      return explainFirst(policy, input)
    case 'rego':
      throw needsModel(policy, 'an explanation by rules')
  }
  return policy satisfies never
}
