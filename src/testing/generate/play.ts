/** Sketches are played through the gate, and what comes of each call is what the case expects. */
import type { Call } from '../../model/call.ts'
import type { Json } from '../../model/canonical.ts'
import type { ActiveLayers, ActivePolicy } from '../../pep/active.ts'
import { outcomeOf } from '../compare.ts'
import { type Judged, Stage } from '../stage.ts'
import { type Attempt, callOf } from './climb.ts'
import type { Sketch } from './sketch.ts'
import { UntilRefused } from './untilRefused.ts'

export interface PlayedCase {
  readonly name: string
  readonly sketch: Sketch
  /** Calls that were made before. */
  readonly facts?: readonly Fact[]
  readonly steps: readonly PlayedStep[]
}

export interface Fact {
  readonly attempt: Attempt
  readonly times: number
}

/** A call as often as it was decided so, or an answer. */
export type PlayedStep =
  | { readonly kind: 'approve'; readonly by: string }
  | {
      readonly kind: 'call'
      readonly times: number
      /** How much later than the step before. */
      readonly afterMs: number
      /** Where it is somebody else than who called first. */
      readonly user?: string
      readonly expect: Json
    }

/** Undefined when the limit is not reached that was to be shown. */
export function playedSketch(sketch: Sketch, active: ActivePolicy | ActiveLayers): PlayedCase | undefined {
  const stage = new Stage(active, { startMs: sketch.attempt.timeMs, listless: true })
  try {
    const steps = stepsOf(sketch, stage)
    return steps && { name: sketch.name, sketch, steps }
  } finally {
    stage.close()
  }
}

function stepsOf({ attempt, next }: Sketch, stage: Stage): readonly PlayedStep[] | undefined {
  if (typeof next === 'object') return new UntilRefused(stage, attempt, next.untilRefusedBy).steps()
  const call = callOf(attempt)
  const first = judged(stage, call)
  const steps: readonly PlayedStep[] = [made(first)]
  if (next !== 'approved' || first.decision.decision !== 'hold') return steps
  stage.answer('approve', 'ada')
  return [...steps, { kind: 'approve', by: 'ada' }, made(judged(stage, call))]
}

/** An allowed call is executed. */
export function judged(stage: Stage, call: Call): Judged {
  const one = stage.judge(call)
  if (one.decision.decision === 'allow') stage.settle(one.decision, 'success')
  return one
}

/** False where one of them is refused: what the policy refuses was not taken. */
export function playedFacts(stage: Stage, facts: readonly Fact[]): boolean {
  return facts.every(({ attempt, times }) => {
    stage.advance(attempt.timeMs)
    return Array.from({ length: times }).every(() => judged(stage, callOf(attempt)).decision.decision === 'allow')
  })
}

export function made(judged: Judged): Extract<PlayedStep, { kind: 'call' }> {
  return { kind: 'call', times: 1, afterMs: 0, expect: expectationOf(judged) }
}

/** What the case stands on, and no words: those are improved. */
export function expectationOf(judged: Judged): Json {
  const { decision, reason_code, rule, risk_level, reserved, layers, retry_after_ms } = outcomeOf(judged)
  const level = risk_level === undefined ? {} : { risk_level }
  if (decision === 'allow') {
    const taken = { ...(reserved !== undefined && { reserved }), ...level }
    return Object.keys(taken).length === 0 ? 'allow' : ({ decision, ...taken } as Json)
  }
  const waits = retry_after_ms === undefined ? {} : { retry_after_ms }
  return {
    ...({ decision, reason_code, rule, ...level, ...waits } as object),
    ...(layers !== undefined && { layers: decisionsOf(layers) }),
  } as Json
}

function decisionsOf(layers: Json): Json {
  const entries = Object.entries(layers as Readonly<Record<string, { readonly decision: string }>>)
  return Object.fromEntries(entries.map(([name, { decision }]) => [name, decision]))
}
