/** Plays the cases of a suite, each over an empty ledger, and says what was not as expected. */
import type { Call } from '../model/call.ts'
import type { Json } from '../model/canonical.ts'
import { messageOf } from '../model/errors.ts'
import type { Method } from '../model/policy.ts'
import type { ActiveLayers, ActivePolicy } from '../pep/active.ts'
import { differencesOf, outcomeOf } from './compare.ts'
import type { CaseResult, Failure } from './result.ts'
import { type Judged, Stage } from './stage.ts'
import type { CallStep, Case, ListStep, Step, Suite } from './suite.ts'

export interface PlayOptions {
  /** Of the cases whose names match; the others are left out. */
  readonly only?: RegExp
  /** The first failure ends it: what comes after is not tried. */
  readonly failFast?: boolean
  /** Told of every call that was judged. */
  readonly watch?: (judged: WatchedCall) => void
}

export interface WatchedCall extends Judged {
  readonly testCase: Case
  readonly step: CallStep
}

/** The policy is the suite's, compiled and ready, or another one in its place. */
export function playSuite(
  suite: Suite,
  active: ActivePolicy | ActiveLayers,
  { only, failFast = false, watch }: PlayOptions = {},
): readonly CaseResult[] {
  const results: CaseResult[] = []
  for (const testCase of suite.cases) {
    if (only && !only.test(testCase.name)) continue
    const result = playCase(testCase, active, watch)
    results.push(result)
    if (failFast && (result.status === 'failed' || result.status === 'errored')) break
  }
  return results
}

/** Never throws: what fails inside is an error of the case. */
export function playCase(
  testCase: Case,
  active: ActivePolicy | ActiveLayers,
  watch?: PlayOptions['watch'],
): CaseResult {
  const { name, at, skip } = testCase
  if (skip !== undefined) return { name, at, status: 'skipped', skip, durationMs: 0, failures: [] }
  const startedMs = performance.now()
  const failures: Failure[] = []
  let status: CaseResult['status'] = 'passed'
  try {
    failures.push(...played(testCase, active, watch))
    if (failures.length > 0) status = 'failed'
  } catch (error) {
    status = 'errored'
    failures.push(error instanceof Impossible ? error.failure : { at, message: messageOf(error), differences: [] })
  }
  return { name, at, status, durationMs: performance.now() - startedMs, failures }
}

/** What the case wants to have happened cannot happen. */
class Impossible extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

function played(testCase: Case, active: ActivePolicy | ActiveLayers, watch: PlayOptions['watch']): Failure[] {
  const [first] = testCase.steps
  const listless = !testCase.steps.some((step) => step.kind === 'list')
  const stage = new Stage(active, { startMs: first?.timeMs ?? 0, listless })
  try {
    return testCase.steps.flatMap((step) => {
      stage.advance(step.timeMs)
      const failures = taken(stage, step, testCase, watch)
      const [trouble] = stage.troubles()
      if (trouble !== undefined) throw impossible(step, `the gate failed: ${messageOf(trouble)}`)
      return failures
    })
  } finally {
    stage.close()
  }
}

function impossible({ at }: Step, message: string): Impossible {
  return new Impossible({ at, message, differences: [] })
}

function taken(stage: Stage, step: Step, testCase: Case, watch: PlayOptions['watch']): readonly Failure[] {
  switch (step.kind) {
    case 'call':
      return called(stage, step, (judged) => watch?.({ ...judged, testCase, step }))
    case 'list':
      return listed(stage, step)
    case 'approve':
    case 'reject':
      attempt(step, () => stage.answer(step.kind, step.by))
      return []
    case 'kill':
    case 'lift':
      attempt(step, () => stage.stop(step.kind, step.target))
      return []
  }
  return step satisfies never
}

function attempt(step: Step, work: () => void): void {
  try {
    work()
  } catch (error) {
    throw impossible(step, messageOf(error))
  }
}

/** Of a call that is made several times, the first that is not decided as expected is told. */
function called(stage: Stage, step: CallStep, told: (judged: Judged) => void): readonly Failure[] {
  const { call, times, outcome: ending, isFact, expect, at } = step
  for (let time = 1; time <= times; time++) {
    const judged = stage.judge(call)
    told(judged)
    if (judged.decision.decision === 'allow') stage.settle(judged.decision, ending)
    const outcome = outcomeOf(judged)
    const message = times === 1 ? callTitle(call) : `${callTitle(call)}, time ${time} of ${times}`
    if (isFact && judged.decision.decision !== 'allow')
      throw impossible(step, `what the case starts from cannot be: ${message} is refused (${refusal(outcome)})`)
    const differences = differencesOf(outcome, expect)
    if (differences.length > 0) return [{ at, message, differences, outcome }]
  }
  return []
}

function refusal({ decision, reason_code, message }: Readonly<Record<string, Json>>): string {
  return `${decision}, ${reason_code}: ${message}`
}

const methods: Readonly<Record<ListStep['list'], Method>> = {
  tools: 'tools/call',
  resources: 'resources/read',
  prompts: 'prompts/get',
}

function listed(stage: Stage, { at, list, items, names, asked, expect }: ListStep): readonly Failure[] {
  const shown = stage.shown(methods[list], names, { ...asked, tools: items, isLast: true })
  const outcome = { shows: names.filter((_, index) => shown[index]) }
  const differences = differencesOf(outcome, expect)
  return differences.length === 0 ? [] : [{ at, message: `the list of ${list}`, differences, outcome }]
}

const shownCharsMax = 80

/** `create_refund {"amount":5}` */
export function callTitle({ name, arguments: args }: Call): string {
  const written = JSON.stringify(args)
  if (written === '{}') return name
  return `${name} ${written.length > shownCharsMax ? `${written.slice(0, shownCharsMax - 3)}...` : written}`
}
