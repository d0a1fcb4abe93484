/** From a policy to Rego, whatever its strategy is. */
import type { Policy } from '../model/policy.ts'
import { needsModel } from '../model/rego.ts'
import { generateAll } from './all.ts'
import { generateFirst } from './first.ts'
import type { Generated } from './generated.ts'
import { generatePack } from './pack.ts'

export type { Generated } from './generated.ts'

export function generate(policy: Policy): Generated {
  switch (policy.strategy) {
    case 'all':
      return generateAll(policy)
    case 'pack':
      return generatePack(policy)
    case 'first':
      return generateFirst(policy)
    case 'rego':
      throw needsModel(policy, 'the code generator')
  }
  return policy satisfies never
}
