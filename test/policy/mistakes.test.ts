import assert from 'node:assert/strict'
import test from 'node:test'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'

/** What is wrong, the file, and what the report says of it. A file stands for `f.yaml`. */
type Case = readonly [name: string, text: string | Uint8Array, says: readonly string[]]

const head = 'version: "1"\ndefault: deny\n'

/** A file whose `tools` are these lines; they start on line 4. */
const tools = (...lines: readonly string[]) => `${head}tools:\n${lines.map((line) => `  ${line}\n`).join('')}`

/** A file with one tool, whose rule is these lines; they start on line 6, column 9. */
const rule = (...lines: readonly string[]) =>
  tools('pay:', '  rules:', ...lines.map((line, index) => `    ${index === 0 ? '-' : ' '} ${line}`))

/** A file with one rule, whose arguments are these lines; they start on line 7, column 11. */
const args = (...lines: readonly string[]) => rule('arguments:', ...lines.map((line) => `  ${line}`))

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
      'f.yaml:4:1: unknown key `show`, a policy has `version`, `default`, `tools`, `resources`, `prompts`, `rules`, `hidden`, `names`, `counters`, `counting`, `default_rule`, `reason_codes`, `policy_id`, `policy_version`, `risk_level` or `description`',
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

const entries: readonly Case[] = [
  ['tools as a list', `${head}tools: [pay]\n`, ['f.yaml:3:8: `tools` must be a map from names to rules, got a list']],
  [
    'an entry without a value',
    tools('pay:', 'refund: ~'),
    [
      'f.yaml:4:3: `pay` must be a map, `{}` if nothing is asked of it, got nothing (is what belongs to it indented further?)',
      'f.yaml:5:11: `refund` must be a map, `{}` if nothing is asked of it, got `~`',
    ],
  ],
  [
    'an entry whose lines are not indented',
    tools('pay:', 'rules:', '  - rate_limit: 1/day'),
    [
      'f.yaml:4:3: `pay` must be a map, `{}` if nothing is asked of it, got nothing (is what belongs to it indented further?)',
      'f.yaml:6:5: `rules` must be a map, `{}` if nothing is asked of it, got a list',
    ],
  ],
  [
    'an entry that is an action',
    tools('pay: deny', 'refund: allow', 'close: require_approval', 'other: no'),
    [
      'f.yaml:4:8: `pay` must be a map, `{}` if nothing is asked of it, got "deny": write `{ rules: [{ action: deny }] }`',
      'f.yaml:5:11: `refund` must be a map, `{}` if nothing is asked of it, got "allow": write `{}`',
      'f.yaml:6:10: `close` must be a map, `{}` if nothing is asked of it, got "require_approval": write `{ rules: [{ action: require_approval }] }`',
      'f.yaml:7:10: `other` must be a map, `{}` if nothing is asked of it, got "no" (YAML 1.2 reads `no` as text)',
    ],
  ],
  [
    'what belongs in a rule',
    tools('pay: {rate_limit: 1/day}', 'close: {action: deny, rulez: []}'),
    [
      'f.yaml:4:9: `rate_limit` stands in a rule: write it under `rules:`, after a `- `',
      'f.yaml:5:11: `action` stands in a rule: write it under `rules:`, after a `- `',
      'f.yaml:5:25: unknown key `rulez`, did you mean `rules`?',
    ],
  ],
  [
    'an entry that is a list of rules',
    tools('pay: [{rate_limit: 1/day}]'),
    ['f.yaml:4:8: `pay` must be a map, `{}` if nothing is asked of it, got a list'],
  ],
  [
    'rules without a value',
    tools('pay: {rules: }', 'refund: {rules: null}'),
    [
      'f.yaml:4:9: `rules` must be a list of rules, got nothing (is what belongs to it indented further?)',
      'f.yaml:5:19: `rules` must be a list of rules, got `null`',
    ],
  ],
  [
    'rules that are one rule',
    tools('pay:', '  rules:', '    rate_limit: 1/day'),
    ['f.yaml:6:7: `rules` must be a list of rules, got a map'],
  ],
  [
    'a rule that is no map',
    tools('pay: {rules: [deny, , [a]]}'),
    ['f.yaml:4:23: not YAML: unexpected , in flow sequence'],
  ],
  [
    'a rule that is a word',
    tools('pay: {rules: [deny]}'),
    ['f.yaml:4:17: each of `rules` must be a rule: a map of what must hold, got "deny"'],
  ],
  [
    'a misspelt key of an entry',
    tools('pay: {rule: [], limits: []}'),
    [
      'f.yaml:4:9: unknown key `rule`, did you mean `rules`?',
      'f.yaml:4:19: `limits` stands in a rule: write it under `rules:`, after a `- `',
    ],
  ],
  [
    'control characters in a name',
    tools('"pay\\tall": {}', '"\\x1b[31m": {}', '"pay\\0": {}'),
    [
      'f.yaml:4:3: a name must not have control characters, got `pay\\u0009all`',
      'f.yaml:5:3: a name must not have control characters, got `\\u001b[31m`',
      'f.yaml:6:3: text must not hold a NUL',
      'f.yaml:6:3: a name must not have control characters, got `pay\\u0000`',
    ],
  ],
  [
    'a name that is too long',
    tools(`${'x'.repeat(513)}: {}`, `s/${'x'.repeat(513)}: {}`),
    [
      'f.yaml:4:3: a name has at most 512 characters, `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...` has 513',
      'f.yaml:5:3: a name has at most 512 characters, `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...` has 513',
    ],
  ],
  [
    'a name with an invisible end',
    tools('"pay ": {}', '"pay\\u200b": {}'),
    [
      'f.yaml:4:3: warning: `pay ` has a space at its end or a character that cannot be seen',
      'f.yaml:5:3: warning: `pay\\u200b` has a space at its end or a character that cannot be seen',
    ],
  ],
  [
    'a name that would list everything',
    tools('"**": {}', '"*/*": {}', '"?*": {}', '"*?/**": {}'),
    [
      'f.yaml:4:3: `**` would list everything: write `"*"`, or `default: allow`',
      'f.yaml:5:3: `*/*` would list everything: write `"*"`, or `default: allow`',
      'f.yaml:6:3: `?*` would list everything: write `"*"`, or `default: allow`',
      'f.yaml:7:3: `*?/**` would list everything: write `"*"`, or `default: allow`',
    ],
  ],
  [
    'a slash without a server or a tool',
    tools('/pay: {}', 'bank/: {}'),
    [
      'f.yaml:4:3: a server and a tool stand on the two sides of `/`, got `/pay`',
      'f.yaml:5:3: a server and a tool stand on the two sides of `/`, got `bank/`',
    ],
  ],
  [
    'a star without rules',
    tools('"*": {}'),
    ['f.yaml:4:3: warning: `"*"` has no rules, and it lists nothing: to allow everything, write `default: allow`'],
  ],
  [
    'a URI that is too long',
    `${head}resources:\n  ? x:${'y'.repeat(8191)}\n  : {}\n`,
    [
      'f.yaml:4:5: a name has at most 8192 characters, `x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...` has 8193',
    ],
  ],
  [
    'a key that YAML itself takes for too long',
    `${head}resources:\n  x:${'y'.repeat(1024)}: {}\n`,
    ['f.yaml:4:3: a key of more than 1024 characters needs a `?` before it'],
  ],
  [
    'counters that share a name',
    tools('a: {rules: [{rate_limit: 1/day, per: user}]}', 'a per user: {rules: [{rate_limit: 1/day}]}'),
    ['f.yaml:5:3: a counter of `a per user` and one of `a` have one name, `calls/day@a per user`'],
  ],
  [
    'too many rules',
    tools(...Array.from({ length: 10_001 }, (_, index) => `t${index}: {}`)),
    ['f.yaml:10004:3: a policy has at most 10000 entries, rules and conditions, `t10000` goes over it'],
  ],
]

const rules: readonly Case[] = [
  [
    'a rule that asks nothing',
    rule('{}'),
    ['f.yaml:6:9: a rule must ask something: one of `action`, `arguments`, `spend`, `rate_limit`'],
  ],
  [
    'a rule that asks nothing under a name',
    rule('name: x', 'on_deny: y'),
    ['f.yaml:6:9: a rule must ask something: one of `action`, `arguments`, `spend`, `rate_limit`'],
  ],
  [
    'a rule that allows and asks nothing',
    rule('action: allow', 'name: x'),
    ['f.yaml:6:9: warning: a rule with `action: allow` alone asks nothing: every call meets it'],
  ],
  [
    'an unknown action',
    rule('action: require-approval'),
    [
      'f.yaml:6:17: `action` must be `allow`, `deny` or `require_approval`, got "require-approval", did you mean `require_approval`?',
    ],
  ],
  [
    'an action of another language',
    rule('action: approve'),
    ['f.yaml:6:17: `action` must be `allow`, `deny` or `require_approval`, got "approve"'],
  ],
  [
    'misspelt keys',
    rule('on_denied: x', 'rate-limit: 1/day', 'aproval_timeout: 5m', 'when: []'),
    [
      'f.yaml:6:9: unknown key `on_denied`, did you mean `on_deny`?',
      'f.yaml:7:9: unknown key `rate-limit`, did you mean `rate_limit`?',
      'f.yaml:8:9: unknown key `aproval_timeout`, did you mean `approval_timeout`?',
      'f.yaml:9:9: unknown key `when`, a rule has `name`, `action`, `for`, `arguments`, `spend`, `rate_limit`, `limits`, `counted`, `per`, `approval_timeout`, `approval_wait`, `approval_quorum`, `approval_not_requester`, `risk_level`, `on_deny` or `description`',
    ],
  ],
  [
    'callers that are nobody, or are misspelt',
    rule('rate_limit: 1/day', 'for: { group: support, user: [], agent: 5, project: "" }'),
    [
      'f.yaml:7:16: unknown key `group`, did you mean `groups`?',
      'f.yaml:7:38: `user` must be text, or a list of these, got an empty list',
      'f.yaml:7:49: `agent` must be text, got `5`: put it in quotes',
      'f.yaml:7:61: `project` must not be empty, got ""',
    ],
  ],
  [
    'a map of no callers',
    rule('action: deny', 'for: {}'),
    ['f.yaml:7:14: `for` names nobody: leave it out where everybody is meant'],
  ],
  [
    'limits on a rule that denies',
    rule('action: deny', 'rate_limit: 1/day', 'spend: {daily: 1}', 'per: user', 'approval_timeout: 5m'),
    [
      'f.yaml:7:9: `rate_limit` stands only with `action: allow`, this rule has `deny`',
      'f.yaml:8:9: `spend` stands only with `action: allow`, this rule has `deny`',
      'f.yaml:9:9: `per` stands only with `action: allow`, this rule has `deny`',
      'f.yaml:10:9: `approval_timeout` stands only with `action: require_approval`, this rule has `deny`',
    ],
  ],
  [
    'limits on a rule that holds',
    rule('action: require_approval', 'rate_limit: 1/day', 'spend: {daily: 1}', 'per: user'),
    [
      'f.yaml:7:9: `rate_limit` stands only with `action: allow`, this rule has `require_approval`',
      'f.yaml:8:9: `spend` stands only with `action: allow`, this rule has `require_approval`',
      'f.yaml:9:9: `per` stands only with `action: allow`, this rule has `require_approval`',
    ],
  ],
  [
    'an approval time on a rule that allows',
    rule('rate_limit: 1/day', 'approval_timeout: 5m'),
    ['f.yaml:7:9: `approval_timeout` stands only with `action: require_approval`, this rule has `allow`'],
  ],
  [
    'durations that are none',
    rule('action: require_approval', 'approval_timeout: 30'),
    [
      'f.yaml:7:27: `approval_timeout` must be a duration like `30m`, `1h30m` or `2d`, from 1s to 30d, got `30`, which has no unit',
    ],
  ],
  [
    'a duration with a unit nobody knows',
    rule('action: require_approval', 'approval_timeout: 2w'),
    ['f.yaml:7:27: `approval_timeout` must be a duration like `30m`, `1h30m` or `2d`, from 1s to 30d, got "2w"'],
  ],
  [
    'a duration that is too long',
    rule('action: require_approval', 'approval_timeout: 30d1s'),
    ['f.yaml:7:27: `approval_timeout` must be a duration like `30m`, `1h30m` or `2d`, from 1s to 30d, got "30d1s"'],
  ],
  [
    'a duration of nothing',
    rule('action: require_approval', 'approval_timeout: 0s'),
    ['f.yaml:7:27: `approval_timeout` must be a duration like `30m`, `1h30m` or `2d`, from 1s to 30d, got "0s"'],
  ],
  [
    'two rules with one name',
    tools('pay:', '  rules:', '    - {name: cap, rate_limit: 1/day}', '    - {name: cap, rate_limit: 2/hour}'),
    [
      'f.yaml:7:16: warning: two rules of `pay` are called `cap`, the first on line 6: records cannot tell them apart',
      'f.yaml:7:33: warning: the limit of 2 calls per hour never binds: the limit of 1 call per day on line 6 is reached before',
    ],
  ],
  [
    'a rule name with a line end',
    rule('name: "a\\nb"', 'rate_limit: 1/day'),
    ['f.yaml:6:15: `name` must be one line without control characters, got "a\\u000ab"'],
  ],
]

const limits: readonly Case[] = [
  [
    'a rate without a window',
    rule('rate_limit: 10'),
    ['f.yaml:6:21: `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got `10`'],
  ],
  [
    'a rate with a misspelt window',
    rule('rate_limit: 10/days'),
    [
      'f.yaml:6:21: `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "10/days", did you mean `day`?',
    ],
  ],
  [
    'a rate with an abbreviated window',
    rule('rate_limit: [1/min, 1/Secs, 1/mo, 1/m]'),
    [
      'f.yaml:6:22: each of `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "1/min", did you mean `minute`?',
      'f.yaml:6:29: each of `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "1/Secs", did you mean `second`?',
      'f.yaml:6:37: each of `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "1/mo", did you mean `month`?',
      'f.yaml:6:43: each of `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "1/m"',
    ],
  ],
  [
    'a rate of nothing',
    rule('rate_limit: 0/day'),
    ['f.yaml:6:21: `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "0/day"'],
  ],
  [
    'a rate with a leading zero',
    rule('rate_limit: 010/day'),
    ['f.yaml:6:21: `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "010/day"'],
  ],
  [
    'a rate beyond what counts exactly',
    rule('rate_limit: 9007199254740992/day'),
    ['f.yaml:6:21: `rate_limit` must be at most 9007199254740991 calls, got "9007199254740992/day"'],
  ],
  [
    'a rate with a duration',
    rule('rate_limit: 10/15m'),
    [
      'f.yaml:6:21: `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "10/15m": a window of `15m` slides, write it as a map',
    ],
  ],
  [
    'a rate in other words',
    rule('rate_limit: 10 per day'),
    ['f.yaml:6:21: `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, got "10 per day"'],
  ],
  [
    'an empty list of rates',
    rule('rate_limit: []'),
    [
      'f.yaml:6:21: `rate_limit` must be a rate like `10/day`, or a map with `limit` and `window`, or a list of these, got an empty list',
    ],
  ],
  [
    'a mapped rate without its parts',
    rule('rate_limit: {}'),
    [
      'f.yaml:6:21: `limit` is missing: say how many calls',
      'f.yaml:6:21: `window` is missing: say `second`, `minute`, `hour`, `day`, `week` or `month`, or a duration',
    ],
  ],
  [
    'a mapped rate with a duration that does not slide',
    rule('rate_limit: {limit: 10, window: 15m}'),
    [
      'f.yaml:6:41: a `window` of `15m` is no calendar unit: add `sliding: true`, or write `second`, `minute`, `hour`, `day`, `week` or `month`',
    ],
  ],
  [
    'a sliding month',
    rule('rate_limit: {limit: 10, window: month, sliding: true}'),
    ['f.yaml:6:41: a sliding `window` has a fixed length and a `month` has not: write `30d`, for example'],
  ],
  [
    'a sliding window that is too long',
    rule('rate_limit: {limit: 10, window: 32d, sliding: true}'),
    ['f.yaml:6:41: a sliding `window` is at most 31d, got `32d`'],
  ],
  [
    'a mapped rate with every part wrong',
    rule('rate_limit: {limit: 1e3, window: fortnight, sliding: yes, per: usr, burst: 2}'),
    [
      'f.yaml:6:29: `limit` must be a whole number of at least 1, got `1e3`: write it as `1000`',
      'f.yaml:6:42: `window` must be `second`, `minute`, `hour`, `day`, `week` or `month`, or a duration like `15m` with `sliding: true`, got "fortnight"',
      'f.yaml:6:62: `sliding` must be `true` or `false`, got "yes" (YAML 1.2 reads `yes` as text)',
      'f.yaml:6:72: `per` must be `all`, `agent`, `user`, `project`, `session`, `server`, `tool` or `arguments.<path>`, got "usr", did you mean `user`?',
      'f.yaml:6:77: unknown key `burst`, `rate_limit` has `limit`, `window`, `sliding` or `per`',
    ],
  ],
  [
    'limits that are no whole numbers',
    rule('rate_limit: [{limit: 1.5, window: day}, {limit: 0777, window: day}, {limit: "10", window: day}]'),
    [
      'f.yaml:6:30: `limit` must be a whole number of at least 1, got `1.5`',
      'f.yaml:6:57: `limit` must be a whole number of at least 1, got `0777`: write it without the leading zero (YAML 1.1 reads it as octal)',
      'f.yaml:6:85: `limit` must be a whole number of at least 1, got "10": take the quotes off',
    ],
  ],
  [
    'a limit that never binds, of the same window',
    rule('rate_limit: [10/day, 5/day, 5/day]'),
    [
      'f.yaml:6:22: warning: the limit of 10 calls per day never binds: the limit of 5 calls per day on line 6 is reached before',
      'f.yaml:6:37: warning: the limit of 5 calls per day never binds: the limit of 5 calls per day on line 6 is reached before',
    ],
  ],
  [
    'a limit that never binds, of a shorter window',
    rule('rate_limit: [20/hour, 10/day]'),
    [
      'f.yaml:6:22: warning: the limit of 20 calls per hour never binds: the limit of 10 calls per day on line 6 is reached before',
    ],
  ],
  [
    'sliding limits that never bind',
    rule(
      'rate_limit: [{limit: 5, window: 15m, sliding: true}, {limit: 5, window: hour, sliding: true}, 1/day, 1/hour]',
    ),
    [
      'f.yaml:6:22: warning: the limit of 5 calls in any 15m never binds: the limit of 5 calls in any 1h on line 6 is reached before',
      'f.yaml:6:110: warning: the limit of 1 call per hour never binds: the limit of 1 call per day on line 6 is reached before',
    ],
  ],
  [
    'caps that never bind',
    rule('spend: {per_call: 50, hourly: 30, daily: 20, total: 20}'),
    [
      'f.yaml:6:27: warning: `per_call` never binds: a call of more than 30 is refused by the cap on line 6',
      'f.yaml:6:39: warning: the cap of 30 per hour never binds: the cap of 20 per day on line 6 is reached before',
      'f.yaml:6:50: warning: the cap of 20 per day never binds: the cap of 20 in total on line 6 is reached before',
    ],
  ],
  [
    'a spend without a cap',
    rule('spend: {amount: price}'),
    ['f.yaml:6:16: `spend` needs a cap: one of `per_call`, `hourly`, `daily`, `weekly`, `monthly`, `total`'],
  ],
  [
    'caps that are no exact amounts',
    rule(
      'spend:',
      '  per_call: 1.1234567',
      '  hourly: -1',
      '  daily: "5"',
      '  weekly: 1e3',
      '  monthly: 0x10',
      '  total: 9007199254.740992',
    ),
    [
      'f.yaml:7:21: `per_call` must be an amount: a number, zero or more, with at most six decimals, got `1.1234567`',
      'f.yaml:8:19: `hourly` must be an amount: a number, zero or more, with at most six decimals, got `-1`',
      'f.yaml:9:18: `daily` must be an amount: a number, zero or more, with at most six decimals, got "5": take the quotes off',
      'f.yaml:10:19: `weekly` must be an amount: a number, zero or more, with at most six decimals, got `1e3`: write it as `1000`',
      'f.yaml:11:20: `monthly` must be an amount: a number, zero or more, with at most six decimals, got `0x10`: write it as `16`',
      'f.yaml:12:18: `total` must be at most 9007199254.740991, got `9007199254.740992`',
    ],
  ],
  [
    'caps that are no numbers',
    rule('spend: {per_call: 5 GBP, hourly: .inf, daily: .nan, weekly: 1_000, monthly: 007, total: ~}'),
    [
      'f.yaml:6:27: `per_call` must be an amount: a number, zero or more, with at most six decimals, got "5 GBP"',
      'f.yaml:6:42: `hourly` must be an amount: a number, zero or more, with at most six decimals, got `.inf`: write it as a plain decimal',
      'f.yaml:6:55: `daily` must be an amount: a number, zero or more, with at most six decimals, got `.nan`: write it as a plain decimal',
      'f.yaml:6:69: `weekly` must be an amount: a number, zero or more, with at most six decimals, got "1_000"',
      'f.yaml:6:85: `monthly` must be an amount: a number, zero or more, with at most six decimals, got `007`: write it without the leading zero (YAML 1.1 reads it as octal)',
      'f.yaml:6:97: `total` must be an amount: a number, zero or more, with at most six decimals, got `~`',
    ],
  ],
  [
    'a cap just beyond what counts exactly',
    rule('spend: {total: 9007199254.740992}'),
    ['f.yaml:6:24: `total` must be at most 9007199254.740991, got `9007199254.740992`'],
  ],
  [
    'a currency without a list',
    rule('spend: {daily: 5, currency: currency}'),
    ['f.yaml:6:27: `currency` needs `currencies`: every other word would be a fresh budget'],
  ],
  [
    'currencies that nobody asks for',
    rule('spend: {daily: 5, currencies: [GBP]}'),
    ['f.yaml:6:27: `currencies` needs `currency`: the argument that holds the currency'],
  ],
  [
    'currencies that are no text, or twice',
    rule('spend: {daily: 5, currency: currency, currencies: [GBP, 5, [x]]}'),
    [
      'f.yaml:6:65: each of `currencies` must be text, got `5`: put it in quotes',
      'f.yaml:6:68: each of `currencies` must be text, got a list',
    ],
  ],
  [
    'a currency that is listed twice',
    rule('spend: {daily: 5, currency: currency, currencies: [GBP, USD, GBP]}'),
    ['f.yaml:6:70: warning: `currencies` lists `GBP` twice'],
  ],
  [
    'per without anything to count',
    rule('per: user', 'arguments: {a: {type: string}}'),
    ['f.yaml:6:9: `per` needs a `rate_limit` or a `spend` to count'],
  ],
  [
    'per with an unknown word',
    rule('rate_limit: 1/day', 'per: usr'),
    [
      'f.yaml:7:14: `per` must be `all`, `agent`, `user`, `project`, `session`, `server`, `tool` or `arguments.<path>`, got "usr", did you mean `user`?',
    ],
  ],
  [
    'per with a word twice, or with all',
    rule('rate_limit: 1/day', 'per: [user, all, user]'),
    ['f.yaml:7:21: `per` is `all` or names what to count by, not both', 'f.yaml:7:26: `per` names `user` twice'],
  ],
  [
    'per with a path that is none',
    rule('rate_limit: 1/day', 'per: [arguments., arguments.a..b]'),
    [
      'f.yaml:7:15: a path must name an argument, got nothing',
      'f.yaml:7:27: a dot in a path stands between two names (a dot in a name is `\\.`), got `a..b`',
    ],
  ],
  [
    'per that is empty',
    rule('rate_limit: 1/day', 'per: []'),
    [
      'f.yaml:7:14: `per` must be `all`, `agent`, `user`, `project`, `session`, `server`, `tool` or `arguments.<path>`, or a list of these, got an empty list',
    ],
  ],
]

const constraints: readonly Case[] = [
  [
    'bounds that leave no number',
    args('a: {above: 5, below: 5}', 'b: {min: 5, below: 5}', 'c: {above: 6, max: 5}', 'd: {min: 5, max: 5}'),
    [
      'f.yaml:7:32: no number is between the `above` and the `below` of 5',
      'f.yaml:8:30: no number is between the `min` and the `below` of 5',
      'f.yaml:9:30: `max` of 5 is below the `above` of 6',
    ],
  ],
  [
    'a value that the bounds refuse, and types that no value has',
    args('a: {enum: [5, 6], above: 5}', 'b: {search: a, min: 1}', 'c: {contains: a, type: number}'),
    [
      'f.yaml:7:22: `5` can never pass: `above` refuses it',
      'f.yaml:8:15: `search` is about text, `min` about numbers: no value is both',
      'f.yaml:9:15: `contains` is about text and arrays, `type` about numbers: no value is both',
    ],
  ],
  [
    'what is not there, and must be something',
    args('a: {exists: false, min: 1}', 'b: {exists: false, required: false}', 'c: {one_of: []}'),
    [
      'f.yaml:7:15: `exists: false` stands alone: the argument is not there',
      'f.yaml:8:15: `exists: false` stands alone: the argument is not there',
      'f.yaml:9:23: warning: `one_of` lists nothing: no value is in it',
    ],
  ],
  [
    'what is looked for, and is nothing',
    args('a: {contains: {}}', 'b: {contains: [x]}', 'c: {contains: {element: 1}}'),
    [
      'f.yaml:7:25: `contains` needs a `text` or `elements`',
      'f.yaml:8:25: `contains` must be a value, or a map with `text` and `elements`, got a list',
      'f.yaml:9:26: unknown key `element`, did you mean `elements`?',
    ],
  ],
  [
    'a list of arguments without a map',
    args('- a'),
    ['f.yaml:7:13: each of `arguments` must be a map from arguments to what they must be, got "a"'],
  ],
  [
    'arguments without a word',
    rule('arguments: {}'),
    ['f.yaml:6:20: `arguments` must be a map from arguments to what they must be, got an empty map'],
  ],
  [
    'constraints without a word',
    args('a: {}', 'b: {required: false}', 'c:'),
    [
      'f.yaml:7:14: `a` must be something: say what, or `required: true`',
      'f.yaml:8:14: `b` must be something: say what, or `required: true`',
      'f.yaml:9:11: `c` must be a map of what the argument must be, for example `enum: [GBP, USD]`, got nothing (is what belongs to it indented further?)',
    ],
  ],
  [
    'a misspelt constraint',
    args('a: {enmu: [x], minimum: 5}'),
    [
      'f.yaml:7:15: unknown key `enmu`, did you mean `enum`?',
      'f.yaml:7:26: unknown key `minimum`, `a` has `type`, `enum`, `min`, `max`, `above`, `below`, `length`, `pattern`, `search`, `prefix`, `one_of`, `none_of`, `contains`, `exists`, `required`, `forbidden`, `each`, `any` or `fields`',
    ],
  ],
  [
    'a forbidden argument that must also be something',
    args('a: {forbidden: true, type: string}', 'b: {forbidden: false}'),
    [
      'f.yaml:7:15: `forbidden` stands alone: the argument is not there',
      'f.yaml:8:26: `forbidden` must be `true`, or left out, got `false`',
    ],
  ],
  [
    'booleans in the words of YAML 1.1',
    args('a: {required: yes}', 'b: {required: off}', 'c: {forbidden: on}'),
    [
      'f.yaml:7:25: `required` must be `true` or `false`, got "yes" (YAML 1.2 reads `yes` as text)',
      'f.yaml:8:25: `required` must be `true` or `false`, got "off" (YAML 1.2 reads `off` as text)',
      'f.yaml:9:26: `forbidden` must be `true`, or left out, got "on" (YAML 1.2 reads `on` as text)',
    ],
  ],
  [
    'paths that are none',
    args(
      'a..b: {type: string}',
      '.a: {type: string}',
      'a.: {type: string}',
      "'a\\b': {type: string}",
      "'a\\': {type: string}",
    ),
    [
      'f.yaml:7:11: a dot in a path stands between two names (a dot in a name is `\\.`), got `a..b`',
      'f.yaml:8:11: a dot in a path stands between two names (a dot in a name is `\\.`), got `.a`',
      'f.yaml:9:11: a dot in a path stands between two names (a dot in a name is `\\.`), got `a.`',
      'f.yaml:10:11: a backslash in a path stands before a dot or a backslash, got `a\\b`',
      'f.yaml:11:11: a backslash in a path stands before a dot or a backslash, got `a\\`',
    ],
  ],
  [
    'a path with a control character',
    args('"a\\tb": {type: string}'),
    ['f.yaml:7:11: a path must not have control characters, got `a\\u0009b`'],
  ],
  [
    'types that are none',
    args('a: {type: text}', 'b: {type: []}', 'c: {type: [string, intger]}', 'd: {type: ~}'),
    [
      'f.yaml:7:21: `type` must be `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, got "text"',
      'f.yaml:8:21: `type` must be `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, or a list of these, got an empty list',
      'f.yaml:9:30: each of `type` must be `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, got "intger", did you mean `integer`?',
      'f.yaml:10:21: `type` must be `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`, got `~`',
    ],
  ],
  [
    'an empty enum',
    args('a: {enum: []}', 'b: {enum: GBP}', 'c: {enum: [[a]]}'),
    [
      'f.yaml:7:21: `enum` must be a list of values, got an empty list',
      'f.yaml:8:21: `enum` must be a list of values, got "GBP"',
      'f.yaml:9:22: each of `enum` must be text, a number, `true`, `false` or `null`, got a list',
    ],
  ],
  [
    'an enum with words that YAML 1.1 reads otherwise',
    args('country: {enum: [NO, SE, "no"]}'),
    ['f.yaml:7:28: warning: each of `enum`: `NO` is text in YAML 1.2; put it in quotes, or write `true` or `false`'],
  ],
  [
    'an enum with numbers that may be meant as text',
    args('sku: {enum: [007, 1e3, 0x1F, 1.50]}'),
    [
      'f.yaml:7:24: each of `enum` must be written as a plain number or as text in quotes, got `007`, which YAML 1.2 reads as 7',
      'f.yaml:7:29: each of `enum` must be written as a plain number or as text in quotes, got `1e3`, which YAML 1.2 reads as 1000',
      'f.yaml:7:34: each of `enum` must be written as a plain number or as text in quotes, got `0x1F`, which YAML 1.2 reads as 31',
    ],
  ],
  [
    'an enum with an item that is not written',
    args('a:', '  enum:', '    -', '    - b'),
    [
      'f.yaml:9:15: each of `enum` must be text, a number, `true`, `false` or `null`, got nothing: write `null` or `""`',
    ],
  ],
  [
    'an enum with a number that no double holds',
    args('a: {enum: [12345678901234567890]}'),
    ['f.yaml:7:22: each of `enum` must be a number that JSON carries exactly, got `12345678901234567890`'],
  ],
  [
    'an enum with a value twice',
    args('a: {enum: [1, 1.0, a, a]}'),
    ['f.yaml:7:25: warning: `enum` lists `1` twice', 'f.yaml:7:33: warning: `enum` lists "a" twice'],
  ],
  [
    'bounds that are no plain numbers',
    args('a: {min: "5", max: 0777}', 'b: {min: .inf, max: 1e3}', 'c: {min: 0.1000000000000000000001}'),
    [
      'f.yaml:7:20: `min` must be a number, got "5": take the quotes off',
      'f.yaml:7:30: `max` must be a number, got `0777`: write it without the leading zero (YAML 1.1 reads it as octal)',
      'f.yaml:8:20: `min` must be a number, got `.inf`: write it as a plain decimal',
      'f.yaml:8:31: `max` must be a number, got `1e3`: write it as `1000`',
      'f.yaml:9:20: `min` must be a number that JSON carries exactly, got `0.1000000000000000000001`',
    ],
  ],
  ['bounds that leave no number', args('a: {min: 5, max: 3}'), ['f.yaml:7:28: `max` of 3 is below the `min` of 5']],
  [
    'lengths that are none',
    args(
      'a: {length: -1}',
      'b: {length: 1.5}',
      'c: {length: {}}',
      'd: {length: {min: 5, max: 2}}',
      'e: {length: {mni: 1}}',
    ),
    [
      'f.yaml:7:23: `length` must be a whole number of at least 0, got `-1`',
      'f.yaml:8:23: `length` must be a whole number of at least 0, got `1.5`',
      'f.yaml:9:23: `length` needs a `min` or a `max`',
      'f.yaml:10:23: `length` has a `min` of 5 above its `max` of 2',
      'f.yaml:11:24: unknown key `mni`, did you mean `min`?',
    ],
  ],
  [
    'lookaround',
    args('a: {pattern: "(?=x)"}', 'b: {pattern: "(?<!x)y"}'),
    [
      'f.yaml:7:24: `pattern` must be a regular expression (RE2), which has no lookaround, got `(?=`',
      'f.yaml:8:24: `pattern` must be a regular expression (RE2), which has no lookaround, got `(?<!`',
    ],
  ],
  [
    'a backreference',
    args("a: {pattern: '(a)\\1'}", "b: {pattern: '(?<x>a)\\k<x>'}"),
    [
      'f.yaml:7:24: `pattern` must be a regular expression (RE2), which has no backreferences, got `\\1`',
      'f.yaml:8:24: `pattern` must be a regular expression (RE2), which has no backreferences, got `\\k<`',
    ],
  ],
  [
    'atomic groups and possessive quantifiers',
    args('a: {pattern: "(?>a)"}', 'b: {pattern: a++}'),
    [
      'f.yaml:7:24: `pattern` must be a regular expression (RE2), which has no atomic groups, got `(?>`',
      'f.yaml:8:24: `pattern` must be a regular expression (RE2), which has no possessive quantifiers, got `++`',
    ],
  ],
  [
    'patterns that are none',
    args('a: {pattern: "["}', 'b: {pattern: a)|(b}', 'c: {pattern: ""}', 'd: {pattern: 5}', "e: {pattern: '\\Qa'}"),
    [
      'f.yaml:7:24: `pattern` must be a regular expression (RE2): missing closing ] `[`',
      'f.yaml:8:24: `pattern` must be a regular expression (RE2): unexpected ) `a)|(b`',
      'f.yaml:9:24: `pattern` must not be empty',
      'f.yaml:10:24: `pattern` must be a regular expression (RE2), got `5`',
      'f.yaml:11:24: `pattern` must close its `\\Q` with `\\E`',
    ],
  ],
  [
    'a pattern that is too long',
    args(`a: {pattern: ${'x'.repeat(1001)}}`),
    ['f.yaml:7:24: `pattern` must have at most 1000 characters'],
  ],
  [
    'what the runtime has not',
    args(
      'a: {pattern: "(?<n>a)"}',
      "b: {pattern: '\\p{Lowercase}'}",
      "c: {pattern: '\\p{Greeek}'}",
      "d: {pattern: '\\P{^Kawi}'}",
    ),
    [
      'f.yaml:7:24: `pattern` names a group as `(?<n>`: write `(?P<n>`, or a group without a name',
      'f.yaml:8:24: `pattern` names the Unicode class `Lowercase`, which the policy engine does not know',
      'f.yaml:9:24: `pattern` must be a regular expression (RE2): invalid character class range `\\p{Greeek}`',
      'f.yaml:10:24: `pattern` names the Unicode class `Kawi`, which the policy engine does not know',
    ],
  ],
  [
    'patterns that are too large, or nearly',
    args("a: {pattern: '\\p{L}{1000}'}", "b: {pattern: '\\p{L}{1,30}'}", "c: {pattern: '\\p{L}+'}"),
    [
      'f.yaml:7:24: `pattern` is too large once its repetitions are written out: repeat with `*` or `+` and bound the text with `length`',
      'f.yaml:8:24: warning: `pattern` takes milliseconds to compile, on every call: repeat with `*` or `+` and bound the text with `length`',
    ],
  ],
  [
    'constraints about values of two types',
    args(
      'a: {type: string, min: 3}',
      'b: {min: 1, pattern: x}',
      'c: {enum: [a], max: 5}',
      'd: {type: array, fields: {x: {type: string}}}',
    ),
    [
      'f.yaml:7:29: `min` is about numbers, `type` about text: no value is both',
      'f.yaml:8:23: `pattern` is about text, `min` about numbers: no value is both',
      'f.yaml:9:26: `max` is about numbers, `enum` about text: no value is both',
      'f.yaml:10:28: `fields` is about objects, `type` about arrays: no value is both',
    ],
  ],
  [
    'an enum value that another constraint refuses',
    args(
      'a: {type: string, enum: [x, 5]}',
      'b: {enum: [1, 9], max: 5}',
      'c: {prefix: ab, enum: [abc, b]}',
      'd: {pattern: "a+", enum: [aa, ab]}',
      'e: {length: 2, enum: [ab, abc]}',
      'f: {type: integer, enum: [1.5]}',
    ),
    [
      'f.yaml:7:39: `5` can never pass: `type` refuses it',
      'f.yaml:8:25: `9` can never pass: `max` refuses it',
      'f.yaml:9:39: "b" can never pass: `prefix` refuses it',
      'f.yaml:10:41: "ab" can never pass: `pattern` refuses it',
      'f.yaml:11:37: "abc" can never pass: `length` refuses it',
      'f.yaml:12:37: `1.5` can never pass: `type` refuses it',
    ],
  ],
  [
    'presence of an element',
    args('a: {each: {required: true, type: string}}', 'b: {any: {forbidden: true}}'),
    [
      'f.yaml:7:22: `required` says nothing of an element: it is always there',
      'f.yaml:8:21: `forbidden` says nothing of an element: it is always there',
    ],
  ],
  [
    'a needed member of an argument that may be missing',
    args('a: {required: false, fields: {b: {type: string}, c: {type: string, required: false}}}'),
    ['f.yaml:7:41: `b` needs `required: false`: it is missing whenever `a` is'],
  ],
  [
    'mistakes deep inside',
    args('a: {each: {fields: {b: {any: {typ: string}}}}}'),
    ['f.yaml:7:41: unknown key `typ`, did you mean `type`?'],
  ],
  ['an empty prefix', args('a: {prefix: ""}'), ['f.yaml:7:23: `prefix` must not be empty, got ""']],
]

/** A file with these counters, and one tool with this rule. */
const counted = (counters: string, written: string) =>
  `${head}counters: {${counters}}\ntools:\n  pay: { rules: [${written}] }\n`

const counters: readonly Case[] = [
  [
    'a counter that is not declared',
    counted('paid: {window: day}', '{limits: {payd: 5}}, {counted: {pai: 5}}, {limits: {paid: 5}}'),
    [
      'f.yaml:5:28: `counters` has no `payd`, did you mean `paid`?',
      'f.yaml:5:50: `counters` has no `pai`, did you mean `paid`?',
    ],
  ],
  [
    'a counter without a window, or with one that is none',
    counted('a: {}, b: {window: 5m}, c: {window: total, sliding: true}, d: {window: dya}', '{rate_limit: 1/day}'),
    [
      'f.yaml:3:15: `window` is missing: say how long it counts, for example `day`',
      'f.yaml:3:31: a `window` of `5m` is no calendar unit: add `sliding: true`, or write `second`, `minute`, `hour`, `day`, `week` or `month`',
      'f.yaml:3:48: a `window` of `total` has no end, and cannot slide',
      'f.yaml:3:83: `window` must be `second`, `minute`, `hour`, `day`, `week` or `month`, or a duration like `15m` with `sliding: true`, or `total`, got "dya", did you mean `day`?',
    ],
  ],
  [
    'what a call adds, said twice, and a currency that nothing binds',
    counted('a: {window: day, amount: x, step: 3}, b: {window: day, amount: x, currency: c}', '{limits: {a: 1, b: 1}}'),
    [
      'f.yaml:3:40: `step` and `amount` both say what a call adds: take one of them',
      'f.yaml:3:78: `currency` stands beside `amount` and `of`: every made-up currency would have a counter of its own',
    ],
  ],
  [
    'limits that are none',
    counted('a: {window: day}', '{limits: {a: -1}}, {limits: {a: 1.5}}, {limits: {a: none}}, {limits: {}}'),
    [
      'f.yaml:5:31: `a` must be a number, zero or more, or `nothing`',
      'f.yaml:5:50: `a` counts calls: write a whole number, got `1.5`',
      'f.yaml:5:70: `a` must be a number, zero or more, or `nothing`, got "none"',
      'f.yaml:5:87: `limits` must be a map from counters to the most they may reach, got an empty map',
    ],
  ],
  [
    'limits of a counter that an entry has, or of two amounts, or beside a denial',
    counted(
      'a: {window: day, of: pay}, b: {window: day, amount: x}',
      '{limits: {a: 1}}, {limits: {b: 1}, spend: {daily: 5}}, {action: deny, limits: {b: 1}}, {rate_limit: 1/day}',
    ),
    [
      'f.yaml:5:28: `a` is counted by the limits of `pay`: rules can only read it, with `counted`',
      'f.yaml:5:46: a rule has one amount: this one is `x`, and `amount` is another',
      'f.yaml:5:88: `limits` stands only with `action: allow`, this rule has `deny`',
    ],
  ],
  [
    'spans that are none, or not apart, or not in order',
    counted(
      'a: {window: day}',
      '{counted: {a: x}}, {counted: {a: [{max: 3}, {min: 3}]}}, {counted: {a: {min: 3, max: 2}}}, {limits: {a: 1}}',
    ),
    [
      'f.yaml:5:32: `a` must be a number, or a map with `min` and `max`, or a list of these, got "x"',
      'f.yaml:5:62: what `a` may stand at must be apart, and in ascending order',
      'f.yaml:5:89: `a` has a `min` above its `max`',
    ],
  ],
  [
    'counters that nothing counts',
    counted('a: {window: day}, b: {window: day, of: pay}', '{counted: {a: 1}}'),
    [
      'f.yaml:3:12: warning: nothing is counted in `a`: no rule has it in its `limits`, so it stays at 0',
      'f.yaml:3:30: warning: nothing is counted in `b`: `pay` has no limit that counts so, so it stays at 0',
    ],
  ],
  [
    'two counters with one id',
    counted('a: {window: day, per: user}, a per user: {window: day}', '{limits: {a: 1, a per user: 1}}'),
    ['f.yaml:5:3: a counter of `pay` and one of `pay` have one name, `calls/day@state:a per user`'],
  ],
  [
    'amounts of a resource',
    `${head}counters: {a: {window: day, amount: x}, b: {window: day, per: arguments.y}}\nresources:\n  file:///a: { rules: [{limits: {a: 1}}, {counted: {b: 1}, limits: {b: 2}}] }\n`,
    [
      'f.yaml:5:34: a resource has no arguments, and so no amount to count',
      'f.yaml:5:43: a resource has no arguments, got "arguments.y"',
      'f.yaml:5:69: a resource has no arguments, got "arguments.y"',
    ],
  ],
  [
    'what is hidden, and no text',
    `${head}hidden: [a, 5]\ntools: {}\n`,
    ['f.yaml:3:13: each of `hidden` must be a key as in `tools`, got `5`: put it in quotes'],
  ],
  [
    'what is hidden twice, or is no name',
    `${head}hidden: [a, "a", "", "**"]\ntools: {}\n`,
    [
      'f.yaml:3:13: `a` is hidden twice, first on line 3',
      'f.yaml:3:18: a name must not be empty',
      'f.yaml:3:22: `**` would list everything: write `"*"`, or `default: allow`',
    ],
  ],
]

/** A file of ordered rules. */
const first = (...written: readonly string[]) => `${head}rules:\n${written.map((one) => `  - ${one}\n`).join('')}`

const ordered: readonly Case[] = [
  [
    'what says nothing beside ordered rules',
    `${first('{action: deny}')}tools: {}\nhidden: [a]\ncounting: last\n`,
    [
      'f.yaml:5:1: `tools` says nothing beside ordered `rules`: they decide alone',
      'f.yaml:6:1: `hidden` says nothing beside ordered `rules`: they decide alone',
      'f.yaml:7:1: `counting` says nothing beside ordered `rules`: they decide alone',
    ],
  ],
  [
    'a default that only ordered rules have',
    'version: "1"\ndefault: require_approval\ntools: {}\n',
    ['f.yaml:2:10: `default: require_approval` stands only beside ordered `rules`'],
  ],
  [
    'a rule without an action, with a key that is none, and a glob that is none',
    first(
      '{tool: a}',
      '{action: block}',
      '{tols: a, action: deny}',
      '{tool: 5, server: "", agent: "[z-a]", action: deny}',
    ),
    [
      'f.yaml:4:5: `action` is missing: say `action: allow`, `action: deny` or `action: require_approval`',
      'f.yaml:5:14: `action` must be `allow`, `deny` or `require_approval`, got "block"',
      'f.yaml:6:6: unknown key `tols`, did you mean `tool`?',
      'f.yaml:7:12: `tool` must be a glob as text, got `5`: put it in quotes',
      'f.yaml:7:23: a name must not be empty',
      'f.yaml:7:34: warning: `agent`: `[z-a]` has a set that is empty, and matches nothing',
    ],
  ],
  [
    'conditions on the time',
    first(
      '{when: {after: "24:00"}, action: deny}',
      '{when: {after: "9", before: 17:00}, action: deny}',
      '{when: {after: "18:00", before: "06:00", weekdays: [0, 8]}, action: deny}',
      '{when: {}, action: deny}',
    ),
    [
      'f.yaml:4:20: `after` must be a time of the day in UTC as text, `"HH:MM"`, got "24:00"',
      'f.yaml:5:20: `after` must be a time of the day in UTC as text, `"HH:MM"`, got "9"',
      'f.yaml:5:33: warning: `before`: a time without quotes is a number in older readers; put it in quotes',
      'f.yaml:6:13: warning: `after` and `before` must both hold, and no time is both: write a rule for the evening and one for the morning',
      'f.yaml:6:57: each of `weekdays` must be a whole number of at least 1 and at most 7, got `0`',
      'f.yaml:6:60: each of `weekdays` must be a whole number of at least 1 and at most 7, got `8`',
      'f.yaml:7:12: `when` needs a condition',
    ],
  ],
  [
    'comparisons that are none',
    first(
      '{when: {arguments: {a: {eq: null}, b: {gt: {c: 1}}, c: {}, d: {above: 1}, e: {matches: "("}}}, action: deny}',
      '{when: {words: [Delete, "a b"], arguments: {}}, action: deny}',
    ),
    [
      'f.yaml:4:33: `eq` must be text, a number, `true`, `false`, a list or a map, got `null`: an argument that is missing or null meets no condition',
      'f.yaml:4:48: `gt` must be a number, text, `true`, `false` or a list, got a map',
      'f.yaml:4:57: `c` must be compared with something',
      'f.yaml:4:68: unknown key `above`, `d` has `eq`, `gt`, `gte`, `lt`, `lte`, `contains` or `matches`',
      'f.yaml:4:92: `matches` is no regular expression of Python: a `(` is not closed',
      'f.yaml:5:21: each of `words` must be a word of small letters, digits and `_`, got "Delete"',
      'f.yaml:5:29: each of `words` must be a word of small letters, digits and `_`, got "a b"',
      'f.yaml:5:48: `arguments` must be a map from arguments to comparisons, got an empty map',
    ],
  ],
  [
    'rules that nothing comes to, or that have one name',
    first('{name: a, tool: x, action: deny}', '{name: b, tool: x, action: allow}', '{name: b, tool: y, action: allow}'),
    [
      'f.yaml:5:5: warning: `b` is never asked: `a` on line 4 matches all its calls',
      'f.yaml:6:5: warning: two rules are called `b`, the first on line 5: records cannot tell them apart',
    ],
  ],
  [
    'no rules at all',
    `${head}rules: []\n`,
    ['f.yaml:3:8: warning: there are no rules: every call gets what `default` says'],
  ],
]

const resources: readonly Case[] = [
  [
    'arguments of a resource',
    `${head}resources:\n  "file:///x/*":\n    rules:\n      - arguments: {a: {type: string}}\n      - spend: {daily: 1}\n`,
    [
      'f.yaml:6:9: a resource has no arguments: `arguments` stands only in rules of tools and prompts',
      'f.yaml:7:9: a resource has no arguments: `spend` stands only in rules of tools and prompts',
    ],
  ],
  [
    'a resource counted by an argument',
    `${head}resources:\n  x:\n    rules:\n      - rate_limit: {limit: 1, window: day, per: arguments.a}\n      - {rate_limit: 1/hour, per: arguments.b}\n`,
    [
      'f.yaml:6:21: a resource has no arguments, got "arguments.a"',
      'f.yaml:7:35: a resource has no arguments, got "arguments.b"',
    ],
  ],
]

const guards: readonly Case[] = [
  [
    'a guard without its parts',
    'allowlist: [a]\n',
    [
      'f.yaml:1:1: `policy_id` is missing: name the policy',
      'f.yaml:1:1: `policy_version` is missing: say which version of the policy this is',
    ],
  ],
  [
    'an empty allowlist',
    'policy_id: a\npolicy_version: b\nallowlist: []\n',
    ['f.yaml:3:12: warning: `allowlist` is empty: every tool is refused'],
  ],
  [
    'an allowlist that is no list',
    'policy_id: a\npolicy_version: b\nallowlist: crm.read\n',
    ['f.yaml:3:12: `allowlist` must be a list of tool names, got "crm.read"'],
  ],
  [
    'a glob in an allowlist',
    'policy_id: a\npolicy_version: b\nallowlist: [crm.*, crm.read]\n',
    ['f.yaml:3:13: an allowlist has exact names, `crm.*` has a `*`'],
  ],
  [
    'names that YAML reads as something else',
    'policy_id: a\npolicy_version: b\nallowlist: [null, true, 5, "5"]\n',
    [
      'f.yaml:3:13: each of `allowlist` must be a tool name, got `null`: put it in quotes',
      'f.yaml:3:19: each of `allowlist` must be a tool name, got `true`: put it in quotes',
      'f.yaml:3:25: each of `allowlist` must be a tool name, got `5`: put it in quotes',
    ],
  ],
  [
    'null in JSON',
    '{"policy_id": "a", "policy_version": "b", "allowlist": [null]}',
    ['f.yaml:1:57: each of `allowlist` must be a tool name, got `null`: put it in quotes'],
  ],
  [
    'a name twice',
    'policy_id: a\npolicy_version: b\nallowlist:\n  - crm.read\n  - crm.read\n',
    ['f.yaml:5:5: warning: `crm.read` is listed twice, first on line 4'],
  ],
  [
    'odd names',
    'policy_id: a\npolicy_version: b\nallowlist: ["", "a\\nb"]\n',
    ['f.yaml:3:13: a name must not be empty', 'f.yaml:3:17: a name must not have control characters, got `a\\u000ab`'],
  ],
  [
    'odd reason codes',
    'policy_id: a\npolicy_version: b\nallowlist: [a]\nreason_codes: {allow: OK, block: OK, deny: NO}\n',
    [
      'f.yaml:4:34: `allow` and `block` must be two different reason codes',
      'f.yaml:4:38: unknown key `deny`, `reason_codes` has `allow` or `block`',
    ],
  ],
  [
    'reason codes that are no text',
    'policy_id: a\npolicy_version: b\nallowlist: [a]\nreason_codes: {allow: 1, block: ""}\n',
    ['f.yaml:4:23: `allow` must be text, got `1`: put it in quotes', 'f.yaml:4:33: `block` must not be empty, got ""'],
  ],
]

for (const [title, cases] of Object.entries({
  files,
  languages,
  entries,
  rules,
  limits,
  constraints,
  counters,
  ordered,
  resources,
  guards,
}))
  test(`mistakes in ${title} are told with their place`, async (t) => {
    for (const [name, text, says] of cases)
      await t.test(name, () => {
        const { policy, diagnostics } = parsePolicy({ file: 'f.yaml', text })
        assert.deepEqual(diagnostics.map(formatDiagnostic), says)
        assert.equal(
          policy === undefined,
          diagnostics.some(({ severity }) => severity === 'error'),
        )
      })
  })

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
