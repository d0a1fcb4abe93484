/** Changes of ordered rules. */
import { literalOf } from '../../model/fnmatch.ts'
import type { Answer, Comparison, FirstPolicy, OrderedCondition, OrderedRule } from '../../model/ordered.ts'
import { conditionText } from '../../reference/explainFirst.ts'
import { type Edit, each, fewer, neighbours, within, without } from './edit.ts'

export function orderedEdits(policy: FirstPolicy): readonly Edit<FirstPolicy>[] {
  const rules = [...without(policy.rules, ({ name }) => `no rule \`${name}\``), ...each(policy.rules, ruleEdits)]
  return [
    ...within(answerEdits(policy.otherwise, 'no rule matches'), (to) => ({ ...policy, otherwise: to })),
    ...within(rules, (to) => ({ ...policy, rules: to })),
  ]
}

const words = { allow: 'allowed', hold: 'held', deny: 'denied' } as const

function answerEdits<T extends Answer>(answer: T, who: string): readonly Edit<T>[] {
  const effect = answer.effect === 'allow' ? 'deny' : 'allow'
  return [{ to: { ...answer, effect }, change: `${who}: ${words[answer.effect]}; now: ${words[effect]}` }]
}

function ruleEdits(rule: OrderedRule): readonly Edit<OrderedRule>[] {
  const { conditions } = rule
  const changed = [
    ...without(conditions, (condition) => `not asked: ${conditionText(condition)}`),
    ...each(conditions, (condition) =>
      conditionEdits(condition).map((to) => ({ to, change: `${conditionText(condition)}; now: ${conditionText(to)}` })),
    ),
  ]
  return [
    ...answerEdits(rule, `\`${rule.name}\``),
    ...widened(rule),
    ...within(changed, (to) => ({ ...rule, conditions: to })),
  ]
}

const parts = { type: 'tool', target: 'server', agent: 'agent' } as const

/** The name of a tool is not widened: no slip says less by it than another name. */
function widened(rule: OrderedRule): readonly Edit<OrderedRule>[] {
  return (Object.keys(parts) as (keyof typeof parts)[]).flatMap((part) => {
    const glob = rule.match[part]
    if (/^\*+$/.test(glob) || (part === 'type' && literalOf(glob) !== undefined)) return []
    const to = { ...rule, match: { ...rule.match, [part]: '*' } }
    return [{ to, change: `for ${parts[part]} \`${glob}\`; now: for any` }]
  })
}

const beside: Readonly<Record<Comparison, Comparison | undefined>> = {
  gt: 'gte',
  gte: 'gt',
  lt: 'lte',
  lte: 'lt',
  eq: undefined,
}

function conditionEdits(condition: OrderedCondition): readonly OrderedCondition[] {
  switch (condition.kind) {
    case 'after':
    case 'before':
      return [condition.minute - 1, condition.minute + 1]
        .filter((minute) => minute >= 0 && minute < 24 * 60)
        .map((minute) => ({ ...condition, minute }))
    case 'weekdays':
      return fewer(condition.days, String).map(({ to }) => ({ ...condition, days: to }))
    case 'words':
      return fewer(condition.words, String).map(({ to }) => ({ ...condition, words: to }))
    case 'compare': {
      const { by, value } = condition
      const other = beside[by]
      const shifted = typeof value === 'number' && other ? neighbours(value) : []
      return [
        ...(other ? [{ ...condition, by: other }] : []),
        ...shifted.map((next) => ({ ...condition, value: next })),
      ]
    }
    case 'contains':
    case 'matches':
      return []
  }
  return condition satisfies never
}
