/**
 * Random policies of ordered rules, and calls of them. Values come from small pools in which things nearly match, so that
 * rules are hit, just missed, and asked what they cannot answer.
 */

import type { Call } from '../../src/model/call.ts'
import type { Json } from '../../src/model/canonical.ts'
import type { Answer, FirstPolicy, OrderedCondition, OrderedRule, TextPattern } from '../../src/model/ordered.ts'
import type { Method } from '../../src/model/policy.ts'
import { fc } from '../random.ts'

const tools = [
  'read_x',
  'read_y',
  'read_',
  'write',
  'a-b',
  'a]b',
  'a[b',
  'a\\b',
  'über',
  '日本',
  '😀',
  '😀x',
  '^a',
  'Read_x',
]
const agents = ['', 'bot-1', 'bot-x', '*', 'über']
const servers = ['fs', 'db', 'fs-2', '', 'é']
export const globs = [
  '*',
  '**',
  'read_*',
  '*_x',
  'read_?',
  '?ead_x',
  '[rw]*',
  '[!rw]*',
  '[a-c]?b',
  '[]x]*',
  'a[]]b',
  'a[-]b',
  'a[!]]b',
  '*[xy]',
  '*[!y]',
  '*a*',
  'r*d*x',
  '*e*d*',
  '[z-a]*',
  '[!z-a]*',
  'a[b',
  'a[[]b',
  '[^r]*',
  'a[\\]b',
  '?',
  '??',
  '??*',
  '*??',
  '*?d_*',
  '😀*',
  '[😀-😂]*',
  'ü*r',
  '[À-ÿ]*',
  '[a-z-9]*',
  'r[b-f]ad*',
  '',
]
const names = ['a', 'b', 'n', '__proto__', 'x.y', 'constructor']
const texts = ['', 'a', 'ab', 'abc', 'B', '5', 'é', '😀', '\uffff', 'a\nb', 'a\n', 'SELECT 1', "it's", 'True', '1']
const numbers = [-1, 0, 0.5, 1, 1.5, 2, 10, 9007199254740992, 1e21, 1e-7, 5e-324, -1e300]

export const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...texts),
    fc.constantFrom(...numbers),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .dictionary(fc.constantFrom('a', 'b', '_', '__proto__', 'é'), tie('value'), { maxKeys: 2, noNullPrototype: true })
      .map((made) => Object.fromEntries(Object.entries(made)) as Json),
  ),
})).value

const pattern: fc.Arbitrary<TextPattern> = fc.constantFrom(
  ...(['a', '^a', 'b\\z', '^SELECT ', '[0-9]+', 'T(rue|wo)', "'", '(?s)a.b'] as const).map((one) => ({
    written: one,
    ascii: one,
    wide: one,
  })),
  { written: '\\w', ascii: '[0-9A-Za-z_]', wide: '[\\p{L}\\p{N}_]' },
  { written: '\\b', ascii: '\\b' },
)

const condition: fc.Arbitrary<OrderedCondition> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('after' as const, 'before' as const),
    minute: fc.constantFrom(0, 1, 539, 540, 541, 1439),
  }),
  fc.record({ kind: fc.constant('weekdays' as const), days: fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }) }),
  ...[0, 1, 2].map(() =>
    fc.record({
      kind: fc.constant('compare' as const),
      by: fc.constantFrom('eq' as const, 'gt' as const, 'lt' as const, 'gte' as const, 'lte' as const),
      name: fc.constantFrom(...names),
      value,
    }),
  ),
  fc.record({ kind: fc.constant('contains' as const), name: fc.constantFrom(...names), value }),
  fc.record({ kind: fc.constant('matches' as const), name: fc.constantFrom(...names), pattern }),
  fc.record({
    kind: fc.constant('words' as const),
    words: fc.subarray(['read', 'x', 'select', 'abc', 'constructor', 'fs', 'y.x'], { minLength: 1 }),
  }),
)

const answer: fc.Arbitrary<Answer> = fc.record({
  effect: fc.constantFrom('allow' as const, 'hold' as const, 'deny' as const),
  riskLevel: fc.constantFrom('low', 'medium', 'high', 'critical' as const),
})

const oftenAny = fc.oneof(
  { weight: 3, arbitrary: fc.constant('*') },
  { weight: 1, arbitrary: fc.constantFrom(...globs) },
)

const rule: fc.Arbitrary<OrderedRule> = fc
  .record({
    type: fc.oneof(
      fc.constantFrom(...globs),
      fc.constantFrom(...tools.map((name) => name.replace(/[[\\]/g, '?')), 'write'),
    ),
    target: fc.oneof(oftenAny, fc.constantFrom('fs', 'fs*', '*s*')),
    agent: fc.oneof(oftenAny, fc.constantFrom('bot-*', 'bot-[0-9]', '[*]')),
    conditions: fc.oneof(fc.constant([]), fc.array(condition, { maxLength: 3 })),
    answer,
  })
  .map(({ type, target, agent, conditions, answer }) => ({
    name: 'r',
    match: { type, target, agent },
    conditions,
    ...answer,
    place: { file: 'random.yaml', line: 1, col: 1 },
  }))

export const orderedPolicies: fc.Arbitrary<FirstPolicy> = fc
  .record({ rules: fc.array(rule, { maxLength: 8 }), otherwise: answer })
  .map(({ rules, otherwise }) => ({
    strategy: 'first',
    language: 'aegis',
    id: 'random',
    version: '',
    rules: rules.map((one, index) => ({ ...one, name: `rule_${index}` })),
    otherwise,
  }))

export const orderedCalls: fc.Arbitrary<Call> = fc.record({
  method: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Method>('tools/call') },
    { weight: 1, arbitrary: fc.constantFrom<Method>('resources/read', 'prompts/get') },
  ),
  server: fc.constantFrom(...servers),
  name: fc.constantFrom(...tools),
  arguments: fc
    .dictionary(fc.constantFrom(...names), value, { maxKeys: 5, noNullPrototype: true })
    .map((made) => Object.fromEntries(Object.entries(made)) as Call['arguments']),
  principal: fc.constantFrom(...agents).map((agent) => (agent === '' ? {} : { agent })),
  session: fc.constant('session'),
})

/** Around the hours that the rules name, on any weekday, on the last days of months and of leap years. */
export const instants: fc.Arbitrary<number> = fc
  .record({
    day: fc.constantFrom(
      '2026-01-05',
      '2026-02-28',
      '2024-02-29',
      '2000-12-31',
      '1970-01-01',
      '2026-11-21',
      '9999-12-31',
    ),
    time: fc.constantFrom(
      '00:00:00.000',
      '00:00:59.999',
      '00:01:00.000',
      '08:59:59.999',
      '09:00:00.000',
      '23:59:59.999',
    ),
  })
  .map(({ day, time }) => Date.parse(`${day}T${time}Z`))
