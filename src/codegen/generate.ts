/** From a policy to Rego, whatever its strategy is. */
import type { Policy } from '../model/policy.ts'
import { generateAll } from './all.ts'
import type { Generated } from './generated.ts'

export type { Generated } from './generated.ts'

export function generate(policy: Policy): Generated {
  switch (policy.strategy) {
    case 'all':
      return generateAll(policy)
  }
  return policy.strategy satisfies never
}
