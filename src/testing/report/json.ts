/** A report for programs; `docs/testing.md` has its members. */
import type { Diagnostic } from '../../policy/diagnostics.ts'
import type { CaseResult, Failure, SuiteResult, TestReport } from '../result.ts'
import { coverageJson, mutationJson } from './measures.ts'
import { totalsOf } from './words.ts'

export function jsonReport({ suites, durationMs, coverage, mutation }: TestReport): string {
  const report = {
    ...totalsOf(suites),
    duration_ms: Math.round(durationMs),
    suites: suites.map(suiteOf),
    ...(coverage && { coverage: coverageJson(coverage) }),
    ...(mutation && { mutation: mutationJson(mutation) }),
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

function suiteOf({ file, kind, cases, trouble, warnings = [] }: SuiteResult): object {
  return {
    file,
    kind,
    ...(trouble && {
      trouble: { code: trouble.code, message: trouble.message, mistakes: trouble.diagnostics.map(mistakeOf) },
    }),
    warnings: warnings.map(mistakeOf),
    cases: cases.map(caseOf),
  }
}

function caseOf({ name, at, status, durationMs, skip, failures, output }: CaseResult): object {
  return {
    name,
    ...at,
    status,
    duration_ms: Number(durationMs.toFixed(3)),
    ...(skip !== undefined && { skip }),
    failures: failures.map(failureOf),
    ...(output !== undefined && { output }),
  }
}

function failureOf({ at, message, differences, shown, outcome }: Failure): object {
  return {
    ...at,
    message,
    differences: differences.map(({ at: place, ...difference }) => ({ ...difference, ...place })),
    ...(shown !== undefined && { shown }),
    ...(outcome && { outcome }),
  }
}

function mistakeOf({ file, line, col, severity, code, message }: Diagnostic): object {
  return { file, line, col, severity, code, message }
}
