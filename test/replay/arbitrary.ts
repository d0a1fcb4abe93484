/** Random policies, and what may happen at a gate under them. */
import assert from 'node:assert/strict'
import type { Call } from '../../src/model/call.ts'
import type { KillTarget } from '../../src/model/kill.ts'
import type { Policy } from '../../src/model/policy.ts'
import { parsePolicies } from '../../src/policy/merge.ts'
import { calls, policies } from '../codegen/arbitrary.ts'
import { orderedCalls, orderedPolicies } from '../codegen/arbitraryOrdered.ts'
import { packCalls, packs } from '../pack/arbitrary.ts'
import { fc, seed } from '../random.ts'
import { type Active, activeOf, layersOf, type Step } from './recording.ts'

/** Limits of every kind, spends, approvals by several persons, counters that are read, and pinning. */
export const busyText = `
version: "1"
policy_id: busy
default: deny
pinning: first_use
tools:
  pay:
    rules:
      - { name: cap, spend: { amount: amount, per_call: 10, daily: 10, currency: a, currencies: [GBP, gbp, a] } }
      - { name: often, rate_limit: { limit: 6, window: 10s, sliding: true }, per: session }
      - { name: each, rate_limit: 9/hour, per: arguments.a }
      - { name: ask, action: require_approval, approval_timeout: 1m, arguments: { amount: { min: 5 } } }
  pay_in:
    rules:
      - { name: two, action: require_approval, approval_quorum: 2, arguments: { amount: { min: 1 } } }
      - { name: rare, spend: { amount: amount, daily: 12 } }
  read_x: { rules: [{ name: slow, rate_limit: 3/minute, per: agent }] }
  "*": { rules: [{ name: all, rate_limit: 30/minute }] }
`
export const busy = policyOf(busyText)

export function policyOf(text: string): Policy {
  const { policy, diagnostics } = parsePolicies([{ file: 'busy.yaml', text }])
  assert.ok(policy, JSON.stringify(diagnostics))
  return policy
}

const sessions = ['s1', 's2', 's3', '']
const ends = fc.constantFrom(
  'success' as const,
  'success' as const,
  'error' as const,
  'unknown' as const,
  'open' as const,
)
const tools = fc.subarray(
  [
    { name: 'pay', description: 'pays' },
    { name: 'pay_in', description: 'pays in' },
    { name: 'read_x', description: 'reads' },
  ],
  { minLength: 2 },
)

const stopped: readonly KillTarget[] = [
  { kind: 'session', name: 's1' },
  { kind: 'tool', name: 'pay' },
  { kind: 'tool', name: 'p*_in' },
  { kind: 'server', name: 'stripe' },
  { kind: 'run', name: 'r1' },
  { kind: 'agent', name: 'nobody' },
]

export function stepsOf(called: fc.Arbitrary<Call>, count: number): fc.Arbitrary<readonly Step[]> {
  const call = fc
    .record({ called, session: fc.constantFrom(...sessions) })
    .map(({ called: one, session }) => ({ ...one, session }))
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 20, arbitrary: fc.record({ do: fc.constant('call' as const), call, ends }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('check' as const), call, ends }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('again' as const),
        of: fc.nat(6),
        ends: fc.constantFrom('success' as const, 'error' as const),
      }),
    },
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const),
        of: fc.nat(2),
        by: fc.constantFrom('ada', 'bob', 'u'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc

        .tuple(fc.constantFrom('kill' as const, ...Array<'lift'>(5).fill('lift')), fc.constantFrom(...stopped))
        .map(([what, target]) => ({ do: what, ...target })),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('list' as const), server: fc.constantFrom('s', 'stripe'), tools }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(500, 5_000, 30_000, 4_000_000) }),
    },
  )
  return fc.array(step, { minLength: count, maxLength: count })
}

export const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number) => fc.sample(arbitrary, { numRuns, seed })
export const firstLists: readonly Step[] = ['s', 'stripe', 'a', ''].map((server) => ({
  do: 'list',
  server,
  tools: [{ name: 'pay', description: 'pays' }, { name: 'pay_in', description: 'pays in' }, { name: 'read_x' }],
}))
export const payments: fc.Arbitrary<Call> = fc.record({
  method: fc.constant('tools/call' as const),
  server: fc.constantFrom('s', 's', 's', 'stripe'),
  name: fc.constantFrom('pay', 'pay', 'pay_in', 'read_x', 'other'),
  arguments: fc.record({ amount: fc.constantFrom(0.5, 0.5, 1, 5, 11), a: fc.constantFrom('GBP', 'GBP', 'gbp', 'EUR') }),
  principal: fc.constantFrom({ agent: 'bot', user: 'u' }, { agent: 'bot' }, {}),
  session: fc.constant(''),
  run: fc.constantFrom({ run_id: 'r1' }, { run_id: 'r2' }, { run_id: 'r2' }),
})

export function* recordings(): Generator<{ readonly active: Active; readonly steps: readonly Step[] }> {
  for (const steps of sample(stepsOf(payments, 500), 3))
    yield { active: activeOf(busy), steps: [...firstLists, ...steps] }
  const own = [
    [policies, calls],
    [orderedPolicies, orderedCalls],
    [packs, packCalls],
  ] as const
  for (const [some, called] of own) {
    const runs = sample(stepsOf(called, 60), 6)
    for (const [index, policy] of sample(some as fc.Arbitrary<Policy>, 6).entries())
      yield { active: activeOf(policy), steps: runs[index] as readonly Step[] }
  }
  const mixed = stepsOf(fc.oneof(payments, orderedCalls, packCalls), 80)
  const stacked = sample(fc.tuple(policies, orderedPolicies, packs, mixed), 3)
  for (const [native, ordered, pack, steps] of stacked) {
    yield { active: layersOf({ org: busy, team: ordered }), steps: [...firstLists, ...steps] }
    yield { active: layersOf({ team: native, agent: pack }), steps }
  }
}
