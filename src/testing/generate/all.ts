/** Cases of an `all` policy: of each entry a call that is allowed, and of each question one that it stops. */
import type { Principal } from '../../model/call.ts'
import { binds, isFor, listsFor } from '../../model/callers.ts'
import { type Check, checksOf } from '../../model/checks.ts'
import { matchingEntries, type Target } from '../../model/match.ts'
import {
  type AllPolicy,
  type Condition,
  type Entry,
  judgedMethods,
  type Method,
  type Path,
  pathText,
  type Rule,
  type Test,
} from '../../model/policy.ts'
import { stops } from '../../reference/all.ts'
import { questionText } from '../../reference/explainAll.ts'
import { truthOf } from '../../reference/truth.ts'
import { type Attempt, climbed, inputFor, type Moves, withArgument } from './climb.ts'
import { callersFor, nameFor } from './names.ts'
import { textsMatching } from './pattern.ts'
import type { Sketch, Sketches } from './sketch.ts'
import { amountsFor, type Value, valuesFor } from './values.ts'

/** ISO 4217 has it for amounts that are in none: a currency that a policy hardly allows. */
const noCurrency = 'XXX'

export function sketchesOfAll(policy: AllPolicy, somebody: Principal, timeMs: number): Sketches {
  const asked = new Set<string>()
  const targets = targetsOf(policy)
  const parts = targets.map(
    (target) => new Around(policy, { target, principal: somebody, arguments: {}, timeMs }, asked),
  )
  const sketches = parts.flatMap((part) => part.sketches())
  const missed = policy.entries.flatMap((entry) =>
    checksOf(policy, [entry]).flatMap((check) =>
      asked.has(idOf(check)) ? [] : [`${entry.key}: ${check.rule.name}: ${questionText(check)}`],
    ),
  )
  return { sketches: [...sketches, ...unlisted(policy, somebody, timeMs)], missed }
}

/** One target of each entry; those of `"*"` only where nothing else has them. */
function targetsOf({ entries }: AllPolicy): readonly Target[] {
  const targets = entries.flatMap((entry) => {
    const [pattern] = entry.match
    if (!pattern) return []
    return [
      { method: entry.method, server: pattern.server ? nameFor(pattern.server) : '', name: nameFor(pattern.name) },
    ]
  })
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()]
}

const nouns: Readonly<Record<Method, string>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
}

function unlisted(policy: AllPolicy, principal: Principal, timeMs: number): readonly Sketch[] {
  const methods = judgedMethods.filter(
    (method) => method === 'tools/call' || policy.entries.some((entry) => entry.method === method),
  )
  return methods.map((method) => ({
    name: `a ${nouns[method]} that the policy does not name`,
    attempt: { target: { method, server: '', name: `another_${nouns[method]}` }, principal, arguments: {}, timeMs },
  }))
}

/** The calls of one target. */
class Around {
  readonly #policy: AllPolicy
  readonly #start: Attempt
  readonly #entries: readonly Entry[]
  readonly #checks: readonly Check[]
  readonly #moves: Moves
  /** Questions that some call is stopped by. */
  readonly #asked: Set<string>

  constructor(policy: AllPolicy, start: Attempt, asked: Set<string>) {
    this.#policy = policy
    this.#start = start
    this.#asked = asked
    this.#entries = matchingEntries(policy, start.target)
    this.#checks = checksOf(policy, this.#entries)
    this.#moves = movesOf(this.#entries, start.principal)
  }

  sketches(): readonly Sketch[] {
    const { name } = this.#start.target
    const fine = climbed(this.#start, this.#moves, (attempt) => this.#progress(attempt))
    const isAllowed = this.#progress(fine) > this.#checks.length
    const allowed: readonly Sketch[] = isAllowed ? [{ name: `${name} is allowed`, attempt: fine }] : []
    return [
      ...allowed,
      ...this.#ofOthers(fine),
      ...this.#checks.flatMap((check, index) => this.#stopped(check, index, fine)),
    ]
  }

  /** A call by somebody whom an entry is not for. */
  #ofOthers(fine: Attempt): readonly Sketch[] {
    const other: Attempt = { ...fine, principal: this.#start.principal }
    if (!this.#entries.some((entry) => entry.for && isFor(entry.for, other.principal) === 'no')) return []
    return [{ name: `${this.#start.target.name} by somebody whom it is not for`, attempt: other }]
  }

  #stopped(check: Check, index: number, fine: Attempt): readonly Sketch[] {
    const { question, rule, entry } = check
    const id = idOf(check)
    if (this.#asked.has(id)) return []
    const title = `${this.#start.target.name}: ${rule.name}: `
    if (question.kind === 'room') {
      const attempt = this.#boundBy(rule, this.#undisturbed(fine, check))
      if (!attempt) return []
      this.#asked.add(id)
      return [{ name: `${title}${questionText(check)}`, attempt, next: { untilRefusedBy: rule.name } }]
    }
    const near = climbed(fine, this.#moves, (attempt) => this.#nearness(attempt, index))
    if (this.#first(near) !== index) return this.#countedUp(check, fine, near, title)
    this.#asked.add(id)
    const first: Sketch = {
      name: `${title}${questionText(check)}`,
      attempt: near,
      ...(rule.effect === 'hold' && { next: 'approved' as const }),
    }
    return [first, ...this.#more(check, index, fine, near, title), ...this.#unbound(rule, entry, near, title)]
  }

  /** What a rule reads may stand there once calls were made: to those that it is about, or else to any. */
  #countedUp(check: Check, fine: Attempt, near: Attempt, title: string): readonly Sketch[] {
    const { question, rule } = check
    if (question.kind !== 'reads' && !(question.kind === 'cleared' && question.readings.length > 0)) return []
    const allowed = this.#progress(near) > this.#checks.length ? near : fine
    const attempt = this.#boundBy(rule, this.#undisturbed(allowed, check))
    if (!attempt) return []
    this.#asked.add(idOf(check))
    return [{ name: `${title}${questionText(check)}`, attempt, next: { untilRefusedBy: rule.name } }]
  }

  /** Other rules that read counters are not to stop it on the way: what they ask beside that is proved to fail. */
  #undisturbed(allowed: Attempt, wanted: Check): Attempt {
    const reading = this.#checks.filter(({ question }) => question.kind === 'cleared' && question.readings.length > 0)
    const others = reading.filter((check) => check !== wanted)
    if (others.length === 0) return allowed
    return climbed(allowed, this.#moves, (attempt) => {
      if (this.#progress(attempt) <= this.#checks.length) return 0
      const clear = others.filter((check) => unclearedPart(check, attempt) < 1)
      return 1 + unclearedPart(wanted, attempt) * others.length + clear.length
    })
  }

  /** An allowed call of somebody whom the rule binds. */
  #boundBy(rule: Rule, fine: Attempt): Attempt | undefined {
    const callers = [{}, ...callersFor(rule.for)]
    return callers
      .map((known) => ({ ...fine, principal: { ...fine.principal, ...known } }))
      .find((attempt) => binds(rule, attempt.principal) && this.#progress(attempt) > this.#checks.length)
  }

  /** Other values that the same question stops: over the other bound, and no value at all. */
  #more({ question }: Check, index: number, fine: Attempt, near: Attempt, title: string): readonly Sketch[] {
    if (question.kind !== 'holds') return []
    const { path, test } = question.condition
    const said = new Set([JSON.stringify(near.arguments)])
    const sketches: Sketch[] = []
    const tries = [...(test.kind === 'range' || test.kind === 'length' ? valuesFor(test) : []), undefined]
    for (const value of tries) {
      const attempt = { ...fine, arguments: withArgument(fine.arguments, path, value) }
      const isNew = !said.has(JSON.stringify(attempt.arguments))
      if (!isNew || this.#first(attempt) !== index) continue
      const isMissing = value === undefined
      if (!isMissing && truthOf(question.condition, attempt.arguments, 'require') !== 'no') continue
      said.add(JSON.stringify(attempt.arguments))
      const what = isMissing ? `without \`${pathText(path)}\`` : `\`${pathText(path)}\` ${shown(value)}`
      sketches.push({ name: `${title}${what}`, attempt })
    }
    return sketches
  }

  /** The same call by somebody whom the rule is not for. */
  #unbound(rule: Rule, entry: Entry, near: Attempt, title: string): readonly Sketch[] {
    const other = { ...near, principal: this.#start.principal }
    if (!rule.for || isFor(rule.for, other.principal) !== 'no' || !binds(entry, other.principal)) return []
    return [{ name: `${title}not for somebody else`, attempt: other }]
  }

  /** Which question stops it; -1: no entry lists it, the number of questions: none. */
  #first(attempt: Attempt): number {
    const input = inputFor(this.#policy, attempt)
    const lister = this.#entries.find((entry) => listsFor(entry, attempt.principal))
    if (this.#policy.default === 'deny' && !lister) return -1
    const index = this.#checks.findIndex((check) => binds(check.entry, attempt.principal) && stops(check, input))
    return index === -1 ? this.#checks.length : index
  }

  /** Above the number of questions when nothing stops it. */
  #progress(attempt: Attempt): number {
    const index = this.#first(attempt)
    return index < this.#checks.length ? index : this.#checks.length + 1
  }

  /** How much is missing for this question to be the one that stops it. */
  #nearness(attempt: Attempt, wanted: number): number {
    const index = this.#first(attempt)
    if (index < wanted) return index
    if (index === wanted) return wanted + 1
    const check = this.#checks[wanted] as Check
    if (!binds(check.rule, attempt.principal) || !binds(check.entry, attempt.principal)) return wanted
    return wanted + unclearedPart(check, attempt) / 2
  }
}

/** Which part of the conditions of a stop is not proved to fail. */
function unclearedPart({ question }: Check, { arguments: args }: Attempt): number {
  if (question.kind !== 'cleared' || question.conditions.length === 0) return 0
  const open = question.conditions.filter((condition) => truthOf(condition, args, 'stop') !== 'no')
  return open.length / question.conditions.length
}

function shown(value: Value): string {
  const written = JSON.stringify(value)
  return written.length > 40 ? `of ${written.length} characters` : written
}

function idOf({ entry, rule, question }: Check): string {
  return JSON.stringify([entry.method, entry.key, rule.place, rule.name, question])
}

function movesOf(entries: readonly Entry[], somebody: Principal): Moves {
  const rules = entries.flatMap((entry) => entry.rules)
  const values = new Map<string, { readonly path: Path; readonly values: Value[] }>()
  const add = (path: Path, more: readonly Value[]) => {
    const known = values.get(pathText(path)) ?? { path, values: [] }
    values.set(pathText(path), known)
    known.values.push(
      ...more.filter((value) => !known.values.some((one) => JSON.stringify(one) === JSON.stringify(value))),
    )
  }
  // What says more of a value is tried first: a number of some kind may be any, and a range has a bound.
  const isVague = ({ test }: Condition) => ['type', 'present', 'exists'].includes(test.kind)
  const all: readonly Condition[] = rules.flatMap((rule) => rule.conditions)
  const conditions = [...all.filter((one) => !isVague(one)), ...all.filter(isVague)]
  for (const { path, test } of conditions) add(path, valuesFor(test))
  // A text below a folder that another rule looks for, too.
  for (const { path, test } of conditions) add(path, below(test, values.get(pathText(path))?.values ?? []))
  for (const { spend, limits } of rules) {
    const caps = limits.filter(({ counter }) => typeof counter.measure === 'object' && 'amount' in counter.measure)
    if (spend)
      add(
        spend.amount,
        amountsFor([...(spend.perCallMicro === undefined ? [] : [spend.perCallMicro]), ...caps.map(({ max }) => max)]),
      )
    if (spend?.currency) add(spend.currency.path, [...spend.currency.allowed.slice(0, 2), noCurrency, undefined])
    for (const { counter } of limits)
      for (const per of counter.per) if (per.kind === 'argument') add(per.path, ['some', undefined])
  }
  for (const { values: known } of values.values()) if (!known.includes(undefined)) known.push(undefined)
  const callers = [...entries, ...rules].flatMap((one) => callersFor(one.for))
  return { arguments: [...values.values()], principals: [...callers, somebody], timesMs: [] }
}

/** Combinations that are tried of one condition. */
const belowMax = 20

function below(test: Test, values: readonly Value[]): readonly Value[] {
  const [sample] = test.kind === 'pattern' ? textsMatching(test.pattern, true) : []
  const folder = test.kind === 'prefix' ? test.prefix : sample && `${sample}/`
  if (!folder) return []
  const texts = values.filter((value) => typeof value === 'string' && value !== '' && !value.startsWith(folder))
  return texts.slice(0, belowMax).map((text) => `${folder}${text}`)
}
