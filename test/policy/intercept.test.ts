/** Intercept's own files load, or are refused for what is wrong with them; and how the language of a file is told. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import type { AllPolicy } from '../../src/model/policy.ts'
import { visibility } from '../../src/model/strategy.ts'
import { printed } from '../../src/policy/intercept/printing.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'

const folder = new URL('../intercept/samples/', import.meta.url)

function readFile(name: string) {
  return read(readFileSync(new URL(name, folder), 'utf8'), name.split('/').at(-1))
}

function read(text: string, file = 'f.yaml') {
  const { policy, diagnostics } = parsePolicy({ file, text })
  return { policy: policy as AllPolicy | undefined, said: diagnostics.map(formatDiagnostic) }
}

/** What is said, without the warning that every file without `default` has. */
function mistakes(text: string): readonly string[] {
  return read(text).said.filter((line) => !line.includes('`default` is missing'))
}

const noDefault = (file: string) =>
  `${file}:1:1: warning: \`default\` is missing: tools that are not listed are refused, which Intercept would allow; say \`default: deny\` or \`default: allow\``

const refused = ['testdata/invalid_schema.yaml', 'testdata/invalid_policy.yaml', 'docs/POLICY.md-01.yaml']

test('every policy that Intercept ships or documents loads, with no word but that of a missing default', () => {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .filter((name) => !refused.includes(name))
  assert.equal(names.length, 21)
  for (const name of names) {
    const { policy, said } = readFile(name)
    assert.ok(policy, `${name}: ${said.join('\n')}`)
    const text = readFileSync(new URL(name, folder), 'utf8')
    assert.deepEqual(said, /^default:/m.test(text) ? [] : [noDefault(name.split('/').at(-1) as string)])
  }
})

test('a tool named null is one in quotes alone', () => {
  const file = (tools: string) => `version: "1"\ndefault: deny\nhide: [gone]\ntools: { ${tools} }\n`
  assert.deepEqual(mistakes(file('null: { rules: [] }, ~: { rules: [] }')), [
    'f.yaml:4:10: a bare `null` is no text in YAML: put it in quotes if it is a name',
    'f.yaml:4:31: a bare `~` is no text in YAML: put it in quotes if it is a name',
  ])
  assert.deepEqual(mistakes(file('"null": { rules: [] }, true: { rules: [] }')), [])
})

test('a schema with fifteen mistakes is told fifteen, each on its line', () => {
  const { policy, said } = readFile('testdata/invalid_schema.yaml')
  assert.equal(policy, undefined)
  const rate = '`rate_limit` must be a rate like `5/hour`: a whole number of at least 1, and `minute`, `hour` or `day`'
  const alone = '`rate_limit` stands in a rule of its own, not beside `conditions` or `state`'
  const operators = '`eq`, `neq`, `in`, `not_in`, `lt`, `lte`, `gt`, `gte`, `regex`, `contains` or `exists`'
  assert.deepEqual(said, [
    noDefault('invalid_schema.yaml'),
    'invalid_schema.yaml:1:10: `version` must be "1", the only version of the language, got "2"',
    'invalid_schema.yaml:6:15: `name` must not be empty, got ""',
    `invalid_schema.yaml:9:17: \`op\` must be ${operators}, got "unknown_op"`,
    'invalid_schema.yaml:14:19: `path` must begin with `args.` or `state.`, got "foo.bar"',
    'invalid_schema.yaml:22:20: `value` must be a list, where `op` is `in`, got "not_a_list"',
    'invalid_schema.yaml:28:20: `value` must be a number, got "not_a_number"',
    'invalid_schema.yaml:34:20: `value` must be a regular expression (RE2): missing closing ] `[invalid(`',
    'invalid_schema.yaml:38:9: `conditions` says nothing with `action: deny`: the rule denies every call',
    'invalid_schema.yaml:43:9: a rule needs at least one condition, a `rate_limit`, `spend`, `arguments` or another `action`',
    `invalid_schema.yaml:49:21: ${rate}, got "five/hour"`,
    `invalid_schema.yaml:52:9: ${alone}`,
    `invalid_schema.yaml:59:9: ${alone}`,
    `invalid_schema.yaml:65:21: ${rate}, got "0/hour"`,
    `invalid_schema.yaml:68:21: ${rate}, got "5/week"`,
    'invalid_schema.yaml:72:9: `rate_limit` says nothing with `action: deny`',
  ])
})

test('a file that is no YAML is refused where the quote is not closed', () => {
  const { policy, said } = readFile('testdata/invalid_policy.yaml')
  assert.equal(policy, undefined)
  assert.equal(said[0], 'invalid_policy.yaml:5:29: a quote is not closed')
})

test('the skeleton of a policy is refused for its rules that ask nothing', () => {
  const nothing = 'a rule needs at least one condition, a `rate_limit`, `spend`, `arguments` or another `action`'
  assert.deepEqual(readFile('docs/POLICY.md-01.yaml').said, [
    noDefault('POLICY.md-01.yaml'),
    `POLICY.md-01.yaml:7:9: ${nothing}`,
    `POLICY.md-01.yaml:11:9: ${nothing}`,
  ])
})

const tools = (text: string) => `version: "1"\ndefault: deny\n${text}`
const rule = (...lines: readonly string[]) =>
  tools(`tools:\n  pay:\n    rules:\n${lines.map((line, i) => `      ${i === 0 ? '-' : ' '} ${line}\n`).join('')}`)

test('a file is in the language whose keys it has', () => {
  const languageOf = (text: string) => read(text).policy?.language
  for (const text of [
    tools('hide: [a]\n'),
    tools('tools: {}\napprovals: {}\n'),
    rule('conditions: [{path: args.a, op: eq, value: 1}]'),
    rule('action: evaluate', 'rate_limit: 1/day'),
    'version: "1"\ntools: {pay: {rules: [{rate_limit: 1/day}]}}\n',
  ])
    assert.equal(languageOf(text), 'intercept', text)
  for (const text of [
    tools('tools: {}\n'),
    tools('tools: {}\npolicy_id: a\n'),
    tools('tools: {}\nprompts: {}\n'),
    rule('rate_limit: [1/day]'),
    rule('rate_limit: 1/day'),
    rule('rate_limit: 1/day', 'per: user'),
  ])
    assert.equal(languageOf(text), 'native', text)
})

test('a file that is a bit of both is refused', () => {
  assert.deepEqual(read(rule('conditions: []', 'rate_limit: 1/day', 'per: user')).said, [
    "f.yaml:8:9: `per` is a key of the native language, and `conditions` on line 6 one of Intercept's: a file is in one language",
  ])
})

test('the JSON of the hosted service is recognised and refused', () => {
  for (const text of [
    '{"version":"1","default":"deny","hide":[],"all_tools":{"limits":[]},"tools":{}}',
    '{"version":"1","default":"deny","tools":{"create_charge":{"require":[],"deny_if":[],"limits":[]}}}',
  ]) {
    const { policy, said } = read(text)
    assert.equal(policy, undefined)
    assert.deepEqual(said, [
      "f.yaml:1:1: this is a policy of PolicyLayer's hosted service, which is another language than Intercept's files and is not read: write it as such a file, or as a native policy",
    ])
  }
})

test('mistakes are told with their place and what was meant', () => {
  const at = (text: string) => mistakes(text).map((line) => line.replace(/^f\.yaml:/, ''))
  const condition = (written: string) => at(rule(`conditions: [{${written}}]`))
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [
      at(rule('conditions: []', 'on_denied: x', 'rate_limit: 1/day')),
      ['7:9: unknown key `on_denied`, did you mean `on_deny`?'],
    ],
    [
      at(rule('action: evaluate', 'rate_limit: 5/hours')),
      [
        '7:21: `rate_limit` must be a rate like `5/hour`: a whole number of at least 1, and `minute`, `hour` or `day`, got "5/hours", did you mean `5/hour`?',
      ],
    ],
    [
      condition('path: args.a, op: eqq, value: 1'),
      [
        '6:41: `op` must be `eq`, `neq`, `in`, `not_in`, `lt`, `lte`, `gt`, `gte`, `regex`, `contains` or `exists`, got "eqq", did you mean `eq`?',
      ],
    ],
    [condition('path: args.a, op: eq'), ['6:22: `value` is missing: say what it is compared with']],
    [condition('path: args..a, op: eq, value: 1'), ['6:29: a dot in a path stands between two names, got `args..a`']],
    [
      condition('path: args.a, op: eq, value: [1]'),
      [
        '6:52: `value` must be text, a number, `true`, `false` or `null`, got a list: Intercept compares the prints of two lists or maps, which many different ones share',
      ],
    ],
    [
      condition('path: args.a, op: in, value: [[1]]'),
      [
        '6:53: each of `value` must be text, a number, `true`, `false` or `null`, got a list: Intercept compares the prints of two lists or maps, which many different ones share',
      ],
    ],
    [
      condition('path: args.a, op: eq, value: 2026-01-01'),
      ['6:52: `value` `2026-01-01` is text here and a point in time to Intercept: put it in quotes if text is meant'],
    ],
    [
      condition('path: args.a, op: eq, value: 1_000'),
      ['6:52: `value` `1_000` is text here and a number to Intercept: put it in quotes if text is meant'],
    ],
    [
      condition('path: args.a, op: eq, value: 1e3'),
      ['6:52: `value` must be written as a plain number or as text in quotes, got `1e3`, which YAML 1.2 reads as 1000'],
    ],
    [
      condition('path: args.a, op: eq, value: 10000000000000000000'),
      ['6:52: `value` must be a number below 2^63, got `10000000000000000000`'],
    ],
    [condition('path: args.a, op: exists, value: "yes"'), ['6:56: `value` must be `true` or `false`, got "yes"']],
    [
      condition('path: args.a, op: regex, value: "(?=a)"'),
      ['6:55: `value` must be a regular expression (RE2), which has no lookaround, got `(?=`'],
    ],
    [condition('path: state.pay.n, op: lt, value: 1'), ['6:29: no `state` counts `pay.n`']],
    [
      at(`${rule('conditions: [{path: state.pay.spend, op: lt, value: 9}]', 'state: {counter: spent, window: day}')}`),
      [
        '6:29: no `state` counts `pay.spend`, did you mean `pay.spent`?',
        '7:26: warning: nothing is counted in `pay.spent`, here as in Intercept: no `lt` or `lte` of this rule bounds it, and conditions that read it see 0',
      ],
    ],
    [
      at(
        rule(
          'conditions: [{path: state.pay.n, op: lt, value: 9}]',
          'state: {counter: n, window: week, increment: -1, increment_from: amount}',
        ),
      ),
      [
        '6:29: no `state` counts `pay.n`',
        '7:37: `window` must be `minute`, `hour` or `day`, got "week"',
        '7:43: warning: `increment` is not used: `increment_from` says what a call adds',
        '7:54: `increment` must be a whole number of at least 0 and at most 1000000000, got `-1`',
        '7:74: `increment_from` must begin with `args.`, got "amount"',
      ],
    ],
    [
      at(tools('hide: [a, a, "", 5]\n')),
      [
        '3:14: each of `hide` must be the name of a tool, or `"*"`, got ""',
        '3:18: each of `hide` must be the name of a tool, or `"*"`, got `5`',
      ],
    ],
    [at(tools('hide: [a, a]\n')), ['3:11: `a` is hidden twice, first on line 3']],
    [
      at(rule('action: require_approval', 'rate_limit: 1/day', 'conditions: []')),
      ['7:9: `rate_limit` says nothing with `action: require_approval`'],
    ],
    [
      at(rule('action: deny', 'approval_timeout: 5m', 'conditions: []')),
      ['7:9: `approval_timeout` stands only with `action: require_approval`'],
    ],
    [
      at(rule('action: require_approval', 'approval_timeout: 5 minutes', 'conditions: []')),
      ['7:27: `approval_timeout` must be a duration like `30m`, `1h30m` or `90s`, from 1s to 30d, got "5 minutes"'],
    ],
    [
      at(tools('hide: []\ntools:\n  a: { rules: [{ rate_limit: 1/day }, { rate_limit: 2/day }] }\n')),
      [
        '5:53: a limit per day stands here twice, first on line 5',
        '5:53: warning: the limit of 2 calls per day never binds: the limit of 1 call per day on line 5 is reached before',
      ],
    ],
    [
      at(tools('hide: []\ntools:\n  "read_*": { rules: [] }\n')),
      ['5:3: warning: `read_*` is the name of one tool: Intercept has no wildcard but `"*"`'],
    ],
    [
      at(
        tools('approvals: { dedupe_window: 5m, notify: { webhook: { url: "https://example.com" } }, defaults: 5m }\n'),
      ),
      [
        '3:14: warning: `dedupe_window` is not honoured: the same call is the same request for as long as that is pending',
        '3:33: warning: `notify` is not honoured: nobody is told of a held call by way of the policy',
        '3:86: unknown key `defaults`, `approvals` has `default_timeout`, `dedupe_window` or `notify`',
      ],
    ],
    [
      at(tools('hide: []\ntools:\n  a:\n')),
      ['5:3: `a` must be a map with `rules`, got nothing (is what belongs to it indented further?)'],
    ],
  ]
  for (const [said, wanted] of cases) assert.deepEqual(said, wanted)
})

test('a hidden tool is in no list, and neither is one that nothing lists', () => {
  const { policy } = readFile('docs/POLICY.md-02.yaml')
  assert.ok(policy)
  const visible = (name: string) => visibility(policy, { method: 'tools/call', server: 's', name })({})
  assert.deepEqual(['create_issue', 'delete_repository', 'other'].map(visible), [true, false, false])
  const all = read(tools('hide: ["*"]\ntools: { a: { rules: [] } }\n')).policy
  assert.ok(all && !visibility(all, { method: 'tools/call', server: 's', name: 'a' })({}))
})

test('a file whose conditions read two thousand counters that nothing counts is refused in time', () => {
  const counted = Array.from(
    { length: 2_000 },
    (_, i) =>
      `  t${i}: { rules: [{ conditions: [{ path: state.t${i}.n, op: lt, value: 1 }], state: { counter: m, window: day } }] }`,
  )
  const started = performance.now()
  assert.ok(mistakes(tools(`tools:\n${counted.join('\n')}\n`)).length >= 1_000)
  assert.ok(performance.now() - started < 20_000)
})

test('what a value equals is worked out when the file is read', () => {
  const values = (value: string) => {
    const { policy } = read(rule(`conditions: [{path: args.a, op: eq, value: ${value}}]`))
    const [condition] = policy?.entries[0]?.rules[0]?.conditions ?? []
    return condition?.test.kind === 'one_of' ? condition.test.values : undefined
  }
  assert.deepEqual(values('5'), [5, '5'])
  assert.deepEqual(values('"5"'), ['5', 5])
  assert.deepEqual(values('1000000'), [1000000, '1000000'])
  assert.deepEqual(values('1000000.5'), [1000000.5, '1.0000005e+06'])
  assert.deepEqual(values('"1e+06"'), ['1e+06', 1000000])
  assert.deepEqual(values('"1000000"'), ['1000000'])
  assert.deepEqual(values('"5.0"'), ['5.0'])
  assert.deepEqual(values('true'), [true, 'true'])
  assert.deepEqual(values('"false"'), ['false', false])
  assert.deepEqual(values('null'), [null, '<nil>'])
  assert.deepEqual(values('"<nil>"'), ['<nil>', null])
  assert.deepEqual(values('usd'), ['usd'])
})

test('numbers print as in Go', () => {
  // What fmt.Printf("%v") of Go 1.26 wrote.
  const prints: readonly (readonly [number, string])[] = [
    [0, '0'],
    [5, '5'],
    [0.1, '0.1'],
    [-1, '-1'],
    [123456, '123456'],
    [999999.5, '999999.5'],
    [1e6, '1e+06'],
    [1.2e6, '1.2e+06'],
    [1234567.5, '1.2345675e+06'],
    [123456789, '1.23456789e+08'],
    [9007199254740991, '9.007199254740991e+15'],
    [1e21, '1e+21'],
    [0.0001, '0.0001'],
    [0.00012345, '0.00012345'],
    [0.00001, '1e-05'],
    [5e-324, '5e-324'],
  ]
  for (const [number, text] of prints) assert.equal(printed(number), text)
})
