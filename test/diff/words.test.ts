/** Each word of the policy languages, changed a little: what the change means, with the very calls that show it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policyOf, reportedOf, toldBy } from './compared.ts'

const withRule = (rule: string) => `version: "1"\ndefault: deny\ntools:\n  t:\n    rules:\n      - ${rule}\n`
const withArgument = (constraints: string) => withRule(`arguments: { a: ${constraints} }`)
const without = (constraints: string) => withRule(`{ action: deny, arguments: { a: ${constraints} } }`)
const file = (text: string) => `version: "1"\ndefault: deny\n${text}\n`
const tools = (text: string) => file(`tools: ${text}`)
const call = (args: object) => JSON.stringify({ tool: 't', ...(Object.keys(args).length > 0 && { arguments: args }) })
const allowed = (args: object) => `newly-allowed: ${call(args)}`
const held = (args: object) => `newly-held: ${call(args)}`
const denied = (args: object) => `newly-denied: ${call(args)}`

/** What it is about, the old policy, the new one, and what is told; nothing: no call changes, as a proof. */
type Row = readonly [string, string, string, ...(readonly string[])]

const ofArguments: readonly Row[] = [
  ['type', withArgument('{ type: string }'), withArgument('{ type: [string, integer] }'), allowed({ a: 1 })],
  ['enum', withArgument('{ enum: [GBP, 5] }'), withArgument('{ enum: [GBP, 6] }'), allowed({ a: 6 }), denied({ a: 5 })],
  [
    'min and max',
    withArgument('{ min: 1, max: 10 }'),
    withArgument('{ min: 2, max: 11 }'),
    allowed({ a: 11 }),
    denied({ a: 1 }),
  ],
  ['above and below', withArgument('{ above: 0, below: 9 }'), withArgument('{ min: 0, below: 9 }'), allowed({ a: 0 })],
  [
    'bounds without a number between',
    withArgument('{ above: 1, below: 2, type: integer }'),
    withRule('{ action: deny }'),
  ],
  [
    'length',
    withArgument('{ length: { max: 3 } }'),
    withArgument('{ length: { min: 1, max: 4 } }'),
    allowed({ a: 'aaaa' }),
    denied({ a: '' }),
  ],
  ['pattern', withArgument('{ pattern: "[a-z]+" }'), withArgument('{ pattern: "[a-z0-9]+" }'), allowed({ a: '0' })],
  [
    'one pattern, written in two ways',
    withArgument('{ pattern: "[a-c]+" }'),
    withArgument('{ pattern: "(a|b|c)(?:[ab]|c)*" }'),
  ],
  [
    'a pattern and a length',
    withArgument('{ pattern: "[a-z]{2,4}" }'),
    withArgument('{ pattern: "[a-z]+", length: { min: 2, max: 4 } }'),
  ],
  ['search', withArgument('{ search: "(?i)fee" }'), withArgument('{ search: "fee" }'), denied({ a: 'feE' })],
  [
    'search at the border of a word',
    withArgument('{ search: "\\\\bfee\\\\b" }'),
    withArgument('{ search: "fee" }'),
    allowed({ a: 'afee' }),
  ],
  ['prefix, as a pattern of any text', withArgument('{ prefix: /x/ }'), withArgument('{ pattern: "(?s)/x/.*" }')],
  [
    'prefix, as a pattern of one line',
    withArgument('{ prefix: /x/ }'),
    withArgument('{ pattern: "/x/.*" }'),
    denied({ a: '/x/\n' }),
  ],
  ['one_of, as enum', withArgument('{ one_of: [GBP] }'), withArgument('{ enum: [GBP] }')],
  ['none_of, for a denied enum', without('{ enum: [GBP] }'), withArgument('{ none_of: [GBP] }'), allowed({ a: 1 })],
  ['contains', withArgument('{ contains: x }'), withArgument('{ contains: { text: x } }'), denied({ a: ['x'] })],
  ['exists, as required', withArgument('{ exists: true }'), withArgument('{ required: true }')],
  ['required: false', withArgument('{ type: string }'), withArgument('{ type: string, required: false }'), allowed({})],
  [
    'forbidden, as exists: false',
    withArgument('{ forbidden: true }'),
    withArgument('{ exists: false }'),
    allowed({ a: null }),
  ],
  ['each', withArgument('{ each: { enum: [x, y] } }'), withArgument('{ each: { enum: [x] } }'), denied({ a: ['y'] })],
  [
    'any, and each',
    withArgument('{ any: { prefix: fin- } }'),
    withArgument('{ each: { prefix: fin- } }'),
    allowed({ a: [] }),
    denied({ a: ['fin-', 'a'] }),
  ],
  [
    'each, of arrays of a length',
    withArgument('{ each: { enum: [x] }, length: { min: 2 } }'),
    withArgument('{ each: { enum: [x] }, length: { min: 3 } }'),
    denied({ a: ['x', 'x'] }),
  ],
  [
    'two elements that cannot be one',
    withArgument('{ any: { prefix: x } }'),
    withRule('arguments: [{ a: { any: { prefix: x } } }, { a: { any: { prefix: y }, length: { max: 1 } } }]'),
    denied({ a: ['x', 'y'] }),
  ],
  [
    'fields',
    withArgument('{ fields: { c: { enum: [GB] } } }'),
    withArgument('{ fields: { c: { enum: [GB, NO] } } }'),
    allowed({ a: { c: 'NO' } }),
  ],
  [
    'a path, as fields of an object',
    withRule('arguments: { a.b: { type: string } }'),
    withArgument('{ fields: { b: { type: string } } }'),
  ],
  [
    'a rule that denies, and a type that it cannot judge',
    without('{ enum: [x] }'),
    without('{ one_of: [x] }'),
    allowed({ a: 1 }),
  ],
  ['a deny rule that is gone', without('{ prefix: x }'), withArgument('{ type: string }'), allowed({ a: 'x' })],
]

const ofRules: readonly Row[] = [
  [
    'a rule that holds now refuses',
    withRule('{ action: require_approval, arguments: { a: { min: 5 } } }'),
    withRule('{ action: deny, arguments: { a: { min: 6 } } }'),
    allowed({ a: 5 }),
    denied({}),
  ],
  ['a rule that refused now holds', withRule('action: deny'), withRule('action: require_approval'), held({})],
  ['a hidden tool', tools('{ t: {} }'), file('hidden: [t]\ntools: { t: {} }'), denied({})],
  ['a rate', withRule('rate_limit: 2/day'), withRule('rate_limit: 3/day'), `${allowed({})} x3`],
  [
    'a shorter window',
    withRule('rate_limit: 2/day'),
    withRule('rate_limit: 2/hour'),
    `${allowed({})} after {"calls/day@t":2}`,
  ],
  [
    'a limit that another one always reaches first',
    withRule('rate_limit: 2/hour'),
    withRule('rate_limit: [2/hour, 2/minute]'),
  ],
  [
    'a sliding window, which holds all of the hour',
    withRule('rate_limit: { limit: 2, window: 1h, sliding: true }'),
    withRule('rate_limit: [{ limit: 2, window: 1h, sliding: true }, 2/hour]'),
  ],
  [
    'counted by user, and by nothing',
    withRule('{ rate_limit: 2/day, per: user }'),
    withRule('rate_limit: 2/day'),
    `${denied({})} after {"calls/day@t":2}`,
  ],
  [
    'counted by an argument, which then must be there',
    withRule('rate_limit: 2/day'),
    withRule('rate_limit: [2/day, { limit: 2, window: day, per: arguments.a }]'),
    denied({}),
  ],
  [
    'the cap of one call',
    withRule('spend: { per_call: 5, daily: 12 }'),
    withRule('spend: { per_call: 6, daily: 12 }'),
    allowed({ amount: 6 }),
  ],
  [
    'the cap of a day, above what one call may be',
    withRule('spend: { per_call: 5, daily: 12 }'),
    withRule('spend: { per_call: 5, daily: 16 }'),
    `${allowed({ amount: 5 })} x3`,
  ],
  [
    'a cap that changes by less than a micro-unit can show',
    withRule('spend: { daily: 12 }'),
    withRule('spend: { daily: 12.000000 }'),
  ],
  [
    'an amount of an odd name',
    withRule('spend: { amount: __proto__, per_call: 5 }'),
    withRule('spend: { amount: __proto__, per_call: 6 }'),
    'newly-allowed: {"tool":"t","arguments":{"__proto__":6}}',
  ],
  [
    'currencies',
    withRule('spend: { per_call: 5, currency: c, currencies: [GBP] }'),
    withRule('spend: { per_call: 5, currency: c, currencies: [GBP, EUR] }'),
    allowed({ amount: 1, c: 'EUR' }),
  ],
  [
    'for: a wider pattern',
    withRule('{ for: { groups: admins }, action: deny, arguments: { a: { min: 5 } } }'),
    withRule('{ for: { groups: "admin*" }, action: deny, arguments: { a: { min: 5 } } }'),
    `newly-denied (groups="admin*"): ${call({})}`,
  ],
  [
    'for: an entry is for others now',
    tools('{ t: { for: { agent: a }, rules: [] } }'),
    tools('{ t: { for: { agent: b }, rules: [] } }'),
    `newly-denied (agent="a"): ${call({})}`,
    `newly-allowed (agent="b"): ${call({})}`,
  ],
  [
    'a counter with steps: what lies between two steps is no difference',
    file('counters: { n: { window: day, step: 5 } }\ntools: { t: { rules: [{ limits: { n: 52 } }] } }'),
    file('counters: { n: { window: day, step: 5 } }\ntools: { t: { rules: [{ limits: { n: 54 } }] } }'),
  ],
  [
    'what was counted before',
    file(
      'counters: { n: { of: u, window: day } }\ntools: { u: { rules: [{ rate_limit: 9/day }] }, t: { rules: [{ counted: { n: { max: 3 } } }] } }',
    ),
    file(
      'counters: { n: { of: u, window: day } }\ntools: { u: { rules: [{ rate_limit: 9/day }] }, t: { rules: [{ counted: { n: [{ max: 2 }, 5] } }] } }',
    ),
    `${allowed({})} after {"calls/day@u":5}`,
    `${denied({})} after {"calls/day@u":3}`,
  ],
  [
    'words that decide nothing',
    tools('{ t: { rules: [{ name: x, rate_limit: 2/day, on_deny: no }] } }'),
    tools('{ t: { risk_level: high, rules: [{ name: y, rate_limit: 2/day }] } }'),
  ],
]

const ofTargets: readonly Row[] = [
  [
    'the default',
    file('tools: { t: {} }\nresources: { "file:///a/*": {} }\nprompts: { p: {} }'),
    file('tools: { t: {} }\nresources: { "file:///a/*": {} }\nprompts: { p: {} }').replace('deny', 'allow'),
    'newly-allowed: {"tool":"a"}',
    'newly-allowed: {"resource":"a"}',
    'newly-allowed: {"prompt":"a"}',
  ],
  [
    'resources',
    file('resources: { "file:///a/*": {} }'),
    file('resources: { "file:///*": {} }'),
    'newly-allowed: {"resource":"file:///"}',
  ],
  [
    'resources whose URIs are refused in any case',
    file('resources: { "file:///a": {} }'),
    file('resources: { "file:///a": {}, "file:///a/../b": {} }'),
  ],
  [
    'prompts',
    file('prompts: { p: {} }'),
    file('prompts: { q: {} }'),
    'newly-denied: {"prompt":"p"}',
    'newly-allowed: {"prompt":"q"}',
  ],
  [
    'globs and servers',
    tools('{ "get_*": {} }'),
    tools('{ "get_?": {}, "s/get_*": {} }'),
    'newly-denied: {"tool":"get_"}',
    'newly-allowed: {"tool":"s/get_"}',
  ],
  [
    'what "*" binds',
    tools('{ t: {} }'),
    tools('{ t: {}, "*": { rules: [{ arguments: { a: { type: string } } }] } }'),
    denied({}),
  ],
  [
    'guard: a name that is gone, and a new one',
    'policy_id: g\npolicy_version: 1\nallowlist: [t, u]\nreason_codes: { allow: OK, block: NO }',
    'policy_id: g\npolicy_version: 2\nallowlist: [u, w]\nreason_codes: { allow: OK, block: NO }',
    denied({}),
    'newly-allowed: {"tool":"w"}',
  ],
  [
    'Intercept: a bound',
    tools('{ t: { rules: [{ name: r, conditions: [{ path: args.a, op: lte, value: 10 }] }] } }'),
    tools('{ t: { rules: [{ name: r, conditions: [{ path: args.a, op: lt, value: 10 }] }] } }'),
    denied({ a: 10 }),
  ],
  [
    'Intercept: state',
    tools(
      '{ t: { rules: [{ name: r, conditions: [{ path: state.t.n, op: lte, value: 2 }], state: { counter: n, window: day } }] } }',
    ),
    tools(
      '{ t: { rules: [{ name: r, conditions: [{ path: state.t.n, op: lte, value: 1 }], state: { counter: n, window: day } }] } }',
    ),
    `${denied({})} x2`,
  ],
]

for (const [word, old, now, ...told] of [...ofArguments, ...ofRules, ...ofTargets])
  test(`${word}${told.length === 0 ? ': no call changes' : ''}`, () => {
    // Another spelling of an argument that only one side reads is a change as well, and has a test of its own.
    const report = reportedOf(policyOf(old), policyOf(now))
    assert.deepEqual(
      toldBy({ ...report, changes: report.changes.filter(({ respelt }) => respelt === undefined) }),
      told,
    )
    if (told.length === 0) assert.notEqual(report.unchanged.length, 0)
  })
