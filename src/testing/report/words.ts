/** How a failure is said, whatever the report is. What comes from files and policies is made plain: it may hold anything. */
import type { Json } from '../../model/canonical.ts'
import { plain } from '../../model/message/plain.ts'
import { formatDiagnostic } from '../../policy/diagnostics.ts'
import { type Counts, countsOf, type Difference, type Failure, type SuiteResult, type Trouble } from '../result.ts'
import type { Place } from '../suite.ts'

export function placeText({ file, line, col }: Place): string {
  return plain(`${file}:${line}:${col}`)
}

/** `reason_code: expected "RATE_LIMITED", got "ALLOW"` */
export function differenceText({ key, expected, got }: Difference): string {
  return plain(`${key}: expected ${shown(expected)}, got ${shown(got)}`)
}

function shown(value: Json): string {
  return value === null ? 'nothing' : JSON.stringify(value)
}

/** What was decided, in one line, where a difference does not say it all. */
export function outcomeText({ outcome }: Failure): string | undefined {
  if (!outcome || outcome['decision'] === undefined) return undefined
  const { decision, reason_code, rule, message } = outcome
  return plain(`decided: ${decision}, ${reason_code}, by ${JSON.stringify(rule)}: ${message}`)
}

/** The lines of a failure, the first of which has its place. */
export function failureLines(failure: Failure): readonly string[] {
  const outcome = outcomeText(failure)
  return [
    `${placeText(failure.at)}: ${plain(failure.message)}`,
    ...failure.differences.map((difference) => `  ${differenceText(difference)}`),
    ...(failure.shown ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `  ${plain(line)}`),
    ...(outcome === undefined ? [] : [`  ${outcome}`]),
  ]
}

export function troubleLines({ code, message, diagnostics }: Trouble): readonly string[] {
  return [...diagnostics.map(formatDiagnostic), `${plain(message)} (${code})`]
}

/** `12 passed, 1 failed` */
export function countsText(counts: Counts): string {
  const words = Object.entries(counts).filter(([status, count]) => count > 0 || status === 'passed')
  return words.map(([status, count]) => `${count} ${status}`).join(', ')
}

/** What a report is about, added up. */
export function totalsOf(suites: readonly SuiteResult[]): Counts & { readonly files: number } {
  return { ...countsOf(suites), files: suites.length }
}
