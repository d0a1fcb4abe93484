/** Files with tests are found, run and reported: case files, suites of Aegis, and what is wrong with them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { after, test } from 'node:test'
import { parse } from 'yaml'
import { buildPolicy } from '../../src/bundle/build.ts'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import { Measures } from '../../src/testing/coverage/measures.ts'
import { findTests } from '../../src/testing/find.ts'
import { jsonReport } from '../../src/testing/report/json.ts'
import { junitReport } from '../../src/testing/report/junit.ts'
import { tapReport } from '../../src/testing/report/tap.ts'
import { suiteText, summaryText } from '../../src/testing/report/text.ts'
import { countsOf, isFine, type SuiteResult } from '../../src/testing/result.ts'
import { runFile } from '../../src/testing/run.ts'
import { newPair, signedBytes, trusting } from '../opa/signer.ts'
import { xmlOf } from './xml.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-testing-'))
after(() => rmSync(folder, { recursive: true }))

function put(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
const [policy = '', cases = ''] = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
const shown = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, of, text = '']) => (of ? [] : [text]))

const paint = (_: string, text: string) => text
const textOf = (result: SuiteResult, verbose = false) =>
  suiteText(result, { verbose, paint }).replaceAll(`${folder}/`, '').replaceAll('docs/', '')

put('docs/refunds.yaml', policy)
const refunds = put('docs/refunds_test.yaml', cases)

test('the example of the page passes, and fails as shown once the policy is loosened', async () => {
  const { result } = await runFile(refunds)
  assert.equal(
    `$ tollgate test\n${textOf(result)}${summaryText({ suites: [result], durationMs: 400 }, { verbose: false, paint })}`,
    shown[0],
  )
  const loose = put('loose/refunds.yaml', policy.replace('max: 100', 'max: 1000'))
  const failed = (await runFile(refunds, { policy: { files: [loose] } })).result
  assert.equal(
    `${textOf(failed)}${summaryText({ suites: [failed], durationMs: 400 }, { verbose: false, paint })}`,
    shown[1],
  )
  assert.deepEqual([isFine([result]), isFine([failed])], [true, false])
})

test('a counter of another policy in layers is told by the id of the policy', async () => {
  put(
    'layers/org.yaml',
    'version: "1"\npolicy_id: org\ndefault: allow\ntools: { pay: { rules: [{ rate_limit: 2/day }] } }\n',
  )
  put(
    'layers/team.yaml',
    'version: "1"\npolicy_id: team\ndefault: deny\ntools: { pay: { rules: [{ spend: { daily: 5 } }] } }\n',
  )
  const file = put(
    'layers/l_test.yaml',
    `layers: { org: org.yaml, team: team.yaml }
cases:
  - name: both count
    calls:
      - tool: pay
        arguments: { amount: 5 }
        expect:
          decision: allow
          layers: { org: allow, team: { decision: allow, rule: pay } }
          reserved: { "org: calls/day@pay": 1, "team: spend(amount)/day@pay": 5 }
      - { tool: pay, arguments: { amount: 1 }, expect: { decision: deny, layers: { org: allow, team: deny } } }
`,
  )
  assert.deepEqual(
    (await runFile(file)).result.cases.flatMap(({ failures }) => failures),
    [],
  )
})

test('a bundle is a policy too, of whoever is trusted, and is measured by what is in it', async () => {
  const pair = newPair('EdDSA', 'release')
  const artifact = await buildPolicy({ name: 'refunds.yaml', text: policy })
  const bytes = await signedBytes(bundleFiles(artifact, { version: '0.1.0' }), pair)
  mkdirSync(join(folder, 'bundled'))
  writeFileSync(join(folder, 'bundled/b.tar.gz'), bytes)
  const file = put('bundled/b_test.yaml', cases.replace('refunds.yaml', 'b.tar.gz'))
  const trust = async () => trusting(pair)
  assert.ok(isFine([(await runFile(file, { trust })).result]))
  const untrusted = (await runFile(file)).result.trouble
  assert.match(untrusted?.code ?? '', /^bundle_/)
  const measures = new Measures()
  assert.ok(isFine([(await runFile(file, { trust, watcherOf: measures.watcherOf })).result]))
  assert.ok(measures.items.some(({ name }) => name === 'small'))
})

test('files are found by their names, suites of Aegis by what they say, links and hidden folders are left alone', () => {
  const tests = 'tests: [{ action: { type: read }, expected_decision: auto }]\n'
  put('found/b_test.yml', '')
  put('found/a/z_test.yaml', '')
  put('found/a/aegis.yaml', tests)
  put('found/a/other.yaml', 'tests: 1\n')
  put('found/node_modules/x_test.yaml', '')
  put('found/.git/x_test.yaml', '')
  symlinkSync(join(folder, 'found'), join(folder, 'found/a/loop'))
  const found = findTests([join(folder, 'found'), join(folder, 'found/b_test.yml'), join(folder, 'found/a/other.yaml')])
  assert.deepEqual(
    found.map((path) => relative(join(folder, 'found'), path)),
    ['a/aegis.yaml', 'a/z_test.yaml', 'b_test.yml', 'a/other.yaml'],
  )
  assert.throws(() => findTests([join(folder, 'nowhere')]), { code: 'tests_unreadable' })
})

put(
  'aegis/policy.yaml',
  `version: "1"
defaults: { risk_level: medium, approval: approve }
rules:
  - { name: reads, match: { type: "read_*" }, risk_level: low, approval: auto }
  - { name: drops, match: { type: db_query, target: production, agent: "bot-*" }, conditions: { param_contains: { query: DROP } }, risk_level: critical, approval: block }
`,
)

test('a suite of Aegis runs as it is, in both of its forms', async () => {
  const older = put(
    'aegis/older.yaml',
    `name: older
tests:
  - { action: { type: read_file, target: fs }, expected_decision: AUTO, expected_risk_level: low, description: reads }
  - { action: { type: write_file }, expected_risk_level: medium }
  - { action: { type: read_file }, expected_decision: block }
`,
  )
  const newer = put(
    'aegis/newer.yaml',
    `suite: newer
policy: ./policy.yaml
tests:
  - name: blocks a drop
    action: { type: db_query, target: production, agent_id: bot-1, params: { query: "DROP TABLE t" } }
    expect: { approval: block, risk_level: CRITICAL }
    tags: [sql]
  - { name: asks, action: { type: other }, expect: { approval: warn } }
  - { name: later, action: { type: other }, expect: { approval: allow }, skip: true, skip_reason: not yet }
`,
  )
  const choice = { policy: { files: [join(folder, 'aegis/policy.yaml')] } }
  const { result } = await runFile(older, choice)
  assert.deepEqual(
    result.cases.map(({ name, status }) => [name, status]),
    [
      ['1: reads', 'passed'],
      ['2: write_file', 'passed'],
      ['3: read_file', 'failed'],
    ],
  )
  const second = (await runFile(newer)).result
  assert.deepEqual(
    second.cases.map(({ status, skip }) => [status, skip]),
    [
      ['passed', undefined],
      ['passed', undefined],
      ['skipped', 'not yet'],
    ],
  )
  assert.deepEqual(
    second.warnings?.map(({ message }) => message),
    ['Aegis does not read `tags` in a test'],
  )
  assert.match((await runFile(older)).result.trouble?.diagnostics[0]?.message ?? '', /names no policy.*`-c FILE`/)
})

test('what is wrong with a file or its policy is told with every place, and counts as an error', async () => {
  put('bad/policy.yaml', 'version: "1"\ndefault: dney\ntools: {}\n')
  const suite = (policyName: string) => `policy: ${policyName}\ncases: [{ name: x, call: { tool: a }, expect: deny }]\n`
  const one = (await runFile(put('bad/one_test.yaml', suite('policy.yaml')))).result
  assert.equal(one.trouble?.code, 'policy_invalid')
  assert.match(textOf(one), /bad\/policy\.yaml:2:10: `default` must be .* did you mean `deny`\?/)
  const two = (await runFile(put('bad/two_test.yaml', suite('nowhere.yaml')))).result
  assert.equal(two.trouble?.code, 'policy_unreadable')
  const three = (await runFile(put('bad/three_test.yaml', 'polic: x\n'))).result
  assert.equal(three.trouble?.code, 'cases_invalid')
  const four = (await runFile(join(folder, 'bad/nowhere_test.yaml'))).result
  assert.equal(four.trouble?.code, 'tests_unreadable')
  assert.deepEqual(countsOf([one, two, three, four]), { passed: 0, failed: 0, errored: 4, skipped: 0 })
})

const odd = 'a\u001b[31m <b> & "c" # \\ \u202e \ufffe'
const at = { file: 'x & y_test.yaml', line: 3, col: 5 }
const results: readonly SuiteResult[] = [
  {
    file: at.file,
    kind: 'cases',
    cases: [
      { name: 'fine', at, status: 'passed', durationMs: 1.5, failures: [] },
      { name: 'later', at, status: 'skipped', durationMs: 0, failures: [], skip: 'not # yet' },
      {
        ...{ name: odd, at, status: 'failed', durationMs: 2, output: `${odd}\n` },
        failures: [
          {
            ...{ at, message: odd, outcome: { decision: 'deny', reason_code: odd, rule: odd, message: odd } },
            differences: [{ key: 'decision', expected: 'allow', got: null, at }],
          },
        ],
      },
      { name: 'odd', at, status: 'errored', durationMs: 0, failures: [{ at, message: odd, differences: [] }] },
    ],
  },
  {
    ...{ file: 'z_test.yaml', kind: 'cases', cases: [] },
    trouble: {
      ...{ code: 'cases_invalid', message: '`z_test.yaml` has mistakes' },
      diagnostics: [{ file: 'z_test.yaml', line: 1, col: 1, severity: 'error', code: 'unreadable', message: odd }],
    },
  },
]
const report = { suites: results, durationMs: 12.3 }

test('text shows what failed, and everything when asked, and steers no terminal', () => {
  const text = results.map((result) => suiteText(result, { verbose: false, paint })).join('')
  assert.doesNotMatch(text, /\p{Cf}|fine/u)
  assert.ok(!text.includes('\u001b'))
  assert.match(text, /^FAIL x & y_test\.yaml \(1 passed, 1 failed, 1 errored, 1 skipped\)$/m)
  assert.match(text, /^ +x & y_test\.yaml:3:5: a\\u001b/m)
  assert.match(text, /^ +decision: expected "allow", got nothing$/m)
  assert.match(text, /^ {2}skip later \(not # yet\)$/m)
  assert.match(suiteText(results[0] as SuiteResult, { verbose: true, paint }), /^ {2}ok {3}fine$/m)
  assert.equal(
    summaryText(report, { verbose: false, paint }),
    '1 passed, 1 failed, 2 errored, 1 skipped in 2 files, 0.0 s\n',
  )
})

test('JSON has all of it', () => {
  const read = JSON.parse(jsonReport(report))
  const { passed, failed, errored, skipped, files, suites } = read
  assert.deepEqual([passed, failed, errored, skipped, files], [1, 1, 2, 1, 2])
  assert.equal(suites[0].cases[2].name, odd)
  assert.deepEqual(suites[0].cases[2].failures[0].differences, [
    { key: 'decision', expected: 'allow', got: null, ...at },
  ])
  assert.equal(suites[1].trouble.mistakes[0].message, odd)
})

test('TAP has a point for each test, counted, and its YAML can be read', () => {
  const lines = tapReport(report).split('\n')
  assert.deepEqual(lines.slice(0, 2), ['TAP version 14', '1..5'])
  const points = lines.filter((line) => /^(?:not )?ok /.test(line))
  assert.deepEqual(points, [
    'ok 1 - x & y_test.yaml: fine',
    'ok 2 - x & y_test.yaml: later # SKIP not # yet',
    'not ok 3 - x & y_test.yaml: a\\\\u001b[31m <b> & "c" \\# \\\\ \\\\u202e \ufffe',
    'not ok 4 - x & y_test.yaml: odd',
    'not ok 5 - z_test.yaml: the file can be run',
  ])
  const blocks = [...lines.join('\n').matchAll(/^ {2}---\n([\s\S]*?)^ {2}\.\.\.$/gm)].map(([, text = '']) =>
    parse(text),
  )
  assert.equal(blocks.length, 3)
  assert.deepEqual(blocks[0].at, { file: at.file, line: 3 })
})

test('JUnit is XML that holds nothing which XML cannot, with the counts that its readers add up', () => {
  const xml = junitReport(report)
  assert.doesNotMatch(xml, /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/)
  const root = xmlOf(xml)
  assert.deepEqual(root.attributes, { name: 'tollgate', tests: '5', failures: '1', errors: '2', time: '0.012' })
  const [first, second] = root.children
  assert.deepEqual(first?.attributes, {
    ...{ name: at.file, tests: '4', failures: '1', errors: '1', skipped: '1', time: '0.004' },
  })
  const inside = first?.children.map(({ tag, attributes, children }) => [
    tag,
    attributes['line'],
    ...children.map((child) => child.tag),
  ])
  assert.deepEqual(inside, [
    ['testcase', '3'],
    ['testcase', '3', 'skipped'],
    ['testcase', '3', 'failure', 'system-out'],
    ['testcase', '3', 'error'],
  ])
  assert.equal(first?.children[2]?.children[0]?.attributes['message'], 'decision: expected "allow", got nothing')
  assert.match(first?.children[2]?.attributes['name'] ?? '', /^a\\u001b\[31m <b> & "c" # \\ /)
  assert.equal(second?.children[0]?.children[0]?.attributes['type'], 'cases_invalid')
})
