/** When an `all` policy decides in which way: `src/reference/all.ts`, with what a call could be in the place of a call. */
import { binds, listsFor } from '../model/callers.ts'
import { checksOf, type Question } from '../model/checks.ts'
import { microOf } from '../model/decimal.ts'
import { perValueCharsMax } from '../model/limits.ts'
import { matchingEntries, type Target } from '../model/match.ts'
import { type AllPolicy, type Counter, type Path, pathText, type Reading, type Rule } from '../model/policy.ts'
import { outside } from '../model/spans.ts'
import { conditionIs, isAmount, isPlain, noteCondition, noteValues, placeAt, type Space, valueIs } from './ask.ts'
import type { About, Cases, Stop } from './cases.ts'
import { stepOf } from './counts.ts'
import { and, type Formula, no, not, or, yes } from './formula.ts'
import type { Thresholds } from './thresholds.ts'

export function noteAll(
  { root }: Pick<Space, 'root'>,
  policy: AllPolicy,
  target: Target,
  thresholds: Thresholds,
): void {
  for (const rule of matchingEntries(policy, target).flatMap(({ rules }) => rules)) {
    for (const condition of rule.conditions) noteCondition(root, condition)
    if (rule.spend?.currency) noteValues(placeAt(root, rule.spend.currency.path), rule.spend.currency.allowed)
    if (rule.spend) thresholds.noteAmount(rule.spend.amount, rule.spend.perCallMicro)
    for (const { counter, max } of rule.limits) thresholds.noteLimit(counter, max)
    for (const { counter, spans } of rule.readings ?? []) thresholds.noteReading(counter, spans)
    for (const counter of countersOf(rule))
      for (const path of splitPaths(counter)) placeAt(root, path).halves.add(perValueCharsMax + 1)
  }
}

function countersOf({ limits, readings = [] }: Rule): readonly Counter[] {
  return [...limits, ...readings].map(({ counter }) => counter)
}

/** Arguments without which nobody knows which counter is meant. */
function splitPaths({ per, measure }: Counter): readonly Path[] {
  const currency = typeof measure === 'object' && 'amount' in measure ? measure.currency : undefined
  return [...per.flatMap((field) => (field.kind === 'argument' ? [field.path] : [])), ...(currency ? [currency] : [])]
}

interface Counting {
  readonly countedAs: (counterId: string) => string
  /** Amounts that the policy reads of the target: others are not known to it. */
  readonly amounts: ReadonlySet<string>
}

export function casesOfAll(
  space: Space,
  policy: AllPolicy,
  { target, principal }: About,
  countedAs: Counting['countedAs'],
): Cases {
  const matching = matchingEntries(policy, target)
  const entries = matching.filter((entry) => binds(entry, principal))
  if (policy.default === 'deny' && !entries.some((entry) => listsFor(entry, principal)))
    return { deny: [{ first: yes, alone: yes }], hold: [], allow: no }
  const checks = checksOf(policy, entries).filter(({ rule }) => binds(rule, principal))
  const spends = matching.flatMap(({ rules }) => rules.flatMap(({ spend }) => (spend ? [pathText(spend.amount)] : [])))
  const counting = { countedAs, amounts: new Set(spends) }
  const deny: Stop[] = []
  const hold: Stop[] = []
  const asked = checks.map(({ question, stop }) => ({ stop, passes: passing(space, question, counting) }))
  let passed = yes
  for (const [index, { stop, passes }] of asked.entries()) {
    const first = and(passed, not(passes))
    const others = asked.slice(index + 1).map((one) => one.passes)
    const cases = stop.decision === 'hold' ? hold : deny
    cases.push({ first, alone: and(first, ...others) })
    passed = and(passed, passes)
  }
  return { deny, hold, allow: passed }
}

/** The answer is a proved yes. What was approved is left aside: that is another question. */
function passing(space: Space, question: Question, counting: Counting): Formula {
  switch (question.kind) {
    case 'holds':
      return conditionIs(space, space.root, question.condition, 'require', 'yes')
    case 'cleared':
      return or(
        ...question.conditions.map((condition) => conditionIs(space, space.root, condition, 'stop', 'no')),
        ...question.readings.map((reading) => reads(space, { ...reading, spans: outside(reading.spans) }, counting)),
      )
    case 'reads':
      return reads(space, question.reading, counting)
    case 'amount':
      return isAmount(space, question.amount)
    case 'currency':
      return valueIs(space, question.path, `is ${question.allowed.join()}`, (value) =>
        question.allowed.some((code) => code === value),
      )
    case 'per_call':
      return valueIs(space, question.amount, `at most ${question.max}`, (value) => {
        const micro = microOf(value)
        return micro !== undefined && micro <= question.max
      })
    case 'room':
      return hasRoom(space, question.counter, question.max, counting)
  }
  return question satisfies never
}

function reads(space: Space, { counter, spans }: Reading, { countedAs }: Counting): Formula {
  const counted = { key: countedAs(counter.id), step: stepOf(counter) }
  return and(isKept(space, counter), { kind: 'count', count: { counted, adds: 0 }, spans })
}

function hasRoom(space: Space, counter: Counter, max: number, { countedAs, amounts }: Counting): Formula {
  const counted = { key: countedAs(counter.id), step: stepOf(counter) }
  const { measure } = counter
  const kept = isKept(space, counter)
  if (measure === 'calls' || 'step' in measure)
    return and(kept, { kind: 'count', count: { counted, adds: stepOf(counter) }, spans: [{ max }] })
  if (!amounts.has(pathText(measure.amount))) return no
  const adds = placeAt(space.root, measure.amount).variable
  return and(kept, isAmount(space, measure.amount), { kind: 'count', count: { counted, adds }, spans: [{ max }] })
}

/** It can be told which counter is meant. */
function isKept(space: Space, counter: Counter): Formula {
  return and(...splitPaths(counter).map((path) => isPlain(space, path)))
}
