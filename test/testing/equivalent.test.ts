/** Changes of policies that are not counted, because no decision comes out otherwise by them: on random rules and all calls. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, Input } from '../../src/model/call.ts'
import type { Json } from '../../src/model/canonical.ts'
import { counterKey } from '../../src/model/counters.ts'
import { amountsOf, inputOf } from '../../src/model/input.ts'
import type { AllPolicy, Condition, Counter, Entry, Rule, Test } from '../../src/model/policy.ts'
import { planFor } from '../../src/model/strategy.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import { mutantsOf } from '../../src/testing/mutation/mutants.ts'
import { seek } from '../../src/testing/mutation/witness.ts'
import { fc, seed } from '../random.ts'

const place = { file: 'p.yaml', line: 1, col: 1 }

const tests: fc.Arbitrary<Test> = fc.constantFrom<Test>(
  { kind: 'present' },
  { kind: 'present' },
  { kind: 'absent' },
  { kind: 'exists', there: true },
  { kind: 'type', types: ['number'] },
  { kind: 'type', types: ['object'] },
  { kind: 'type', types: ['object'] },
  { kind: 'type', types: ['string', 'array', 'null'] },
  { kind: 'enum', values: [1, 'x'] },
  { kind: 'enum', values: [null] },
  { kind: 'enum', values: [null] },
  { kind: 'one_of', values: ['x'], negated: true },
  { kind: 'range', max: 3 },
  { kind: 'prefix', prefix: 'x' },
  { kind: 'each', conditions: [{ path: [], optional: false, test: { kind: 'prefix', prefix: 'x' } }] },
)
const conditions: fc.Arbitrary<Condition> = fc.record({
  path: fc.constantFrom(['a'], ['a'], ['b'], ['a', 'x'], ['a', 'x']),
  optional: fc.boolean(),
  test: tests,
})
const byArgument: Counter = {
  id: 'c',
  measure: 'calls',
  window: { kind: 'total' },
  per: [{ kind: 'argument', path: ['b'] }],
}
const rules: fc.Arbitrary<Rule> = fc
  .record({
    effect: fc.constantFrom('require', 'require', 'deny', 'hold'),
    conditions: fc.array(conditions, { minLength: 1, maxLength: 3 }),
    forBots: fc.boolean(),
    counts: fc.constantFrom('nothing', 'nothing', 'amounts', 'calls'),
  })
  .map(
    ({ effect, conditions: asked, forBots, counts }): Rule => ({
      ...{ name: 'rule', effect, conditions: asked, limits: [], place },
      ...(forBots && { for: [{ agent: [{ kind: 'literal', text: 'bot' }] }] }),
      ...(effect === 'require' && counts === 'amounts' && { spend: { amount: ['a'] } }),
      ...(effect === 'require' && counts === 'calls' && { limits: [{ counter: byArgument, max: 5 }] }),
    }),
  )
const policies: fc.Arbitrary<AllPolicy> = fc
  .tuple(fc.array(rules, { minLength: 1, maxLength: 2 }), fc.constantFrom('pay', 'p*'), fc.boolean())
  .map(([own, wide, forBots]) => {
    const entry: Omit<Entry, 'key' | 'match'> = { method: 'tools/call', lists: true, rules: own, place }
    const glob = { kind: wide === 'pay' ? 'literal' : 'glob', text: wide } as const
    const entries: Entry[] = [
      { ...entry, key: 'pay', match: [{ name: { kind: 'literal', text: 'pay' } }] },
      { ...entry, key: wide, match: [{ name: glob }], rules: [], ...(forBots && { for: [{ agent: [glob] }] }) },
    ]
    return { strategy: 'all', language: 'native', id: 'p', version: '', default: 'deny', reasonCodes: {}, entries }
  })

const missing = Symbol('missing')
const values: readonly (Json | typeof missing)[] = [
  missing,
  null,
  1,
  5,
  'x',
  'yx',
  ['x'],
  ['y'],
  { x: 1 },
  { x: 'x' },
  {},
]
const calls: readonly Call[] = values.flatMap((a) =>
  values.slice(0, 3).flatMap((b) =>
    [{ agent: 'bot' }, { agent: 'ann' }].map((principal) => ({
      ...{ method: 'tools/call', server: '', name: 'pay', session: '', principal },
      arguments: Object.fromEntries(
        Object.entries({ a, b }).filter(([, value]) => value !== missing),
      ) as Call['arguments'],
    })),
  ),
)

function inputFor(policy: AllPolicy, call: Call): Input {
  const plan = planFor(policy, call)
  const known = plan.counters.filter(({ counter }) => counterKey(policy.id, counter, call) !== undefined)
  return inputOf(call, plan, Object.fromEntries(known.map(({ counter }) => [counter.id, 0])), amountsOf(call, plan), 0)
}

test('a change that is not counted changes no decision', () => {
  const found = { changes: 0, allowed: 0, refused: 0 }
  for (const policy of fc.sample(policies, { seed, numRuns: 500 })) {
    const { equivalent } = mutantsOf({ policy, placeOf: () => place, isIdle: () => false })
    found.changes += equivalent.length
    for (const { change, policy: mutant } of equivalent)
      for (const call of calls) {
        const [before, after] = [policy, mutant as AllPolicy].map((one) => evaluate(one, inputFor(one, call)).decision)
        found[before === 'deny' ? 'refused' : 'allowed']++
        assert.equal(after, before, `${change}: ${JSON.stringify([call, policy])}`)
      }
  }
  assert.ok(found.changes > 200 && found.allowed > 500 && found.refused > 500, JSON.stringify(found))
})

test('a change of which it is proved that no call notices it changes no decision', () => {
  const found = { proved: 0, shown: 0 }
  for (const policy of fc.sample(policies, { seed, numRuns: 12 })) {
    const { mutants } = mutantsOf({ policy, placeOf: () => place, isIdle: () => false })
    for (const { change, policy: mutant } of mutants) {
      const sought = seek(policy, mutant, () => false)
      if (sought !== 'none') {
        if (sought) found.shown++
        continue
      }
      found.proved++
      for (const call of calls) {
        const [before, after] = [policy, mutant as AllPolicy].map((one) => evaluate(one, inputFor(one, call)).decision)
        assert.equal(after, before, `${change}: ${JSON.stringify([call, policy])}`)
      }
    }
  }
  assert.ok(found.proved > 10 && found.shown > 20, JSON.stringify(found))
})
