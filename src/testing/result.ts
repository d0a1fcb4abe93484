/** What came of running tests, of whatever kind: cases, cells of a matrix, tests of Aegis, tests in Rego. */
import type { Json } from '../model/canonical.ts'
import type { Diagnostic } from '../policy/diagnostics.ts'
import type { Coverage } from './coverage/report.ts'
import type { Mutation } from './mutation/run.ts'
import type { Place } from './suite.ts'

/** `errored`: it could not be tried, which is no better than a failure. */
export type Status = 'passed' | 'failed' | 'errored' | 'skipped'

export interface CaseResult {
  readonly name: string
  readonly at: Place
  readonly status: Status
  readonly durationMs: number
  /** Why it was skipped. */
  readonly skip?: string
  /** What is not as expected; of a case that passed, none. */
  readonly failures: readonly Failure[]
  /** What the test printed. */
  readonly output?: string
}

export interface Failure {
  readonly at: Place
  /** What was done, or what went wrong, as a sentence. */
  readonly message: string
  readonly differences: readonly Difference[]
  /** What was seen there, as lines of text. */
  readonly shown?: string
  /** All that came of it, by the words of the file. */
  readonly outcome?: Readonly<Record<string, Json>>
}

export interface Difference {
  /** The words of the file for it, with dots between them. */
  readonly key: string
  readonly expected: Json
  /** `null`: it is not there. */
  readonly got: Json
  readonly at: Place
}

/** A file with tests. */
export interface SuiteResult {
  readonly file: string
  readonly kind: 'cases' | 'aegis' | 'rego'
  readonly cases: readonly CaseResult[]
  /** What is odd about the file and no mistake. */
  readonly warnings?: readonly Diagnostic[]
  /** Why none of its tests could be run: an error of the file, or of its policy. */
  readonly trouble?: Trouble
}

export interface Trouble {
  readonly code: string
  readonly message: string
  /** Every mistake, with its place. */
  readonly diagnostics: readonly Diagnostic[]
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly errored: number
  readonly skipped: number
}

/** A file that cannot be run counts as one that errored. */
export function countsOf(suites: readonly SuiteResult[]): Counts {
  const statuses = suites.flatMap(({ cases, trouble }) => [
    ...cases.map(({ status }) => status),
    ...(trouble ? ['errored' as const] : []),
  ])
  const count = (wanted: Status) => statuses.filter((status) => status === wanted).length
  return { passed: count('passed'), failed: count('failed'), errored: count('errored'), skipped: count('skipped') }
}

/** Nothing failed, and something passed. */
export function isFine(suites: readonly SuiteResult[]): boolean {
  const { passed, failed, errored } = countsOf(suites)
  return passed > 0 && failed === 0 && errored === 0
}

/** All that one run came to; what else is known of it stands beside its suites. */
export interface TestReport {
  readonly suites: readonly SuiteResult[]
  readonly durationMs: number
  /** What the tests cover, where it was measured. */
  readonly coverage?: Coverage
  /** Which changes of the policies they notice, where that was tried. */
  readonly mutation?: Mutation
}
