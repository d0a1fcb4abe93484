/** Runs the tests of `*_test.rego` files by OPA's own runner, in the compiler. */
import { openCompiler } from '../../compile/compiler.ts'
import { CompileError } from '../../compile/errors.ts'
import type { CoverageReport, TestPlace, TestResult } from '../../compile/request.ts'
import type { CaseResult, Failure, Status, SuiteResult } from '../result.ts'
import { findRego } from './modules.ts'

export interface RegoOptions {
  /** A regular expression (RE2) over full names: `data.refunds_test.test_large`. */
  readonly run?: string
  readonly coverage?: boolean
  /** With the values of variables where a test failed. */
  readonly vars?: boolean
}

export interface RegoRun {
  readonly suites: readonly SuiteResult[]
  readonly coverage?: CoverageReport
}

/** All Rego of these folders and files together, as `opa test` has it. Throws `tests_unreadable`. */
export async function runRego(paths: readonly string[], options: RegoOptions = {}): Promise<RegoRun> {
  const { modules, data, tests } = findRego(paths)
  const [first] = tests
  if (first === undefined) return { suites: [] }
  const compiler = await openCompiler()
  try {
    const { tests: results, coverage } = await compiler.test({ modules, data, ...options })
    return { suites: suitesOf(results), ...(coverage && { coverage: withoutTests(coverage) }) }
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    return { suites: [untried(first, error)] }
  } finally {
    await compiler.close()
  }
}

function suitesOf(results: readonly TestResult[]): readonly SuiteResult[] {
  return [...Map.groupBy(results, ({ file }) => file)].map(([file, own]) => ({
    file,
    kind: 'rego',
    cases: own.flatMap(casesOf),
  }))
}

const statuses: Readonly<Record<TestResult['outcome'], Status>> = {
  pass: 'passed',
  fail: 'failed',
  skip: 'skipped',
  error: 'errored',
}

/** A parameterised test is as many as it has parameters. */
function casesOf(result: TestResult): readonly CaseResult[] {
  const { package: path, name, file, row, outcome, duration_ns: ns, output, error, failed_at, cases = [] } = result
  const at = { file, line: row, col: 1 }
  const fullName = `${path}.${name}`
  const own = { at, durationMs: ns / 1e6, ...(output !== undefined && { output }) }
  if (cases.length === 0)
    return [
      {
        ...own,
        name: fullName,
        status: statuses[outcome],
        ...(outcome === 'skip' && { skip: 'it is a `todo_`' }),
        failures:
          error !== undefined
            ? [{ at, message: error, differences: [] }]
            : outcome === 'fail'
              ? [failureAt(failed_at, at)]
              : [],
      },
    ]
  return cases.map((one) => ({
    ...own,
    // The whole test took this long; what it printed is told once.
    durationMs: own.durationMs / cases.length,
    name: [fullName, ...one.name].join('/'),
    status: statuses[one.outcome],
    failures: one.outcome === 'fail' ? [failureAt(one.failed_at, at)] : [],
  }))
}

function failureAt(place: TestPlace | undefined, otherwise: CaseResult['at']): Failure {
  if (!place) return { at: otherwise, message: 'the test is not true', differences: [] }
  const at = { file: place.file, line: place.row, col: 1 }
  return {
    at,
    message: `not true: ${place.text}`,
    differences: [],
    ...(place.vars && { shown: place.vars.replace(/^\t/gm, '') }),
  }
}

/** Of a line of a test nobody asks whether it is covered. */
function withoutTests({ files, ...rest }: CoverageReport): CoverageReport {
  const own = Object.fromEntries(Object.entries(files).filter(([file]) => !file.endsWith('_test.rego')))
  const sum = (key: 'covered_lines' | 'not_covered_lines') =>
    Object.values(own).reduce((total, file) => total + (file[key] ?? 0), 0)
  return { ...rest, files: own, covered_lines: sum('covered_lines'), not_covered_lines: sum('not_covered_lines') }
}

/** None of the tests can be run. */
function untried(first: string, { code, message, diagnostics }: CompileError): SuiteResult {
  const mistakes = diagnostics.map(({ file, row, col, message: why }) => ({
    ...({ file, line: row, col, severity: 'error', code: 'uncompiled', message: why } as const),
  }))
  const [place] = mistakes
  const said = mistakes.length === 0 ? message : 'the Rego does not compile'
  return {
    file: place?.file || first,
    kind: 'rego',
    cases: [],
    trouble: { code, message: said, diagnostics: mistakes },
  }
}
