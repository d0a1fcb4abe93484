/** What a policy means, whatever it is called and wherever its parts stand; and two policies asked the same calls. */
import assert from 'node:assert/strict'
import type { Call } from '../../src/model/call.ts'
import type { Decision } from '../../src/model/decision.ts'
import type { Policy } from '../../src/model/policy.ts'
import type { ActivePolicy } from '../../src/pep/gate.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import { openGateWith } from '../../src/runtime/open.ts'

/** Everything but places and the language. */
export function meaning(policy: Policy): unknown {
  return JSON.parse(JSON.stringify(policy, (key, value) => (key === 'place' || key === 'language' ? undefined : value)))
}

export function parsed(file: string, text: string): Policy {
  const { policy, diagnostics } = parsePolicy({ file, text })
  const errors = diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic)
  assert.deepEqual(errors, [], text)
  return policy as Policy
}

/** Asked by the reference: what it takes for compiling goes into more policies. */
export function activeByReference(policy: Policy): ActivePolicy {
  return {
    revision: 'r',
    policy,
    wasmDigest: '',
    sources: [],
    evaluate: (input) => evaluate(policy, JSON.parse(input)),
    encoded: () => new Uint8Array(),
  }
}

export interface TimedCall {
  readonly call: Call
  /** Milliseconds since the one before. */
  readonly after: number
}

/** All calls through a gate of its own, counted in a ledger of its own. */
export function decisionsOf(active: ActivePolicy, calls: readonly TimedCall[]): readonly Partial<Decision>[] {
  let now = Date.parse('2026-03-31T23:00:00Z')
  const report = (error: unknown) => assert.fail(error as Error)
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', clock: () => now, report })
  gate.activate(active)
  const decided = calls.map(({ call, after }) => {
    now += after
    const { decision_id: _, revision: __, approval, ...decision } = gate.admit([call])[0] as Decision
    return approval ? { ...decision, approval: { ...approval, id: '' } } : decision
  })
  ledger.close()
  return decided
}
