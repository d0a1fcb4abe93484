/** Why ordered rules decide as they do: each rule that speaks of the tool, up to the first that matches. */
import type { Input } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import { matchesGlob } from '../model/fnmatch.ts'
import type { FirstPolicy, OrderedCondition, OrderedRule } from '../model/ordered.ts'
import type { Seen, Step } from './explain.ts'
import { evaluateFirst, speaksOf, truthOf } from './first.ts'

/** A step is a rule: it passes where the rule matches the call, and then it decides. */
export function explainFirst(policy: FirstPolicy, input: Input): readonly Step[] {
  if (input.method !== 'tools/call') return [noTool(policy, input)]
  const spoken = policy.rules.filter((rule) => speaksOfTool(rule, input))
  const at = spoken.findIndex((rule) => resultOf(rule, input) !== 'failed')
  const steps = spoken.map((rule, index) =>
    ruleStep(rule, at >= 0 && index > at, index === at, input, {
      before: spoken.slice(0, index),
      laterAllows:
        policy.otherwise.effect === 'allow' || spoken.slice(index + 1).some(({ effect }) => effect === 'allow'),
    }),
  )
  return [...steps, defaultStep(policy, at < 0, input, spoken)]
}

/** Rules of other tools and other servers are left out: they are many, and say nothing here. */
function speaksOfTool({ match }: OrderedRule, { tool = '', server }: Input): boolean {
  return matchesGlob(match.type, tool) && matchesGlob(match.target, server)
}

function resultOf(rule: OrderedRule, input: Input): 'passed' | 'failed' | 'unclear' {
  if (!speaksOf(rule, input)) return 'failed'
  const unmet = unmetIn(rule, input)
  if (!unmet) return 'passed'
  return truthOf(unmet, input) === 'unclear' ? 'unclear' : 'failed'
}

function unmetIn({ conditions }: OrderedRule, input: Input): OrderedCondition | undefined {
  return conditions.find((condition) => truthOf(condition, input) !== 'yes')
}

/** The rules of the same tool around one of them. */
interface Around {
  readonly before: readonly OrderedRule[]
  /** Could a call go on to something that allows it? */
  readonly laterAllows: boolean
}

function ruleStep(rule: OrderedRule, late: boolean, decides: boolean, input: Input, around: Around): Step {
  const { name, place, effect } = rule
  const asks = `${doing[effect]} when ${whenText(rule)}`
  if (late) return { rule: name, place, asks, saw: [], result: 'not_reached', decides: false }
  const result = resultOf(rule, input)
  const step: Step = { rule: name, place, asks, saw: seenBy(rule, input), result, decides }
  const allows = effect === 'allow' || (effect === 'hold' && input.approved !== undefined)
  if (!decides || (result === 'passed' && allows)) return step
  return { ...step, otherwise: otherwise(rule, result, input, around) }
}

const doing = { allow: 'allowed', hold: 'a person approves', deny: 'refused' } as const

function whenText({ match, conditions }: OrderedRule): string {
  const globs = [
    `the tool is \`${match.type}\``,
    ...(match.target === '*' ? [] : [`the server is \`${match.target}\``]),
    ...(match.agent === '*' ? [] : [`the agent is \`${match.agent}\``]),
  ]
  return [...globs, ...conditions.map(conditionText)].join('; and ')
}

export function conditionText(condition: OrderedCondition): string {
  switch (condition.kind) {
    case 'after':
      return `it is ${clock(condition.minute)} UTC or later`
    case 'before':
      return `it is before ${clock(condition.minute)} UTC`
    case 'weekdays':
      return `the day is one of ${condition.days.map((day) => weekdays[day - 1] ?? String(day)).join(', ')} (UTC)`
    case 'compare':
      return `argument \`${condition.name}\` is ${signs[condition.by]} ${JSON.stringify(condition.value)}`
    case 'contains':
      return `argument \`${condition.name}\` contains ${JSON.stringify(condition.value)}`
    case 'matches':
      return `argument \`${condition.name}\` has a match of \`${condition.pattern.written}\``
    case 'words':
      return `the call has one of the words ${condition.words.join(', ')}`
  }
  return condition satisfies never
}

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const signs = { eq: 'equal to', gt: 'greater than', lt: 'less than', gte: 'at least', lte: 'at most' } as const

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

/** What its conditions are about, up to the one that is not met. */
function seenBy(rule: OrderedRule, input: Input): readonly Seen[] {
  const { agent } = input.principal
  if (!speaksOf(rule, input)) return [{ name: 'agent', ...(agent !== undefined && { value: agent }) }]
  const unmet = unmetIn(rule, input)
  const asked = unmet ? rule.conditions.slice(0, rule.conditions.indexOf(unmet) + 1) : rule.conditions
  const seen = new Map(asked.map((condition) => seenIn(condition, input)).map((one) => [one.name, one]))
  return [...seen.values()]
}

function seenIn(condition: OrderedCondition, input: Input): Seen {
  switch (condition.kind) {
    case 'after':
    case 'before':
    case 'weekdays':
      return { name: 'the time', value: input.time }
    case 'words':
      return { name: 'words of the call', value: Object.keys(input.words ?? {}) }
    case 'matches':
      return member(condition.name, input.texts ?? {})
    case 'compare':
    case 'contains':
      return member(condition.name, input.arguments as Readonly<Record<string, Json>>)
  }
  return condition satisfies never
}

function member(name: string, of: Readonly<Record<string, Json>>): Seen {
  return { name: `argument \`${name}\``, ...(Object.hasOwn(of, name) && { value: of[name] as Json }) }
}

function otherwise(
  rule: OrderedRule,
  result: Step['result'],
  input: Input,
  { before, laterAllows }: Around,
): readonly string[] {
  const unclear = result === 'unclear' ? unmetIn(rule, input) : undefined
  const leaving = unclear ? [unclear] : rule.conditions
  const said = [
    ...meeting(rule, unclear),
    ...allowing(before, input),
    ...(laterAllows ? leaving : []).map(
      (condition) =>
        `${unclear ? clearly : ''}that this does not hold, and a later rule allows it: ${conditionText(condition)}`,
    ),
  ]
  if (said.length > 0) return said
  return [
    leaving.length > 0 ? 'a rule that allows the tool' : 'nothing in the arguments: the rule is for every such call',
  ]
}

const clearly = 'a value that can be compared, and '

/** What would do while the rule decides. */
function meeting({ effect }: OrderedRule, unclear: OrderedCondition | undefined): readonly string[] {
  if (effect === 'deny') return []
  const approved = effect === 'hold' ? ['approval by a person'] : []
  return unclear ? [[`${clearly}that this holds: ${conditionText(unclear)}`, ...approved].join('; and ')] : approved
}

/** Rules before that would have allowed it, and what they still asked. */
function allowing(before: readonly OrderedRule[], input: Input): readonly string[] {
  return before
    .filter(({ effect }) => effect === 'allow')
    .map((rule) => {
      const unmet = rule.conditions.filter((condition) => truthOf(condition, input) !== 'yes').map(conditionText)
      const agent = speaksOf(rule, input) ? [] : [`the agent is \`${rule.match.agent}\``]
      return `rule \`${rule.name}\`: ${[...agent, ...unmet].join('; and ')}`
    })
}

function defaultStep(policy: FirstPolicy, decides: boolean, input: Input, spoken: readonly OrderedRule[]): Step {
  const { effect } = policy.otherwise
  const asks = `${doing[effect]} when no rule matches`
  const rule = '<default>'
  if (!decides) return { rule, asks, saw: [], result: 'not_reached', decides }
  const allows = effect === 'allow' || (effect === 'hold' && input.approved !== undefined)
  if (allows) return { rule, asks, saw: [], result: 'passed', decides }
  const approval = effect === 'hold' ? ['approval by a person'] : []
  const rules = allowing(spoken, input)
  const said = [...approval, ...rules, ...(rules.length === 0 ? ['a rule that allows the tool'] : [])]
  return { rule, asks, saw: [], result: 'passed', decides, otherwise: said }
}

function noTool(policy: FirstPolicy, input: Input): Step {
  const { rule } = evaluateFirst(policy, input)
  return {
    rule,
    asks: 'the call is of a tool',
    saw: [],
    result: 'failed',
    decides: true,
    otherwise: ['a call of a tool: the rules speak of nothing else'],
  }
}
