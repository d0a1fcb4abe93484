/** Small changes of random policies: what a reviewer would see as one edit. */
import type { Json } from '../../src/model/canonical.ts'
import type { FirstPolicy, OrderedRule } from '../../src/model/ordered.ts'
import type { AllPolicy, Condition, Entry, Path, Rule, Test } from '../../src/model/policy.ts'

/** Numbers below one, in the order of a seed. */
export type Random = () => number

export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T
}

export function changedAll(policy: AllPolicy, random: Random): AllPolicy {
  const index = Math.floor(random() * (policy.entries.length + 1))
  const entry = policy.entries[index]
  if (!entry) return { ...policy, default: policy.default === 'deny' ? 'allow' : 'deny' }
  return { ...policy, entries: policy.entries.with(index, changedEntry(entry, random)) }
}

function changedEntry(entry: Entry, random: Random): Entry {
  const index = Math.floor(random() * entry.rules.length)
  const rule = entry.rules[index]
  const { for: _, ...everybody } = entry
  if (!rule || random() < 0.1) return random() < 0.5 ? everybody : { ...entry, lists: !entry.lists }
  if (random() < 0.15) return { ...entry, rules: entry.rules.toSpliced(index, 1) }
  return { ...entry, rules: entry.rules.with(index, changedRule(rule, random)) }
}

function changedRule(rule: Rule, random: Random): Rule {
  const { for: _, ...everybody } = rule
  const index = Math.floor(random() * rule.conditions.length)
  const condition = rule.conditions[index]
  const changes: (() => Rule)[] = [
    () => everybody,
    ...(rule.effect === 'require'
      ? []
      : [() => ({ ...rule, effect: rule.effect === 'deny' ? 'hold' : 'deny' }) as Rule]),
    ...rule.limits.map((limit, at) => () => ({
      ...rule,
      limits: rule.limits.with(at, { ...limit, max: limit.max + oneOf(random, [-1, 1, 2, 1_000_000]) }),
    })),
    ...(rule.limits.length > 0 ? [() => ({ ...rule, limits: rule.limits.slice(1) })] : []),
    ...(rule.spend?.perCallMicro === undefined
      ? []
      : [() => ({ ...rule, spend: { ...rule.spend, perCallMicro: (rule.spend?.perCallMicro ?? 0) + 1 } }) as Rule]),
    ...(rule.readings ? [() => ({ ...rule, readings: (rule.readings ?? []).slice(1) })] : []),
  ]
  const inConditions: (() => Rule)[] = condition
    ? [
        () => ({ ...rule, conditions: rule.conditions.toSpliced(index, 1) }),
        ...[1, 2, 3].map(() => () => ({
          ...rule,
          conditions: rule.conditions.with(index, changedCondition(condition, random)),
        })),
      ]
    : []
  return oneOf(random, [...changes, ...inConditions, ...inConditions])()
}

function changedCondition(condition: Condition, random: Random): Condition {
  if (random() < 0.2) return { ...condition, optional: !condition.optional }
  return { ...condition, test: changedTest(condition.test, random) }
}

function changedTest(test: Test, random: Random): Test {
  switch (test.kind) {
    case 'present':
      return { kind: 'absent' }
    case 'absent':
      return { kind: 'present' }
    case 'exists':
      return { ...test, there: !test.there }
    case 'type':
      return { ...test, types: random() < 0.5 ? ['integer'] : ['string', 'number'] }
    case 'enum':
      return { ...test, values: random() < 0.5 ? [...test.values, 'GBP'] : test.values.slice(1) }
    case 'one_of':
      return random() < 0.5 ? { ...test, negated: !test.negated } : { ...test, values: [...test.values, 'abc', '[a]'] }
    case 'contains':
      return { ...test, values: [...test.values, 'a'], ...(random() < 0.5 && { text: 'b' }) }
    case 'range':
      return random() < 0.5
        ? { kind: 'range', above: 5 }
        : { ...test, max: (test.max ?? 3) + oneOf(random, [-1, 1, 0.5]) }
    case 'length':
      return { ...test, max: (test.max ?? 2) + 1 }
    case 'prefix':
      return { ...test, prefix: `${test.prefix}a` }
    case 'pattern':
    case 'search':
      return random() < 0.5
        ? { kind: test.kind, pattern: oneOf(random, ['a+', '(?i)gbp|abc', '[^b]*', '.', '\\bab?\\b']) }
        : { kind: test.kind === 'pattern' ? 'search' : 'pattern', pattern: test.pattern }
    case 'each':
    case 'any':
      if (random() < 0.5) return { kind: test.kind === 'each' ? 'any' : 'each', conditions: test.conditions }
      return {
        ...test,
        conditions: [changedCondition(test.conditions[0] as Condition, random), ...test.conditions.slice(1)],
      }
  }
  return test satisfies never
}

export function changedFirst(policy: FirstPolicy, random: Random): FirstPolicy {
  const index = Math.floor(random() * (policy.rules.length + 1))
  const rule = policy.rules[index]
  const effects = ['allow', 'hold', 'deny'] as const
  if (!rule) return { ...policy, otherwise: { ...policy.otherwise, effect: oneOf(random, effects) } }
  const changes: (() => readonly OrderedRule[])[] = [
    () => policy.rules.toSpliced(index, 1),
    () => policy.rules.with(index, { ...rule, effect: oneOf(random, effects) }),
    () => policy.rules.with(index, { ...rule, conditions: rule.conditions.slice(1) }),
    () => policy.rules.with(index, { ...rule, match: { ...rule.match, agent: '*' } }),
    () => [...policy.rules.slice(0, index), ...policy.rules.slice(index).reverse()],
    () =>
      policy.rules.with(index, {
        ...rule,
        conditions: rule.conditions.map((one) =>
          one.kind === 'compare' && typeof one.value === 'number' ? { ...one, value: one.value + 1 } : one,
        ),
      }),
  ]
  return { ...policy, rules: oneOf(random, changes)() }
}

/** A policy of one tool, so that every call of it is about something. */
export function ofOneTool(policy: AllPolicy): readonly AllPolicy[] {
  return policy.entries.flatMap((entry) => {
    const { for: _, ...everybody } = entry
    const rules = entry.rules.map(({ for: __, ...rule }) => rule)
    const one: Entry = {
      ...everybody,
      method: 'tools/call',
      match: [{ name: { kind: 'literal', text: 'pay' } }],
      lists: true,
      rules,
    }
    return rules.length === 0 ? [] : [{ ...policy, default: 'deny', entries: [one] } as AllPolicy]
  })
}

export function ofAnyTool(policy: FirstPolicy): FirstPolicy {
  const rules = policy.rules.filter(({ conditions }) => conditions.length > 0).slice(0, 3)
  return { ...policy, rules: rules.map((rule) => ({ ...rule, match: { type: '*', target: '*', agent: '*' } })) }
}

const texts = [
  '',
  'a',
  'ab',
  'abc',
  'b',
  'GBP',
  'gbp',
  'Gbp',
  '/tmp',
  '/etc/passwd',
  '5',
  'é',
  '😀',
  '😀😀',
  'a\nb',
  '[a]',
  'a"',
  'aaaa',
]
const numbers = [
  -1,
  0,
  0.1,
  0.5,
  1,
  1.5,
  2,
  3,
  4,
  4.999999,
  5,
  5.000001,
  5.000002,
  5.5,
  6,
  10,
  2 ** 53,
  1e21,
  1e308,
  -1e300,
]

function valueFrom(random: Random, depth = 0): Json {
  const kind = random()
  if (kind < 0.4) return oneOf(random, texts)
  if (kind < 0.65) return oneOf(random, numbers)
  if (kind < 0.75 || depth > 1) return oneOf(random, [true, false, null])
  const parts = Array.from({ length: Math.floor(random() * 4) }, () => valueFrom(random, depth + 1))
  return kind < 0.93
    ? parts
    : Object.fromEntries(parts.map((part) => [oneOf(random, ['a', 'b', 'amount', 'x.y']), part]))
}

interface Members {
  [key: string]: Json
}

/** Arguments in which something stands at most of these paths. */
export function argumentsAt(paths: readonly Path[], random: Random): Members {
  return paths.reduce<Members>((args, path) => (random() < 0.85 ? withValue(args, path, random) : args), {})
}

function withValue(args: Members, [key = '', ...rest]: Path, random: Random): Members {
  const before = Object.hasOwn(args, key) ? args[key] : undefined
  const below = typeof before === 'object' && before !== null && !Array.isArray(before) ? (before as Members) : {}
  const value = rest.length === 0 ? valueFrom(random) : withValue(below, rest, random)
  return Object.fromEntries([...Object.entries(args).filter(([other]) => other !== key), [key, value]])
}

/** Where rules of a policy look. */
export function pathsIn(policy: AllPolicy | FirstPolicy): readonly Path[] {
  if (policy.strategy === 'first')
    return policy.rules.flatMap(({ conditions }) => conditions.flatMap((one) => ('name' in one ? [[one.name]] : [])))
  return policy.entries.flatMap(({ rules }) =>
    rules.flatMap(({ conditions, spend, limits }) => [
      ...conditions.map(({ path }) => path),
      ...(spend ? [spend.amount, ...(spend.currency ? [spend.currency.path] : [])] : []),
      ...limits.flatMap(({ counter }) => counter.per.flatMap((one) => (one.kind === 'argument' ? [one.path] : []))),
    ]),
  )
}
