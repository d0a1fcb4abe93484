/** JUnit's XML, as Jenkins' schema has it, with the `file` and `line` of a case that GitLab and others read beside it. */
import { plain } from '../../model/message/plain.ts'
import { type CaseResult, countsOf, type Failure, type SuiteResult, type TestReport } from '../result.ts'
import { failureLines, troubleLines } from './words.ts'

export function junitReport({ suites, durationMs }: TestReport): string {
  const { passed, failed, errored, skipped } = countsOf(suites)
  const tests = passed + failed + errored + skipped
  const attributes = { name: 'tollgate', tests, failures: failed, errors: errored, time: seconds(durationMs) }
  const body = suites.flatMap(suiteLines)
  return ['<?xml version="1.0" encoding="UTF-8"?>', open('testsuites', attributes), ...body, '</testsuites>', ''].join(
    '\n',
  )
}

function suiteLines(suite: SuiteResult): readonly string[] {
  const { file, cases, trouble } = suite
  const { passed, failed, errored, skipped } = countsOf([suite])
  const time = seconds(cases.reduce((sum, { durationMs }) => sum + durationMs, 0))
  const tests = passed + failed + errored + skipped
  const attributes = { name: plain(file), tests, failures: failed, errors: errored, skipped, time }
  return [
    `  ${open('testsuite', attributes)}`,
    ...(trouble ? troubleCase(suite) : []),
    ...cases.flatMap((one) => caseLines(file, one)),
    '  </testsuite>',
  ]
}

/** A file that cannot be run is a case of its own: a suite has no place for an error. */
function troubleCase({ file, trouble }: SuiteResult): readonly string[] {
  if (!trouble) return []
  const lines = troubleLines(trouble)
  return [
    `    ${open('testcase', { classname: plain(file), name: 'the file can be run', file: plain(file), time: '0.000' })}`,
    `      ${open('error', { message: plain(trouble.message), type: trouble.code })}${escaped(lines.join('\n'))}</error>`,
    '    </testcase>',
  ]
}

function caseLines(
  suiteFile: string,
  { name, at, status, durationMs, skip, failures, output }: CaseResult,
): readonly string[] {
  const attributes = {
    ...{ classname: plain(suiteFile), name: plain(name), file: plain(at.file), line: at.line },
    time: seconds(durationMs),
  }
  const inside = [
    ...(status === 'skipped' ? [`      <skipped message="${escaped(plain(skip ?? ''))}"/>`] : []),
    ...failures.map((failure) => failureLine(failure, status === 'errored' ? 'error' : 'failure')),
    ...(output === undefined ? [] : [`      <system-out>${escaped(output)}</system-out>`]),
  ]
  if (inside.length === 0) return [`    ${open('testcase', attributes).slice(0, -1)}/>`]
  return [`    ${open('testcase', attributes)}`, ...inside, '    </testcase>']
}

function failureLine(failure: Failure, tag: 'failure' | 'error'): string {
  const [first = ''] = failure.differences.map(({ key }) => key)
  const lines = failureLines(failure)
  return `      ${open(tag, { message: (lines[1] ?? lines[0] ?? '').trim(), type: first || 'error' })}${escaped(lines.join('\n'))}</${tag}>`
}

function open(tag: string, attributes: Readonly<Record<string, string | number>>): string {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
  return `<${tag}${written.join('')}>`
}

/** What XML 1.0 cannot hold at all, not even escaped, is written as JavaScript would. */
const impossible = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

function escaped(text: string): string {
  return text
    .replace(impossible, (char) => `\\u${(char.codePointAt(0) as number).toString(16).padStart(4, '0')}`)
    .replace(/[&<>"']/g, (char) => `&#${char.codePointAt(0)};`)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
