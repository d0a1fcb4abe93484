// What can be asked of the compiler, and what it answers.
import type { Capabilities } from './capabilities.ts'
import type { Diagnostic } from './errors.ts'

/** Rego text by path: the path is what errors and coverage name, and part of what is compiled. */
export type Modules = Readonly<Record<string, string>>

/** Base documents, as `data` holds them. */
export type Data = Readonly<Record<string, unknown>>

export interface BuildRequest {
  readonly modules: Modules
  readonly data?: Data
  /** Slash-separated, as in `tollgate/main/decision`. */
  readonly entrypoints: readonly string[]
  /** `policyCapabilities` unless told otherwise. */
  readonly capabilities?: Capabilities
}

export interface Build {
  readonly wasm: Uint8Array
  /** Those asked for, those annotated in the Rego, and the rules that depend on either. */
  readonly entrypoints: readonly string[]
}

export interface CheckRequest {
  readonly modules: Modules
  readonly data?: Data
  readonly capabilities?: Capabilities
}

export interface FormatRequest {
  readonly path: string
  readonly text: string
}

export interface TestRequest {
  readonly modules: Modules
  readonly data?: Data
  /** A regular expression over full test names, as in `data.refunds_test.test_large`. */
  readonly run?: string
  readonly coverage?: boolean
  /** With the values of the variables where a test failed. */
  readonly vars?: boolean
  /** `testCapabilities` unless told otherwise. */
  readonly capabilities?: Capabilities
}

export type TestOutcome = 'pass' | 'fail' | 'skip' | 'error'

export interface TestPlace {
  readonly file: string
  readonly row: number
  readonly text: string
  /** The expression again, with the values of its variables below it. */
  readonly vars?: string
}

export interface TestCase {
  readonly name: readonly string[]
  readonly outcome: 'pass' | 'fail'
  readonly failed_at?: TestPlace
}

export interface TestResult {
  readonly package: string
  readonly name: string
  readonly file: string
  readonly row: number
  readonly outcome: TestOutcome
  readonly duration_ns: number
  /** What the test printed. */
  readonly output?: string
  readonly error?: string
  readonly failed_at?: TestPlace
  /** Of a parameterised test, `test_x[case] if …`. */
  readonly cases?: readonly TestCase[]
}

export interface CoverageRange {
  readonly start: { readonly row: number; readonly col?: number }
  readonly end: { readonly row: number; readonly col?: number }
  /** Why it was not covered, where OPA can tell: `index_excluded`, `early_exit`. */
  readonly kinds?: readonly string[]
}

export interface FileCoverage {
  readonly covered?: readonly CoverageRange[]
  readonly not_covered?: readonly CoverageRange[]
  readonly covered_lines?: number
  readonly not_covered_lines?: number
  readonly coverage?: number
}

/** OPA's coverage report, as `opa test --coverage` prints it. */
export interface CoverageReport {
  readonly files: Readonly<Record<string, FileCoverage>>
  readonly covered_lines: number
  readonly not_covered_lines: number
  readonly coverage: number
}

export interface TestReport {
  readonly tests: readonly TestResult[]
  readonly coverage?: CoverageReport
}

export interface EvalRequest {
  readonly modules: Modules
  readonly data?: Data
  /** Absent means no input at all; `null` is an input. */
  readonly input?: unknown
  readonly query: string
  readonly capabilities?: Capabilities
}

export interface CompilerVersion {
  readonly opa: string
  readonly go: string
}

/** One line to the compiler. */
export type Request =
  | ({ readonly op: 'build' } & BuildRequest)
  | ({ readonly op: 'check' } & CheckRequest)
  | ({ readonly op: 'format' } & FormatRequest)
  | ({ readonly op: 'test' } & TestRequest)
  | ({ readonly op: 'eval' } & EvalRequest)
  | { readonly op: 'version' }

/** One line from the compiler: its errors, or the fields of the operation. */
export type Answer = { readonly errors?: readonly Diagnostic[] } & Readonly<Record<string, unknown>>
