/** The Test Anything Protocol, version 14; what failed stands in its YAML block, written as JSON, which YAML is. */
import { plain } from '../../model/message/plain.ts'
import type { CaseResult, SuiteResult, TestReport } from '../result.ts'
import { failureLines, troubleLines } from './words.ts'

export function tapReport({ suites }: TestReport): string {
  const points = suites.flatMap(pointsOf)
  const lines = points.flatMap((point, index) => linesOf(point, index + 1))
  return ['TAP version 14', `1..${points.length}`, ...lines, ''].join('\n')
}

interface Point {
  readonly name: string
  readonly isOk: boolean
  readonly skip?: string
  readonly diagnostic?: object
}

function pointsOf({ file, cases, trouble }: SuiteResult): readonly Point[] {
  const own = trouble
    ? [{ name: `${file}: the file can be run`, isOk: false, diagnostic: { message: troubleLines(trouble).join('\n') } }]
    : []
  return [...own, ...cases.map((one) => pointOf(file, one))]
}

function pointOf(file: string, { name, at, status, skip, failures }: CaseResult): Point {
  const isOk = status === 'passed' || status === 'skipped'
  const told = { message: failures.flatMap(failureLines).join('\n'), at: { file: at.file, line: at.line } }
  return {
    name: `${file}: ${name}`,
    isOk,
    ...(skip !== undefined && { skip }),
    ...(!isOk && { diagnostic: told }),
  }
}

function linesOf({ name, isOk, skip, diagnostic }: Point, number: number): readonly string[] {
  const directive = skip === undefined ? '' : ` # SKIP ${plain(skip)}`
  const line = `${isOk ? 'ok' : 'not ok'} ${number} - ${described(name)}${directive}`
  if (!diagnostic) return [line]
  const members = Object.entries(diagnostic).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)
  return [line, '  ---', ...members, '  ...']
}

/** A `#` would begin a directive. */
function described(name: string): string {
  return plain(name).replace(/[\\#]/g, '\\$&')
}
