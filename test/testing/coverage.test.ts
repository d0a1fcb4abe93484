/** What calls came to in a policy of each strategy: rules, their conditions, and lines. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Call } from '../../src/model/call.ts'
import { readCallObject } from '../../src/model/callObject.ts'
import { isCovered } from '../../src/testing/coverage/item.ts'
import { lcov } from '../../src/testing/coverage/lcov.ts'
import { measuring } from '../../src/testing/coverage/measure.ts'
import { type Coverage, coverageOf, isBelow } from '../../src/testing/coverage/report.ts'
import { coverageText } from '../../src/testing/coverage/text.ts'
import { playCase } from '../../src/testing/play.ts'
import { referenceOf } from '../../src/testing/reference.ts'
import type { Step } from '../../src/testing/suite.ts'
import { policyOf, type WrittenSet, writtenOf } from '../../src/testing/written.ts'

const at = { file: 'p_test.yaml', line: 1, col: 1 }
const written = (text: string, file = 'p.yaml') => writtenOf([{ file, text }])

/** What the calls, one after the other, cover. */
function covered(
  set: WrittenSet,
  ...calls: readonly (readonly [string, Call['arguments']?, Partial<Call>?])[]
): Coverage {
  const { items, saw } = measuring(set)
  const steps = calls.map(
    ([name, args = {}, more = {}]): Step => ({
      ...{ kind: 'call', at, timeMs: Date.parse('2026-01-05T12:00:00Z'), times: 1, outcome: 'success', isFact: false },
      call: { method: 'tools/call', server: '', name, arguments: args, principal: {}, session: '', ...more },
      expect: [],
    }),
  )
  playCase({ name: 'x', at, steps }, referenceOf(policyOf(set)), ({ input }) => input !== undefined && saw(input))
  return coverageOf(items)
}

const left = ({ files }: Coverage) =>
  files.flatMap(({ uncovered }) => uncovered.map(({ line, rule, lacks }) => `${line} ${rule}: ${lacks}`))

const payments = written(`version: "1"
default: deny
tools:
  read: {}
  pay:
    rules:
      - name: cap
        arguments:
          amount: { max: 100 }
          to: { enum: [ann, bob] }
        rate_limit: 2/day
      - { name: big, action: require_approval, arguments: { amount: { min: 50 } } }
      - { name: admins, for: { groups: admin }, action: deny }
`)

test('a rule is covered when it decided a call, a requirement when it was also met', () => {
  const none = covered(payments)
  assert.deepEqual(none.rules, { covered: 0, of: 6, percent: 0 })
  assert.ok(left(none).every((one) => one.endsWith('no call came to it')))
  const some = covered(payments, ['pay', { amount: 5, to: 'ann' }, { principal: { groups: [] } }], ['wire'])
  // The entry let a call through, and nothing lists `wire`.
  assert.deepEqual(some.rules, { covered: 2, of: 6, percent: 33.33 })
  assert.deepEqual(left(some), [
    '4 read: no call came to it',
    '7 cap: it refused no call',
    '12 big: it decided no call',
    '13 admins: no call came to it',
  ])
  const refused = covered(payments, ['pay', { amount: 500, to: 'ann' }, { principal: { groups: [] } }])
  assert.ok(left(refused).includes('7 cap: no call met it'))
})

test('of each condition both answers are wanted, at its own line', () => {
  const principal = { groups: [] }
  const { rules, branches, files } = covered(
    payments,
    ['read'],
    ['wire'],
    ['pay', { amount: 5, to: 'ann' }, { principal }],
    ['pay', { amount: 500, to: 'ann' }, { principal }],
    ['pay', { amount: 60, to: 'ann' }, { principal }],
    ['pay', { amount: 5, to: 'ann' }, { principal: { groups: ['admin'] } }],
  )
  assert.deepEqual(rules, { covered: 6, of: 6, percent: 100 })
  assert.deepEqual(files[0]?.uncovered, [
    { line: 10, rule: 'cap', lacks: 'always so: argument `to` is one of "ann", "bob"', isPartial: true },
    { line: 11, rule: 'cap', lacks: 'always so: at most 2 calls this day', isPartial: true },
  ])
  assert.deepEqual(branches, { covered: 6, of: 8, percent: 75 })
  assert.deepEqual(files[0]?.lines.percent, 100)
  assert.equal(files[0]?.hits.find(({ line }) => line === 9)?.hits, 4)
})

test('ordered rules are covered by the calls that they match, and what none matches by its own', () => {
  const ordered = written(`version: "1"
default: deny
rules:
  - { name: small, tool: pay, when: { arguments: { amount: { lte: 5 } } }, action: allow }
  - { name: agents, tool: pay, agent: bot, action: require_approval }
`)
  assert.deepEqual(left(covered(ordered, ['pay', { amount: 9 }])), [
    '4 small: it decided no call',
    '5 agents: no call came to it',
  ])
  assert.deepEqual(left(covered(ordered, ['pay', { amount: 1 }])), [
    '2 default: deny: no call came to it',
    '4 small: always so: argument `amount` is at most 5',
    '5 agents: no call came to it',
  ])
})

test('each layer is covered by what it says itself', () => {
  const team = written('version: "1"\ndefault: deny\ntools:\n  read: {}\n', 'team.yaml')
  const org = written('version: "1"\ndefault: allow\ntools:\n  pay: { rules: [{ action: deny }] }\n', 'org.yaml')
  const set = [
    { name: 'org', written: org },
    { name: 'team', written: team },
  ]
  const found = covered(set, ['pay'])
  assert.deepEqual(
    found.files.map(({ file, rules }) => [file, rules?.covered, rules?.of]),
    [
      ['org.yaml', 1, 2],
      ['team.yaml', 1, 2],
    ],
  )
})

test('a workflow is covered by its scopes and by what stops its runs', () => {
  const pack = new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url)
  const attributes = {
    ...{ workflow_id: 'sensitive-data-remediation', agent_id: 'codex', run_id: 'run-1', gate_phase: 'tool_call' },
    ...{ tool_namespace: 'findings.sde', tool_access_mode: 'read' },
  }
  const run = (more: object = {}) => ({ ...readCallObject({ tool: 'use', run: { ...attributes, ...more } }, []) })
  const found = covered(
    written(readFileSync(pack, 'utf8'), 'pack.json'),
    ['use', {}, run()],
    ['use', {}, run({ agent_id: 'codex-impostor' })],
    ['use', {}, run({ gate_phase: 'runtime' })],
  )
  const own = found.files[0]?.items.filter(({ name }) => name.startsWith('sensitive-data-remediation: ')) ?? []
  assert.deepEqual(
    own.filter(isCovered).map(({ name, decided, met }) => [name.replace(/.*: /, ''), decided, met]),
    [
      ['findings.sde read', 2, 0],
      ['the agent may run the workflow', 1, 2],
    ],
  )
  assert.ok(own.length > 10)
})

test('what is asked for is asked of the rules of policies and of the lines of Rego, each', () => {
  const share = (percent: number) => ({ covered: 0, of: 1, percent })
  assert.equal(isBelow({ files: [], rules: share(90), rego: share(80) }, 80), false)
  assert.equal(isBelow({ files: [], rules: share(90), rego: share(79.99) }, 80), true)
  assert.equal(isBelow({ files: [] }, 80), false)
  const rego = {
    ...{ covered_lines: 1, not_covered_lines: 2, coverage: 33.3 },
    files: {
      'a.rego': {
        ...{ covered_lines: 1, not_covered_lines: 2 },
        covered: [{ start: { row: 3 }, end: { row: 3 } }],
        not_covered: [{ start: { row: 5 }, end: { row: 6 } }],
      },
    },
  }
  const found = coverageOf([], rego)
  assert.deepEqual(found.rego, { covered: 1, of: 3, percent: 33.33 })
  assert.match(coverageText(found), /a\.rego:5-6: no test came to it/)
  assert.match(lcov(found), /^SF:a\.rego$/m)
  assert.equal(coverageText({ files: [] }), 'coverage: nothing was measured\n')
})

test('LCOV has the rules as functions, and the answers of conditions as branches', () => {
  const found = lcov(covered(payments, ['pay', { amount: 5, to: 'ann' }], ['pay', { amount: 500, to: 'ann' }]))
  for (const line of ['FN:7,cap', 'FNDA:1,cap', 'FNDA:0,big', 'DA:9,2', 'DA:4,0', 'end_of_record'])
    assert.match(found, new RegExp(`^${line}$`, 'm'), line)
  assert.match(found, /^BRDA:9,\d+,0,1\nBRDA:9,\d+,1,1$/m)
})
