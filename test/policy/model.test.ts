import assert from 'node:assert/strict'
import test from 'node:test'
import { matchingEntries } from '../../src/model/match.ts'
import type { AllPolicy, Condition, Entry, Rule } from '../../src/model/policy.ts'
import { visibility } from '../../src/model/strategy.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { deepFrozen } from './frozen.ts'
import { ofAll } from './strategies.ts'

const head = 'version: "1"\ndefault: deny\n'

function read(text: string, file = 'policies/f.yaml'): AllPolicy {
  const { policy, diagnostics } = parsePolicy({ file, text })
  assert.deepEqual(diagnostics.map(formatDiagnostic), [])
  return ofAll(policy)
}

const tools = (...lines: readonly string[]) => read(`${head}tools:\n${lines.map((line) => `  ${line}\n`).join('')}`)

/** The only entry of a policy with one tool called `pay`. */
function entry(...lines: readonly string[]): Entry {
  const [first, ...more] = tools('pay:', ...lines.map((line) => `  ${line}`)).entries
  assert.ok(first && more.length === 0)
  return first
}

/** The only rule of it. */
function rule(...lines: readonly string[]): Rule {
  const { rules } = entry('rules:', ...lines.map((line, index) => `  ${index === 0 ? '-' : ' '} ${line}`))
  assert.equal(rules.length, 1)
  return rules[0] as Rule
}

const conditions = (...lines: readonly string[]): readonly Condition[] =>
  rule('arguments:', ...lines.map((line) => `  ${line}`)).conditions

const denying = (...lines: readonly string[]): readonly Condition[] =>
  rule('action: deny', 'arguments:', ...lines.map((line) => `  ${line}`)).conditions

const needed = { optional: false }

test('a policy carries its own id, version and default, and its file name when it has none', () => {
  const { entries: _, ...named } = read(
    `${head}tools: {}\npolicy_id: refunds\npolicy_version: 1.10\ndescription: Who may refund.\n`,
  )
  assert.deepEqual(named, {
    strategy: 'all',
    language: 'native',
    id: 'refunds',
    version: '1.10',
    default: 'deny',
    reasonCodes: {},
  })
  const unnamed = read('version: 1\ndefault: allow\nprompts: {}\n', 'C:\\policies\\team.a.yaml')
  assert.deepEqual([unnamed.id, unnamed.version, unnamed.default], ['team.a', '', 'allow'])
  for (const [file, id] of [
    ['.yaml', '.yaml'],
    ['', 'policy'],
    ['a/b', 'b'],
    ['a/', 'policy'],
    ['a\u0000b.yml', 'ab'],
  ] as const)
    assert.equal(read(`${head}tools: {}\n`, file).id, id)
})

test('a policy in JSON is the policy in YAML', () => {
  const json =
    '{"version":"1","default":"deny",\n\t"tools":{"pay":{"rules":[{"rate_limit":"1\\/day","on_deny":"\\ud83d\\ude00"}]}}}'
  assert.equal(read(json).entries[0]?.rules[0]?.onDeny, '\u{1f600}')
})

test('every part of a policy knows its place', () => {
  const [first] = tools('pay:', '  rules:', '    - rate_limit: 1/day').entries
  assert.deepEqual(first?.place, { file: 'policies/f.yaml', line: 4, col: 3 })
  assert.deepEqual(first?.rules[0]?.place, { file: 'policies/f.yaml', line: 6, col: 9 })
})

test('a byte order mark and CR LF change nothing', () => {
  const text = `${head}tools:\n  pay:\n    rules:\n      - rate_limit: 1/day\n`
  assert.deepEqual(read(`\uFEFF${text.replaceAll('\n', '\r\n')}`), read(text))
})

test('everything in a policy is frozen', () => {
  const policy = tools(
    'pay: {rules: [{arguments: {a: {each: {enum: [b]}}}, spend: {daily: 1}, rate_limit: 1/day, per: user}]}',
  )
  assert.ok(deepFrozen(policy))
  assert.ok(deepFrozen(parsePolicy({ file: 'f', text: '' })))
})

test('a key is text as it is written, whatever else YAML would read it as', () => {
  const policy = tools(
    '"null": {}',
    '5: {}',
    '0x10: {}',
    '1.50: {}',
    'true: {}',
    'on: {}',
    '"~": {}',
    '"<<": {}',
    '__proto__: {}',
  )
  assert.deepEqual(
    policy.entries.map(({ key }) => key),
    ['null', '5', '0x10', '1.50', 'true', 'on', '~', '<<', '__proto__'],
  )
})

test('a key without a slash is a name or a glob on any server', () => {
  assert.deepEqual(
    tools('pay: {}', 'get_*: {}', 'v?: {}').entries.map(({ match }) => match),
    [
      [{ name: { kind: 'literal', text: 'pay' } }],
      [{ name: { kind: 'glob', text: 'get_*' } }],
      [{ name: { kind: 'glob', text: 'v?' } }],
    ],
  )
})

test('a key with a slash is a tool of a server, and a tool whose own name has the slash', () => {
  assert.deepEqual(
    tools('bank/pay: {}', 'bank-*/get/x: {}', '"*/pay": {}', 'bank/*: {}').entries.map(({ match }) => match),
    [
      [
        { server: { kind: 'literal', text: 'bank' }, name: { kind: 'literal', text: 'pay' } },
        { name: { kind: 'literal', text: 'bank/pay' } },
      ],
      [
        { server: { kind: 'glob', text: 'bank-*' }, name: { kind: 'literal', text: 'get/x' } },
        { name: { kind: 'glob', text: 'bank-*/get/x' } },
      ],
      [{ name: { kind: 'literal', text: 'pay' } }, { name: { kind: 'glob', text: '*/pay' } }],
      [
        { server: { kind: 'literal', text: 'bank' }, name: { kind: 'glob', text: '*' } },
        { name: { kind: 'glob', text: 'bank/*' } },
      ],
    ],
  )
})

test('the star binds every tool, lists none, and is judged last', () => {
  const policy = tools('"*": {rules: [{rate_limit: 9/day}]}', 'pay: {}')
  assert.deepEqual(
    policy.entries.map(({ key, lists }) => [key, lists]),
    [
      ['pay', true],
      ['*', false],
    ],
  )
  const target = (name: string) => ({ method: 'tools/call', server: 's', name }) as const
  assert.deepEqual(
    matchingEntries(policy, target('pay')).map(({ key }) => key),
    ['pay', '*'],
  )
  assert.ok(visibility(policy, target('pay'))({}))
  assert.ok(!visibility(policy, target('refund'))({}))
})

test('resources and prompts are matched by their whole names, and have counters of their own', () => {
  const policy = read(
    `${head}resources:\n  "file:///a/*": {rules: [{rate_limit: 1/day}]}\nprompts:\n  a/b: {rules: [{rate_limit: 1/day}]}\n`,
  )
  assert.deepEqual(
    policy.entries.map(({ method, match, rules }) => [method, match, rules[0]?.limits[0]?.counter.id]),
    [
      ['resources/read', [{ name: { kind: 'glob', text: 'file:///a/*' } }], 'calls/day@resources:file:///a/*'],
      ['prompts/get', [{ name: { kind: 'literal', text: 'a/b' } }], 'calls/day@prompts:a/b'],
    ],
  )
})

test('a rule without a name is called after its place', () => {
  const { rules } = entry('rules: [{rate_limit: 1/day}, {name: cap, rate_limit: 2/week}, {rate_limit: 3/month}]')
  assert.deepEqual(
    rules.map(({ name }) => name),
    ['pay.rules[0]', 'cap', 'pay.rules[2]'],
  )
})

test('the three actions are the three effects', () => {
  const { rules } = entry(
    'rules: [{action: allow, rate_limit: 1/day}, {action: deny, arguments: {a: {enum: [b]}}}, {action: require_approval, approval_timeout: 1h30m}]',
  )
  assert.deepEqual(
    rules.map(({ effect }) => effect),
    ['require', 'deny', 'hold'],
  )
  assert.deepEqual(
    rules.map(({ approvalTimeoutMs }) => approvalTimeoutMs),
    [undefined, undefined, 5_400_000],
  )
})

test('durations add up', () => {
  for (const [text, ms] of [
    ['1s', 1_000],
    ['90s', 90_000],
    ['15m', 900_000],
    ['2d', 172_800_000],
    ['1d1h1m1s', 90_061_000],
    ['30d', 2_592_000_000],
  ] as const)
    assert.equal(rule('action: require_approval', `approval_timeout: ${text}`).approvalTimeoutMs, ms)
})

test('a rule carries what a refused caller is told, and its risk', () => {
  const { onDeny, riskLevel } = rule('action: deny', 'on_deny: Ask finance.', 'risk_level: high', 'description: x')
  assert.deepEqual([onDeny, riskLevel], ['Ask finance.', 'high'])
})

test('the risk at the top is the risk of entries that name none', () => {
  const policy = read(
    `${head}risk_level: medium\ntools:\n  a: {}\n  b: {risk_level: low}\n  c: {rules: [{action: deny, risk_level: high}]}\n  "*": {rules: [{rate_limit: 1/day}]}\n`,
  )
  assert.deepEqual(
    policy.entries.map(({ riskLevel }) => riskLevel),
    ['medium', 'low', undefined, undefined],
  )
})

test('a rate is a limit on calls in a calendar window', () => {
  const windows = ['second', 'minute', 'hour', 'day', 'week', 'month'] as const
  for (const unit of windows) {
    assert.deepEqual(rule(`rate_limit: 10/${unit}`).limits, [
      { counter: { id: `calls/${unit}@pay`, measure: 'calls', window: { kind: 'fixed', unit }, per: [] }, max: 10 },
    ])
    assert.deepEqual(rule(`rate_limit: {limit: 10, window: ${unit}}`), { ...rule(`rate_limit: 10/${unit}`) })
  }
})

test('a rate can slide, over a unit or a length of time', () => {
  const sliding = (window: string) =>
    rule(`rate_limit: {limit: 10, window: ${window}, sliding: true}`).limits[0]?.counter
  assert.deepEqual(sliding('90s'), {
    id: 'calls/90000ms@pay',
    measure: 'calls',
    window: { kind: 'sliding', ms: 90_000 },
    per: [],
  })
  for (const [window, ms] of [
    ['second', 1e3],
    ['minute', 6e4],
    ['hour', 36e5],
    ['day', 864e5],
    ['week', 6048e5],
    ['31d', 26784e5],
  ] as const)
    assert.deepEqual(sliding(window)?.window, { kind: 'sliding', ms })
})

test('a rule can have several rates', () => {
  const { limits } = rule('rate_limit: [1/second, 5/hour, {limit: 10, window: 7d, sliding: true}]')
  assert.deepEqual(
    limits.map(({ counter, max }) => [counter.id, max]),
    [
      ['calls/second@pay', 1],
      ['calls/hour@pay', 5],
      ['calls/604800000ms@pay', 10],
    ],
  )
})

test('a limit is counted by what the rule says, unless it says itself', () => {
  const { limits } = rule(
    'per: [arguments.to.iban, user, agent]',
    'rate_limit: [1/hour, {limit: 5, window: day, per: tool}, {limit: 9, window: week, per: all}]',
    'spend: {daily: 1, per: session}',
  )
  assert.deepEqual(
    limits.map(({ counter }) => counter.id),
    [
      'spend(amount)/day@pay per session',
      'calls/hour@pay per agent, user, arguments.to.iban',
      'calls/day@pay per tool',
      'calls/week@pay',
    ],
  )
  assert.deepEqual(limits[1]?.counter.per, [
    { kind: 'principal', field: 'agent' },
    { kind: 'principal', field: 'user' },
    { kind: 'argument', path: ['to', 'iban'] },
  ])
})

test('what a limit is counted by has one order, so that its counter lives on', () => {
  const id = (per: string) => rule('rate_limit: 1/day', `per: ${per}`).limits[0]?.counter.id
  assert.equal(
    id('[arguments.b, arguments.a, server, session, project]'),
    id('[project, session, server, arguments.a, arguments.b]'),
  )
})

test('a spend has caps in whole micro-units, one counter for each window', () => {
  const { spend, limits } = rule(
    'spend: {per_call: 0.000001, hourly: 10.50, daily: 20, weekly: 30.0000000, monthly: 40, total: 9007199254.740991}',
  )
  assert.deepEqual(spend, { amount: ['amount'], perCallMicro: 1 })
  assert.deepEqual(
    limits.map(({ counter, max }) => [counter.id, max]),
    [
      ['spend(amount)/hour@pay', 10_500_000],
      ['spend(amount)/day@pay', 20_000_000],
      ['spend(amount)/week@pay', 30_000_000],
      ['spend(amount)/month@pay', 40_000_000],
      ['spend(amount)/total@pay', Number.MAX_SAFE_INTEGER],
    ],
  )
  assert.deepEqual(limits.at(-1)?.counter.window, { kind: 'total' })
})

test('a cap is what the file says, not the nearest binary fraction', () => {
  for (const [text, micro] of [
    ['0.1', 100_000],
    ['4.35', 4_350_000],
    ['1.005', 1_005_000],
    ['8000000000.000001', 8_000_000_000_000_001],
  ] as const)
    assert.equal(rule(`spend: {per_call: ${text}}`).spend?.perCallMicro, micro)
})

test('a spend says where its amount is, and which currencies count', () => {
  const { spend, limits } = rule(
    'spend: {daily: 5, amount: transfer.total, currency: transfer.currency, currencies: [GBP, "NO"]}',
  )
  const currency = { path: ['transfer', 'currency'], allowed: ['GBP', 'NO'] }
  assert.deepEqual(spend, { amount: ['transfer', 'total'], currency })
  assert.deepEqual(limits[0]?.counter, {
    id: 'spend(transfer.total, transfer.currency)/day@pay',
    measure: { amount: ['transfer', 'total'], currency: ['transfer', 'currency'] },
    window: { kind: 'fixed', unit: 'day' },
    per: [],
  })
})

test('each constraint is one condition', () => {
  const path = ['a']
  const cases: readonly (readonly [string, Condition['test']])[] = [
    ['type: string', { kind: 'type', types: ['string'] }],
    ['type: [string, null]', { kind: 'type', types: ['string', 'null'] }],
    ['type: ["null"]', { kind: 'type', types: ['null'] }],
    ['enum: [a, 5, -1.5, true, null, "5"]', { kind: 'enum', values: ['a', 5, -1.5, true, null, '5'] }],
    ['min: -1.5', { kind: 'range', min: -1.5 }],
    ['max: 10', { kind: 'range', max: 10 }],
    ['length: 3', { kind: 'length', min: 3, max: 3 }],
    ['length: {min: 1}', { kind: 'length', min: 1 }],
    ['length: {max: 9}', { kind: 'length', max: 9 }],
    ['prefix: ab', { kind: 'prefix', prefix: 'ab' }],
    ["pattern: '[a-z]+\\d'", { kind: 'pattern', pattern: '[a-z]+\\d' }],
    ['required: true', { kind: 'present' }],
    ['forbidden: true', { kind: 'absent' }],
  ]
  for (const [text, expected] of cases)
    assert.deepEqual(conditions(`a: {${text}}`), [{ path, ...needed, test: expected }])
})

test('several constraints are several conditions, presence and type first', () => {
  assert.deepEqual(
    conditions('a: {pattern: "x.*", prefix: x, length: {max: 9}, enum: [x, xy], type: string, required: true}').map(
      ({ test: { kind } }) => kind,
    ),
    ['present', 'type', 'enum', 'length', 'prefix', 'pattern'],
  )
})

test('an argument that may be missing makes its conditions optional', () => {
  assert.deepEqual(conditions('a: {required: false, type: number, max: 5}'), [
    { path: ['a'], optional: true, test: { kind: 'type', types: ['number'] } },
    { path: ['a'], optional: true, test: { kind: 'range', max: 5 } },
  ])
})

test('paths descend at dots, and a backslash keeps a dot', () => {
  const paths = conditions(
    'a.b: {type: string}',
    "'a\\.b': {type: string}",
    "'a\\\\.b\\\\\\.c': {type: string}",
    '5: {type: string}',
  )
  assert.deepEqual(
    paths.map(({ path }) => path),
    [['a', 'b'], ['a.b'], ['a\\', 'b\\.c'], ['5']],
  )
})

test('fields are longer paths below an object', () => {
  assert.deepEqual(conditions('a: {fields: {b: {type: string}, c.d: {fields: {e: {max: 1}}}}}'), [
    { path: ['a'], ...needed, test: { kind: 'type', types: ['object'] } },
    { path: ['a', 'b'], ...needed, test: { kind: 'type', types: ['string'] } },
    { path: ['a', 'c', 'd'], ...needed, test: { kind: 'type', types: ['object'] } },
    { path: ['a', 'c', 'd', 'e'], ...needed, test: { kind: 'range', max: 1 } },
  ])
})

test('conditions on elements begin at the element', () => {
  assert.deepEqual(conditions('a: {each: {type: string, prefix: x}}'), [
    {
      path: ['a'],
      ...needed,
      test: {
        kind: 'each',
        conditions: [
          { path: [], ...needed, test: { kind: 'type', types: ['string'] } },
          { path: [], ...needed, test: { kind: 'prefix', prefix: 'x' } },
        ],
      },
    },
  ])
  assert.deepEqual(conditions('a: {any: {fields: {b: {each: {max: 1}}}}}'), [
    {
      path: ['a'],
      ...needed,
      test: {
        kind: 'any',
        conditions: [
          { path: [], ...needed, test: { kind: 'type', types: ['object'] } },
          {
            path: ['b'],
            ...needed,
            test: { kind: 'each', conditions: [{ path: [], ...needed, test: { kind: 'range', max: 1 } }] },
          },
        ],
      },
    },
  ])
})

test('a rule that denies is about what it says, and another type does not get round it', () => {
  assert.deepEqual(denying('a: {fields: {b: {enum: [x]}}}', 'c.d: {required: false, max: 1}'), [
    { path: ['a', 'b'], ...needed, test: { kind: 'enum', values: ['x'] } },
    { path: ['c', 'd'], optional: true, test: { kind: 'range', max: 1 } },
  ])
})

test('an alias means what its anchor means', () => {
  const policy = tools(
    'pay: &pay',
    '  rules:',
    '    - &cap {rate_limit: 1/day}',
    'refund: *pay',
    'close: {rules: [*cap]}',
  )
  assert.deepEqual(
    policy.entries.map(({ key, rules }) => [key, rules.map(({ name, limits }) => [name, limits[0]?.counter.id])]),
    [
      ['pay', [['pay.rules[0]', 'calls/day@pay']]],
      ['refund', [['refund.rules[0]', 'calls/day@refund']]],
      ['close', [['close.rules[0]', 'calls/day@close']]],
    ],
  )
})

test('a guard needs no reason codes, and may change one of them', () => {
  const guard = (codes: string) => read(`policy_id: a\npolicy_version: 2\nallowlist: [b/c]\n${codes}`)
  assert.deepEqual(guard('').reasonCodes, {})
  assert.deepEqual(guard('reason_codes: {block: NO_WAY}').reasonCodes, { block: 'NO_WAY' })
  assert.deepEqual(guard('').entries[0]?.match, [{ name: { kind: 'literal', text: 'b/c' } }])
})

test('a place is a file, a line and a column: where a word ends is no part of a policy and its revision', () => {
  const texts = [
    'version: "1"\ndefault: deny\ntools: { pay: { rules: [{ rate_limit: 1/day }] } }\nprompts: { a: {} }\n',
    'policy_id: a\npolicy_version: b\nallowlist: [c]\n',
  ]
  for (const text of texts) {
    const { policy } = parsePolicy({ file: 'f.yaml', text })
    const places = [...JSON.stringify(policy).matchAll(/"place":(\{.*?\})/g)].map(([, place = '']) => JSON.parse(place))
    assert.ok(places.length > 0)
    for (const place of places) assert.deepEqual(Object.keys(place), ['file', 'line', 'col'])
  }
})
