/** Ordered rules that decide nothing, because of the rules before them. */
import { coversGlob, literalOf } from '../../model/fnmatch.ts'
import type { OrderedCondition, OrderedRule } from '../../model/ordered.ts'
import { lineOf, quote, type Report } from '../diagnostics.ts'
import { comparedEntriesMax } from '../limits.ts'

export function reportNeverAsked(rules: readonly OrderedRule[], report: Report): void {
  const literals = new Map<string, OrderedRule[]>()
  const globs: OrderedRule[] = []
  for (const rule of rules) {
    const tool = literalOf(rule.match.type)
    const ofTool = tool === undefined ? [] : (literals.get(tool) ?? [])
    const before = [...globs.slice(0, comparedEntriesMax), ...ofTool.slice(0, comparedEntriesMax)]
    const first = before.find((one) => coversRule(one, rule) && coversConditions(one.conditions, rule.conditions))
    if (first) report.warning(rule.place, 'shadowed', sentence(first, rule))
    else if (tool === undefined) globs.push(rule)
    else literals.set(tool, [...ofTool, rule])
  }
}

function sentence(first: OrderedRule, rule: OrderedRule): string {
  const by = `${quote(first.name)} on ${lineOf(first.place, rule.place)}`
  return first.conditions.length === 0
    ? `${quote(rule.name)} is never asked: ${by} matches all its calls`
    : `${quote(rule.name)} decides nothing: ${by} matches every call that it matches`
}

function coversRule({ match: wide }: OrderedRule, { match: narrow }: OrderedRule): boolean {
  const parts = ['type', 'target', 'agent'] as const
  return parts.every((part) => coversGlob(wide[part], narrow[part]))
}

/**
 * Does the second rule not match wherever the first does not? A condition that cannot be answered refuses the call, so
 * none may be asked in the second before the one that fails with a condition of the first.
 */
function coversConditions(first: readonly OrderedCondition[], second: readonly OrderedCondition[]): boolean {
  return first.every((one, index) => {
    const met = first.slice(0, index).map((condition) => JSON.stringify(condition))
    const at = second.findIndex((other) => failsWith(one, other))
    return at !== -1 && second.slice(0, at).every((other) => isAnswered(other) || met.includes(JSON.stringify(other)))
  })
}

function isAnswered(condition: OrderedCondition): boolean {
  switch (condition.kind) {
    case 'after':
    case 'before':
    case 'weekdays':
    case 'words':
      return true
    case 'matches':
      return condition.pattern.wide !== undefined
    case 'compare':
      return condition.by === 'eq'
    case 'contains':
      return false
  }
  return condition satisfies never
}

/** Does the other fail whenever the one does? No, where that is not plain. */
function failsWith(one: OrderedCondition, other: OrderedCondition): boolean {
  if (one.kind === 'after' && other.kind === 'after') return one.minute <= other.minute
  if (one.kind === 'before' && other.kind === 'before') return one.minute >= other.minute
  if (one.kind === 'weekdays' && other.kind === 'weekdays') return other.days.every((day) => one.days.includes(day))
  if (one.kind === 'words' && other.kind === 'words') return other.words.every((word) => one.words.includes(word))
  if (one.kind === 'compare' && other.kind === 'compare' && isWithin(one, other)) return true
  return JSON.stringify(one) === JSON.stringify(other)
}

type Compared = OrderedCondition & { readonly kind: 'compare' }

/** Is every number that the other takes one that the one takes? */
function isWithin({ by, name, value }: Compared, other: Compared): boolean {
  if (name !== other.name || typeof value !== 'number' || typeof other.value !== 'number') return false
  const bound = other.value
  switch (by) {
    case 'eq':
      return other.by === 'eq' && bound === value
    case 'gt':
      return other.by === 'gt' ? bound >= value : (other.by === 'gte' || other.by === 'eq') && bound > value
    case 'gte':
      return (other.by === 'gt' || other.by === 'gte' || other.by === 'eq') && bound >= value
    case 'lt':
      return other.by === 'lt' ? bound <= value : (other.by === 'lte' || other.by === 'eq') && bound < value
    case 'lte':
      return (other.by === 'lt' || other.by === 'lte' || other.by === 'eq') && bound <= value
  }
  return by satisfies never
}
