/**
 * What a policy means: one page for each strategy. Slow and obvious: it explains decisions and is what the compiled
 * policy must agree with on every call. It is never on the enforcement path.
 */
import type { Input } from '../model/call.ts'
import type { Verdict } from '../model/decision.ts'
import type { Policy } from '../model/policy.ts'
import { needsModel } from '../model/rego.ts'
import { evaluateAll } from './all.ts'
import { evaluateFirst } from './first.ts'
import { evaluatePack } from './pack.ts'

export function evaluate(policy: Policy, input: Input): Verdict {
  switch (policy.strategy) {
    case 'all':
      return evaluateAll(policy, input)
    case 'pack':
      return evaluatePack(policy, input)
    case 'first':
      return evaluateFirst(policy, input)
    case 'rego':
      throw needsModel(policy, 'the reference evaluator')
  }
  return policy satisfies never
}
