/** What is legal and surely not meant. Each of these is silent where it could be wrong. */
import type { AllPolicy } from '../../model/policy.ts'
import type { Report } from '../diagnostics.ts'
import { reportEscapes } from './escapes.ts'
import { reportUnreachable } from './unreachable.ts'

export function reportUnwanted(policy: AllPolicy, report: Report): void {
  reportUnreachable(policy, report)
  reportEscapes(policy, report)
}
