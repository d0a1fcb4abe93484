import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { matchesGlob } from '../../src/model/fnmatch.ts'
import { pythonText } from '../../src/model/pythonText.ts'
import { serverNamed, visibility } from '../../src/model/strategy.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { translate } from '../../src/policy/python/translate.ts'
import { ofFirst } from './strategies.ts'

const said = (text: string) => parsePolicy({ file: 'f.yaml', text }).diagnostics.map(formatDiagnostic)
const read = (text: string) => ofFirst(parsePolicy({ file: 'f.yaml', text }).policy)
const rule = (...lines: readonly string[]) => `rules:\n  - ${lines.join('\n    ')}\n`

const fixtures = new URL('fixtures/aegis/', import.meta.url)

for (const name of readdirSync(fixtures))
  test(`the published policy ${name} loads without a word of complaint`, () => {
    const { policy, diagnostics } = parsePolicy({ file: name, text: readFileSync(new URL(name, fixtures)) })
    assert.deepEqual(diagnostics.map(formatDiagnostic), [])
    assert.ok(ofFirst(policy).rules.length >= 2)
  })

test('what is not said is what Aegis takes for it', () => {
  const { rules, otherwise, id } = read('rules:\n  - {}\n  - {name: "", match: {type: "a*", agent: b}}\n')
  assert.deepEqual(otherwise, { effect: 'deny', riskLevel: 'medium' })
  assert.equal(id, 'f')
  assert.deepEqual(
    rules.map(({ name, effect, riskLevel }) => [name, effect, riskLevel]),
    [
      ['rule_0', 'hold', 'medium'],
      ['a*@*', 'hold', 'medium'],
    ],
  )
  assert.deepEqual(rules[0]?.match, { type: '*', target: '*', agent: '*' })
})

const mistakes: readonly (readonly [string, string, ...string[]])[] = [
  [
    'a condition that is misspelt',
    rule('conditions: {parm_gt: {a: 1}}'),
    'f.yaml:2:18: unknown key `parm_gt`, did you mean `param_gt`?',
  ],
  ['a rule with an unknown key', rule('mach: {}'), 'f.yaml:2:5: unknown key `mach`, did you mean `match`?'],
  [
    'an approval that is none',
    rule('approval: Auto'),
    'f.yaml:2:15: `approval` must be `auto`, `approve` or `block`, got "Auto", did you mean `auto`?',
  ],
  [
    'a version that is none',
    `version: "3"\n${rule('approval: auto')}`,
    'f.yaml:1:10: `version` must be "1" or "2", the versions of the language, got "3"',
  ],
  [
    'a time without quotes',
    rule('conditions: {time_after: 18:00}'),
    'f.yaml:2:30: `time_after`: Aegis reads `18:00` as a number to the base of 60, put it in quotes',
  ],
  [
    'a time that is none',
    rule('conditions: {time_after: "24:00"}'),
    'f.yaml:2:30: `time_after` must be a time of the day in UTC as text, `"HH:MM"`, got "24:00"',
  ],
  [
    'a weekday that is none',
    rule('conditions: {weekdays: [0]}'),
    'f.yaml:2:29: each of `weekdays` must be a whole number of at least 1 and at most 7, got `0`',
  ],
  [
    'a value that YAML 1.1 takes for a boolean',
    rule('conditions: {param_eq: {a: yes}}'),
    'f.yaml:2:32: `a`: Aegis reads `yes` as `true`, put it in quotes',
  ],
  [
    'a name that YAML 1.1 takes for a boolean',
    rule('conditions: {param_eq: {on: 1}}'),
    'f.yaml:2:29: Aegis reads the name `on` as `true`, put it in quotes',
  ],
  [
    'null, which is met by nothing',
    rule('conditions: {param_eq: {a: null}}'),
    'f.yaml:2:32: `a` must be text, a number, `true`, `false`, a list or a map, got `null`: an argument that is missing or null meets no condition',
  ],
  [
    'an order of maps',
    rule('conditions: {param_gt: {a: {b: 1}}}'),
    'f.yaml:2:32: `a` must be a number, text, `true`, `false` or a list, got a map',
  ],
  [
    'conditions that fell away',
    rule('conditions:', 'approval: auto'),
    'f.yaml:2:5: `conditions` must be a map of conditions, got nothing (is what belongs to it indented further?)',
  ],
  [
    'no name at all',
    rule('conditions: {param_gt: {}}'),
    'f.yaml:2:28: `param_gt` must be a map of arguments and what they are compared with, got an empty map',
  ],
  [
    'words that say nothing',
    rule('conditions: {semantic: "or the"}'),
    'f.yaml:2:28: `semantic` must be text with words to look for, or a category, got "or the": no word is left to look for',
  ],
  [
    'a lookahead',
    rule('conditions: {param_matches: {a: "x(?=y)"}}'),
    'f.yaml:2:37: `a` has a lookahead `(?=`, which the policy engine cannot run (it is RE2)',
  ],
  [
    'a pattern that is none',
    rule('conditions: {param_matches: {a: "x("}}'),
    'f.yaml:2:37: `a` is no regular expression of Python: a `(` is not closed',
  ],
  [
    'an evening that ends in the morning',
    rule('conditions: {time_after: "18:00", time_before: "08:00"}'),
    'f.yaml:2:18: warning: `time_after` and `time_before` must both hold, and no time is both: write a rule for the evening and one for the morning',
  ],
  [
    'a rule that is never asked',
    'rules:\n  - {name: all, match: {type: a}}\n  - {match: {type: a, target: b}}\n',
    'f.yaml:3:5: warning: `rule_1` is never asked: `all` on line 2 matches all its calls',
  ],
  [
    'a refusal behind a glob that allows what it names',
    'rules:\n  - {name: reads, match: {type: "read_*"}, approval: auto}\n  - {match: {type: read_secret}, approval: block}\n',
    'f.yaml:3:5: warning: `rule_1` is never asked: `reads` on line 2 matches all its calls',
  ],
  [
    'a glob behind a wider one',
    'rules:\n  - {name: all, match: {type: "?e*"}}\n  - {match: {type: "re[ab]*_*", agent: "x*"}}\n',
    'f.yaml:3:5: warning: `rule_1` is never asked: `all` on line 2 matches all its calls',
  ],
  [
    'a rule behind a wider one with conditions',
    'rules:\n  - {name: dear, match: {type: "p*"}, conditions: {param_gt: {n: 5}}}\n  - {match: {type: pay}, conditions: {weekdays: [1], param_gte: {n: 10}}}\n',
    'f.yaml:3:5: warning: `rule_1` decides nothing: `dear` on line 2 matches every call that it matches',
  ],
  [
    'a rule behind one that is wrong',
    'rules:\n  - {name: all, match: {type: a}, conditions: {param_gt: {n: null}}}\n  - {match: {type: a, target: b}}\n',
    'f.yaml:2:62: `n` must be text, a number, `true`, `false`, a list or a map, got `null`: an argument that is missing or null meets no condition',
  ],
  [
    'plans of several actions',
    `${rule('approval: auto')}plan_rules:\n  sequence_patterns: [{name: a, steps: ["read_*"]}]\n`,
    'f.yaml:3:1: warning: `plan_rules` are about plans of several actions: the gate sees single calls, and does not ask them',
  ],
  [
    'a test suite',
    'suite: a\ntests: [{action: {type: a}}]\n',
    'f.yaml:1:1: this is not a policy: it is a test suite of Aegis (`tests`)',
  ],
  [
    'its configuration',
    'guardrails: {pii: {enabled: true}}\naudit: {}\n',
    'f.yaml:1:1: this is not a policy: it is the configuration of Aegis (`aegis.yaml`)',
  ],
  [
    'the configuration of its server',
    'server: {port: 8000}\npolicy: {path: p.yaml}\naudit: {}\n',
    'f.yaml:1:1: this is not a policy: it is the configuration of the Aegis server (`aegis-server.yaml`), whose `policy` says where the policy is',
  ],
  ['rate limits', 'rate_limits: []\n', 'f.yaml:1:1: this is not a policy: it is a list of rate limits of Aegis'],
  [
    'a guardrail pack',
    'name: a\ncategories: [x]\nrules: [{name: a, type: pattern, pattern: x}]\n',
    'f.yaml:1:1: this is not a policy: it is a guardrail pack of Aegis',
  ],
]

for (const [name, text, ...expected] of mistakes)
  test(`told: ${name}`, () => assert.deepEqual(said(text).slice(0, expected.length), expected))

test('tools that no call can use are not shown', () => {
  const policy = read(
    'defaults: {approval: block}\nrules:\n  - {match: {type: a, target: s}, approval: block}\n  - {match: {type: "[ab]"}, approval: auto}\n  - {match: {type: c, agent: x}, approval: block}\n  - {match: {type: "c*"}, conditions: {param_eq: {n: 1}}}\n',
  )
  const shown = (name: string, server = 's') => visibility(policy, { method: 'tools/call', server, name })({})
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => shown(name)),
    [false, true, true, false],
  )
  assert.ok(shown('a', 't'))
  assert.ok(!visibility(policy, { method: 'prompts/get', server: 's', name: 'b' })({}))
  assert.equal(serverNamed(policy), 'rule_0')
})

test('globs are those of fnmatch', () => {
  for (const [glob, matching, other] of [
    ['[!a]?', 'bc', 'ac'],
    ['[]a]', ']', 'b'],
    ['[!]]', 'a', ']'],
    ['[a-c]', 'b', '-'],
    ['[a-c-e]', '-', 'd'],
    ['[c-a]b', 'none', 'bb'],
    ['[', '[', 'a'],
    ['a[b', 'a[b', 'ab'],
    ['*.*', 'a.b', 'ab'],
    ['a*', 'a\n', 'A'],
    ['[😀-😂]', '😁', '😃'],
  ] as const) {
    if (matching !== 'none') assert.ok(matchesGlob(glob, matching), `${glob} ${matching}`)
    assert.ok(!matchesGlob(glob, other), `${glob} ${other}`)
  }
})

test('arguments as text are what Python makes of them', () => {
  for (const [value, text] of [
    ['a"\n', 'a"\n'],
    [true, 'True'],
    [0.00001, '1e-05'],
    [1e21, '1e+21'],
    [0.0001, '0.0001'],
    [-1.5, '-1.5'],
    [[null, "it's", 'a"\'', '\u00a0\n'], `[None, "it's", 'a"\\'', '\\xa0\\n']`],
    [{ a: [], b: { c: false } }, "{'a': [], 'b': {'c': False}}"],
  ] as const)
    assert.equal(pythonText(value), text)
})

test('a boundary of words that RE2 cannot place leaves texts in ASCII alone', () => {
  const wide = (pattern: string) => {
    const read = translate(pattern)
    assert.ok('pattern' in read, pattern)
    return read.pattern.wide
  }
  assert.equal(wide('\\bfrom\\b.*\\bwhere\\b'), undefined)
  assert.ok(wide('(?a)\\bfrom\\b.*\\bwhere\\b'))
  for (const pattern of ['\\bdrop\\b', '\\b(drop|kill)\\b', 'a\\b \\bb', '^\\bdrop', 'drop\\b$'])
    assert.ok(wide(pattern), pattern)
})
