/** Changes of an `all` policy: its rules, its entries, and what becomes of what nothing names. */
import type { AllPolicy, Entry, Path, Pattern, Rule, TargetPattern } from '../../model/policy.ts'
import { covers } from '../../policy/warnings/unreachable.ts'
import { callerEdits } from './callers.ts'
import { conditionEdits } from './conditions.ts'
import { counterEdits, limitEdits, readingEdits, spendEdits } from './counters.ts'
import { type Edit, each, lacking, within, without } from './edit.ts'
import { refusesWithout } from './implied.ts'

export function allEdits(policy: AllPolicy): readonly Edit<AllPolicy>[] {
  const entries = each(policy.entries, entryEdits)
  return [
    ...defaultEdits(policy),
    ...within([...droppedEntries(policy), ...entries], (to) => ({ ...policy, entries: to })),
    ...counterEdits(policy),
  ]
}

function defaultEdits(policy: AllPolicy): readonly Edit<AllPolicy>[] {
  const to = policy.default === 'allow' ? 'deny' : 'allow'
  return [{ to: { ...policy, default: to }, change: `default: ${policy.default}; now: ${to}` }]
}

/** Under `default: allow` an entry is no more than its rules. */
function droppedEntries({ default: otherwise, entries }: AllPolicy): readonly Edit<AllPolicy['entries']>[] {
  if (otherwise === 'allow') return []
  return without(entries, ({ key }) => `no entry \`${key}\``).flatMap((edit) => {
    const [entry] = edit.parts as readonly [Entry]
    if (!entry.lists) return []
    return isListedBeside(entry, entries) ? [{ ...edit, isIdle: true }] : [edit]
  })
}

/** Without rules it does nothing but list, and another one lists all of it for everybody. */
function isListedBeside(entry: Entry, entries: readonly Entry[]): boolean {
  if (entry.rules.length > 0) return false
  const others = entries.filter((one) => one !== entry && one.lists && !one.for && one.method === entry.method)
  return entry.match.every((narrow) => others.some(({ match }) => match.some((wide) => coversTarget(wide, narrow))))
}

function coversTarget(wide: TargetPattern, narrow: TargetPattern): boolean {
  const anyServer = wide.server === undefined
  return (
    (anyServer || (narrow.server !== undefined && covers(wide.server, narrow.server))) && covers(wide.name, narrow.name)
  )
}

function entryEdits(entry: Entry): readonly Edit<Entry>[] {
  const { rules } = entry
  const ofRules = [
    ...without(rules, (rule) => `no rule \`${rule.name}\``),
    ...each(rules, (rule) =>
      ruleEdits(
        rule,
        rules.filter((other) => other !== rule),
      ),
    ),
  ]
  return [...callerEdits(entry), ...widenedEdits(entry), ...within(ofRules, (to) => ({ ...entry, rules: to }))]
}

/** What a key says first; a slash in it may be one of the name as well, which is the same key again. */
function widenedEdits(entry: Entry): readonly Edit<Entry>[] {
  const [first, ...others] = entry.match
  return first ? within(widened(first), (to) => ({ ...entry, match: [to, ...others] })) : []
}

/** A name is not widened: no file that is read says less by a slip than another name. */
function widened(pattern: TargetPattern): readonly Edit<TargetPattern>[] {
  const { server, name } = pattern
  const any: Pattern = { kind: 'glob', text: '*' }
  const before = targetText(pattern)
  return [
    ...(name.kind === 'glob' && !isAny(name) ? [{ ...pattern, name: any }] : []),
    ...(server && !isAny(server) ? [lacking(pattern, 'server')] : []),
  ].map((to) => ({ to, change: `for ${before}; now: for ${targetText(to)}` }))
}

function isAny({ kind, text }: Pattern): boolean {
  return kind === 'glob' && /^\*+$/.test(text)
}

function targetText({ server, name }: TargetPattern): string {
  return server === undefined ? `\`${name.text}\`` : `\`${name.text}\` of server \`${server.text}\``
}

function ruleEdits(rule: Rule, others: readonly Rule[]): readonly Edit<Rule>[] {
  const { effect, conditions, readings = [], spend, limits } = rule
  const parts = conditions.length + readings.length + limits.length + (spend ? 1 : 0)
  // A requirement without its one condition is no rule, which is another mutant.
  const keepOne = effect === 'require' && parts === conditions.length
  const refusesMissing = (path: Path) => others.some((other) => refusesWithout(other, path))
  return [
    ...flipped(rule),
    ...callerEdits(rule),
    ...within(conditionEdits(conditions, effect, { keepOne, refusesMissing }), (to) => ({ ...rule, conditions: to })),
    ...within(readingEdits(readings), (to) => ({ ...rule, readings: to })),
    ...within(
      without(readings, ({ counter }) => `not asked: what counter \`${counter.id}\` stands at`),
      (to) => ({ ...rule, readings: to }),
    ),
    ...(spend ? within(spendEdits(spend), (to) => ({ ...rule, spend: to }), spend) : []),
    ...within(limitEdits(limits), (to) => ({ ...rule, limits: to })),
  ].filter(({ to }) => !saysNothing(to))
}

/** What only stops more or less calls than it should is changed by its conditions. */
function flipped(rule: Rule): readonly Edit<Rule>[] {
  if (rule.effect === 'require') return []
  const effect = rule.effect === 'deny' ? 'hold' : 'deny'
  const words = { deny: 'denied', hold: 'held' } as const
  return [{ to: { ...rule, effect }, change: `\`${rule.name}\`: ${words[rule.effect]}; now: ${words[effect]}` }]
}

function saysNothing({ effect, conditions, readings = [], spend, limits }: Rule): boolean {
  return effect === 'require' && conditions.length + readings.length + limits.length === 0 && !spend
}
