/** A report for people: a line for each file, and of what failed, what was expected, what came, and where it stands. */
import { plain } from '../../model/message/plain.ts'
import { formatDiagnostic } from '../../policy/diagnostics.ts'
import { type CaseResult, countsOf, type Status, type SuiteResult, type TestReport } from '../result.ts'
import { countsText, failureLines, troubleLines } from './words.ts'

export interface TextOptions {
  /** Every case, not only those that failed or were skipped. */
  readonly verbose: boolean
  readonly paint: (colour: 'red' | 'green' | 'yellow' | 'dim' | 'bold', text: string) => string
}

const colours = { passed: 'green', failed: 'red', errored: 'red', skipped: 'yellow' } as const
const marks: Readonly<Record<Status, string>> = { passed: 'ok  ', failed: 'FAIL', errored: 'FAIL', skipped: 'skip' }

export function suiteText(suite: SuiteResult, options: TextOptions): string {
  const { file, cases, trouble, warnings = [] } = suite
  const { verbose, paint } = options
  const counts = countsOf([suite])
  const status = counts.failed + counts.errored > 0 ? 'failed' : counts.passed === 0 ? 'skipped' : 'passed'
  const told = cases.filter((one) => verbose || one.status !== 'passed')
  const lines = [
    `${mark(status, options)} ${paint('bold', plain(file))} ${paint('dim', `(${countsText(counts)})`)}`,
    ...warnings.map((warning) => `  ${paint('yellow', formatDiagnostic(warning))}`),
    ...(trouble ? troubleLines(trouble).map((line) => `  ${paint('red', line)}`) : []),
    ...told.flatMap((one) => caseLines(one, options)),
  ]
  return `${lines.join('\n')}\n`
}

function caseLines(one: CaseResult, options: TextOptions): readonly string[] {
  const { name, status, skip, failures, output } = one
  const why = skip === undefined ? '' : options.paint('dim', ` (${plain(skip)})`)
  return [
    `  ${mark(status, options)} ${plain(name)}${why}`,
    ...failures.flatMap(failureLines).map((line) => `         ${line}`),
    ...(output === undefined
      ? []
      : output
          .trimEnd()
          .split('\n')
          .map((line) => `         ${options.paint('dim', plain(line))}`)),
  ]
}

function mark(status: Status, { paint }: TextOptions): string {
  return paint(colours[status], marks[status])
}

/** The last line: what all of it came to. */
export function summaryText({ suites, durationMs }: TestReport, { paint }: TextOptions): string {
  const counts = countsOf(suites)
  const colour = counts.failed + counts.errored > 0 ? 'red' : counts.passed === 0 ? 'yellow' : 'green'
  const files = suites.length === 1 ? '1 file' : `${suites.length} files`
  return `${paint(colour, countsText(counts))} in ${files}, ${(durationMs / 1000).toFixed(1)} s\n`
}
