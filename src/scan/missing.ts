/** What a policy names and a server does not have: tools, prompts, arguments and values. Resources come and go. */
import { matches } from '../model/match.ts'
import type { AllPolicy, Entry, Path, Policy, Rule, TargetPattern } from '../model/policy.ts'
import { pathText } from '../model/policy.ts'
import { literal, quote, type Report, type Spot } from '../policy/diagnostics.ts'
import { hint, nearest } from '../policy/spelling.ts'
import type { Scan } from './definition.ts'
import { type Item, type Listed, nearestKey, noneCalled, noneLike, promptsOf, toolsOf } from './listed.ts'
import { reportBindings, reportRules } from './missingTools.ts'
import { elements, listedValues, placeIn, type Step, stepsOf } from './shape.ts'

export interface Missing {
  /** Entries about a server by its name, when it was not said which one this is: they are not compared. */
  readonly skipped: number
}

/** `server` is what policies call it. */
export function reportMissing(policy: Policy, scan: Scan, server: string | undefined, report: Report): Missing {
  switch (policy.strategy) {
    case 'all':
      return reportEntries(policy, scan, server, report)
    case 'first':
      return reportRules(policy.rules, toolsOf(scan), server, report)
    case 'pack':
      return reportBindings(policy.tools ?? [], toolsOf(scan), server, report)
    case 'rego':
      return { skipped: 0 } // it may name any, and nobody knows which
  }
  return policy satisfies never
}

function reportEntries(policy: AllPolicy, scan: Scan, server: string | undefined, report: Report): Missing {
  let skipped = 0
  const lists = { 'tools/call': toolsOf(scan), 'prompts/get': promptsOf(scan) }
  for (const entry of policy.entries) {
    if (entry.method === 'resources/read') continue
    const listed = lists[entry.method]
    const named = entry.match.find((pattern) => pattern.server !== undefined)
    if (named && server === undefined) skipped++
    else if (!named || matches(named.server as NonNullable<TargetPattern['server']>, server as string))
      reportEntry(entry, listed, report)
  }
  return { skipped }
}

function reportEntry(entry: Entry, listed: Listed, report: Report): void {
  const items = listed.items.filter(({ name }) => entry.match.some((pattern) => matches(pattern.name, name)))
  if (items.length > 0) reportArguments(entry, items, report)
  else if (entry.lists && listed.whole) reportUnknown(entry, listed, report)
}

/** A glob that denies is there for what may come. */
function reportUnknown(entry: Entry, { what, items }: Listed, report: Report): void {
  const [pattern] = entry.match
  const isGlob = pattern?.name.kind !== 'literal'
  if (isGlob && entry.rules.some(({ effect }) => effect === 'deny')) return
  const suggestion = isGlob ? undefined : nearestKey(entry.key, pattern.name.text, items)
  const sentence = isGlob ? noneLike(what, entry.key) : noneCalled(what, entry.key, suggestion)
  const at = report.placeOf(entry) ?? entry.place
  if (what === 'tool') report.warning(at, 'unknown_tool', sentence, { suggestion })
  else report.warning(at, 'unknown_prompt', sentence, { suggestion })
}

/** What all tools of an entry lack: what only some lack may be meant for the others. */
function reportArguments(entry: Entry, items: readonly Item[], report: Report): void {
  for (const rule of entry.rules)
    for (const { part, steps, values, written } of readsOf(rule)) {
      const at = report.placeOf(part) ?? rule.place
      const places = items.map(({ schema }) => placeIn(schema, steps))
      const [first] = places
      if (first?.kind === 'missing' && places.every(({ kind }) => kind === 'missing'))
        reportArgument(entry, steps, first, written ? at : { line: at.line, col: at.col }, report)
      const known = places.map((place) => (place.kind === 'known' ? listedValues(place.schema) : undefined))
      for (const value of values)
        if (known.every((list) => list !== undefined && !list.includes(value)))
          reportValue(
            entry,
            steps,
            value,
            known.flatMap((list) => list ?? []),
            at,
            report,
          )
    }
}

interface Read {
  /** The part of the policy that reads it, for its place. */
  readonly part: object
  readonly steps: readonly Step[]
  readonly values: readonly unknown[]
  /** Does the path itself stand at that place? */
  readonly written: boolean
}

function readsOf(rule: Rule): readonly Read[] {
  const conditions = rule.conditions.flatMap((condition) =>
    stepsOf(condition.path, condition.test).flatMap(({ steps, test }): readonly Read[] => {
      // That an argument must not be given can be said of one that there is not.
      if (test.kind === 'absent') return []
      return [{ part: condition, steps, values: test.kind === 'enum' ? test.values : [], written: true }]
    }),
  )
  const { spend } = rule
  const paths: readonly (readonly [object, Path])[] = [
    ...(spend ? [[spend, spend.amount] as const] : []),
    ...(spend?.currency ? [[spend, spend.currency.path] as const] : []),
    ...rule.limits.flatMap((limit) =>
      limit.counter.per.flatMap((per) => (per.kind === 'argument' ? [[limit, per.path] as const] : [])),
    ),
  ]
  return [
    ...conditions,
    ...paths.map(([part, steps]) => ({ part, steps, values: [], written: steps === spend?.amount })),
  ]
}

function reportArgument(
  { key }: Entry,
  steps: readonly Step[],
  { key: unknown, members }: { readonly key: string; readonly members: readonly string[] },
  at: Spot,
  report: Report,
): void {
  // Only a whole word can be written over what stands there.
  const near = nearest(unknown, members)
  const suggestion = steps.length === 1 && near !== undefined ? pathText([near]) : undefined
  const known =
    near === undefined && members.length > 0 && members.length <= 8 ? `: it has ${members.map(quote).join(', ')}` : ''
  const where = steps.length === 1 ? '' : ` in ${quote(stepsText(steps))}`
  report.warning(
    at,
    'unknown_argument',
    `${quote(key)} has no argument ${quote(unknown)}${where}${hint(unknown, members)}${known}`,
    { suggestion },
  )
}

function reportValue(
  { key }: Entry,
  steps: readonly Step[],
  value: unknown,
  known: readonly unknown[],
  at: Spot,
  report: Report,
): void {
  const texts = known.filter((one) => typeof one === 'string')
  const said = typeof value === 'string' ? literal(value) : quote(String(value))
  const meant = typeof value === 'string' ? hint(value, texts) : ''
  report.warning(at, 'unknown_value', `${quote(stepsText(steps))} of ${quote(key)} is never ${said}${meant}`)
}

function stepsText(steps: readonly Step[]): string {
  return pathText(steps.filter((step) => step !== elements))
}
