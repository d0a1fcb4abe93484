/** What is said to decide nothing decides nothing: random policies without it give the same verdicts on random calls. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../../src/model/call.ts'
import { amountsOf, inputOf } from '../../src/model/input.ts'
import type { FirstPolicy, OrderedCondition, OrderedRule } from '../../src/model/ordered.ts'
import type { AllPolicy, Condition, Policy, Rule, Test } from '../../src/model/policy.ts'
import { planFor } from '../../src/model/strategy.ts'
import { Report } from '../../src/policy/diagnostics.ts'
import { reportNeverAsked } from '../../src/policy/warnings/ordered.ts'
import { reportUnreachable } from '../../src/policy/warnings/unreachable.ts'
import { evaluate } from '../../src/reference/evaluate.ts'
import { fc, tries } from '../random.ts'

// Few words and values, so that one rule often says what another does.
const numbers = [1, 2, 3] as const
const scalars = ['a', 'ab', 1] as const
const bounds = fc.record({ min: fc.constantFrom(...numbers), max: fc.constantFrom(...numbers) }, { requiredKeys: [] })

const tests: fc.Arbitrary<Test> = fc.oneof(
  fc.constantFrom<Test>({ kind: 'present' }, { kind: 'absent' }),
  fc
    .subarray(['string', 'number', 'boolean', 'null'] as const, { minLength: 1 })
    .map((types): Test => ({ kind: 'type', types })),
  fc.subarray([...scalars], { minLength: 1 }).map((values): Test => ({ kind: 'enum', values })),
  bounds.map((range): Test => ({ kind: 'range', ...range })),
  bounds.map((range): Test => ({ kind: 'length', ...range })),
  fc.constantFrom('a', 'ab', 'b').map((prefix): Test => ({ kind: 'prefix', prefix })),
)

const conditions: fc.Arbitrary<Condition> = fc.record({
  path: fc.constantFrom(['x'], ['y']),
  optional: fc.boolean(),
  test: tests,
})

const rules: fc.Arbitrary<Rule> = fc.record({
  name: fc.constant(''),
  effect: fc.constantFrom('require', 'deny', 'hold'),
  conditions: fc.array(conditions, { maxLength: 2 }),
  limits: fc.constant([]),
  place: fc.constant({ file: 'random.yaml', line: 1, col: 1 }),
})

/** Each rule has a line and a name of its own. */
const policies: fc.Arbitrary<AllPolicy> = fc.array(rules, { minLength: 2, maxLength: 4 }).map((written) => ({
  strategy: 'all',
  language: 'native',
  id: 'random',
  version: '',
  default: 'deny',
  reasonCodes: {},
  entries: [
    {
      method: 'tools/call',
      key: 'pay',
      match: [{ name: { kind: 'literal', text: 'pay' } }],
      lists: true,
      rules: written.map((rule, index) => ({
        ...rule,
        name: `rule ${index}`,
        place: { ...rule.place, line: index + 1 },
      })),
      place: { file: 'random.yaml', line: 100, col: 1 },
    },
  ],
}))

const values = ['a', 'ab', 'abc', 'b', 0, 1, 2, 4, true, null, [1], {}]
const argumentsOfCalls = [undefined, ...values].flatMap((x) =>
  [undefined, ...values].map((y) => ({ ...(x !== undefined && { x }), ...(y !== undefined && { y }) })),
)

function verdictOf(policy: Policy, args: object, name = 'pay', at = 0) {
  const call: Call = {
    method: 'tools/call',
    server: '',
    name,
    arguments: args as Call['arguments'],
    principal: {},
    session: '',
  }
  const plan = planFor(policy, call)
  const facts = { used: {} } as unknown as Parameters<typeof inputOf>[2]
  return evaluate(policy, JSON.parse(JSON.stringify(inputOf(call, plan, facts, amountsOf(call, plan), at))))
}

function without(policy: AllPolicy, line: number): AllPolicy {
  const entries = policy.entries.map((entry) => ({
    ...entry,
    rules: entry.rules.filter((rule) => rule.place.line !== line),
  }))
  return { ...policy, entries }
}

test('a rule that is said to decide nothing can be taken away: no verdict changes', () => {
  const said = { shadowed: 0, unreachable: 0 }
  fc.assert(
    fc.property(policies, (policy) => {
      const report = new Report('random.yaml')
      reportUnreachable(policy, report)
      for (const { line, code } of report.diagnostics()) {
        const less = without(policy, line)
        said[code as keyof typeof said]++
        for (const args of argumentsOfCalls) {
          const before = verdictOf(policy, args)
          const after = verdictOf(less, args)
          // Beside a rule that refuses every call another one may be named, and the answer is the same.
          if (code === 'unreachable') assert.deepEqual([before.decision, after.decision], ['deny', 'deny'])
          else assert.deepEqual(after, before, `line ${line}, ${JSON.stringify(args)}`)
        }
      }
    }),
    { numRuns: tries(1_500) },
  )
  assert.ok(Math.min(said.shadowed, said.unreachable) > tries(100), JSON.stringify(said))
})

const pattern = { written: 'a', ascii: 'a', wide: 'a' }
const bounded = { written: '\\bab\\b', ascii: '\\bab\\b' }
const orderedConditions: fc.Arbitrary<OrderedCondition> = fc.oneof(
  fc.record({ kind: fc.constantFrom('after' as const, 'before' as const), minute: fc.constantFrom(540, 720) }),
  fc.record({ kind: fc.constant('weekdays' as const), days: fc.subarray([1, 4, 5], { minLength: 1 }) }),
  fc.record({ kind: fc.constant('words' as const), words: fc.subarray(['ab', 'x'], { minLength: 1 }) }),
  ...[0, 1, 2].map(() =>
    fc.record({
      kind: fc.constant('compare' as const),
      by: fc.constantFrom('eq' as const, 'gt' as const, 'lt' as const, 'gte' as const, 'lte' as const),
      name: fc.constantFrom('x', 'y'),
      value: fc.constantFrom(1, 2, 'ab', true),
    }),
  ),
  fc.record({ kind: fc.constant('contains' as const), name: fc.constantFrom('x', 'y'), value: fc.constant('a') }),
  fc.record({
    kind: fc.constant('matches' as const),
    name: fc.constantFrom('x', 'y'),
    pattern: fc.constantFrom(pattern, bounded),
  }),
)

const orderedRules: fc.Arbitrary<OrderedRule> = fc.record({
  name: fc.constant(''),
  match: fc.record({ type: fc.constantFrom('*', 'p*', 'pay'), target: fc.constant('*'), agent: fc.constant('*') }),
  conditions: fc.array(orderedConditions, { maxLength: 2 }),
  effect: fc.constantFrom('allow', 'deny'),
  riskLevel: fc.constant('low'),
  place: fc.constant({ file: 'random.yaml', line: 1, col: 1 }),
})

/** Some rules are others with one condition more, before or behind. */
const orderedPolicies: fc.Arbitrary<FirstPolicy> = fc
  .array(fc.tuple(orderedRules, orderedRules, fc.nat(3)), { minLength: 2, maxLength: 3 })
  .map((made) =>
    made
      .flatMap(([one, other, kind], index) => {
        const before = made[index - 1]?.[0].conditions ?? []
        const more = other.conditions.slice(0, 1)
        const conditions = [one.conditions, [...before, ...more], [...more, ...before], before.toReversed()][kind]
        return [{ ...one, conditions: conditions ?? [] }]
      })
      .map((rule, index) => ({ ...rule, name: `rule ${index}`, place: { ...rule.place, line: index + 1 } })),
  )
  .map((rules) => ({
    strategy: 'first',
    language: 'aegis',
    id: 'random',
    version: '',
    rules,
    otherwise: { effect: 'deny', riskLevel: 'high' },
  }))

const orderedArguments = argumentsOfCalls.concat([{ x: 'é ab' } as never, { x: 'é ab', y: 1 } as never])

function assertIdle(policy: FirstPolicy, line: number, calls: readonly object[]): void {
  const less = { ...policy, rules: policy.rules.filter(({ place }) => place.line !== line) }
  for (const at of [0, 4 * 86_400_000 + 600 * 60_000])
    for (const name of ['pay', 'pull', 'read'])
      for (const args of calls)
        assert.deepEqual(
          verdictOf(less, args, name, at),
          verdictOf(policy, args, name, at),
          `line ${line}, ${name} ${JSON.stringify(args)} at ${at}: ${JSON.stringify(policy.rules)}`,
        )
}

test('an ordered rule that is said to decide nothing can be taken away: no verdict changes', () => {
  const said = { always: 0, conditions: 0 }
  fc.assert(
    fc.property(orderedPolicies, (policy) => {
      const report = new Report('random.yaml')
      reportNeverAsked(policy.rules, report)
      for (const { line, message } of report.diagnostics()) {
        said[message.includes('is never asked') ? 'always' : 'conditions']++
        assertIdle(policy, line, orderedArguments)
      }
    }),
    { numRuns: tries(300) },
  )
  assert.ok(Math.min(said.always, said.conditions) > tries(20), JSON.stringify(said))
})

test('of every two conditions the one that is said to follow from the other does', () => {
  const comparisons = (['eq', 'gt', 'gte', 'lt', 'lte'] as const).flatMap((by) =>
    [1, 2, 'ab', true].map((value): OrderedCondition => ({ kind: 'compare', by, name: 'x', value })),
  )
  const all: readonly OrderedCondition[] = [
    ...comparisons,
    { kind: 'compare', by: 'gt', name: 'y', value: 1 },
    ...[540, 720].flatMap((minute): OrderedCondition[] => [
      { kind: 'after', minute },
      { kind: 'before', minute },
    ]),
    ...[[4], [1], [1, 4]].map((days): OrderedCondition => ({ kind: 'weekdays', days })),
    ...[['pay'], ['x'], ['pay', 'x']].map((words): OrderedCondition => ({ kind: 'words', words })),
    { kind: 'contains', name: 'x', value: 'a' },
    { kind: 'matches', name: 'x', pattern },
    { kind: 'matches', name: 'x', pattern: bounded },
  ]
  const calls = orderedArguments.filter((args) => !('y' in args) || (args as { y?: unknown }).y === 1)
  const [some] = fc.sample(orderedPolicies, 1) as [FirstPolicy]
  const rule = (conditions: readonly OrderedCondition[], line: number) => ({
    ...(some.rules[0] as OrderedRule),
    name: `rule ${line}`,
    match: { type: '*', target: '*', agent: '*' },
    conditions,
    place: { file: 'random.yaml', line, col: 1 },
  })
  let follow = 0
  for (const one of all)
    for (const other of all) {
      const policy = { ...some, rules: [rule([one], 1), rule([other], 2)] }
      const report = new Report('random.yaml')
      reportNeverAsked(policy.rules, report)
      if (report.diagnostics().length === 0) continue
      follow++
      assertIdle(policy, 2, calls)
    }
  assert.ok(follow > all.length + 20, String(follow))
})
