/** Rules that look closed and have a way around them. */
import type { AllPolicy, Condition, Entry, Limit, Path, Rule, Test } from '../../model/policy.ts'
import { pathText } from '../../model/policy.ts'
import { literal, quote, type Report } from '../diagnostics.ts'
import { wholeMatch } from '../expressions.ts'
import { triedPatternsMax } from '../limits.ts'
import { isComparable, samePath } from './implied.ts'

export function reportEscapes(policy: AllPolicy, report: Report): void {
  const guards = guardsOf(policy.entries.flatMap((entry) => entry.rules))
  for (const entry of policy.entries) {
    for (const rule of entry.rules) {
      if (rule.effect === 'require') reportFolders(rule, guards, report)
      else reportEach(rule, report)
    }
    if (isComparable(entry.rules)) reportBudgets(entry, report)
  }
}

/** `each` in a rule that stops asks for all elements to be bad: one good one lets the others through. */
function reportEach(rule: Rule, report: Report): void {
  const action = rule.effect === 'deny' ? 'deny' : 'require_approval'
  for (const condition of rule.conditions)
    if (condition.test.kind === 'each')
      report.warning(
        report.placeOf(condition) ?? rule.place,
        'each_in_deny',
        `\`each\` with \`action: ${action}\` is about calls whose elements are all so, and one other clears them: write \`any\` to catch one`,
      )
}

/** A prefix is text: `/shared/../etc` begins with `/shared/` too. */
function reportFolders(rule: Rule, guards: Guards, report: Report): void {
  for (const { condition, path } of deep(rule.conditions)) {
    const { test } = condition
    if (test.kind !== 'prefix' || !isFolder(test.prefix, path)) continue
    const way = `${test.prefix}../x`
    if (isGuarded(path, way, guards)) continue
    report.warning(
      report.placeOf(condition) ?? rule.place,
      'escapable_prefix',
      `${quote(pathText(path))} may leave the folder: ${literal(way)} has the prefix ${literal(test.prefix)} too, so refuse \`..\` with \`pattern: '(\\.?[^.])*\\.?'\``,
    )
  }
}

interface DeepCondition {
  readonly condition: Condition
  /** From the root of the arguments, as if each array were its element. */
  readonly path: Path
}

function deep(conditions: readonly Condition[], base: Path = []): readonly DeepCondition[] {
  return conditions.flatMap((condition) => {
    const path = [...base, ...condition.path]
    const { test } = condition
    const below = test.kind === 'each' || test.kind === 'any' ? deep(test.conditions, path) : []
    return [{ condition, path }, ...below]
  })
}

const absolute = /^(?:\.{0,2}\/.|~\/|[A-Za-z]:[\\/]|file:\/\/)/
const pathWord = /^(?:paths?|files?|filename|filepath|dir|directory|folder|cwd)$/

/** Names like branches and addresses have prefixes with a slash too, and are left alone. */
function isFolder(prefix: string, path: Path): boolean {
  if (!prefix.endsWith('/') || /^[./~]*$/.test(prefix)) return false
  const words = (path.at(-1) ?? '').replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()
  return (
    absolute.test(prefix) || (!prefix.includes('://') && words.split(/[^a-z0-9]+/).some((word) => pathWord.test(word)))
  )
}

/** What may keep an argument from leading out of a folder, by the path of the argument. */
interface Guards {
  readonly byPath: ReadonlyMap<string, readonly { readonly test: Test; readonly effect: Rule['effect'] }[]>
  tried: number
}

function guardsOf(rules: readonly Rule[]): Guards {
  const all = rules.flatMap(({ effect, conditions }) =>
    deep(conditions).map(({ condition: { test }, path }) => ({ test, effect, path: pathText(path) })),
  )
  const able = all.filter(({ test }) => test.kind === 'pattern' || test.kind === 'enum')
  return { byPath: Map.groupBy(able, ({ path }) => path), tried: 0 }
}

/** Does some rule see to it that the argument is not this text? */
function isGuarded(path: Path, text: string, guards: Guards): boolean {
  return (guards.byPath.get(pathText(path)) ?? []).some(({ test, effect }) => {
    if (test.kind === 'enum') return effect === 'require'
    if (test.kind !== 'pattern' || guards.tried++ >= triedPatternsMax) return true
    return wholeMatch(test.pattern, text) !== (effect === 'require')
  })
}

/** The agent chooses its arguments: a cap for each value of one is no cap on what is spent. */
function reportBudgets({ rules }: Entry, report: Report): void {
  if (rules.some(({ effect, conditions }) => effect === 'hold' && conditions.length === 0)) return
  for (const rule of rules) {
    const free = rule.limits.find(({ counter }) => isAmount(counter) && chosen(counter, rules) !== undefined)
    const argument = free && chosen(free.counter, rules)
    if (!free || !argument || isCapped(rule, rules)) continue
    report.warning(
      report.placeOf(free) ?? rule.place,
      'escapable_budget',
      `the agent chooses ${quote(pathText(argument))}, and each value has a budget of its own: bind it with an \`enum\` or a \`pattern\`, or add a cap that is not kept by it`,
    )
  }
}

function isAmount({ measure }: Limit['counter']): boolean {
  return measure !== 'calls' && 'amount' in measure
}

/** The first argument that a counter is kept by and that nothing binds. */
function chosen({ per }: Limit['counter'], rules: readonly Rule[]): Path | undefined {
  for (const field of per) if (field.kind === 'argument' && !isBound(field.path, rules)) return field.path
  return undefined
}

function isBound(path: Path, rules: readonly Rule[]): boolean {
  return rules.some(
    ({ effect, conditions }) =>
      effect === 'require' &&
      conditions.some(
        ({ path: own, test }) => samePath(own, path) && (test.kind === 'enum' || test.kind === 'pattern'),
      ),
  )
}

/** Another cap on the same amount, or so many calls of so much at most. */
function isCapped({ spend }: Rule, rules: readonly Rule[]): boolean {
  return rules.some(({ limits }) =>
    limits.some(({ counter: { measure, per } }) => {
      if (per.some(({ kind }) => kind === 'argument')) return false
      if (measure === 'calls') return spend?.perCallMicro !== undefined
      return 'amount' in measure && spend !== undefined && samePath(measure.amount, spend.amount)
    }),
  )
}
