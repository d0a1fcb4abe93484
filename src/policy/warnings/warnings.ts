/** What is legal and surely not meant in a whole policy. Each of these is silent where it could be wrong. */
import type { ModelledPolicy } from '../../model/policy.ts'
import type { Report } from '../diagnostics.ts'
import { reportEscapes } from './escapes.ts'
import { reportNeverAsked } from './ordered.ts'
import { reportUnreachable } from './unreachable.ts'

export function reportUnwanted(policy: ModelledPolicy, report: Report): void {
  if (policy.strategy === 'first') reportNeverAsked(policy.rules, report)
  if (policy.strategy !== 'all') return
  reportUnreachable(policy, report)
  reportEscapes(policy, report)
}
