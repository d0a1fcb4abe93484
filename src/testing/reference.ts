/** What decides by the reference evaluator in the place of the compiled policy: nothing is compiled, and the decisions are the same. */
import type { Input, LayeredInput } from '../model/call.ts'
import { isLayered } from '../model/layers.ts'
import type { Policy, PolicySet } from '../model/policy.ts'
import type { ActiveLayers, ActivePolicy } from '../pep/active.ts'
import { evaluate } from '../reference/evaluate.ts'
import { evaluateLayers } from '../reference/layers.ts'

export function referenceOf(policy: PolicySet): ActivePolicy | ActiveLayers {
  if (!isLayered(policy)) return one(policy)
  const layers = policy.layers.map((layer) => ({ name: layer.name, ...one(layer.policy) }))
  return { revision, policy, layers, evaluate: (input) => evaluateLayers(policy, JSON.parse(input) as LayeredInput) }
}

/** It has none: nothing was compiled. */
const revision = ''

function one(policy: Policy): ActivePolicy {
  return {
    revision,
    policy,
    wasmDigest: '',
    sources: [],
    evaluate: (input) => evaluate(policy, JSON.parse(input) as Input),
    encoded: () => new Uint8Array(),
  }
}
