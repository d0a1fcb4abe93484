/** Explanations agree with decisions, on random policies too; and what they say would do, does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, Input } from '../../src/model/call.ts'
import { canonical, type Json } from '../../src/model/canonical.ts'
import { amountsOf, inputOf } from '../../src/model/input.ts'
import type { Policy } from '../../src/model/policy.ts'
import { planFor } from '../../src/model/strategy.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { explain } from '../../src/reference/explain.ts'
import { calls, factsFrom, policies, usages } from '../codegen/arbitrary.ts'
import { instants, orderedCalls, orderedPolicies } from '../codegen/arbitraryOrdered.ts'
import { packCalls, packs } from '../pack/arbitrary.ts'
import { fc, tries } from '../random.ts'
import { isConsistent } from './explained.ts'

test('every random decision is explained by the rule that makes it', () => {
  const tally = new Set<string>()
  fc.assert(
    fc.property(policies, calls, usages, (policy, call, used) => {
      const plan = planFor(policy, call)
      const facts = factsFrom(
        plan.counters.map(({ counter }) => counter.id),
        used,
      )
      const input = JSON.parse(canonical(inputOf(call, plan, facts, amountsOf(call, plan), 0) as unknown as Json))
      const explanation = explain(policy, input, { arguments: call.arguments })
      isConsistent(explanation, policy.strategy)
      tally.add(explanation.verdict.reason_code)
    }),
    { numRuns: tries(4_000) },
  )
  for (const code of ['ALLOW', 'ARGUMENT_REJECTED', 'DENIED_BY_RULE', 'TOOL_NOT_ALLOWED', 'RATE_LIMITED'])
    assert.ok(tally.has(code), code)
})

/** The reason of a decision of a policy that counts nothing. */
function explainedUncounted(policy: Policy, call: Call, at: number): string {
  const input = JSON.parse(canonical(inputOf(call, planFor(policy, call), {}, {}, at) as unknown as Json))
  const explanation = explain(policy, input)
  isConsistent(explanation, policy.strategy)
  return explanation.verdict.reason_code
}

test('every random decision of ordered rules is explained by the rule that makes it', () => {
  const tally = new Set<string>()
  fc.assert(
    fc.property(orderedPolicies, orderedCalls, instants, (policy, call, at) => {
      tally.add(explainedUncounted(policy, call, at))
    }),
    { numRuns: tries(4_000) },
  )
  for (const code of ['ALLOW', 'DENIED_BY_RULE', 'TOOL_NOT_ALLOWED', 'APPROVAL_REQUIRED', 'ARGUMENT_UNCOMPARABLE'])
    assert.ok(tally.has(code), code)
})

test('every random decision of a pack is explained by what makes it', () => {
  const tally = new Set<string>()
  fc.assert(
    fc.property(packs, packCalls, (policy, call) => {
      tally.add(explainedUncounted(policy, call, Date.parse('2026-01-05T12:00:00Z')))
    }),
    { numRuns: tries(10_000) },
  )
  for (const code of ['ALLOW', 'RUN_MISSING', 'KILL_SIGNAL', 'WORKFLOW_UNKNOWN', 'TOOL_SCOPE_NOT_ALLOWED'])
    assert.ok(tally.has(code), code)
})

const policy = (rules: string): Policy =>
  parsePolicy({ file: 'p.yaml', text: `version: "1"\ndefault: deny\ntools:\n  pay: { rules: [${rules}] }\n` })
    .policy as Policy

const input = (parts: Partial<Input>): Input => ({
  v: 1,
  method: 'tools/call',
  server: '',
  tool: 'pay',
  arguments: {},
  amounts: {},
  facts: {},
  principal: {},
  session: '',
  time: '2026-01-16T10:00:00.000Z',
  ...parts,
})

const deciding = (rules: string, parts: Partial<Input>, retryAfterMs?: number) => {
  const step = explain(policy(rules), input(parts), retryAfterMs === undefined ? {} : { retryAfterMs }).steps.find(
    ({ decides }) => decides,
  )
  return { result: step?.result, saw: step?.saw, otherwise: step?.otherwise }
}

const spend = 'spend: { daily: 500 }'
const spent = { 'spend(amount)/day@pay': 379_500_000 }

test('of a spent budget it is said what is left, and when there is more', () => {
  assert.deepEqual(deciding(`{ ${spend} }`, { amounts: { amount: 200_000_000 }, facts: spent }), {
    result: 'failed',
    saw: [
      { name: 'counter `spend(amount)/day@pay`', value: 379.5 },
      { name: 'argument `amount`', value: 200 },
    ],
    otherwise: [
      'argument `amount` is at most 120.5, what is left of the 500 this day',
      'a call from 2026-01-17T00:00:00.000Z on, when the next day begins',
    ],
  })
})

test('what is said to be left is what passes, and not a millionth more', () => {
  const passes = (micro: number) =>
    explain(policy(`{ ${spend} }`), input({ amounts: { amount: micro }, facts: spent })).verdict.decision
  assert.deepEqual([passes(120_500_000), passes(120_500_001)], ['allow', 'deny'])
})

test('an amount that no window has room for is not told to wait', () => {
  const { otherwise } = deciding(`{ ${spend} }`, { amounts: { amount: 501_000_000 }, facts: spent })
  assert.deepEqual(otherwise, ['argument `amount` is at most 120.5, what is left of the 500 this day'])
})

test('the time that the ledger gave is the one that is said', () => {
  const facts = { 'calls/60000ms@pay': 2 }
  const rules = '{ rate_limit: { limit: 2, window: minute, sliding: true } }'
  assert.deepEqual(deciding(rules, { facts }, 5_000).otherwise, [
    'a call from 2026-01-16T10:00:05.000Z on, when there is room again',
  ])
  assert.deepEqual(deciding(rules, { facts }).otherwise, ['a call when enough of the last 60 s has passed'])
})

test('what is missing is not told from what cannot be judged', () => {
  const rules = '{ arguments: { currency: { enum: [EUR, USD] } } }'
  const wanted = ['argument `currency` is one of "EUR", "USD"']
  assert.deepEqual(deciding(rules, {}), {
    result: 'unclear',
    saw: [{ name: 'argument `currency`' }],
    otherwise: wanted,
  })
  assert.equal(deciding(rules, { arguments: { currency: 5 } }).result, 'unclear')
  assert.equal(deciding(rules, { arguments: { currency: 'GBP' } }).result, 'failed')
})

test('a rule that denies says what has to be proved, and one without conditions that nothing helps', () => {
  const over = '{ action: deny, arguments: { amount: { min: 1000 } } }'
  assert.deepEqual(deciding(over, { arguments: { amount: 2000 } }).otherwise, [
    'proof that this does not hold: argument `amount` is a number of at least 1000',
  ])
  assert.match(deciding(over, {}).otherwise?.[0] ?? '', /\(now it cannot be told\)$/)
  assert.deepEqual(deciding('{ action: deny }', {}).otherwise, ['nothing in the call: the rule is for every call'])
  assert.deepEqual(deciding('{ action: require_approval }', {}).otherwise, ['approval by a person'])
})

const orderedDeciding = (yaml: string, parts: Partial<Input>) => {
  const { policy: read } = parsePolicy({ file: 'p.yaml', text: `version: "1"\n${yaml}` })
  return explain(read as Policy, input(parts)).steps.find(({ decides }) => decides)?.otherwise
}
const under5 = 'conditions: { param_lt: { amount: 5 } }'

test('a later rule is named as a way out only where one allows, or what no rule matches is allowed', () => {
  const blocking = (after: string, otherwise: string) =>
    orderedDeciding(
      `defaults: { approval: ${otherwise} }\nrules: [{ approval: block, ${under5} }, { approval: ${after} }]\n`,
      { arguments: { amount: 1 } },
    )
  const leaving = ['that this does not hold, and a later rule allows it: argument `amount` is less than 5']
  assert.deepEqual(blocking('auto', 'block'), leaving)
  assert.deepEqual(blocking('block', 'auto'), leaving)
  assert.deepEqual(blocking('block', 'block'), ['a rule that allows the tool'])
})

test('of what cannot be compared it is said which answer would do', () => {
  const unclear = (approval: string, otherwise: string) =>
    orderedDeciding(`defaults: { approval: ${otherwise} }\nrules: [{ approval: ${approval}, ${under5} }]\n`, {
      arguments: { amount: '1' },
    })
  const [holds, fails] = [
    'a value that can be compared, and that this holds: argument `amount` is less than 5',
    'a value that can be compared, and that this does not hold, and a later rule allows it: argument `amount` is less than 5',
  ]
  assert.deepEqual(unclear('auto', 'block'), [holds])
  assert.deepEqual(unclear('approve', 'block'), [`${holds}; and approval by a person`])
  assert.deepEqual(unclear('block', 'auto'), [fails])
  assert.deepEqual(unclear('auto', 'auto'), [holds, fails])
  assert.deepEqual(unclear('block', 'block'), ['a rule that allows the tool'])
})
