/** What a policy of ordered rules means, on one page: the first rule that matches a call decides it. */
import type { Input } from '../model/call.ts'
import type { Verdict } from '../model/decision.ts'
import { noToolVerdict, type OrderedVerdicts, unclearVerdict, verdictsOf } from '../model/first.ts'
import { matchesGlob } from '../model/fnmatch.ts'
import type { FirstPolicy, OrderedCondition, OrderedRule } from '../model/ordered.ts'
import { isApproved } from './all.ts'
import { compared, contains, matched } from './python.ts'
import type { Truth } from './truth.ts'

export function evaluateFirst(policy: FirstPolicy, input: Input): Verdict {
  const { rules, otherwise } = policy
  if (input.method !== 'tools/call') return noToolVerdict(input.method)
  for (const rule of rules.filter((one) => speaksOf(one, input))) {
    const unmet = rule.conditions.find((condition) => truthOf(condition, input) !== 'yes')
    if (unmet === undefined) return said(verdictsOf(policy, rule, rule), input)
    if (truthOf(unmet, input) === 'unclear') return unclearVerdict(rule, unmet)
  }
  return said(verdictsOf(policy, otherwise), input)
}

function said({ verdict, approvable }: OrderedVerdicts, input: Input): Verdict {
  return approvable && isApproved(approvable.hold, input) ? approvable.verdict : verdict
}

/** An agent without a name is called `*`. */
export function speaksOf({ match }: OrderedRule, { tool = '', server, principal }: Input): boolean {
  const agent = principal.agent === undefined || principal.agent === '' ? '*' : principal.agent
  return matchesGlob(match.type, tool) && matchesGlob(match.target, server) && matchesGlob(match.agent, agent)
}

export function truthOf(condition: OrderedCondition, input: Input): Truth {
  switch (condition.kind) {
    case 'after':
      return truth(minuteOf(input.time) >= condition.minute)
    case 'before':
      return truth(minuteOf(input.time) < condition.minute)
    case 'weekdays':
      return truth(condition.days.includes(new Date(input.time).getUTCDay() || 7))
    case 'words':
      return truth(condition.words.some((word) => Object.hasOwn(input.words ?? {}, word)))
    case 'matches':
      return Object.hasOwn(input.texts ?? {}, condition.name)
        ? matched(condition.pattern, input.texts?.[condition.name] as string)
        : 'no'
    case 'compare':
    case 'contains': {
      const args = input.arguments as Readonly<Record<string, never>>
      const value = Object.hasOwn(args, condition.name) ? args[condition.name] : null
      if (value === null) return 'no'
      return condition.kind === 'contains'
        ? contains(value as never, condition.value)
        : compared(condition.by, value as never, condition.value)
    }
  }
  return condition satisfies never
}

function minuteOf(time: string): number {
  const at = new Date(time)
  return at.getUTCHours() * 60 + at.getUTCMinutes()
}

function truth(is: boolean): Truth {
  return is ? 'yes' : 'no'
}
