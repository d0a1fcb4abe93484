/** Random policies and calls. Values come from small pools with the borders in them, so that rules are hit, just missed and confused. */

import type { Call, Facts, Principal } from '../../src/model/call.ts'
import type { Json } from '../../src/model/canonical.ts'
import type {
  AllPolicy,
  CallerTest,
  Counter,
  Entry,
  Limit,
  Method,
  Pattern,
  Reading,
  Rule,
  Scalar,
  Span,
  TargetPattern,
  Test,
} from '../../src/model/policy.ts'
import { counterId } from '../../src/model/policy.ts'
import { fc } from '../random.ts'

const names = [
  'pay',
  'pay_in',
  'read_x',
  'a/b',
  'b',
  '__proto__',
  'constructor',
  'data',
  'input',
  'a"b\\',
  'with space',
  'über',
  '日本',
  'default',
  'p?y',
]
const globs = ['*', 'pay*', '*_x', 'p*y', 'p?y', '*a*', 'r*_*', 'pay_??', 'ü*', '**']
const servers = ['s', 'stripe', 'a', '']
const keys = ['a', 'b', 'amount', '__proto__', 'constructor', 'x.y', 'é', '']
const strings = [
  '',
  'a',
  'ab',
  'abc',
  'GBP',
  'gbp',
  '/etc/passwd',
  '/tmp',
  'null',
  '5',
  'é',
  '😀',
  '😀😀',
  'a\nb',
  'a"\\b',
  '\u2028',
]
const numbers = [
  -1e300, -1, 0, 0.1, 0.5, 1, 2, 4.999999, 5, 5.000001, 10, 100, 9007199254740991, 9007199254740992, 1e21, 1e-7, 1e308,
  5e-324,
]
const patterns = ['a*', '[a-z]+', 'a|b', '\\d+', '/tmp.*', '(?i)gbp', '.', '[^a]', 'a?b?c?', '\\p{L}+', '^a', 'c$', '']
const searches = ['^b', 'a$', '(?m)^b$', '/tmp', '(?s)a.b', 'a\\nb', '\\bGBP\\b', '\\Aab\\z', 'é|😀', 'x*']
const codes = ['GBP', 'gbp', 'a']

const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constantFrom(...strings),
  fc.constantFrom(...numbers),
  fc.boolean(),
  fc.constant(null),
)
const path = fc.array(fc.constantFrom(...keys), { minLength: 1, maxLength: 3 })
const elementPath = fc.array(fc.constantFrom(...keys), { maxLength: 2 })

const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 3, noNullPrototype: true }).map(ownMembers),
  ),
})).value

/** Makes `__proto__` a member, as JSON.parse does. */
function ownMembers(value: Record<string, Json>): Json {
  return Object.fromEntries(Object.entries(value))
}

function span(pool: readonly number[]): fc.Arbitrary<{ min?: number; max?: number }> {
  const bound = fc.constantFrom(...pool)
  return fc.oneof(
    bound.map((min) => ({ min })),
    bound.map((max) => ({ max })),
    fc.tuple(bound, bound).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) })),
  )
}

const types = fc.uniqueArray(
  fc.constantFrom('string', 'number', 'integer', 'boolean', 'array', 'object', 'null' as const),
  { minLength: 1, maxLength: 3 },
)

/** Also what lists and maps look like where Go prints them. */
const comparable = fc.uniqueArray(fc.oneof(scalar, fc.constantFrom('[a]', '[]', 'map[]', 'map[a:1]', '[')), {
  maxLength: 4,
})

const plainTest: fc.Arbitrary<Test> = fc.oneof(
  fc.constantFrom<Test>({ kind: 'present' }, { kind: 'absent' }),
  types.map((list) => ({ kind: 'type', types: list }) as Test),
  fc.uniqueArray(scalar, { minLength: 1, maxLength: 4 }).map((values) => ({ kind: 'enum', values }) as Test),
  span(numbers).map((bounds) => ({ kind: 'range', ...bounds }) as Test),
  span(numbers).map(({ min, max }) => withoutUndefined({ kind: 'range', above: min, below: max }) as Test),
  fc.boolean().map((there) => ({ kind: 'exists', there }) as Test),
  fc.record({ kind: fc.constant('one_of'), values: comparable, negated: fc.boolean() }) as fc.Arbitrary<Test>,
  fc
    .record({
      kind: fc.constant('contains'),
      text: fc.option(fc.constantFrom('', 'a', '😀', 'a"', '/etc'), { nil: undefined }),
      values: comparable,
    })
    .map((made) => withoutUndefined(made) as Test),
  fc.constantFrom(...patterns, ...searches).map((pattern) => ({ kind: 'search', pattern }) as Test),
  span([0, 1, 2, 3]).map((bounds) => ({ kind: 'length', ...bounds }) as Test),
  fc.constantFrom('', 'a', '/etc', '😀', 'a"').map((prefix) => ({ kind: 'prefix', prefix }) as Test),
  fc.constantFrom(...patterns).map((pattern) => ({ kind: 'pattern', pattern }) as Test),
)

const innerCondition = fc.record({ path: elementPath, optional: fc.boolean(), test: plainTest })
const nestedTest: fc.Arbitrary<Test> = fc.record({
  kind: fc.constantFrom('each' as const, 'any' as const),
  conditions: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: innerCondition },
      {
        weight: 1,
        arbitrary: fc.record({
          path: elementPath,
          optional: fc.boolean(),
          test: fc.record({
            kind: fc.constantFrom('each' as const, 'any' as const),
            conditions: fc.array(innerCondition, { minLength: 1, maxLength: 2 }),
          }),
        }),
      },
    ),
    { minLength: 1, maxLength: 3 },
  ),
})
const condition = fc.record({
  path,
  optional: fc.boolean(),
  test: fc.oneof({ weight: 4, arbitrary: plainTest }, { weight: 1, arbitrary: nestedTest }),
})

/** Names that some callers have; a field that is named by nothing is asked of nobody. */
const callerPattern: fc.Arbitrary<Pattern> = fc.constantFrom<Pattern>(
  { kind: 'literal', text: 'u' },
  { kind: 'literal', text: 'a"\\' },
  { kind: 'glob', text: '*' },
  { kind: 'glob', text: 'u*' },
  { kind: 'glob', text: '?' },
  { kind: 'glob', text: 'b*t' },
)
const callerPatterns = fc.option(fc.array(callerPattern, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 1 })
const callerTest: fc.Arbitrary<CallerTest> = fc
  .record({ agent: callerPatterns, user: callerPatterns, project: callerPatterns, groups: callerPatterns })
  .map((made) => withoutUndefined(made) as CallerTest)
const callers = fc.option(fc.array(callerTest, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 })

const callerName = fc.constantFrom(undefined, 'u', 'u2', 'bot', 'a"\\', '')
const principals: fc.Arbitrary<Principal> = fc
  .record({
    agent: callerName,
    user: callerName,
    project: callerName,
    groups: fc.constantFrom(undefined, [], ['u'], ['bot', 'x'], ['a"\\', 'u2', '']),
  })
  .map((made) => withoutUndefined(made) as Principal)

const place = { file: 'random.yaml', line: 1, col: 1 }
const risk = fc.option(fc.constantFrom('low', 'medium', 'high', 'critical' as const), { nil: undefined, freq: 4 })
const window: fc.Arbitrary<Counter['window']> = fc.constantFrom(
  { kind: 'fixed', unit: 'day' },
  { kind: 'fixed', unit: 'hour' },
  { kind: 'sliding', ms: 60_000 },
  { kind: 'total' },
)
const per = fc.constantFrom<Counter['per']>(
  [],
  [{ kind: 'principal', field: 'user' }],
  [{ kind: 'argument', path: ['a'] }],
)

const counted = fc.constantFrom('calls' as const, 'amount' as const, 'amount' as const, { step: 2 })

function limits(key: string, amount: readonly string[]): fc.Arbitrary<Limit[]> {
  const limit = fc.record({ counted, window, per, max: fc.constantFrom(0, 1, 3, 5_000_000, 10_000_000) })
  return fc.array(limit, { maxLength: 2 }).map((list) =>
    list.map(({ counted, window, per, max }) => {
      const measure = counted === 'amount' ? { amount } : counted
      return { counter: { id: counterId(key, measure, window, per), measure, window, per }, max }
    }),
  )
}

/** Of its own entry's counters, or of another's. */
const reading: fc.Arbitrary<Reading> = fc
  .record({ key: fc.constantFrom('entry 0', 'entry 1', 'elsewhere'), window, spans: fc.constantFrom(...spans()) })
  .map(({ key, window, spans }) => ({
    counter: { id: counterId(key, 'calls', window, []), measure: 'calls', window, per: [] },
    spans,
  }))
const readings: fc.Arbitrary<Reading[] | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.array(reading, { minLength: 1, maxLength: 2 }) },
)

function spans(): readonly (readonly Span[])[] {
  return [[], [{}], [{ max: 1 }], [{ min: 2 }], [{ max: 0 }, { min: 2, max: 2 }], [{ min: 1, max: 1 }, { min: 3 }]]
}

function rule(key: string, index: number): fc.Arbitrary<Rule> {
  const name = fc.constantFrom(`${key}.rules[${index}]`, 'named "rule"\n# odd')
  const words = {
    name,
    for: callers,
    riskLevel: risk,
    onDeny: fc.option(fc.constantFrom('no', 'sag "nein"\n'), { nil: undefined }),
  }
  const stopping = fc.record({
    ...words,
    effect: fc.constantFrom('deny' as const, 'hold' as const),
    conditions: fc.array(condition, { maxLength: 3 }),
    readings,
    hides: fc.option(fc.constant(true as const), { nil: undefined, freq: 6 }),
    limits: fc.constant([]),
    approvalTimeoutMs: fc.option(fc.constant(60_000), { nil: undefined }),
    approvalWaitMs: fc.option(fc.constant(5_000), { nil: undefined }),
  })
  const amountPath = fc.oneof({ weight: 4, arbitrary: fc.constant(['amount']) }, { weight: 1, arbitrary: path })
  const codePath = fc.oneof({ weight: 4, arbitrary: fc.constant(['a']) }, { weight: 1, arbitrary: path })
  const spending = fc.record({
    path: amountPath,
    currency: fc.option(
      fc.record({ path: codePath, allowed: fc.uniqueArray(fc.constantFrom(...codes), { minLength: 1 }) }),
      { nil: undefined, freq: 2 },
    ),
    perCallMicro: fc.option(fc.constantFrom(0, 5_000_000, 10_000_000, 1), { nil: undefined, freq: 2 }),
  })
  const requiring = fc
    .record({
      ...words,
      conditions: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(condition, { maxLength: 2 }) },
      ),
      spend: fc.option(spending, { nil: undefined }),
      readings,
    })
    .chain((rest) =>
      limits(key, rest.spend?.path ?? ['amount']).map((list) => {
        const spend = rest.spend && {
          amount: rest.spend.path,
          ...(rest.spend.currency && { currency: rest.spend.currency }),
          ...(rest.spend.perCallMicro !== undefined && { perCallMicro: rest.spend.perCallMicro }),
        }
        return { ...rest, effect: 'require' as const, spend, limits: list }
      }),
    )
  return fc.oneof(requiring, stopping).map((made) => ({ ...withoutUndefined(made), place }) as Rule)
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T
}

const namePattern: fc.Arbitrary<Pattern> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('pay', 'pay_in').map((text) => ({ kind: 'literal', text }) as Pattern) },
  { weight: 3, arbitrary: fc.constantFrom(...names).map((text) => ({ kind: 'literal', text }) as Pattern) },
  { weight: 2, arbitrary: fc.constantFrom(...globs).map((text) => ({ kind: 'glob', text }) as Pattern) },
)
const targetPattern: fc.Arbitrary<TargetPattern> = fc
  .record({
    server: fc.option(
      fc.oneof(
        fc.constantFrom(...servers).map((text) => ({ kind: 'literal', text }) as Pattern),
        fc.constantFrom('s*', '*').map((text) => ({ kind: 'glob', text }) as Pattern),
      ),
      { nil: undefined, freq: 2 },
    ),
    name: namePattern,
  })
  .map(withoutUndefined) as fc.Arbitrary<TargetPattern>

function entry(index: number): fc.Arbitrary<Entry> {
  const method = fc.constantFrom<Method>('tools/call', 'tools/call', 'tools/call', 'resources/read', 'prompts/get')
  return fc
    .record({
      method,
      match: fc.array(targetPattern, { minLength: 1, maxLength: 2 }),
      lists: fc.constantFrom(true, true, true, false),
      for: callers,
      riskLevel: risk,
    })
    .chain((rest) => {
      const key = `entry ${index}`
      return fc
        .integer({ min: 0, max: 3 })
        .chain((count) =>
          fc
            .tuple(...Array.from({ length: count }, (_, i) => rule(key, i)))
            .map((rules) => ({ ...withoutUndefined(rest), key, rules, place }) as Entry),
        )
    })
}

export const policies: fc.Arbitrary<AllPolicy> = fc
  .record({
    default: fc.constantFrom('allow' as const, 'deny' as const),
    entries: fc
      .integer({ min: 0, max: 10 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => entry(i)))),
    reasonCodes: fc.constantFrom({}, {}, {}, {}, {}, {}, { allow: 'OK', block: 'NO' }),
    counting: fc.constantFrom(undefined, 'last' as const),
    defaultRule: fc.constantFrom(undefined, '(default deny)'),
  })
  .map(
    (made) =>
      ({ strategy: 'all', language: 'native', id: 'random', version: '1', ...withoutUndefined(made) }) as AllPolicy,
  )

/** Any members, and often an amount and a currency that a rule could like. */
const someArguments: fc.Arbitrary<Call['arguments']> = fc
  .record({
    any: fc.dictionary(fc.constantFrom(...keys), json, { maxKeys: 5, noNullPrototype: true }),
    amount: fc.option(fc.constantFrom(0, 1, 4.999999, 5, 5.000001, 10), { nil: undefined, freq: 3 }),
    a: fc.option(fc.constantFrom('GBP', 'gbp', 'a'), { nil: undefined, freq: 2 }),
  })
  .map(
    ({ any, ...known }) =>
      ownMembers({ ...any, ...(withoutUndefined(known) as Record<string, Json>) }) as Call['arguments'],
  )

export const calls: fc.Arbitrary<Call> = fc.record({
  method: fc.constantFrom<Method>('tools/call', 'tools/call', 'tools/call', 'resources/read', 'prompts/get'),
  server: fc.constantFrom(...servers),
  name: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('pay', 'pay_in') },
    { weight: 5, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.constantFrom('pay_xx', 'p\ny', 'zzz', '', 'ab', 'paypay') },
  ),
  arguments: someArguments,
  principal: fc.oneof(fc.constantFrom({}, { user: 'u' }), principals),
  session: fc.constant('session'),
})

/** What the ledger might have said: mostly near a limit, sometimes nothing. */
export const usages: fc.Arbitrary<readonly (number | undefined)[]> = fc.array(
  fc.constantFrom(0, 0, 1, 2, 3, 4_999_999, 5_000_000, undefined),
  { minLength: 8, maxLength: 8 },
)

export function factsFrom(counterIds: readonly string[], used: readonly (number | undefined)[]): Facts {
  const facts = counterIds.map((id, index) => [id, used[index % used.length]] as const)
  return Object.fromEntries(facts.filter(([, value]) => value !== undefined)) as Facts
}
