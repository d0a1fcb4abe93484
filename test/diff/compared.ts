/** Two policies as text, compared as `tollgate diff` compares them, without a compiled policy beside the reference. */
import { compare, type Ports } from '../../src/diff/compare.ts'
import { type Report, type ReportedChange, reportOf } from '../../src/diff/report.ts'
import { type Side, sideOf } from '../../src/diff/side.ts'
import type { Policy, PolicySet } from '../../src/model/policy.ts'
import { parsePolicies } from '../../src/policy/merge.ts'

export const inTime: Ports = { deadline: () => () => false }

export function policyOf(text: string, file = 'policy.yaml'): Policy {
  const { policy, diagnostics } = parsePolicies([{ file, text }])
  if (!policy) throw new Error(`${text}\n${diagnostics.map(({ message }) => message).join('\n')}`)
  return policy
}

export function sidesOf(old: PolicySet, now: PolicySet): readonly [Side, Side] {
  return [sideOf(old) as Side, sideOf(now) as Side]
}

export function reportedOf(old: PolicySet, now: PolicySet, ports: Ports = inTime): Report {
  const [one, other] = sidesOf(old, now)
  return reportOf(one, other, compare(one, other, ports))
}

/** As lines: the kind, for whom, the call, and what it takes. */
export function toldBy({ changes, not_proved, faults }: Report): readonly string[] {
  return [
    ...changes.map(lineOf),
    ...not_proved.map(({ why, names }) => `not proved${names ? ` of ${names.join()}` : ''}: ${why}`),
    ...faults.map((fault) => `fault: ${fault}`),
  ]
}

function lineOf({ kind, callers, call, times, counters }: ReportedChange): string {
  const { principal: _, ...shown } = call
  const after = times ? ` x${times}` : counters ? ` after ${JSON.stringify(counters)}` : ''
  return `${kind}${callers ? ` (${callers.text})` : ''}: ${JSON.stringify(shown)}${after}`
}
