/** What ordered rules, and the settings of a policy pack, name of tools that a server does not have. */
import { literalOf, matchesGlob } from '../model/fnmatch.ts'
import { matches } from '../model/match.ts'
import type { OrderedRule } from '../model/ordered.ts'
import type { ToolBinding } from '../model/pack/policy.ts'
import { quote, type Report, type Spot } from '../policy/diagnostics.ts'
import { hint } from '../policy/spelling.ts'
import { type Item, type Listed, nearestKey, noneCalled, noneLike } from './listed.ts'
import type { Missing } from './missing.ts'
import { placeIn } from './shape.ts'

const everything = /^\*+$/

export function reportRules(
  rules: readonly OrderedRule[],
  listed: Listed,
  server: string | undefined,
  report: Report,
): Missing {
  let skipped = 0
  for (const rule of rules) {
    const { type, target } = rule.match
    if (!everything.test(target) && server === undefined) {
      skipped++
      continue
    }
    if (!everything.test(target) && !matchesGlob(target, server as string)) continue
    const items = listed.items.filter(({ name }) => matchesGlob(type, name))
    const name = literalOf(type)
    // A glob that denies is there for what may come.
    const isNamed = name !== undefined || rule.effect !== 'deny'
    if (items.length === 0 && listed.whole && isNamed) reportNone(type, name, listed, rule.place, report)
    // A rule about every tool is about tools that have the argument.
    if (!everything.test(type)) reportArguments(type, argumentsIn(rule), items, rule.place, report)
  }
  return { skipped }
}

function argumentsIn({ conditions }: OrderedRule): readonly string[] {
  return conditions.flatMap((condition) => ('name' in condition ? [condition.name] : []))
}

export function reportBindings(
  bindings: readonly ToolBinding[],
  listed: Listed,
  server: string | undefined,
  report: Report,
): Missing {
  let skipped = 0
  for (const { key, match, place, branch, paths, content } of bindings) {
    const named = match.find((pattern) => pattern.server !== undefined)
    if (named && server === undefined) {
      skipped++
      continue
    }
    if (named?.server && !matches(named.server, server as string)) continue
    const items = listed.items.filter(({ name }) => match.some((pattern) => matches(pattern.name, name)))
    const [pattern] = match
    const name = pattern?.name.kind === 'literal' ? pattern.name.text : undefined
    if (items.length === 0 && listed.whole) reportNone(key, name, listed, place, report)
    const first = [...(branch ? [branch] : []), ...paths, ...content].flatMap(([argument = '']) => argument)
    reportArguments(key, first, items, place, report)
  }
  return { skipped }
}

/** `name` is the tool's own, where the key spells one out. */
function reportNone(key: string, name: string | undefined, { what, items }: Listed, at: Spot, report: Report): void {
  const suggestion = name === undefined ? undefined : nearestKey(key, name, items)
  report.warning(at, 'unknown_tool', name === undefined ? noneLike(what, key) : noneCalled(what, key, suggestion))
}

/** What all of the tools lack: what only some lack may be meant for the others. */
function reportArguments(
  key: string,
  names: readonly string[],
  items: readonly Item[],
  at: Spot,
  report: Report,
): void {
  for (const name of new Set(names)) {
    const places = items.map(({ schema }) => placeIn(schema, [name]))
    const [first] = places
    if (first?.kind === 'missing' && places.every(({ kind }) => kind === 'missing'))
      report.warning(at, 'unknown_argument', `${quote(key)} has no argument ${quote(name)}${hint(name, first.members)}`)
  }
}
