/** Rego tests of a folder: run as `opa test` runs them, with the data beside them, and told like any other test. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { findRego } from '../../src/testing/rego/modules.ts'
import { runRego } from '../../src/testing/rego/run.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-rego-'))
after(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

const refunds = write(
  'good/refunds.rego',
  `package refunds

allow if input.amount <= data.limits.refund.max

never if input.never
`,
)
const tests = write(
  'good/refunds_test.rego',
  `package refunds_test

import data.refunds

test_small if refunds.allow with input as {"amount": 1}

test_large if {
	print("looking")
	refunds.allow with input as {"amount": 501}
}

todo_test_later if false

test_table[note] if {
	some note, amount in {"none": 0, "much": 900}
	refunds.allow with input as {"amount": amount}
}
`,
)
write('good/limits/data.json', '{"refund": {"max": 500}}')
write('good/limits/more/data.yaml', 'x: 1\n')
write('good/policy.yaml', 'version: "1"\ndefault: deny\n')
write('good/node_modules/x/a.rego', 'package broken {')
const bad = write('bad/a_test.rego', 'package a_test\n\ntest_x if missing\n')
write('alone/a.rego', 'package a\n')

test('each test has its name, its outcome, and where it failed with the values there', async () => {
  const { suites, coverage } = await runRego([join(folder, 'good')], { coverage: true, vars: true })
  assert.deepEqual(
    suites.map(({ file, kind }) => [file, kind]),
    [[tests, 'rego']],
  )
  const cases = suites[0]?.cases ?? []
  assert.deepEqual(
    cases.map(({ name, status, at }) => [name, status, at.line]),
    [
      ['data.refunds_test.test_small', 'passed', 5],
      ['data.refunds_test.test_large', 'failed', 7],
      ['data.refunds_test.todo_test_later', 'skipped', 12],
      ['data.refunds_test.test_table/much', 'failed', 14],
      ['data.refunds_test.test_table/none', 'passed', 14],
    ],
  )
  assert.equal(cases[1]?.output, 'looking\n')
  assert.deepEqual(cases[1]?.failures[0]?.at, { file: tests, line: 9, col: 1 })
  const shown = cases[3]?.failures[0]?.shown?.split('\n') ?? []
  assert.equal(shown.at(-2)?.indexOf('900'), shown[0]?.indexOf('amount}'))
  assert.deepEqual(Object.keys(coverage?.files ?? {}), [refunds])
  assert.equal(coverage?.not_covered_lines, 1)
})

test('tests that do not compile are one trouble with its places, and a folder without tests is none', async () => {
  const { suites } = await runRego([bad])
  assert.equal(suites[0]?.trouble?.code, 'compile_failed')
  assert.deepEqual(
    suites[0]?.trouble?.diagnostics.map(({ file, line }) => [file, line]),
    [[bad, 3]],
  )
  assert.deepEqual(await runRego([join(folder, 'alone')]), { suites: [] })
})

test('data stands where its folder does, and two files do not say the same of it', () => {
  const { data } = findRego([join(folder, 'good')])
  assert.deepEqual(data, { limits: { refund: { max: 500 }, more: { x: 1 } } })
  write('twice/a_test.rego', 'package a_test\n')
  write('twice/data.json', '{"a": 1}')
  write('twice/data.yaml', 'a: 2\n')
  assert.throws(() => findRego([join(folder, 'twice')]), {
    code: 'tests_unreadable',
    message: /`a` is given by another/,
  })
  write('twice/data.yaml', '[1]\n')
  assert.throws(() => findRego([join(folder, 'twice')]), { code: 'tests_unreadable', message: /a map of documents/ })
})
