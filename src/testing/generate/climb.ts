/** The search for a call that a policy decides in a wanted way: from one call to the next better one, an argument at a time. */
import type { Call, Input, Principal } from '../../model/call.ts'
import { counterKey } from '../../model/counters.ts'
import { amountsOf, inputOf } from '../../model/input.ts'
import type { Target } from '../../model/match.ts'
import type { Path, Policy } from '../../model/policy.ts'
import { planFor } from '../../model/strategy.ts'
import type { JsonMap } from '../caseFile/words.ts'
import { type Value, withValue } from './values.ts'

/** A call to try. */
export interface Attempt {
  readonly target: Target
  readonly principal: Principal
  readonly arguments: JsonMap
  readonly timeMs: number
  readonly session?: string
  readonly run?: JsonMap
}

/** What may be changed in it. */
export interface Moves {
  readonly arguments: readonly { readonly path: Path; readonly values: readonly Value[] }[]
  /** What may be put over what is known of the caller. */
  readonly principals: readonly Principal[]
  readonly timesMs: readonly number[]
}

/** Calls that are tried in one search: a policy that needs more of them has cases written by people. */
const attemptsMax = 20_000

/** The best that was found: `score` says how near it is. */
export function climbed(start: Attempt, moves: Moves, score: (attempt: Attempt) => number): Attempt {
  let best = start
  let reached = score(start)
  for (let tried = 0; tried < attemptsMax; ) {
    let better: Attempt | undefined
    for (const next of movesFrom(best, moves)) {
      tried++
      const at = score(next)
      if (at <= reached) continue
      reached = at
      better = next
    }
    if (!better) return best
    best = better
  }
  return best
}

function* movesFrom(from: Attempt, { arguments: paths, principals, timesMs }: Moves): Generator<Attempt> {
  for (const { path, values } of paths)
    for (const value of values) yield { ...from, arguments: withArgument(from.arguments, path, value) }
  for (const known of principals) yield { ...from, principal: { ...from.principal, ...known } }
  for (const timeMs of timesMs) yield { ...from, timeMs }
}

export function withArgument(args: JsonMap, path: Path, value: Value): JsonMap {
  return (withValue(args, path, value) ?? {}) as JsonMap
}

export function callOf({ target, principal, arguments: args, session = '', run }: Attempt): Call {
  return { ...target, principal, arguments: args, session, ...(run && { run }) }
}

/** What one policy would judge, with nothing counted before. */
export function inputFor(policy: Policy, attempt: Attempt): Input {
  const call = callOf(attempt)
  const plan = planFor(policy, attempt.target)
  const counted = plan.counters.filter((planned) => counterKey(planned.policyId, planned.counter, call))
  const facts = Object.fromEntries(counted.map(({ counter }) => [counter.id, 0]))
  return inputOf(call, plan, facts, amountsOf(call, plan), attempt.timeMs)
}
