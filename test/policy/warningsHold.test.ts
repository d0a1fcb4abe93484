/** What is said to decide nothing decides nothing: random policies without it give the same verdicts on random calls. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Call } from '../../src/model/call.ts'
import { amountsOf, inputOf } from '../../src/model/input.ts'
import type { AllPolicy, Condition, Rule, Test } from '../../src/model/policy.ts'
import { planFor } from '../../src/model/strategy.ts'
import { Report } from '../../src/policy/diagnostics.ts'
import { reportUnreachable } from '../../src/policy/warnings/unreachable.ts'
import { evaluate } from '../../src/reference/evaluate.ts'

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

function verdictOf(policy: AllPolicy, args: object) {
  const call = {
    method: 'tools/call',
    server: '',
    name: 'pay',
    arguments: args,
    principal: {},
    session: '',
    time: 0,
  } as unknown as Call
  const plan = planFor(policy, call)
  const facts = { used: {} } as unknown as Parameters<typeof inputOf>[2]
  return evaluate(policy, JSON.parse(JSON.stringify(inputOf(call, plan, facts, amountsOf(call, plan), 0))))
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
    { numRuns: 1_500 },
  )
  assert.ok(said.shadowed > 100 && said.unreachable > 100, JSON.stringify(said))
})
