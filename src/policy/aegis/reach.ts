/** How far ordered rules reach: more than can be compiled, and rules that no call comes to. */
import { coversGlob, literalOf, matchesGlob } from '../../model/fnmatch.ts'
import { policyRulesMax } from '../../model/limits.ts'
import type { OrderedRule } from '../../model/ordered.ts'
import { quote, type Report } from '../diagnostics.ts'
import { comparedEntriesMax, spreadRulesMax } from '../limits.ts'

export function reportSize(rules: readonly OrderedRule[], report: Report): void {
  let size = 0
  for (const { conditions, name, place } of rules) {
    size += 1 + conditions.length
    if (size <= policyRulesMax) continue
    report.error(
      place,
      'too_large',
      `a policy has at most ${policyRulesMax} rules and conditions, ${quote(name)} goes over it`,
    )
    return
  }
  reportSpread(rules, report)
}

/** A tool that is spelled out has a chain of all rules that may match it: many of both are many times as many. */
function reportSpread(rules: readonly OrderedRule[], report: Report): void {
  const names = new Set(rules.map(({ match }) => literalOf(match.type)).filter((name) => name !== undefined))
  const globs = rules.filter(({ match }) => literalOf(match.type) === undefined)
  if (names.size * globs.length <= spreadRulesMax) return
  let links = 0
  for (const name of names) {
    for (const rule of globs) {
      if (!matchesGlob(rule.match.type, name)) continue
      if (++links > spreadRulesMax) {
        report.error(
          rule.place,
          'too_large',
          `rules with globs match the tools that other rules spell out more than ${spreadRulesMax} times: name fewer tools, or fewer globs`,
        )
        return
      }
      if (isCertain(rule)) break
    }
  }
}

/** A rule behind one that matches all its calls is never asked. */
export function reportUnreachable(rules: readonly OrderedRule[], report: Report): void {
  const literals = new Map<string, OrderedRule[]>()
  const globs: OrderedRule[] = []
  for (const rule of rules) {
    const tool = literalOf(rule.match.type)
    const ofTool = tool === undefined ? [] : (literals.get(tool) ?? [])
    const first = [...globs.slice(0, comparedEntriesMax), ...ofTool].find((one) => coversRule(one, rule))
    if (first)
      report.warning(
        rule.place,
        'shadowed',
        `${quote(rule.name)} is never asked: ${quote(first.name)} on line ${first.place.line} matches all its calls`,
      )
    else if (rule.conditions.length > 0) continue
    else if (tool === undefined) globs.push(rule)
    else literals.set(tool, [...ofTool, rule])
  }
}

function coversRule({ match: wide }: OrderedRule, { match: narrow }: OrderedRule): boolean {
  const parts = ['type', 'target', 'agent'] as const
  return parts.every((part) => coversGlob(wide[part], narrow[part]))
}

function isCertain({ match, conditions }: OrderedRule): boolean {
  return match.target === '*' && match.agent === '*' && conditions.length === 0
}
