/** Mistakes of files, and of which language they are. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { formatDiagnostic, parsePolicy } from '../../../src/policy/parse.ts'
import { areTold, args, type Case, head, rule, tools } from './told.ts'

const bytes = (...parts: readonly (string | number)[]) =>
  new Uint8Array(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)])))

const files: readonly Case[] = [
  [
    'an empty file',
    '',
    [
      'f.yaml:1:1: the file is empty: expected `version`, `default` and `tools`, `resources` or `prompts` (a native policy), `allowlist` (a guard policy), `defaults` and `rules` (an Aegis policy), or `workflow_policies` (a policy pack)',
    ],
  ],
  [
    'a file of comments',
    '# refunds\n',
    [
      'f.yaml:1:1: the file is empty: expected `version`, `default` and `tools`, `resources` or `prompts` (a native policy), `allowlist` (a guard policy), `defaults` and `rules` (an Aegis policy), or `workflow_policies` (a policy pack)',
    ],
  ],
  [
    'an empty document',
    '---\n',
    [
      'f.yaml:1:1: the file is empty: expected `version`, `default` and `tools`, `resources` or `prompts` (a native policy), `allowlist` (a guard policy), `defaults` and `rules` (an Aegis policy), or `workflow_policies` (a policy pack)',
    ],
  ],
  [
    'a list',
    '- a\n',
    [
      'f.yaml:1:1: a policy is a map, got a list: expected `version`, `default` and `tools`, `resources` or `prompts` (a native policy), `allowlist` (a guard policy), `defaults` and `rules` (an Aegis policy), or `workflow_policies` (a policy pack)',
    ],
  ],
  [
    'a single value',
    'hello\n',
    [
      'f.yaml:1:1: a policy is a map, got a single value: expected `version`, `default` and `tools`, `resources` or `prompts` (a native policy), `allowlist` (a guard policy), `defaults` and `rules` (an Aegis policy), or `workflow_policies` (a policy pack)',
    ],
  ],
  [
    'two documents',
    `${head}tools: {}\n---\nversion: "1"\n`,
    ['f.yaml:4:1: a policy file is one YAML document, found a second'],
  ],
  [
    'a second document that is empty',
    `${head}tools: {}\n---\n`,
    ['f.yaml:4:1: a policy file is one YAML document, found a second'],
  ],
  ['tabs for indentation', `${head}tools:\n\tpay: {}\n`, ['f.yaml:4:1: indentation must be spaces, found a tab']],
  [
    'duplicate keys, wherever they are',
    `${head}default: allow\ntools:\n  pay: {}\n  "pay": {rules: [], rules: []}\n`,
    [
      'f.yaml:3:1: `default` stands here twice, first on line 2',
      'f.yaml:6:3: `pay` stands here twice, first on line 5',
      'f.yaml:6:22: `rules` stands here twice, first on line 6',
    ],
  ],
  [
    'bytes that are not UTF-8',
    bytes('version: "1"\n# caf', 0xe9, '\n'),
    ['f.yaml:2:6: the file must be UTF-8, found byte `0xe9`'],
  ],
  [
    'a truncated character',
    bytes('version: "1"\n# caf', 0xc3),
    ['f.yaml:2:6: the file must be UTF-8, found byte `0xc3`'],
  ],
  ['UTF-16', bytes(0xff, 0xfe, 'v', 0, 'e', 0), ['f.yaml:1:1: the file must be UTF-8, found byte `0xff`']],
  ['a NUL', 'version: "1"\ntools: \0\n', ['f.yaml:2:8: the file must be text, found a NUL']],
  [
    'control characters',
    'version: "1"\ndescription: a\u001b[31mb\u0007\n',
    [
      'f.yaml:2:15: the file must be plain text, found the character U+001B',
      'f.yaml:2:21: the file must be plain text, found the character U+0007',
    ],
  ],
  [
    'a lone CR, which is a line end to some',
    'version: "1"\n# x\rdefault: allow\n',
    ['f.yaml:2:4: a line must end with LF or CR LF, found a lone CR'],
  ],
  [
    'a line separator, which is a line end to some',
    'version: "1"\n# x\u2028default: allow\n',
    ['f.yaml:2:4: the file must be plain text, found the character U+2028'],
  ],
  ['half of a surrogate pair', `${head}# \ud800\n`, ['f.yaml:3:3: half of a surrogate pair is no character']],
  [
    'an escape for half of a surrogate pair',
    `${head}tools: {}\ndescription: "\\ud800"\n`,
    ['f.yaml:4:14: half of a surrogate pair is no character'],
  ],
  ['an escape for NUL', `${head}tools: {}\ndescription: "\\0"\n`, ['f.yaml:4:14: text must not hold a NUL']],
  [
    'a file that is too large',
    `# ${'x'.repeat(4 * 1024 * 1024)}`,
    ['f.yaml:1:1: the file has 4194306 bytes, at most 4194304 are read'],
  ],
  [
    'a file that is too large in UTF-8 alone',
    `# ${'\u20ac'.repeat(2 * 1024 * 1024)}`,
    ['f.yaml:1:1: the file has 6291458 bytes, at most 4194304 are read'],
  ],
  ['too many tokens', '\n'.repeat(1_000_001), ['f.yaml:1000002:1: a policy has at most 1000000 words and signs']],
  ['flow values nested too deeply', `x: ${'['.repeat(100_000)}`, ['f.yaml:1:67: a policy has at most 64 levels']],
  ['block values nested too deeply', '- '.repeat(100_000), ['f.yaml:1:128: a policy has at most 64 levels']],
  [
    'aliases that explode',
    'a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e]\n',
    ['f.yaml:5:29: the aliases of a policy stand for at most 100000 values'],
  ],
  [
    'aliases that nest too deeply',
    Array.from({ length: 70 }, (_, index) => `x${index}: &x${index} [${index === 0 ? '' : `*x${index - 1}`}]\n`).join(
      '',
    ),
    ['f.yaml:64:12: a policy has at most 64 levels'],
  ],
  [
    'an alias inside its own value',
    `${head}tools: &all {pay: *all}\n`,
    ['f.yaml:3:19: the alias `*all` stands inside the value it repeats'],
  ],
  [
    'an alias without its anchor',
    `${head}tools: {pay: *rules}\n`,
    ['f.yaml:3:14: the alias `*rules` has no anchor before it'],
  ],
  [
    'an alias as a key',
    `${head}policy_id: &id pay\ntools: {*id : {}}\n`,
    ['f.yaml:4:9: `*id` is an alias: a name that begins with `*` needs quotes'],
  ],
  [
    'merge keys',
    tools('pay: &pay {}', 'refund:', '  <<: *pay'),
    ['f.yaml:6:5: merge keys (`<<`) are not supported: write the keys out'],
  ],
  [
    'tags',
    `${head}policy_id: !secret x\npolicy_version: !!str 5\ntools: !!map {!!str a: {}}\n`,
    [
      'f.yaml:3:20: tags are not supported, found `!secret`',
      'f.yaml:4:23: tags are not supported, found `!!str`',
      'f.yaml:5:14: tags are not supported, found `!!map`',
      'f.yaml:5:21: tags are not supported, found `!!str`',
    ],
  ],
  [
    'another version of YAML',
    `%YAML 1.1\n---\n${head}tools: {}\n`,
    ['f.yaml:1:1: policies are YAML 1.2, found `%YAML 1.1`'],
  ],
  [
    'a directive that nobody knows',
    `%TOLLGATE 1\n---\n${head}tools: {}\n`,
    ['f.yaml:1:1: not YAML: unknown directive %TOLLGATE'],
  ],
  ['a list as a key', `${head}tools: {? [a] : {}}\n`, ['f.yaml:3:11: a key must be text, found a list or a map']],
  [
    'a missing key',
    `${head}tools:\n  : {}\n  "": {}\n`,
    ['f.yaml:4:3: a key is missing, found an empty one', 'f.yaml:5:3: a key is missing, found an empty one'],
  ],
  ['an unclosed quote', `${head}policy_id: "pay\ntools: {}\n`, ['f.yaml:5:1: a quote is not closed']],
  [
    'an unclosed map',
    `${head}tools: {pay: {}\n`,
    ['f.yaml:4:1: not YAML: flow map in block collection must be sufficiently indented and end with a }'],
  ],
  ['a missing item', rule('per: [user,,agent]'), ['f.yaml:6:20: not YAML: unexpected , in flow sequence']],
  [
    'a name that begins with a star, without quotes',
    tools('*: {}', '*/read: {}'),
    [
      'f.yaml:4:4: a name that begins with `*` needs quotes, without them it is an alias',
      'f.yaml:5:3: a name that begins with `*` needs quotes, without them it is an alias',
    ],
  ],
  [
    'a value that needs quotes because of a colon',
    rule('on_deny: Refused: ask a human'),
    ['f.yaml:6:18: a value with a `: ` in it needs quotes'],
  ],
  [
    'an item that is indented less than the one before it',
    `${head}tools:\n  pay:\n    rules:\n        - rate_limit: 1/day\n      - rate_limit: 2/week\n`,
    ['f.yaml:7:1: the line is indented less than those before it, and more than what they belong to'],
  ],
  [
    'a value that needs quotes because of its first character',
    rule('on_deny: @finance', 'name: `x`'),
    [
      'f.yaml:6:18: a value that begins with `@` needs quotes',
      'f.yaml:7:15: a value that begins with ``` needs quotes',
    ],
  ],
  [
    'an escape that double quotes do not know',
    args('"a\\.b": {type: string}'),
    ['f.yaml:7:13: `\\.` is no escape between double quotes: use single quotes, or double the backslash'],
  ],
]

const languages: readonly Case[] = [
  [
    'a map of something else',
    'hello: world\n',
    [
      'f.yaml:1:1: this is no policy that can be told by its keys: expected `version`, `default` and `tools`, `resources` or `prompts` (a native policy), `allowlist` (a guard policy), `defaults` and `rules` (an Aegis policy), or `workflow_policies` (a policy pack)',
    ],
  ],
  [
    'a guard policy with a misspelt allowlist',
    'policy_id: a\nallow_list: [b]\n',
    [
      'f.yaml:1:1: this is no policy that can be told by its keys: expected `version`, `default` and `tools`, `resources` or `prompts` (a native policy), `allowlist` (a guard policy), `defaults` and `rules` (an Aegis policy), or `workflow_policies` (a policy pack); did you mean `allowlist`?',
    ],
  ],
  [
    'a guard policy that is also a native one',
    'policy_id: a\npolicy_version: b\nallowlist: []\ndefault: allow\ntools: {}\n',
    [
      'f.yaml:3:12: warning: `allowlist` is empty: every tool is refused',
      'f.yaml:4:1: unknown key `default`, a guard policy has `policy_id`, `policy_version`, `allowlist` or `reason_codes`',
      'f.yaml:5:1: unknown key `tools`, a guard policy has `policy_id`, `policy_version`, `allowlist` or `reason_codes`',
    ],
  ],
  [
    'an unknown version',
    'version: "2"\ndefault: deny\ntools: {}\n',
    ['f.yaml:1:10: `version` must be "1", the only version of the language, got "2"'],
  ],
  [
    'a version that is not quite 1',
    'version: 1.0\ndefault: deny\ntools: {}\n',
    ['f.yaml:1:10: `version` must be "1", the only version of the language, got `1.0`'],
  ],
  ['no version', 'default: deny\ntools: {}\n', ['f.yaml:1:1: `version` is missing: write `version: "1"`']],
  [
    'no default',
    'version: "1"\nprompts: {}\n',
    [
      'f.yaml:1:1: `default` is missing: say `default: deny` or `default: allow`, there is no comfortable default for a choice about safety',
    ],
  ],
  [
    'a default that is no word of ours',
    'version: "1"\ndefault: alow\ntools: {}\n',
    ['f.yaml:2:10: `default` must be `allow`, `deny` or `require_approval`, got "alow", did you mean `allow`?'],
  ],
  [
    'a default in the words of YAML 1.1',
    'version: "1"\ndefault: on\ntools: {}\n',
    ['f.yaml:2:10: `default` must be `allow`, `deny` or `require_approval`, got "on" (YAML 1.2 reads `on` as text)'],
  ],
  [
    'a default that is a boolean',
    'version: "1"\ndefault: true\ntools: {}\n',
    ['f.yaml:2:10: `default` must be `allow`, `deny` or `require_approval`, got `true`'],
  ],
  [
    'keys without values',
    'version: "1"\ndefault:\ntools:\n',
    [
      'f.yaml:2:1: `default` must be `allow`, `deny` or `require_approval`, got nothing',
      'f.yaml:3:1: `tools` must be a map from names to rules, got nothing (is what belongs to it indented further?)',
    ],
  ],
  [
    'nothing to have rules for',
    head,
    ['f.yaml:1:1: a policy needs one of `tools`, `resources` or `prompts`, or ordered `rules`'],
  ],
  [
    'an unknown key with a near spelling',
    `${head}tols: {}\n`,
    ['f.yaml:3:1: unknown key `tols`, did you mean `tools`?'],
  ],
  [
    'an unknown key without one',
    `${head}tools: {}\nshow: []\n`,
    [
      'f.yaml:4:1: unknown key `show`, a policy has `version`, `default`, `tools`, `resources`, `prompts`, `rules`, `hidden`, `pinning`, `pinned`, `names`, `counters`, `counting`, `default_rule`, `reason_codes`, `policy_id`, `policy_version`, `risk_level` or `description`',
    ],
  ],
  [
    'facts about the policy that are no text',
    `${head}tools: {}\npolicy_id: 5\npolicy_version: yes\ndescription: [a]\nrisk_level: hgh\n`,
    [
      'f.yaml:4:12: `policy_id` must be text, got `5`: put it in quotes',
      'f.yaml:6:14: `description` must be text, got a list',
      'f.yaml:7:13: `risk_level` must be `low`, `medium`, `high` or `critical`, got "hgh", did you mean `high`?',
    ],
  ],
  [
    'texts that are empty',
    `${head}tools: {}\npolicy_id: ""\npolicy_version: ~\ndescription: " "\n`,
    [
      'f.yaml:4:12: `policy_id` must not be empty, got ""',
      'f.yaml:5:17: `policy_version` must be text, got `~`: put it in quotes',
      'f.yaml:6:14: `description` must not be empty, got " "',
    ],
  ],
  [
    'a policy id of two lines',
    `${head}tools: {}\npolicy_id: "a\\nb"\n`,
    ['f.yaml:4:12: `policy_id` must be one line without control characters, got "a\\u000ab"'],
  ],
  [
    'a policy id that is too long',
    `${head}tools: {}\npolicy_id: ${'x'.repeat(257)}\n`,
    [
      'f.yaml:4:12: `policy_id` has at most 256 characters, got "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."',
    ],
  ],
]

areTold('files', files)
areTold('languages', languages)

test('past a thousand mistakes the rest is counted', () => {
  const text = tools(...Array.from({ length: 1_500 }, (_, index) => `t${index}: []`))
  const { diagnostics } = parsePolicy({ file: 'f.yaml', text })
  assert.equal(diagnostics.length, 1_001)
  assert.equal(diagnostics.at(-1)?.message, '500 more mistakes are not shown')
})

test('a diagnostic is one line, whatever the file is called', () => {
  const [diagnostic] = parsePolicy({ file: 'a\nb\u202e.yaml', text: '"x\\u202e\\n`": 1' }).diagnostics
  assert.ok(diagnostic)
  assert.match(formatDiagnostic(diagnostic), /^a\\u000ab\\u202e\.yaml:1:1: [^\p{Cc}\p{Cf}]+$/u)
})
