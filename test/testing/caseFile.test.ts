/** Case files: what they say becomes steps with their times and callers, and every mistake is told with its place. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { formatDiagnostic } from '../../src/policy/diagnostics.ts'
import { casesSchema } from '../../src/testing/caseFile/keys.ts'
import { readCases } from '../../src/testing/caseFile/read.ts'
import type { Case, Suite } from '../../src/testing/suite.ts'

const lists = JSON.stringify({ tools: [{ name: 'a', description: 'A.' }, { name: 'b' }, {}], prompts: [{ name: 'p' }] })
const schema = z.fromJSONSchema(casesSchema as Parameters<typeof z.fromJSONSchema>[0])

function read(text: string) {
  const beside = (name: string) => {
    if (name !== 'lists.json') throw new Error('there is no such file')
    return Buffer.from(lists)
  }
  return readCases({ file: 'dir/p_test.yaml', text, beside })
}

/** Of a file without mistakes, which the schema accepts, too. */
function suiteOf(text: string): Suite {
  const { suite, diagnostics } = read(text)
  assert.deepEqual(diagnostics.map(formatDiagnostic), [])
  const { error } = schema.safeParse(parse(text))
  assert.equal(error && z.prettifyError(error), undefined)
  return suite as Suite
}

const casesOf = (text: string): readonly Case[] => suiteOf(`policy: p.yaml\n${text}`).cases
const mistakesOf = (text: string) => read(text).diagnostics.map(formatDiagnostic)
const mistakesIn = (text: string) =>
  mistakesOf(`policy: p.yaml\n${text}`).map((one) => one.replace('dir/p_test.yaml:', ''))

test('the policy is looked for beside the file: one, several that are merged, or layers', () => {
  const end = 'cases: [{ name: x, call: { tool: a }, expect: allow }]'
  assert.deepEqual(suiteOf(`policy: p.yaml\n${end}`).policy, { files: ['dir/p.yaml'] })
  assert.deepEqual(suiteOf(`policy: [p.yaml, ../q.yaml]\n${end}`).policy, { files: ['dir/p.yaml', 'q.yaml'] })
  assert.deepEqual(suiteOf(`layers: { org: o.yaml, team: [t.yaml, u.yaml] }\n${end}`).policy, {
    layers: [
      { name: 'org', files: ['dir/o.yaml'] },
      { name: 'team', files: ['dir/t.yaml', 'dir/u.yaml'] },
    ],
  })
  const other = readCases({ file: 'x', text: end, beside: () => new Uint8Array(), policy: { files: ['other.yaml'] } })
  assert.deepEqual(other.suite?.policy, { files: ['other.yaml'] })
})

test('a call has what the file, the case and itself say, the nearest word first', () => {
  const [one] = casesOf(`
server: bank
session: s
principals: { bob: { user: bob, groups: [z, a, z] } }
principal: { agent: bot, user: ana }
run: { run_id: r1, workflow_id: w }
cases:
  - name: x
    run: { run_id: r2 }
    calls:
      - { tool: a, expect: allow }
      - { tool: a, principal: bob, server: other, run: { gate_phase: p }, session: t, arguments: { n: 1.50 }, expect: deny }
`)
  const calls = one?.steps.map((step) => step.kind === 'call' && step.call)
  assert.deepEqual(calls, [
    {
      ...{ method: 'tools/call', server: 'bank', name: 'a', arguments: {}, session: 's' },
      principal: { agent: 'bot', user: 'ana' },
      run: { run_id: 'r2', workflow_id: 'w' },
    },
    {
      ...{ method: 'tools/call', server: 'other', name: 'a', arguments: { n: 1.5 }, session: 't' },
      principal: { groups: ['a', 'z'], user: 'bob' },
      run: { run_id: 'r2', workflow_id: 'w', gate_phase: 'p' },
    },
  ])
})

test('time goes on from step to step, and facts lie before the case', () => {
  const [one, other] = casesOf(`
time: 2026-03-02T09:00:00Z
cases:
  - name: x
    facts: [{ tool: a, time: -2h }, { tool: b, time: 2026-03-01T00:00:00Z }, { tool: c }]
    calls:
      - { tool: d, expect: allow }
      - { tool: e, time: +1h30m }
      - { approve: ada }
      - { tool: f, time: 2026-03-02T11:00:00Z, times: 3, outcome: error }
  - { name: y, time: +1d, call: { tool: a }, expect: allow }
`)
  const said = one?.steps.map((step) => [
    step.kind === 'call' ? step.call.name : step.kind,
    new Date(step.timeMs).toISOString().slice(0, 16),
  ])
  assert.deepEqual(said, [
    ['b', '2026-03-01T00:00'],
    ['a', '2026-03-02T07:00'],
    ['c', '2026-03-02T09:00'],
    ['d', '2026-03-02T09:00'],
    ['e', '2026-03-02T10:30'],
    ['approve', '2026-03-02T10:30'],
    ['f', '2026-03-02T11:00'],
  ])
  assert.deepEqual(
    one?.steps.map((step) => step.kind === 'call' && step.isFact),
    [true, true, true, false, false, false, false],
  )
  assert.equal(new Date(other?.steps[0]?.timeMs ?? 0).toISOString(), '2026-03-03T09:00:00.000Z')
})

test('what is expected is said member by member, each with its place', () => {
  const [one] = casesOf(`
cases:
  - name: x
    call: { tool: a }
    expect:
      decision: hold
      risk_level: null
      approval: { expires_at: 2026-03-02T10:00:00+01:00 }
      layers: { org: deny, team: { rule: r } }
      reserved: {}
`)
  const [step] = one?.steps ?? []
  assert.deepEqual(
    step?.kind === 'call' && step.expect.map(({ path, value, at }) => [path.join(' '), value, at.line]),
    [
      ['decision', 'hold', 7],
      ['risk_level', null, 8],
      ['approval expires_at', '2026-03-02T09:00:00.000Z', 9],
      ['layers org decision', 'deny', 10],
      ['layers team rule', 'r', 10],
      ['reserved', null, 11],
    ],
  )
})

test('a list is of names, of definitions, or of what a file has', () => {
  const [one] = casesOf(`
cases:
  - name: x
    calls:
      - { list: tools, of: [a, { name: b, description: B. }], expect: { shows: [] } }
      - { list: tools, of: lists.json, expect: { shows: [a] } }
      - { list: resources, of: "file:///x", expect: { shows: [] } }
`)
  assert.deepEqual(
    one?.steps.map((step) => step.kind === 'list' && [step.items, step.names]),
    [
      [
        [{ name: 'a' }, { name: 'b', description: 'B.' }],
        ['a', 'b'],
      ],
      [
        [{ name: 'a', description: 'A.' }, { name: 'b' }],
        ['a', 'b'],
      ],
      [[{ uri: 'file:///x' }], ['file:///x']],
    ],
  )
})

test('a matrix is a case for each principal and tool, and what is not listed is to be denied', () => {
  const cells = casesOf(`
principals: { support: { agent: s }, admin: { agent: a } }
matrix:
  - name: who
    tools: { get: , pay: { arguments: { amount: 1 } } }
    allow: { support: [get] }
    hold: { admin: [pay] }
  - { name: all, principals: { eve: {} }, tools: lists.json }
`)
  const said = cells.map(({ name, steps: [step] }) => [
    name,
    step?.kind === 'call' && [step.call.arguments, step.expect.map(({ value }) => value)],
  ])
  assert.deepEqual(said, [
    ['who / support / get', [{}, ['allow']]],
    ['who / support / pay', [{ amount: 1 }, ['deny']]],
    ['who / admin / get', [{}, ['deny']]],
    ['who / admin / pay', [{ amount: 1 }, ['hold']]],
    ['all / eve / a', [{}, ['deny']]],
    ['all / eve / b', [{}, ['deny']]],
  ])
})

test('every mistake is told at once, with its place and the nearest spelling', () => {
  assert.deepEqual(
    mistakesIn(`
principals: { support: { agnt: x } }
principal: suport
cases:
  - name: x
    calls:
      - { tool: a, expct: allow }
      - { tool: a, expect: allwo }
      - { tool: a, expect: { reason: x } }
      - { tool: a, resource: b, expect: allow }
      - { tool: a, time: -1h, expect: allow }
      - { tool: a, time: 2020-01-01T00:00:00Z, expect: allow }
      - { tool: a, times: 0 }
      - { list: toolz, of: a, expect: { shows: b } }
      - { kill: { session: s, tool: t } }
  - name: x
    call: { tool: a, arguments: { n: 010 } }
    expect: {}
`),
    [
      '3:26: unknown key `agnt`, did you mean `agent`?',
      '4:12: `principals` has no `suport`, did you mean `support`?',
      '8:20: unknown key `expct`, did you mean `expect`?',
      '9:28: `expect` must be `allow`, `deny`, `hold` or `kill`, got "allwo", did you mean `allow`?',
      '10:30: unknown key `reason`, `expect` has `decision`, `reason_code`, `rule`, `risk_level`, `message`, `variant`, `retry_after_ms`, `approval`, `reserved` or `layers`',
      '11:9: one of `tool`, `resource` and `prompt` must be given',
      '12:26: time does not run backwards: write how much later it is, as `+1h`',
      '13:26: time does not run backwards, and it is 2026-01-05T12:00:00.000Z already',
      '14:27: `times` must be a whole number of at least 1 and at most 100000, got `0`',
      '15:17: `list` must be `tools`, `resources` or `prompts`, got "toolz", did you mean `tools`?',
      '15:48: `shows` must be a list of names, got "b"',
      '16:17: one thing is stopped at a time: `{ session: ID }`, `{ tool: NAME }`, `{ all: "*" }`',
      '17:5: the case on line 6 has the same name: results would not tell them apart',
      '18:38: `n` must be written as a plain number or as text in quotes, got `010`, which YAML 1.2 reads as 10',
      '19:13: `expect` expects nothing: say what, or take it away',
    ],
  )
})

test('what is missing is told, and a case that expects nothing is a mistake', () => {
  assert.deepEqual(mistakesOf('server: x\n'), [
    'dir/p_test.yaml:1:1: `policy` is missing: name the file of the policy, beside this one',
    'dir/p_test.yaml:1:1: `cases` is missing: say what happens and what is expected, or a `matrix`',
  ])
  assert.deepEqual(mistakesOf('polcy: p.yaml\ncases: []\n').length, 2)
  assert.deepEqual(
    mistakesIn('cases: [{ name: x }, { name: y, call: { tool: a } }, { call: { tool: a }, expect: deny }]'),
    [
      '2:9: `calls` is missing: say what happens, or one `call`',
      '2:22: the case expects nothing: say of a call what is expected of it, with `expect`',
      '2:54: `name` is missing: say what is expected, as a sentence',
    ],
  )
  assert.deepEqual(
    mistakesIn(
      'cases: [{ name: x, calls: [{ tool: a, expect: deny }], expect: allow, facts: [{ tool: a, time: +1h }] }]',
    ),
    [
      '2:56: `expect` stands beside `calls`: put it into one of them',
      '2:96: what a case starts from was before it begins: write `-2h`, or a time before it',
    ],
  )
  assert.deepEqual(mistakesIn('layers: { o: o.yaml }\ncases: [{ name: x, call: { tool: a }, expect: deny }]'), [
    '2:1: `policy` and `layers` are two policies: keep one',
  ])
})

test('a matrix names who and what it has, each once', () => {
  assert.deepEqual(
    mistakesIn(`
principals: { bob: {} }
matrix:
  - { name: m, principals: [bbo], tools: [get], allow: { bob: [get] } }
  - { name: n, tools: [get, put], allow: { bob: [gte, put] }, hold: { bob: [put] } }
  - { name: o, tools: nowhere.json }
`),
    [
      '5:29: `principals` has no `bbo`, did you mean `bob`?',
      '5:58: the matrix has no principal `bob`',
      '6:50: the matrix has no tool `gte`, did you mean `get`?',
      '6:77: `put` is listed for `bob` already',
      '7:23: `nowhere.json` cannot be read: there is no such file',
    ],
  )
})

test('bytes of any kind are no suite, and nothing is thrown', () => {
  for (const bytes of [
    Buffer.from([0xff, 0xfe, 0]),
    Buffer.from(''),
    Buffer.from('[]'),
    Buffer.from('a: *b'),
    Buffer.from('- '.repeat(1_000)),
    readFileSync(process.execPath).subarray(0, 4_096),
  ]) {
    const { suite, diagnostics } = readCases({ file: 'x', text: bytes, beside: () => new Uint8Array() })
    assert.equal(suite, undefined)
    assert.ok(diagnostics.length > 0)
  }
})

test('the schema refuses what is misspelt', () => {
  for (const wrong of [
    { policy: 'p', cases: [{ name: 'x', cals: [] }] },
    { policy: 'p', cases: [{ name: 'x', call: { tool: 'a' }, expect: 'allwo' }] },
    { policy: 'p', matrix: [{ name: 'x', tools: 5 }] },
  ])
    assert.ok(!schema.safeParse(wrong).success, JSON.stringify(wrong))
})
