/** Cases from facts: of a limit, where what was taken before leaves room for one call; of a rule that reads what others count. */
import type { ActiveLayers, ActivePolicy } from '../../pep/active.ts'
import { Stage } from '../stage.ts'
import { type Attempt, callOf } from './climb.ts'
import { type Fact, judged, made, type PlayedCase, type PlayedStep, playedFacts } from './play.ts'
import type { Sketch } from './sketch.ts'

/** Calls that are tried as the facts of one. */
const factsMax = 2_000

/** The call that a rule stops once others have counted: those are its facts. Undefined where they do not come to it. */
export function afterFacts(sketch: Sketch, active: ActivePolicy | ActiveLayers): PlayedCase | undefined {
  const { attempt, name, next } = sketch
  if (typeof next !== 'object' || !next.fedBy) return undefined
  const stage = new Stage(active, { startMs: attempt.timeMs, listless: true })
  try {
    for (let times = 0; times < factsMax; times++) {
      const { decision, rule } = stage.wouldBe(callOf(attempt))
      if (decision !== 'allow') {
        const isIt = rule === next.untilRefusedBy && times > 0
        const facts = [{ attempt: next.fedBy, times }]
        return isIt ? { name, sketch, facts, steps: [made(judged(stage, callOf(attempt)))] } : undefined
      }
      if (judged(stage, callOf(next.fedBy)).decision.decision !== 'allow') return undefined
    }
    return undefined
  } finally {
    stage.close()
  }
}

/** The same with one fact less: it is not stopped yet. */
function justBefore(
  { name, sketch, facts = [] }: PlayedCase,
  active: ActivePolicy | ActiveLayers,
): PlayedCase | undefined {
  const fewer = facts.map((fact) => ({ ...fact, times: fact.times - 1 })).filter(({ times }) => times > 0)
  const stage = new Stage(active, { startMs: sketch.attempt.timeMs, listless: true })
  try {
    if (!playedFacts(stage, fewer)) return undefined
    const one = judged(stage, callOf(sketch.attempt))
    if (one.decision.decision !== 'allow') return undefined
    return { name: `${name}, with one call less before it`, sketch, facts: fewer, steps: [made(one)] }
  } finally {
    stage.close()
  }
}

/** Undefined where nothing was taken before, and where it does not come to the same when it was taken before. */
export function atTheEdge(limit: PlayedCase, active: ActivePolicy | ActiveLayers): PlayedCase | undefined {
  if (limit.facts) return justBefore(limit, active)
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
