/**
 * The decision rule of one package of an `all` policy: an else-chain over the checks of its entries, so that the first one that is not
 * proved decides, and the last word is written down too. An entry that may or may not match (a glob over names that
 * the policy does not spell out, a server) carries a guard.
 */
import { allowVerdict, type Check, checksOf, type Question, unlistedVerdict } from '../model/checks.ts'
import type { RiskLevel, Verdict } from '../model/decision.ts'
import { riskLevels } from '../model/decision.ts'
import { type AllPolicy, type Counter, type Entry, type Method, type Place, pathText } from '../model/policy.ts'
import { riskOf, withRisk } from '../model/risk.ts'
import { noneOfThem, oneOfThem } from './callers.ts'
import { approvedBody, proofs, readingProofs } from './conditions.ts'
import { comment, ref, term } from './quote.ts'
import { Rules } from './rules.ts'

/** An entry that can match, and the expressions that say when it does its target. None: always. */
export interface Candidate {
  readonly entry: Entry
  readonly when: readonly (readonly string[])[]
}

/** The text below the package line: the decision, then what it stands on. */
export function chainText(policy: AllPolicy, method: Method, candidates: readonly Candidate[]): string {
  const rules = new Rules()
  const guards = new Map<Entry, string>()
  const listed = new Map<Entry, string>()
  for (const { entry, when } of candidates) {
    const about = (does: string) => comment(`${JSON.stringify(entry.key)} (${placeText(entry.place)}) ${does}`)
    const { for: callers } = entry
    if (when.length === 0 && !callers) continue
    const applies = when.length === 0 ? undefined : rules.add([], when, about('applies'))
    const there = applies === undefined ? [] : [applies]
    if (!callers) {
      guards.set(entry, applies as string)
      listed.set(entry, applies as string)
      continue
    }
    guards.set(entry, rules.add([], [[...there, `not ${noneOfThem(callers, rules)}`]], about('binds the caller')))
    if (entry.lists)
      listed.set(entry, rules.add([], [[...there, oneOfThem(callers, rules)]], about('is for the caller')))
  }
  const risk = riskTerm(candidates, guards, rules)
  const links = upToTheLast([
    ...denyUnlisted(policy, method, candidates, listed, rules),
    ...stops(policy, candidates, guards, rules),
    ...allows(policy, method, candidates, listed),
  ])
  const chain = links.map(({ verdict, when }, index) => {
    const head = index === 0 ? 'decision := ' : 'else := '
    return `${head}${verdictTerm(verdict, risk)}${when.length === 0 ? '' : ` if {\n${when.map((line) => `\t${line}`).join('\n')}\n}`}`
  })
  return `${chain.join('\n\n')}\n${rules.text}\n`
}

interface Link {
  readonly verdict: Verdict
  /** When it is the answer. None: always, so it is the last. */
  readonly when: readonly string[]
}

/** What comes after an answer without a condition is never reached. */
function upToTheLast(links: readonly Link[]): readonly Link[] {
  const last = links.findIndex((link) => link.when.length === 0)
  return links.slice(0, last + 1)
}

type Guards = ReadonlyMap<Entry, string>

function denyUnlisted(
  policy: AllPolicy,
  method: Method,
  candidates: readonly Candidate[],
  guards: Guards,
  rules: Rules,
): readonly Link[] {
  if (policy.default === 'allow') return []
  const listing = candidates.map(({ entry }) => entry).filter((entry) => entry.lists)
  if (listing.length === 0) return [{ verdict: unlistedVerdict(policy, method), when: [] }]
  if (listing.some((entry) => !guards.has(entry))) return []
  const listed = rules.add(
    [],
    listing.map((entry) => [guards.get(entry) as string]),
    comment('an entry lists it'),
  )
  return [{ verdict: unlistedVerdict(policy, method), when: [`not ${listed}`] }]
}

function stops(policy: AllPolicy, candidates: readonly Candidate[], guards: Guards, rules: Rules): readonly Link[] {
  const checks = checksOf(
    policy,
    candidates.map(({ entry }) => entry),
  )
  return checks.map((check) => {
    const guard = guards.get(check.entry)
    const proof = proofOf(check, rules)
    return {
      verdict: check.stop,
      when: [...(guard ? [guard] : []), ...(proof === undefined ? [] : [`not ${proof}`])],
    }
  })
}

function allows(policy: AllPolicy, method: Method, candidates: readonly Candidate[], guards: Guards): readonly Link[] {
  const links: Link[] = []
  for (const { entry } of candidates) {
    if (!entry.lists) continue
    const guard = guards.get(entry)
    links.push({ verdict: allowVerdict(policy, entry), when: guard ? [guard] : [] })
    if (!guard) return links
  }
  return [
    ...links,
    { verdict: policy.default === 'allow' ? allowVerdict(policy) : unlistedVerdict(policy, method), when: [] },
  ]
}

/** The rule that proves the check passed; undefined when nothing can. */
function proofOf({ question, rule, stop }: Check, rules: Rules): string | undefined {
  const others = rule.for ? [[noneOfThem(rule.for, rules)]] : []
  const bodies = [...questionBodies(question, rules), ...others]
  const what = question.kind === 'cleared' ? `does not ${rule.effect === 'deny' ? 'deny' : 'hold'}` : stop.message
  return bodies.length === 0
    ? undefined
    : rules.add([], bodies, comment(`${JSON.stringify(rule.name)} (${placeText(rule.place)}): ${what}`))
}

function questionBodies(question: Question, rules: Rules): readonly (readonly string[])[] {
  switch (question.kind) {
    case 'holds':
      return proofs(question.condition, 'holds', rules)
    case 'cleared':
      return [
        ...question.conditions.flatMap((condition) => proofs(condition, 'fails', rules)),
        ...question.readings.flatMap((reading) => readingProofs(reading, 'fails')),
        ...(question.hold === undefined ? [] : [[approvedBody(question.hold)]]),
      ]
    case 'reads':
      return readingProofs(question.reading, 'holds')
    case 'amount':
      return [[`is_number(${amountRef(question.amount)})`]]
    case 'currency':
      return [
        [`${ref('input.arguments', question.path)} in {${question.allowed.map((code) => term(code)).join(', ')}}`],
      ]
    case 'per_call':
      return [[`is_number(${amountRef(question.amount)})`, `${amountRef(question.amount)} <= ${term(question.max)}`]]
    case 'room':
      return [roomBody(question.counter, question.max)]
  }
  return question satisfies never
}

function roomBody(counter: Counter, max: number): readonly string[] {
  const used = ref('input.facts', [counter.id])
  const { measure } = counter
  if (measure === 'calls') return [`is_number(${used})`, `${used} + 1 <= ${term(max)}`]
  if ('step' in measure) return [`is_number(${used})`, `${used} + ${term(measure.step)} <= ${term(max)}`]
  const amount = amountRef(measure.amount)
  return [`is_number(${used})`, `is_number(${amount})`, `${used} + ${amount} <= ${term(max)}`]
}

function amountRef(path: readonly string[]): string {
  return ref('input.amounts', [pathText(path)])
}

/** The risk that every verdict of this package carries: a term, or a rule where it depends on guards. */
function riskTerm(
  candidates: readonly Candidate[],
  guards: Guards,
  rules: Rules,
): { level?: RiskLevel; guarded?: string } {
  const levels = candidates.map(({ entry }) => ({ guard: guards.get(entry), level: riskOf([entry]) }))
  const always = riskLevels.findLast((level) => levels.some((l) => l.level === level && l.guard === undefined))
  const above = riskLevels.slice(always === undefined ? 0 : riskLevels.indexOf(always) + 1)
  const guarded = above.filter((level) => levels.some((l) => l.level === level)).reverse()
  if (guarded.length === 0) return always === undefined ? {} : { level: always }
  const bodies = guarded.map((level) => {
    const on = rules.add(
      [],
      levels.flatMap((l) => (l.level === level && l.guard ? [[l.guard]] : [])),
    )
    return `{"risk_level": ${term(level)}} if ${on}`
  })
  return { guarded: rules.choose([...bodies, always === undefined ? '{}' : `{"risk_level": ${term(always)}}`]) }
}

function verdictTerm(verdict: Verdict, risk: { level?: RiskLevel; guarded?: string }): string {
  const text = term(withRisk(verdict, risk.level) as never)
  return risk.guarded === undefined ? text : `object.union(${text}, ${risk.guarded})`
}

export function placeText(place: Place): string {
  return `${place.file}:${place.line}`
}
