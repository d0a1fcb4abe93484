/** A policy of ordered rules, in the native language. */
import type { Json } from '../model/canonical.ts'
import type { Answer, FirstPolicy, OrderedCondition, OrderedRule } from '../model/ordered.ts'
import { headEntries } from './head.ts'
import type { Origins } from './origins.ts'
import { type Entry, entry, type Item, list, type MapOut, map, number, type Out, scalar, text, word } from './yaml.ts'

const actions: Readonly<Record<Answer['effect'], string>> = { allow: 'allow', deny: 'deny', hold: 'require_approval' }

export function firstOut(policy: FirstPolicy, origins: Origins): MapOut {
  const { otherwise, rules } = policy
  const items = rules.map((rule, index) => ruleItem(rule, index, origins))
  return map([
    ...headEntries({ ...policy, default: actions[otherwise.effect] }, origins),
    entry('risk_level', text(otherwise.riskLevel)),
    entry('rules', { kind: 'list', items }, origins.topLine('rules')),
  ])
}

function ruleItem(rule: OrderedRule, index: number, origins: Origins): Item {
  const at = (...keys: readonly string[]) => origins.lineUnder(rule.place, keys)
  const { type, target, agent } = rule.match
  const entries = [
    rule.name === `rules[${index}]` ? undefined : entry('name', text(rule.name), at('name')),
    type === '*' ? undefined : entry('tool', text(type), at('match', 'type')),
    target === '*' ? undefined : entry('server', text(target), at('match', 'target')),
    agent === '*' ? undefined : entry('agent', text(agent), at('match', 'agent')),
    rule.conditions.length === 0 ? undefined : entry('when', whenOut(rule.conditions, at), at('conditions')),
    entry('action', text(actions[rule.effect]), at('approval')),
    entry('risk_level', text(rule.riskLevel), at('risk_level')),
  ]
  return { value: map(entries), line: rule.place.line }
}

type LineOf = (...keys: readonly string[]) => number | undefined

/** One map where it asks the conditions in their order, else a list of maps. */
function whenOut(conditions: readonly OrderedCondition[], at: LineOf): Out {
  const maps: Entry[][] = []
  for (const condition of conditions) {
    const last = maps.at(-1)
    if (!last || !takes(last, condition, at)) {
      const next: Entry[] = []
      takes(next, condition, at)
      maps.push(next)
    }
  }
  const outs = maps.map(map)
  return outs.length === 1 ? (outs[0] as Out) : list(outs)
}

/** Adds a condition behind those of a map; false where it would not be asked in its turn. */
function takes(entries: Entry[], condition: OrderedCondition, at: LineOf): boolean {
  const last = entries.at(-1)
  if (!('name' in condition)) {
    if (entries.some(({ key }) => key === condition.kind)) return false
    entries.push(plainEntry(condition, at))
    return true
  }
  const next = comparisonEntry(condition, at)
  const known = last?.key === 'arguments' && last.value.kind === 'map' ? last.value.entries : undefined
  if (!known && entries.some(({ key }) => key === 'arguments')) return false
  const compared = withComparison(known ?? [], condition.name, next)
  if (!compared) return false
  const line = known ? last?.line : at('conditions', `param_${next.key}`)
  entries.splice(known ? -1 : entries.length, known ? 1 : 0, entry('arguments', map(compared), line))
  return true
}

function withComparison(known: readonly Entry[], name: string, next: Entry): readonly Entry[] | undefined {
  const last = known.at(-1)
  if (last?.key === name && last.value.kind === 'map') {
    const before = last.value.entries
    if (before.some(({ key }) => key === next.key)) return undefined
    return [...known.slice(0, -1), { ...last, value: map([...before, next]) }]
  }
  if (known.some(({ key }) => key === name)) return undefined
  return [...known, entry(name, map([next]), next.line)]
}

function plainEntry(condition: Exclude<OrderedCondition, { name: string }>, at: LineOf): Entry {
  switch (condition.kind) {
    case 'after':
    case 'before':
      return entry(condition.kind, word(`"${clockText(condition.minute)}"`), at('conditions', `time_${condition.kind}`))
    case 'weekdays':
      return entry('weekdays', list(condition.days.map(number)), at('conditions', 'weekdays'))
    case 'words':
      return entry('words', list(condition.words.map(text)), at('conditions', 'semantic'))
  }
  return condition satisfies never
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

function comparisonEntry(condition: Extract<OrderedCondition, { name: string }>, at: LineOf): Entry {
  const { name } = condition
  switch (condition.kind) {
    case 'compare':
      return entry(condition.by, jsonOut(condition.value), at('conditions', `param_${condition.by}`, name))
    case 'contains':
      return entry('contains', jsonOut(condition.value), at('conditions', 'param_contains', name))
    case 'matches':
      return entry('matches', text(condition.pattern.written), at('conditions', 'param_matches', name))
  }
  return condition satisfies never
}

function jsonOut(value: Json): Out {
  if (Array.isArray(value)) return list(value.map((item: Json) => jsonOut(item)))
  if (value === null || typeof value !== 'object') return scalar(value)
  return map(Object.entries(value).map(([key, member]) => entry(key, jsonOut(member as Json))))
}
