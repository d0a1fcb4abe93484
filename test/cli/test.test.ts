/** `tollgate test`: how it ends, where its report goes, and what it runs again. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { requireEnough } from '../../src/cli/testMeasures.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-test-'))
after(() => rmSync(folder, { recursive: true }))

const put = (name: string, text: string) => writeFileSync(join(folder, name), text)
const case_ = (name: string, expect: string) => `{ name: ${name}, call: { tool: a }, expect: ${expect} }`
for (const name of ['empty', 'good', 'bad']) mkdirSync(join(folder, name))
put('policy.yaml', 'version: "1"\ndefault: deny\ntools: { a: {} }\n')
put('denied.yaml', 'version: "1"\ndefault: deny\ntools: {}\n')
put('good/p_test.yaml', `policy: ../policy.yaml\ncases: [${case_('first', 'allow')}, ${case_('second', 'allow')}]\n`)
put('bad/p_test.yaml', `policy: ../policy.yaml\ncases: [${case_('first', 'deny')}, ${case_('second', 'deny')}]\n`)

function tollgate(...args: readonly string[]) {
  const options = { cwd: folder, encoding: 'utf8', timeout: 60_000 } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'test', ...args], options)
  return { status, stdout: stdout.replace(/\d+\.\d s$/m, '0.0 s'), stderr }
}

test('a folder is run whole, and one failure makes the exit code 1', () => {
  assert.deepEqual(tollgate('good', '-v'), {
    status: 0,
    stdout: 'ok   good/p_test.yaml (2 passed)\n  ok   first\n  ok   second\n2 passed in 1 file, 0.0 s\n',
    stderr: '',
  })
  const { status, stdout } = tollgate('--fail-fast')
  assert.equal(status, 1)
  assert.match(
    stdout,
    /^FAIL bad\/p_test\.yaml \(0 passed, 1 failed\)\n(?: .*\n)+0 passed, 1 failed in 1 file, 0\.0 s\n$/,
  )
})

test('no test at all is no success, and neither is a name that nothing has', () => {
  for (const [args, message] of [
    [
      ['empty'],
      'there are no tests in `empty`: case files are called `*_test.yaml`, tests in Rego `*_test.rego`; `tollgate test --generate POLICY -o FILE` writes a first one (no_tests)',
    ],
    [['good', '-r', 'thirrd'], 'no test in `good` has a name that `thirrd` matches (no_tests)'],
    [['nowhere'], '`nowhere`: there is no such file or folder (tests_unreadable)'],
  ] as const)
    assert.deepEqual(tollgate(...args), { status: 1, stdout: '', stderr: `tollgate: ${message}\n` })
  assert.equal(tollgate('-r', '(').status, 2)
})

test('the report goes into a file, and the text to standard output all the same', () => {
  const { status, stdout } = tollgate('good', '-r', 'sec', '--format', 'tap', '-o', 'report.tap')
  assert.deepEqual([status, stdout], [0, 'ok   good/p_test.yaml (1 passed)\n1 passed in 1 file, 0.0 s\n'])
  assert.equal(
    readFileSync(join(folder, 'report.tap'), 'utf8'),
    'TAP version 14\n1..1\nok 1 - good/p_test.yaml: second\n',
  )
  const json = tollgate('good', 'bad', '--json', '-c', 'denied.yaml')
  assert.equal(json.status, 1)
  assert.deepEqual(
    JSON.parse(json.stdout).suites.map(({ cases }: { cases: { status: string }[] }) => cases.map((one) => one.status)),
    [
      ['failed', 'failed'],
      ['passed', 'passed'],
    ],
  )
})

test('a first case file is written beside its policy, is never replaced unasked, and passes', () => {
  mkdirSync(join(folder, 'written'))
  const generate = ['--generate', 'policy.yaml', '-o', 'written/first_test.yaml']
  assert.deepEqual(tollgate(...generate), { status: 0, stdout: '', stderr: '2 cases of `policy.yaml`\n' })
  assert.match(readFileSync(join(folder, 'written/first_test.yaml'), 'utf8'), /^policy: \.\.\/policy\.yaml$/m)
  assert.match(tollgate(...generate).stderr, /output_exists/)
  assert.equal(tollgate('written').stdout, 'ok   written/first_test.yaml (2 passed)\n2 passed in 1 file, 0.0 s\n')
  assert.equal(tollgate('good', '--from', 'ledger.db').status, 2)
})

test('what is watched is run again when a policy changes', { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, [main, 'test', '--watch', 'good'], { cwd: folder })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const until = async (pattern: RegExp) => {
    while (!pattern.test(said)) await once(child.stdout, 'data')
  }
  after(() => child.kill('SIGKILL'))
  await until(/^2 passed in/m)
  put('policy.yaml', 'version: "1"\ndefault: deny\ntools: { b: {} }\n')
  await until(/^0 passed, 2 failed in/m)
  put('good/p_test.yaml', `policy: ../denied.yaml\ncases: [${case_('third', 'deny')}]\n`)
  await until(/^1 passed in/m)
  child.kill('SIGTERM')
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGTERM')
})

test('what is covered and noticed is told beside the tests, and less than was asked for makes the exit code 1', () => {
  mkdirSync(join(folder, 'measured'))
  put('measured/p.yaml', 'version: "1"\ndefault: deny\ntools: { a: { rules: [{ rate_limit: 1/day }] } }\n')
  put('measured/p_test.yaml', `policy: p.yaml\ncases: [${case_('first', 'allow')}]\n`)
  put('measured/p_test.rego', 'package p_test\n\ntest_true if true\n')
  const asked = ['--threshold', '30', '--min-score', '0.5', '--lcov', 'lcov.info', '-o', 'measured.json', '--json']
  const { status, stdout, stderr } = tollgate('measured', ...asked)
  assert.equal(status, 1)
  assert.match(stderr, /^tollgate: the mutation score is 0\.\d+, which is below 0\.5 \(score_too_low\)\n$/)
  assert.match(stdout, /^ok {3}measured\/p_test\.rego \(1 passed\)$/m)
  assert.match(stdout, /^ {2}measured\/p\.yaml:3: `a\.rules\[0\]` not covered: it refused no call$/m)
  assert.match(stdout, /^ {2}measured\/p\.yaml:3: at most 1 call a day; now: 2$/m)
  const { coverage, mutation } = JSON.parse(readFileSync(join(folder, 'measured.json'), 'utf8'))
  assert.deepEqual([coverage.rules.covered, coverage.rules.of], [1, 3])
  assert.ok(mutation.score < 0.5)
  assert.match(readFileSync(join(folder, 'lcov.info'), 'utf8'), /^SF:measured\/p\.yaml$/m)
  const low = { files: [], rules: { covered: 1, of: 3, percent: 33.33 }, rego: { covered: 1, of: 1, percent: 100 } }
  assert.doesNotThrow(() => requireEnough({ coverage: low }, { threshold: 33.33 }))
  assert.throws(() => requireEnough({ coverage: low }, { threshold: 50 }), {
    code: 'coverage_too_low',
    message: 'the tests cover less than 50 % of the rules: 33.33 %',
  })
  assert.equal(tollgate('measured', '--min-score', '90').status, 2)
})
