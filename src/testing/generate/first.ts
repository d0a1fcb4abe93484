/** Cases of a policy of ordered rules: of each rule a call that it decides, and one that just misses it. */
import type { Principal } from '../../model/call.ts'
import type { Json } from '../../model/canonical.ts'
import { globParts, takes } from '../../model/fnmatch.ts'
import type { FirstPolicy, OrderedCondition, OrderedRule } from '../../model/ordered.ts'
import { conditionText } from '../../reference/explainFirst.ts'
import { evaluateFirst, speaksOf, truthOf } from '../../reference/first.ts'
import { type Attempt, climbed, inputFor, type Moves, withArgument } from './climb.ts'
import { textsMatching } from './pattern.ts'
import type { Sketch, Sketches } from './sketch.ts'
import type { Value } from './values.ts'

export function sketchesOfFirst(policy: FirstPolicy, somebody: Principal, timeMs: number): Sketches {
  const moves = movesOf(policy, timeMs)
  const missed: string[] = []
  const sketches = policy.rules.flatMap((rule): readonly Sketch[] => {
    const start = attemptFor(rule, somebody, timeMs)
    const found = climbed(start, moves, (attempt) => nearness(policy, rule, attempt))
    if (!decides(policy, rule, found)) {
      missed.push(`${rule.name}: an earlier rule, or none, decides every call that was tried`)
      return []
    }
    const next = rule.effect === 'hold' ? { next: 'approved' as const } : {}
    return [{ name: `${rule.name} decides`, attempt: found, ...next }, ...misses(policy, rule, found, moves)]
  })
  const other = { method: 'tools/call', server: '', name: 'another_tool' } as const
  const otherwise: Sketch = {
    name: 'a tool that no rule names',
    attempt: { target: other, principal: somebody, arguments: {}, timeMs },
  }
  return { sketches: [...sketches, otherwise], missed }
}

function attemptFor({ match }: OrderedRule, somebody: Principal, timeMs: number): Attempt {
  const agent = textFor(match.agent)
  return {
    target: {
      method: 'tools/call',
      server: match.target === '*' ? '' : textFor(match.target),
      name: textFor(match.type),
    },
    principal: match.agent === '*' ? somebody : { ...somebody, agent },
    arguments: {},
    timeMs,
  }
}

/** A text that the glob matches. */
function textFor(glob: string): string {
  const chars = ['x', 'a', 'A', '0', '1', '-', '_', ' ', 'z', 'é']
  const text = globParts(glob).map((part) => {
    if (part.kind === 'char') return part.char
    return part.kind === 'run' ? 'x' : (chars.find((char) => takes(part, char)) ?? 'x')
  })
  return text.join('')
}

function decides(policy: FirstPolicy, rule: OrderedRule, attempt: Attempt): boolean {
  const input = inputFor(policy, attempt)
  const deciding = policy.rules.find(
    (one) => speaksOf(one, input) && one.conditions.every((condition) => truthOf(condition, input) === 'yes'),
  )
  return deciding === rule && evaluateFirst(policy, input).rule === rule.name
}

function nearness(policy: FirstPolicy, rule: OrderedRule, attempt: Attempt): number {
  if (decides(policy, rule, attempt)) return 2
  const input = inputFor(policy, attempt)
  if (!speaksOf(rule, input)) return -1
  const met = rule.conditions.filter((condition) => truthOf(condition, input) === 'yes').length
  return rule.conditions.length === 0 ? 0 : met / rule.conditions.length
}

/** Each condition in turn is not met, and the call falls to another rule. */
function misses(policy: FirstPolicy, rule: OrderedRule, found: Attempt, moves: Moves): readonly Sketch[] {
  return rule.conditions.flatMap((condition) => {
    const isMissed = (attempt: Attempt) => {
      const input = inputFor(policy, attempt)
      return rule.conditions.every((one) => (truthOf(one, input) === 'yes') === (one !== condition))
    }
    const values = 'name' in condition ? valuesFor(condition) : []
    const tries = [
      ...values.map((value) => ({ ...found, arguments: withArgument(found.arguments, [nameOf(condition)], value) })),
      ...moves.timesMs.map((timeMs) => ({ ...found, timeMs })),
    ]
    const attempt = tries.find(isMissed)
    return attempt ? [{ name: `${rule.name} does not decide: ${conditionText(condition)}`, attempt }] : []
  })
}

function nameOf(condition: OrderedCondition): string {
  return 'name' in condition ? condition.name : 'note'
}

function movesOf({ rules }: FirstPolicy, timeMs: number): Moves {
  const values = new Map<string, Value[]>()
  const conditions = rules.flatMap((rule) => rule.conditions)
  for (const condition of conditions) {
    const name = nameOf(condition)
    values.set(name, [...(values.get(name) ?? []), ...valuesFor(condition)])
  }
  return {
    arguments: [...values].map(([name, all]) => ({ path: [name], values: [...all, undefined] })),
    principals: [],
    timesMs: [...new Set(timesFor(conditions, timeMs))],
  }
}

const dayMs = 86_400_000
const minuteMs = 60_000

/** The minutes that conditions name, and those before them, on a day of each kind. */
function timesFor(conditions: readonly OrderedCondition[], startMs: number): readonly number[] {
  const midnight = startMs - (startMs % dayMs)
  const minutes = conditions.flatMap((one) => ('minute' in one ? [one.minute, one.minute - 1, one.minute + 1] : []))
  const days = conditions.some(({ kind }) => kind === 'weekdays') ? [0, 1, 2, 3, 4, 5, 6] : [0]
  return days.flatMap((day) => [
    startMs + day * dayMs,
    ...minutes.filter((minute) => minute >= 0).map((minute) => midnight + day * dayMs + minute * minuteMs),
  ])
}

function valuesFor(condition: OrderedCondition): readonly Value[] {
  switch (condition.kind) {
    case 'compare':
      return comparedTo(condition.value)
    case 'contains':
      return [typeof condition.value === 'string' ? condition.value : [condition.value], [condition.value], 'other', []]
    case 'matches':
      return [...textsMatching(condition.pattern.ascii, false), 'other', '']
    case 'words':
      return [...condition.words.slice(0, 3), 'other']
    case 'after':
    case 'before':
    case 'weekdays':
      return []
  }
  return condition satisfies never
}

function comparedTo(value: Json): readonly Value[] {
  if (typeof value === 'number') {
    const step = Number.isInteger(value) ? 1 : 0.01
    return [value, ...[value + step, value - step].map((near) => Number(near.toFixed(6)))]
  }
  if (typeof value === 'string') return [value, `${value}a`, '', `${value}-other`]
  return [value, 'other']
}
