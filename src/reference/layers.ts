/** What layers mean: each is asked on its own, and the most restrictive answer counts (`combined` in `src/model/layers.ts`). */
import type { LayeredInput } from '../model/call.ts'
import { judgeEach, type LayersVerdict } from '../model/layers.ts'
import type { Layers } from '../model/policy.ts'
import { evaluate } from './evaluate.ts'

export function evaluateLayers({ layers }: Layers, input: LayeredInput): LayersVerdict {
  return judgeEach(layers, input, ({ policy }, own) => evaluate(policy, own))
}
