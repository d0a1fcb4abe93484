/** The calls of one target: one that is allowed, and for each question of its rules those that it stops. */
import { binds, isFor, listsFor } from '../../model/callers.ts'
import { type Check, checksOf } from '../../model/checks.ts'
import { matchingEntries } from '../../model/match.ts'
import { type AllPolicy, type Entry, pathText, type Rule } from '../../model/policy.ts'
import { stops } from '../../reference/all.ts'
import { questionText } from '../../reference/explainAll.ts'
import { truthOf } from '../../reference/truth.ts'
import { type Attempt, climbed, inputFor, type Moves, withArgument } from './climb.ts'
import { movesOf } from './moves.ts'
import { callersFor } from './names.ts'
import type { Sketch } from './sketch.ts'
import { type Value, valuesFor } from './values.ts'

export class Around {
  readonly #policy: AllPolicy
  readonly #start: Attempt
  readonly #entries: readonly Entry[]
  readonly #checks: readonly Check[]
  readonly #moves: Moves
  #fine: Attempt | undefined
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

  /** A call that is allowed, or the nearest to one. */
  get fine(): Attempt {
    this.#fine ??= climbed(this.#start, this.#moves, (attempt) => this.#progress(attempt))
    return this.#fine
  }

  /** Does an allowed call of this target take from the counter? */
  counts(counter: string): boolean {
    const counting = this.#checks.filter(({ question }) => question.kind === 'room' && question.counter.id === counter)
    return (
      counting.some(({ rule }) => binds(rule, this.fine.principal)) && this.#progress(this.fine) > this.#checks.length
    )
  }

  /** `feeder` gives an allowed call that takes from a counter. */
  sketches(feeder: (counter: string) => Attempt | undefined): readonly Sketch[] {
    const { name } = this.#start.target
    const { fine } = this
    const isAllowed = this.#progress(fine) > this.#checks.length
    const allowed: readonly Sketch[] = isAllowed ? [{ name: `${name} is allowed`, attempt: fine }] : []
    return [
      ...allowed,
      ...this.#ofOthers(fine),
      ...this.#checks.flatMap((check, index) => this.#stopped(check, index, fine, feeder)),
    ]
  }

  /** A call by somebody whom an entry is not for. */
  #ofOthers(fine: Attempt): readonly Sketch[] {
    const other: Attempt = { ...fine, principal: this.#start.principal }
    if (!this.#entries.some((entry) => entry.for && isFor(entry.for, other.principal) === 'no')) return []
    return [{ name: `${this.#start.target.name} by somebody whom it is not for`, attempt: other }]
  }

  #stopped(
    check: Check,
    index: number,
    fine: Attempt,
    feeder: (counter: string) => Attempt | undefined,
  ): readonly Sketch[] {
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
    if (this.#first(near) !== index) return this.#countedUp(check, near, title, feeder)
    this.#asked.add(id)
    const first: Sketch = {
      name: `${title}${questionText(check)}`,
      attempt: near,
      ...(rule.effect === 'hold' && { next: 'approved' as const }),
    }
    return [first, ...this.#more(check, index, fine, near, title), ...this.#unbound(rule, entry, near, title)]
  }

  /** What a rule reads may stand there once calls were made: to those that it is about, or else to any. */
  #countedUp(
    check: Check,
    near: Attempt,
    title: string,
    feeder: (counter: string) => Attempt | undefined,
  ): readonly Sketch[] {
    const { rule } = check
    const read = readBy(check)
    if (read.length === 0) return []
    const allowed = this.#progress(near) > this.#checks.length ? near : this.fine
    const attempt = this.#boundBy(rule, this.#undisturbed(allowed, check))
    if (!attempt) return []
    this.#asked.add(idOf(check))
    const [fedBy] = read.some((counter) => this.counts(counter)) ? [] : read.flatMap((one) => feeder(one) ?? [])
    const next = { untilRefusedBy: rule.name, ...(fedBy && { fedBy }) }
    return [{ name: `${title}${questionText(check)}`, attempt, next }]
  }

  /** Other rules that read counters are not to stop it on the way: what they ask beside that is proved to fail. */
  #undisturbed(allowed: Attempt, wanted: Check): Attempt {
    const reading = this.#checks.filter(({ question }) => question.kind === 'cleared')
    const others = reading.filter((check) => check !== wanted && readBy(check).length > 0)
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

/** Counters that the question is about, and that the call need not take from. */
function readBy({ question }: Check): readonly string[] {
  const readings = question.kind === 'reads' ? [question.reading] : question.kind === 'cleared' ? question.readings : []
  return readings.map(({ counter }) => counter.id)
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

export function idOf({ entry, rule, question }: Check): string {
  return JSON.stringify([entry.method, entry.key, rule.place, rule.name, question])
}
