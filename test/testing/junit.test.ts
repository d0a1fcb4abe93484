/** The JUnit report is what its readers take: Jenkins by a schema, GitLab and GitHub by the attributes that they show. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { junitReport } from '../../src/testing/report/junit.ts'
import { type CaseResult, countsOf, type SuiteResult } from '../../src/testing/result.ts'
import { type Element, xmlOf } from './xml.ts'

const whole = /^\d+$/
const seconds = /^\d+\.\d{3}$/
const some = /./s

interface Kind {
  /** Attributes with what they look like; those with a `?` may be missing. */
  readonly attributes: Readonly<Record<string, RegExp>>
  readonly children: readonly string[]
  readonly hasText?: true
}

const counts = { tests: whole, failures: whole, errors: whole, time: seconds }
const trouble: Kind = { attributes: { message: some, type: some }, children: [], hasText: true }

/** Of the schema that Jenkins reads by (`junit-10.xsd`) what the report has; `file` and `line` are for GitLab and editors. */
const kinds: Readonly<Record<string, Kind>> = {
  testsuites: { attributes: { name: some, ...counts }, children: ['testsuite'] },
  testsuite: { attributes: { name: some, ...counts, skipped: whole }, children: ['testcase'] },
  testcase: {
    attributes: { name: some, classname: some, time: seconds, file: some, 'line?': whole },
    children: ['skipped', 'failure', 'error', 'system-out'],
  },
  skipped: { attributes: { message: /^/ }, children: [] },
  failure: trouble,
  error: trouble,
  'system-out': { attributes: {}, children: [], hasText: true },
}

function faultsOf({ tag, attributes, children, text }: Element): readonly string[] {
  const kind = kinds[tag]
  if (!kind) return [`<${tag}> is no element of it`]
  const known = Object.entries(kind.attributes).map(([name, form]) => [name.replace('?', ''), form, name] as const)
  return [
    ...known.flatMap(([name, form, said]) => {
      const value = attributes[name]
      if (value === undefined) return said.endsWith('?') ? [] : [`<${tag}> has no ${name}`]
      return form.test(value) ? [] : [`${name} of <${tag}> is ${value}`]
    }),
    ...Object.keys(attributes).flatMap((name) => (known.some(([one]) => one === name) ? [] : [`<${tag} ${name}>`])),
    ...children.flatMap((child) => (kind.children.includes(child.tag) ? [] : [`<${child.tag}> in <${tag}>`])),
    ...(kind.hasText || text.trim() === '' ? [] : [`text in <${tag}>`]),
    ...children.flatMap(faultsOf),
  ]
}

/** What there is below an element. */
function sumsOf(element: Element) {
  const cases = below(element, 'testcase')
  const having = (wanted: string) => cases.filter(({ children }) => children.some(({ tag }) => tag === wanted)).length
  return { tests: cases.length, failures: having('failure'), errors: having('error'), skipped: having('skipped') }
}

function below({ children }: Element, tag: string): readonly Element[] {
  return children.flatMap((one) => (one.tag === tag ? [one] : below(one, tag)))
}

const hostile = [
  ']]>',
  '<!--',
  '-->',
  '<?xml?>',
  '<![CDATA[',
  '"><script>',
  "' x='",
  '&amp;&#0;',
  'nul \0',
  'esc \u001b[31m',
  'bell \u0007',
  'high \ud800 alone',
  'low \udfff alone',
  'no character \ufffe\uffff',
  'next line \u0085\u2028',
  'turned \u202e round',
  'two\nlines\r\n\tof it',
  'beyond \u{1F600}',
]

const at = (file: string) => ({ file, line: 3, col: 5 })

function caseOf(name: string, status: CaseResult['status']): CaseResult {
  const difference = { key: name, expected: name, got: { [name]: name }, at: at(name) }
  const failure = { at: at(name), message: name, differences: [difference], shown: name, outcome: { decision: name } }
  return {
    ...{ name, at: at(name), status, durationMs: 1.5, output: name },
    ...(status === 'skipped' && { skip: name }),
    failures: status === 'failed' || status === 'errored' ? [failure] : [],
  }
}

const suites: readonly SuiteResult[] = hostile.flatMap((text): SuiteResult[] => [
  {
    file: text,
    kind: 'cases',
    cases: (['passed', 'failed', 'errored', 'skipped'] as const).map((status) => caseOf(text, status)),
  },
  { file: text, kind: 'rego', cases: [], trouble: { code: 'cases_invalid', message: text, diagnostics: [] } },
])

test('whatever names and messages hold, the report is XML with the elements, attributes and counts of the schema', () => {
  const root = xmlOf(junitReport({ suites, durationMs: 1234.5 }))
  assert.equal(root.tag, 'testsuites')
  assert.deepEqual(faultsOf(root), [])
  const { passed, failed, errored, skipped } = countsOf(suites)
  const { skipped: _, ...all } = sumsOf(root)
  assert.deepEqual(all, { tests: passed + failed + errored + skipped, failures: failed, errors: errored })
  const said = ({ attributes }: Element, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, Number(attributes[name])]))
  assert.deepEqual(said(root, ['tests', 'failures', 'errors']), all)
  for (const suite of root.children) {
    const sums = sumsOf(suite)
    assert.deepEqual(said(suite, Object.keys(sums)), sums)
  }
  assert.equal(root.children.length, suites.length)
})

test('what XML can hold is read back as it was, and what it cannot is shown', () => {
  const [first, second] =
    xmlOf(
      junitReport({
        suites: [{ file: 'a', kind: 'cases', cases: [caseOf(hostile.join(' '), 'failed')] }],
        durationMs: 0,
      }),
    ).children[0]?.children[0]?.children ?? []
  assert.equal(first?.tag, 'failure')
  assert.equal(second?.tag, 'system-out')
  const text = second?.text ?? ''
  for (const kept of [']]>', '<!--', '"><script>', "' x='", '&amp;&#0;', 'two\nlines', '\u{1F600}'])
    assert.ok(text.includes(kept), kept)
  for (const shown of ['\\u0000', '\\u001b[31m', '\\u0007', '\\ud800', '\\udfff', '\\ufffe\\uffff'])
    assert.ok(text.includes(shown), shown)
})
