/** `tollgate test`: how it ends, where its report goes, and what it runs again. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

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
    [['empty'], 'there are no tests in `empty`: case files are called `*_test.yaml` (no_tests)'],
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
