/**
 * What holds a call, by an id of what it says: an approval is for the very rule that a person was asked about. A rule that
 * is changed is another one, and what was approved of the old one does not clear it; where it stands does not matter.
 */
import { hash } from 'node:crypto'
import { canonical, type Json } from './canonical.ts'
import type { Verdict } from './decision.ts'
import { approvalTimeoutMsDefault } from './limits.ts'
import type { Answer, OrderedRule } from './ordered.ts'
import type { Entry, Rule } from './policy.ts'
import type { RegoPolicy } from './rego.ts'

export function holdOfRule(policyId: string, { method, key }: Entry, { place: _, ...rule }: Rule): string {
  return holdId(rule.name, { policyId, method, key, rule })
}

/** `rule` is absent for what stands for the calls that no rule matches. */
export function holdOfOrdered(policyId: string, answer: Answer, rule?: OrderedRule): string {
  if (!rule) return holdId('<default>', { policyId, otherwise: answer })
  const { place: _, ...said } = rule
  return holdId(said.name, { policyId, rule: said })
}

/** What it says is all that is known of what holds: another module, other data or other words are another hold. */
export function holdOfRego({ id, digest }: RegoPolicy, rule: string, said: Json): string {
  return holdId(rule, { policyId: id, digest, said })
}

/** Readable by its name, told apart by its digest: two rules may have one name. */
function holdId(name: string, what: object): string {
  return `${name}#${hash('sha256', canonical(what as Json)).slice(0, 32)}`
}

/** What an approval has to be like. */
export type ApprovalDemands = Required<Pick<Verdict, 'approval_timeout_ms'>> &
  Pick<Verdict, 'approval_wait_ms' | 'approval_quorum' | 'approval_not_requester'>

/** One approval for all of what holds a call: what each of them asks for is asked. */
export function strictestDemands(holding: readonly Partial<ApprovalDemands>[]): ApprovalDemands {
  const times = holding.map(({ approval_timeout_ms = approvalTimeoutMsDefault }) => approval_timeout_ms)
  const waits = holding.flatMap(({ approval_wait_ms }) => approval_wait_ms ?? [])
  const quorum = Math.max(...holding.map(({ approval_quorum = 1 }) => approval_quorum))
  return {
    approval_timeout_ms: Math.min(...times),
    ...(waits.length > 0 && { approval_wait_ms: Math.min(...waits) }),
    ...(quorum > 1 && { approval_quorum: quorum }),
    ...(holding.some(({ approval_not_requester }) => approval_not_requester) && { approval_not_requester: true }),
  }
}
