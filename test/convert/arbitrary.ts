/** Random native policies of rules that must all pass, as documents: every key, from small pools. Some of them have mistakes. */

import type { Call } from '../../src/model/call.ts'
import type { Json } from '../../src/model/canonical.ts'
import type { Method } from '../../src/model/policy.ts'
import { fc } from '../random.ts'

type Doc = fc.Arbitrary<Json>

const tools = ['pay', 'pay_in', 'p?y*', '*_in', 's/pay', 'a/b', 'ü "x"\\', 'null', '5', 'yes', "it's: #1", '- x', '*']
const names = ['n', 'paid out', 'pay.n', 'a per user', '{x}']
const texts = [
  'a',
  'ab',
  '',
  'GBP',
  '5',
  'true',
  'no',
  '18:00',
  '1e3',
  'é😀',
  'a\nb\t',
  ' a ',
  '\'"\\',
  '\u2028',
  '[a]',
  '#',
  'a: b',
  '=',
  '~',
]
const numbers = [-1, 0, 0.5, 1, 2, 5, 100, 4.999999, 9007199254740991]
const paths = ['a', 'b', 'amount', 'a.b', 'x\\.y.\\\\', 'é']
const patterns = ['a*', '[a-z]+', '\\d+', '^a', '(?i)gbp', "it's", '\\p{L}+|"']

const scalar: Doc = fc.constantFrom<Json>(...texts, ...numbers, true, false, null)
const scalars: Doc = fc.uniqueArray(scalar, { minLength: 1, maxLength: 3, comparator: 'SameValue' })
const bound: Doc = fc.constantFrom<Json>(...numbers)
const path = fc.constantFrom(...paths)

function some(keys: Readonly<Record<string, Doc>>, least = 1): Doc {
  return fc
    .subarray(Object.keys(keys), { minLength: least })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map((key) => [key, keys[key] as Doc])))) as Doc
}

const plain: Readonly<Record<string, Doc>> = {
  type: fc.constantFrom<Json>('string', 'null', 'integer', ['string', 'array'], ['null', 'number', 'boolean']),
  enum: scalars,
  min: bound,
  max: bound,
  above: bound,
  below: bound,
  length: fc.constantFrom<Json>(0, 3, { min: 1 }, { min: 1, max: 4 }),
  pattern: fc.constantFrom(...patterns),
  search: fc.constantFrom(...patterns),
  prefix: fc.constantFrom('a', 'GB', "'", '#'),
  one_of: fc.oneof(scalars, fc.constant([])),
  none_of: scalars,
  contains: fc.oneof(
    scalar,
    fc.constantFrom<Json>(
      { text: '' },
      { elements: [1, 'a'] },
      { text: 'a', elements: [] },
      { elements: [] },
      { text: 'b', elements: ['a'] },
    ),
  ),
  exists: fc.boolean(),
  required: fc.boolean(),
  forbidden: fc.constant(true),
}

const constraint: Doc = fc.letrec<{ any: Json; fields: Json }>((tie) => {
  const { exists: _, required: __, forbidden: ___, ...element } = plain
  const below = fc.oneof(few(element), few({ ...element, fields: tie('fields') }))
  return {
    any: fc.oneof(
      { maxDepth: 3 },
      few(plain),
      few({ required: fc.boolean(), each: below, any: below, fields: tie('fields') }),
    ),
    fields: fc.oneof(
      { maxDepth: 3 },
      fc.dictionary(path, few(plain), { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
      fc.dictionary(path, tie('any'), { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
    ),
  }
}).any

/** One or two of them: three seldom go together. */
function few(keys: Readonly<Record<string, Doc>>): Doc {
  return fc
    .subarray(Object.keys(keys), { minLength: 1, maxLength: 2 })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map((key) => [key, keys[key] as Doc])))) as Doc
}

const argumentMap = fc.dictionary(path, constraint, { minKeys: 1, maxKeys: 3, noNullPrototype: true })
const args: Doc = fc.oneof(argumentMap, fc.array(argumentMap, { minLength: 1, maxLength: 3 })) as Doc

const per: Doc = fc.constantFrom<Json>('user', ['agent', 'session'], 'arguments.a', 'all', 'tool')
const window: Readonly<Record<string, Doc>> = { window: fc.constantFrom('day', 'hour', 'minute') }
const rate: Doc = fc.oneof(
  fc.constantFrom<Json>('1/minute', '3/day', '2/hour'),
  fc.record({ limit: fc.constantFrom(1, 3), ...window, per }) as Doc,
  fc.constantFrom<Json>(
    { limit: 2, window: '90s', sliding: true },
    { limit: 2, window: 'week', sliding: true, per: 'user' },
  ),
)
const cap: Doc = fc.constantFrom<Json>(0, 5, 10.000001, 500)
const span: Doc = fc.constantFrom<Json>(
  0,
  1,
  { min: 1 },
  { max: 3 },
  { min: -2, max: 2 },
  {},
  [],
  [0, { min: 2 }],
  [{ max: 1 }, 5],
)

const counted = fc.dictionary(fc.constantFrom(...names, 'of pay'), span, {
  minKeys: 1,
  maxKeys: 2,
  noNullPrototype: true,
})

const rule: Doc = fc.oneof(
  few({
    name: fc.constantFrom('cap', 'odd "name" #1', 'yes'),
    arguments: args,
    spend: some({ per_call: fc.oneof(cap, fc.constant('unlimited')), daily: cap, total: cap, amount: path, per }, 2),
    rate_limit: fc.oneof(rate, fc.array(rate, { minLength: 2, maxLength: 2 })),
    limits: fc.dictionary(fc.constantFrom(...names), fc.constantFrom<Json>(0, 1, 3, 'nothing'), {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    }) as Doc,
    counted: fc.oneof(counted, fc.array(counted, { minLength: 1, maxLength: 2 })) as Doc,
    risk_level: fc.constantFrom('low', 'high'),
    on_deny: fc.constantFrom('no', 'two\nlines', 'a: "b" #c'),
  }),
  fc
    .record({
      action: fc.constantFrom('deny', 'require_approval', 'allow'),
      more: few({
        arguments: args,
        counted: counted as Doc,
        on_deny: fc.constantFrom('no'),
        risk_level: fc.constantFrom('critical'),
      }),
      timeout: fc.constantFrom(undefined, '90s', '1d'),
    })
    .map(({ action, more, timeout }) => ({
      ...(more as object),
      action,
      ...(action === 'require_approval' && timeout !== undefined && { approval_timeout: timeout }),
    })) as Doc,
)

const entry: Doc = fc.record(
  { rules: fc.array(rule, { maxLength: 3 }), risk_level: fc.constantFrom('low', 'critical') },
  { requiredKeys: [] },
) as Doc

const counter: Doc = fc.constantFrom<Json>(
  { window: 'day' },
  { window: 'hour', step: 2 },
  { window: 'day', amount: 'amount' },
  { window: '90s', sliding: true, per: ['user', 'arguments.a'] },
  { window: 'total', amount: 'a.b', per: 'user' },
)

export const documents: Doc = fc
  .record(
    {
      default: fc.constantFrom('allow', 'deny'),
      policy_id: fc.constantFrom('p', '5', 'a # b'),
      policy_version: fc.constantFrom('1.10', 'v2'),
      hidden: fc.uniqueArray(fc.constantFrom('secret', 'pay_in', 's/x', '*', 'h*'), { maxLength: 2 }),
      names: fc.constantFrom('exact', 'globs'),
      counting: fc.constantFrom('last', 'in_order'),
      default_rule: fc.constantFrom('(default deny)', 'no: one'),
      reason_codes: fc.constantFrom<Json>({ allow: 'OK' }, { allow: 'OK', block: 'NO' }) as Doc,
      tools: fc.dictionary(fc.constantFrom(...tools), entry, { maxKeys: 4, noNullPrototype: true }),
      resources: fc.dictionary(fc.constantFrom('file:///a', 'file:///*', '*'), entry, {
        maxKeys: 1,
        noNullPrototype: true,
      }),
      prompts: fc.dictionary(fc.constantFrom('pay', 'ask*'), entry, { maxKeys: 1, noNullPrototype: true }),
    },
    { requiredKeys: ['default', 'tools'] },
  )
  .chain((rest) =>
    fc.tuple(...names.map(() => counter)).map((counters) => ({
      version: '1',
      ...rest,
      counters: {
        ...Object.fromEntries(names.map((name, index) => [name, counters[index] as Json])),
        'of pay': { of: 'pay', window: 'day' },
      },
    })),
  ) as Doc

const value: Doc = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 2 }),
  fc.constantFrom<Json>({ b: 1 }, { b: 'a', é: 5 }),
)

export const calls: fc.Arbitrary<Call> = fc.record({
  method: fc.constantFrom<Method>(
    'tools/call',
    'tools/call',
    'tools/call',
    'tools/call',
    'resources/read',
    'prompts/get',
  ),
  server: fc.constantFrom('s', 't'),
  name: fc.constantFrom('pay', 'pay', 'pay', 'pay_in', 'a/b', 'b', '5', 'yes', 'other', 'file:///a', 'ask'),
  arguments: fc
    .record(
      {
        a: fc.oneof(value, fc.record({ b: value }) as Doc),
        b: value,
        amount: fc.constantFrom<Json>(0, 1, 5, 10, 'x') as Doc,
      },
      { requiredKeys: [] },
    )
    .map((made) => made as Call['arguments']),
  principal: fc.constantFrom({}, { user: 'u' }, { agent: 'bot', user: 'u' }),
  session: fc.constantFrom('x', 'y'),
})

/** From the same moment to more than a day later: windows end between calls. */
export const pauses = fc.constantFrom(0, 0, 0, 1_000, 30_000, 60_000, 3_600_000, 90_000_000)
