/** Coverage of ordered rules: each rule with its conditions, and what stands for calls that none matches. */
import type { Input } from '../../model/call.ts'
import type { FirstPolicy, OrderedRule } from '../../model/ordered.ts'
import { conditionText } from '../../reference/explainFirst.ts'
import { speaksOf, truthOf } from '../../reference/first.ts'
import type { Written } from '../written.ts'
import { type Item, newBranch, newItem, type Tally } from './item.ts'

export function tallyOfFirst(policy: FirstPolicy, { placeOf }: Written): Tally {
  const rules = policy.rules.map((rule): readonly [OrderedRule, Item] => [
    rule,
    newItem({
      kind: 'rule',
      name: rule.name,
      place: rule.place,
      branches: rule.conditions.map((one) => newBranch(conditionText(one), placeOf([one, rule]))),
    }),
  ])
  const otherwise = newItem({ kind: 'default', name: `default: ${policy.otherwise.effect}`, place: placeOf([]) })
  return { items: [...rules.map(([, item]) => item), otherwise], saw: (input) => count(rules, otherwise, input) }
}

function count(rules: readonly (readonly [OrderedRule, Item])[], otherwise: Item, input: Input): void {
  if (input.method !== 'tools/call') return
  for (const [rule, item] of rules) {
    if (!speaksOf(rule, input)) continue
    const result = countRule(rule, item, input)
    if (result !== 'failed') return
  }
  otherwise.asked++
  otherwise.decided++
}

/** A condition after the one that is not met is not asked; one that cannot be answered refuses the call, and decides nothing. */
function countRule(rule: OrderedRule, item: Item, input: Input): 'matched' | 'failed' | 'unclear' {
  item.asked++
  for (const [index, condition] of rule.conditions.entries()) {
    const truth = truthOf(condition, input)
    const branch = item.branches[index]
    if (branch && truth !== 'unclear') branch[truth]++
    if (truth === 'yes') continue
    item.met++
    return truth === 'unclear' ? 'unclear' : 'failed'
  }
  item.decided++
  return 'matched'
}
