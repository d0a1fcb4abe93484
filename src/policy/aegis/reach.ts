/** How many ordered rules can be compiled. */
import { literalOf, matchesGlob } from '../../model/fnmatch.ts'
import { policyRulesMax } from '../../model/limits.ts'
import type { OrderedRule } from '../../model/ordered.ts'
import { quote, type Report } from '../diagnostics.ts'
import { spreadRulesMax } from '../limits.ts'

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

function isCertain({ match, conditions }: OrderedRule): boolean {
  return match.target === '*' && match.agent === '*' && conditions.length === 0
}
