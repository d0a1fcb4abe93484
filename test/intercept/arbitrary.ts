/**
 * Random Intercept policies and calls, within what Intercept and Tollgate mean to decide alike: what is listed in
 * docs/policies/intercept.md as a difference is left out. Values come from small pools, so that conditions are met, just missed
 * and confused with their prints.
 */

import type { Json } from '../../src/model/canonical.ts'
import { fc } from '../random.ts'

export interface RandomPolicy {
  readonly version: '1'
  readonly default: 'allow' | 'deny'
  readonly hide?: readonly string[]
  readonly tools: Readonly<Record<string, { readonly rules: readonly RandomRule[] }>>
}

export interface RandomRule {
  readonly name: string
  readonly action?: string
  readonly rate_limit?: string
  readonly conditions?: readonly RandomCondition[]
  readonly state?: Readonly<Record<string, Json>>
  readonly on_deny?: string
}

interface RandomCondition {
  readonly path: string
  readonly op: string
  readonly value: Json
}

export interface RandomCall {
  readonly tool: string
  readonly arguments: Readonly<Record<string, Json>>
}

const tools = ['pay', 'refund', 'read'] as const
const scopes = [...tools, '*'] as const
const counters = ['n', 'm'] as const

const texts = [
  '',
  'a',
  'ab',
  'b',
  '5',
  '1000000',
  '1e+06',
  '0.5',
  'true',
  'false',
  '<nil>',
  'null',
  '05',
  'é😀',
  'a\nb',
  'GBP',
]
/** Those that YAML reads alike everywhere. */
const written = [0, 1, 2, 5, 10, 100, 0.5, 1.5, -1, 1000000, 1234567]
const numbers = [...written, 1e21, 1e-7, 4.999999, 123456.789]
const scalar = fc.constantFrom<Json>(...texts, ...written, true, false, null)
const path = fc.constantFrom('args.a', 'args.b', 'args.amount', 'args.o.a', 'args.o.b.c', 'args.a.x')
const patterns = [
  '^a',
  'b$',
  'a',
  '\\d+',
  '^(GBP|USD)$',
  '(?i)gbp',
  '',
  '^.$',
  'a.b',
  '(?s)a.b',
  '\\bGBP\\b',
  '[^a]',
  '\\p{L}',
].filter(Boolean)

const comparing: fc.Arbitrary<Pick<RandomCondition, 'op' | 'value'>> = fc.oneof(
  fc.record({ op: fc.constantFrom('eq', 'neq', 'contains'), value: scalar }),
  fc.record({ op: fc.constantFrom('in', 'not_in'), value: fc.array(scalar, { maxLength: 4 }) }),
  fc.record({ op: fc.constantFrom('lt', 'lte', 'gt', 'gte'), value: fc.constantFrom<Json>(...written) }),
  fc.record({ op: fc.constant('regex'), value: fc.constantFrom<Json>(...patterns) }),
  fc.record({ op: fc.constant('exists'), value: fc.boolean() }),
)

/** Mostly what a call is likely to meet: a policy that denies everything says little. */
const likely = fc.constantFrom<RandomCondition>(
  { path: 'args.amount', op: 'lte', value: 100 },
  { path: 'args.amount', op: 'gte', value: 0 },
  { path: 'args.amount', op: 'exists', value: true },
  { path: 'args.b', op: 'neq', value: 'zzz' },
  { path: 'args.b', op: 'not_in', value: ['zzz', 7] },
)

const onArguments: fc.Arbitrary<RandomCondition> = fc.oneof(
  { weight: 3, arbitrary: likely },
  { weight: 2, arbitrary: fc.tuple(path, comparing).map(([path, compared]) => ({ path, ...compared })) },
)

/** On a counter of any tool that the policy has. */
const onCounter = fc.oneof(
  fc.record({ op: fc.constantFrom('lt', 'lte'), value: fc.constantFrom<Json>(1, 2, 3, 5, 20, 2.5, 0) }),
  fc.record({ op: fc.constantFrom('gt', 'gte'), value: fc.constantFrom<Json>(-1, 0, 1, 7, 0.5) }),
  fc.record({ op: fc.constantFrom('eq', 'neq'), value: fc.constantFrom<Json>(-1, 0, 1, '1', '2', 0.5, 'x') }),
  comparing,
)

interface Draft {
  readonly kind: 'conditions' | 'deny' | 'rate' | 'state'
  readonly window: string
  readonly max: number
  readonly conditions: readonly RandomCondition[]
  readonly reads: readonly { readonly of: number; readonly op: string; readonly value: Json }[]
  readonly bound: { readonly op: string; readonly value: number } | null
  readonly adds: Json
  readonly onDeny: boolean
}

const draft: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom('conditions', 'conditions', 'rate', 'rate', 'state', 'state', 'state', 'deny'),
  window: fc.constantFrom('minute', 'hour', 'day'),
  max: fc.constantFrom(1, 2, 3, 5, 8),
  conditions: fc.array(onArguments, { maxLength: 2 }),
  reads: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.nat(9), onCounter).map(([of, compared]) => [{ of, ...compared }]),
    },
  ),
  bound: fc.option(
    fc.record({ op: fc.constantFrom('lt', 'lte'), value: fc.constantFrom(0, 1, 2, 3, 5, 10, 50, 2.5, 0.5, -1) }),
    { nil: null, freq: 8 },
  ),
  adds: fc.constantFrom<Json>(null, null, 0, 1, 3, 'args.amount', 'args.amount', 'args.o.a'),
  onDeny: fc.boolean(),
}) as fc.Arbitrary<Draft>

/** A counter of its own for each rule that counts: twice the same one in a tool is a mistake. */
function ruleOf(
  made: Draft,
  scope: string,
  index: number,
  known: readonly string[],
  taken: Set<string>,
): RandomRule | undefined {
  const words = { name: `${scope} ${index}`, ...(made.onDeny && { on_deny: `no: ${scope} ${index}` }) }
  if (made.kind === 'deny') return index === 0 && scope === 'read' ? { ...words, action: 'deny' } : undefined
  const reads = made.reads.flatMap(({ of, op, value }) => {
    const name = known[of % Math.max(1, known.length)]
    return name === undefined ? [] : [{ path: `state.${name}`, op, value }]
  })
  if (made.kind === 'rate') {
    if (taken.has(`_rate_${made.window}`)) return undefined
    taken.add(`_rate_${made.window}`)
    return { ...words, rate_limit: `${made.max}/${made.window}` }
  }
  const conditions = [...made.conditions, ...reads]
  if (made.kind === 'conditions') return conditions.length === 0 ? undefined : { ...words, conditions }
  const counter = counters.find((name) => !taken.has(name))
  if (counter === undefined) return undefined
  taken.add(counter)
  const own = made.bound && { path: `state.${globalName(scope)}.${counter}`, ...made.bound }
  const all = own ? [...conditions, own] : conditions
  if (all.length === 0) return undefined
  const adds =
    typeof made.adds === 'string' ? { increment_from: made.adds } : made.adds === null ? {} : { increment: made.adds }
  return { ...words, conditions: all, state: { counter, window: made.window, ...adds } }
}

function globalName(scope: string): string {
  return scope === '*' ? '_global' : scope
}

type Drafts = Readonly<Record<(typeof scopes)[number], readonly Draft[]>>

/** Which counters there are is only known at the end, so it is put together twice. */
function toolsOf(drafts: Drafts): RandomPolicy['tools'] {
  const once = assembled(drafts, [])
  const known = Object.entries(once).flatMap(([scope, { rules }]) =>
    rules.flatMap(({ state, rate_limit: rate }) =>
      state
        ? [`${globalName(scope)}.${state['counter']}`]
        : rate
          ? [`${globalName(scope)}._rate_${rate.split('/')[1]}`]
          : [],
    ),
  )
  return assembled(drafts, known)
}

function assembled(drafts: Drafts, known: readonly string[]): RandomPolicy['tools'] {
  const entries = scopes.map((scope) => {
    const taken = new Set<string>()
    const rules = drafts[scope].flatMap((made, index) => ruleOf(made, scope, index, known, taken) ?? [])
    return [scope, { rules }] as const
  })
  return Object.fromEntries(entries)
}

const some = fc.array(draft, { maxLength: 4 })

export const policies: fc.Arbitrary<RandomPolicy> = fc
  .record({
    default: fc.constantFrom('allow' as const, 'deny' as const),
    hide: fc.constantFrom<readonly string[] | undefined>(
      undefined,
      undefined,
      undefined,
      ['secret'],
      ['secret', 'read'],
      ['*'],
    ),
    drafts: fc.record({ pay: some, refund: some, read: some, '*': fc.array(draft, { maxLength: 2 }) }),
  })
  .map(({ hide, drafts, ...head }) => ({ version: '1', ...head, ...(hide && { hide }), tools: toolsOf(drafts) }))

const anyValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Json>(...texts, ...numbers, true, false, null) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom<Json>('a', 'GBP', 5, '5', true, null, 0.5, 1000000), { maxLength: 3 }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Json>({}, { x: 5 }, { x: { a: 1 } }, [['a']], [{}]) },
)

/** Whole and not negative, as often as not: the others are where the two differ. */
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Json>(0, 1, 2, 5, 10, 100) },
  { weight: 1, arbitrary: fc.constantFrom<Json>('5', null, true, [], {}) },
)

function absent<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 4, arbitrary })
}

export const calls: fc.Arbitrary<RandomCall> = fc
  .record({
    tool: fc.constantFrom('pay', 'pay', 'pay', 'refund', 'refund', 'refund', 'read', 'secret', 'other'),
    amount: absent(amount),
    a: absent(anyValue),
    b: absent(anyValue),
    o: absent(fc.oneof(fc.record({ a: amount, b: fc.record({ c: anyValue }) }) as fc.Arbitrary<Json>, anyValue)),
  })
  .map(({ tool, ...given }) => ({
    tool,
    arguments: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Record<
      string,
      Json
    >,
  }))
