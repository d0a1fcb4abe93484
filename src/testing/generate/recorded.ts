/**
 * Cases from recorded calls: of each caller and tool, each way in which it was decided, once. A call whose decision stood on
 * what was counted before gets the calls before it as facts.
 */
import type { Call, Principal } from '../../model/call.ts'
import type { Decision } from '../../model/decision.ts'
import type { LoadedSet, PolicyChoice } from '../../runtime/policySet.ts'
import { Stage } from '../stage.ts'
import type { Attempt } from './climb.ts'
import { type Generated, written } from './generate.ts'
import { type Fact, judged, made, type PlayedCase, playedFacts } from './play.ts'

/** A call with what came of it. */
export interface Recorded {
  readonly call: Call
  readonly timeMs: number
  readonly decided: Pick<Decision, 'decision' | 'reason_code' | 'rule'>
}

/** Cases that somebody would still read. */
const casesMax = 500

/** Calls before one that are tried as its facts. */
const factsMax = 1_000

export function casesOfRecorded(recorded: readonly Recorded[], loaded: LoadedSet, policy: PolicyChoice): Generated {
  const active = loaded.active()
  const firsts = [...Map.groupBy(recorded, kindOf).values()].flatMap(([first]) => first ?? [])
  const tried = firsts.slice(0, casesMax).map((one) => ({ one, result: played(one, recorded, active) }))
  const cases = tried.flatMap(({ result }) => result ?? [])
  const missed = [
    ...tried.filter(({ result }) => !result).map(({ one }) => missedText(one)),
    ...(firsts.length > casesMax ? [`${firsts.length - casesMax} more ways in which calls were decided`] : []),
  ]
  const notes = [
    'Written by `tollgate test --generate --from`. Each case says what was decided of a call, and what the policy decides of it now.',
    ...(missed.length === 0
      ? []
      : ['What was decided otherwise than the policy does now, or stood on more than the calls before:']),
    ...missed.map((one) => `- ${one}`),
  ]
  return written(cases, missed, { loaded, policy, somebody: mostFrequent(cases) }, notes)
}

function kindOf({ call, decided }: Recorded): string {
  const { method, server, name, principal } = call
  const { decision, reason_code, rule } = decided
  return JSON.stringify([method, server, name, principal.agent ?? null, decision, reason_code, rule])
}

function played(
  one: Recorded,
  recorded: readonly Recorded[],
  active: ReturnType<LoadedSet['active']>,
): PlayedCase | undefined {
  return playedAfter([], one, active) ?? playedAfter(factsOf(one, recorded), one, active)
}

function playedAfter(
  facts: readonly Fact[],
  { call, timeMs, decided }: Recorded,
  active: ReturnType<LoadedSet['active']>,
): PlayedCase | undefined {
  const stage = new Stage(active, { startMs: facts[0]?.attempt.timeMs ?? timeMs, listless: true })
  try {
    if (!playedFacts(stage, facts)) return undefined
    stage.advance(timeMs)
    const now = judged(stage, call)
    const { decision, reason_code, rule } = now.decision
    if (decision !== decided.decision || reason_code !== decided.reason_code || rule !== decided.rule) return undefined
    return {
      name: nameOf(call, decided),
      sketch: { name: '', attempt: attemptOf(call, timeMs) },
      facts,
      steps: [made(now)],
    }
  } finally {
    stage.close()
  }
}

/** Calls of the same tool that were let through before; those that follow each other and are the same are one. */
function factsOf({ call, timeMs }: Recorded, recorded: readonly Recorded[]): readonly Fact[] {
  const before = recorded
    .filter((one) => one.timeMs <= timeMs && one.call !== call && one.decided.decision === 'allow')
    .filter((one) => one.call.method === call.method && one.call.server === call.server && one.call.name === call.name)
  const facts: { attempt: Attempt; times: number }[] = []
  for (const one of before.slice(-factsMax)) {
    const attempt = attemptOf(one.call, one.timeMs)
    const last = facts.at(-1)
    if (last && JSON.stringify(last.attempt) === JSON.stringify(attempt)) last.times++
    else facts.push({ attempt, times: 1 })
  }
  return facts
}

function attemptOf({ method, server, name, principal, arguments: args, session, run }: Call, timeMs: number): Attempt {
  return {
    ...{ target: { method, server, name }, principal, arguments: args, timeMs, session },
    ...(run && { run: run as NonNullable<Attempt['run']> }),
  }
}

function nameOf({ name, principal }: Call, { decision, rule, reason_code }: Recorded['decided']): string {
  const who = principal.agent === undefined ? '' : ` by ${principal.agent}`
  const words = { allow: 'is allowed', deny: 'is denied', hold: 'waits for a person', kill: 'ends its session' }
  return `${name}${who} ${words[decision]}${decision === 'allow' ? '' : `: ${rule}, ${reason_code}`}`
}

function missedText({ call, timeMs, decided }: Recorded): string {
  return `${nameOf(call, decided)} (${new Date(timeMs).toISOString()})`
}

/** Who calls in most cases need not be said in each. */
function mostFrequent(cases: readonly PlayedCase[]): Principal {
  const counts = new Map<string, number>()
  for (const { sketch } of cases) {
    const key = JSON.stringify(sketch.attempt.principal)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const [[key] = ['{}']] = [...counts].sort(([, one], [, other]) => other - one)
  return JSON.parse(key) as Principal
}
