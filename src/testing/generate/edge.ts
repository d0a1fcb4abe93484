/** The case of a limit once more, from facts: what was taken before leaves room for one call, and the next one is refused. */
import type { ActiveLayers, ActivePolicy } from '../../pep/active.ts'
import { Stage } from '../stage.ts'
import { type Attempt, callOf } from './climb.ts'
import { type Fact, judged, made, type PlayedCase, type PlayedStep, playedFacts } from './play.ts'

/** Undefined where nothing was taken before, and where it does not come to the same when it was taken before. */
export function atTheEdge(limit: PlayedCase, active: ActivePolicy | ActiveLayers): PlayedCase | undefined {
  const { allowed, refused } = callsOf(limit)
  const last = allowed.at(-1)
  const { next } = limit.sketch
  if (!refused || !last || typeof next !== 'object') return undefined
  const facts = [...allowed.slice(0, -1), { ...last, times: last.times - 1 }].filter(({ times }) => times > 0)
  const [first] = facts
  if (!first) return undefined
  const stage = new Stage(active, { startMs: first.attempt.timeMs, listless: true })
  try {
    if (!playedFacts(stage, facts)) return undefined
    stage.advance(refused.timeMs)
    const [one, other] = [judged(stage, callOf(last.attempt)), judged(stage, callOf(refused))]
    if (one.decision.decision !== 'allow' || other.decision.rule !== next.untilRefusedBy) return undefined
    const { user } = last.attempt.principal
    const steps: readonly PlayedStep[] = [
      { ...made(one), ...(user !== undefined && user !== refused.principal.user && { user }) },
      made(other),
    ]
    const name = `${limit.name}, with room for one`
    return { name, sketch: { name, attempt: refused }, facts, steps }
  } finally {
    stage.close()
  }
}

/** Those that were let through, and the first that was not. */
function callsOf({ sketch: { attempt }, steps }: PlayedCase): {
  readonly allowed: readonly Fact[]
  readonly refused?: Attempt
} {
  const allowed: Fact[] = []
  let { timeMs } = attempt
  for (const step of steps) {
    if (step.kind !== 'call') return { allowed }
    timeMs += step.afterMs
    const principal = { ...attempt.principal, ...(step.user !== undefined && { user: step.user }) }
    const made = { ...attempt, principal, timeMs }
    if (step.expect !== 'allow') return { allowed, refused: made }
    allowed.push({ attempt: made, times: step.times })
  }
  return { allowed }
}
