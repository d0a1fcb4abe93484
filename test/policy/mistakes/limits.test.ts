/** Mistakes of limits, spends and counters, and of what is hidden. */
import { areTold, type Case, head, rule } from './told.ts'

/** A file with these counters, and one tool with this rule. */
const counted = (counters: string, written: string) =>
  `${head}counters: {${counters}}\ntools:\n  pay: { rules: [${written}] }\n`

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
    'a way to pin that there is not',
    `${head}pinning: firstuse\ntools: {}\n`,
    ['f.yaml:3:10: `pinning` must be `first_use` or `strict`, got "firstuse", did you mean `first_use`?'],
  ],
  [
    'digests that are none, of what is no one tool',
    `${head}pinned:\n  a: ${'A'.repeat(64)}\n  b*: ${'a'.repeat(64)}\n  "*": ${'a'.repeat(64)}\n  s/: ${'a'.repeat(64)}\n  c: []\ntools: {}\n`,
    [
      `f.yaml:4:6: \`a\` must be a SHA-256 digest: 64 hexadecimal digits in lower case, got "${'A'.repeat(64)}"`,
      'f.yaml:5:3: a digest is that of one tool, and `b*` stands for many',
      'f.yaml:6:3: a digest is that of one tool, and `*` stands for many',
      'f.yaml:7:3: a server and a tool stand on the two sides of `/`, got `s/`',
      'f.yaml:8:6: `c` must be a SHA-256 digest: 64 hexadecimal digits in lower case, or a list of these, got an empty list',
    ],
  ],
  [
    'a map of no digests',
    `${head}pinned: {}\ntools: {}\n`,
    ['f.yaml:3:9: `pinned` must be a map from tools to digests, got an empty map'],
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

areTold('limits', limits)
areTold('counters', counters)
