/** Mistakes of entries and their rules, of resources and prompts, and of allowlists. */
import { areTold, type Case, head, rule, tools } from './told.ts'

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

areTold('entries', entries)
areTold('rules', rules)
areTold('resources', resources)
areTold('guards', guards)
