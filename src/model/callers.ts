/** Which callers a rule or an entry is for, and how sure that is of one. */
import type { Principal } from './call.ts'
import { matches } from './match.ts'
import type { Bound } from './plan.ts'
import type { Callers, CallerTest, Entry, Pattern, Rule } from './policy.ts'

/** `unclear`: what would decide it is not known of the caller. */
export type Certainty = 'yes' | 'no' | 'unclear'

/** Any of the alternatives, and of each all that it says. Without any, everybody. */
export function isFor(callers: Callers | undefined, principal: Principal): Certainty {
  if (callers === undefined) return 'yes'
  const certainties = callers.map((test) => isOne(test, principal))
  return certainties.includes('yes') ? 'yes' : certainties.includes('unclear') ? 'unclear' : 'no'
}

/** What may be for the caller binds it: to keep quiet about oneself gets nobody around a rule. */
export function binds({ for: callers }: Pick<Entry | Rule, 'for'>, principal: Principal): boolean {
  return isFor(callers, principal) !== 'no'
}

/** What allows something must be for the caller for sure. */
export function listsFor({ lists, for: callers }: Entry, principal: Principal): boolean {
  return lists && isFor(callers, principal) === 'yes'
}

/** The lowest of the limits that bind the caller: up to here there is room. Undefined: it charges nothing. */
export function maxFor(bounds: readonly Bound[], principal: Principal): number | undefined {
  const binding = bounds.filter((bound) => bound.for.every((callers) => isFor(callers, principal) !== 'no'))
  return binding.length === 0 ? undefined : Math.min(...binding.map(({ max }) => max))
}

function isOne(test: CallerTest, { agent, user, project, groups }: Principal): Certainty {
  const certainties = [
    ...(test.agent ? [isNamed(test.agent, agent)] : []),
    ...(test.user ? [isNamed(test.user, user)] : []),
    ...(test.project ? [isNamed(test.project, project)] : []),
    ...(test.groups ? [isInGroup(test.groups, groups)] : []),
  ]
  return certainties.includes('no') ? 'no' : certainties.includes('unclear') ? 'unclear' : 'yes'
}

function isNamed(patterns: readonly Pattern[], name: string | undefined): Certainty {
  if (name === undefined) return 'unclear'
  return patterns.some((pattern) => matches(pattern, name)) ? 'yes' : 'no'
}

function isInGroup(patterns: readonly Pattern[], groups: readonly string[] | undefined): Certainty {
  if (groups === undefined) return 'unclear'
  return groups.some((group) => patterns.some((pattern) => matches(pattern, group))) ? 'yes' : 'no'
}

/** As a counter calls it: `agent=bot-*, groups=a|b`. */
export function callersText(callers: Callers): string {
  return callers.map(testText).join(' or ')
}

export const callerFields = ['agent', 'user', 'project', 'groups'] as const

function testText(test: CallerTest): string {
  return callerFields
    .flatMap((field) => {
      const patterns = test[field]
      return patterns ? [`${field}=${patterns.map(({ text }) => JSON.stringify(text)).join('|')}`] : []
    })
    .join(', ')
}
