import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openCompiler } from '../../src/compile/compiler.ts'
import { CompileError } from '../../src/compile/errors.ts'
import { refunds } from './evaluate.ts'

const compiler = await openCompiler()
after(() => compiler.close())

const tests = `package refunds_test

import data.refunds

test_small if refunds.allow with input as {"amount": 1}

test_large if {
	print("looking at", 501)
	refunds.allow with input as {"amount": 501}
}

test_text if not refunds.allow with input as {"amount": "1"}

todo_test_later if false

test_table[note] if {
	some note, amount in {"none": 0, "too much": 900}
	refunds.allow with input as {"amount": amount}
}
`
const modules = { 'refunds.rego': refunds, 'refunds_test.rego': tests }

test('each test is reported with its outcome, its place, what it printed and where it failed', async () => {
  const report = await compiler.test({ modules })
  assert.equal(report.coverage, undefined)
  assert.deepEqual(
    report.tests.map(({ name, row, outcome }) => [name, row, outcome]),
    [
      ['test_small', 5, 'pass'],
      ['test_large', 7, 'fail'],
      ['test_text', 12, 'pass'],
      ['todo_test_later', 14, 'skip'],
      ['test_table', 16, 'fail'],
    ],
  )
  const [small, large, , , table] = report.tests
  assert.equal(small?.package, 'data.refunds_test')
  assert.ok((small?.duration_ns ?? 0) > 0)
  assert.equal(large?.output, 'looking at 501\n')
  assert.equal(large?.failed_at?.row, 9)
  assert.equal(large?.failed_at?.file, 'refunds_test.rego')
  assert.deepEqual(
    table?.cases?.map(({ name, outcome }) => [name, outcome]),
    [
      [['none'], 'pass'],
      [['too much'], 'fail'],
    ],
  )
  assert.equal(table?.cases?.[1]?.failed_at?.row, 18)
})

test('where a test fails, the values of its variables are told if they are asked for', async () => {
  const { tests: results } = await compiler.test({ modules, run: 'test_table', vars: true })
  const failed = results[0]?.cases?.find(({ outcome }) => outcome === 'fail')?.failed_at
  assert.equal(failed?.row, 18)
  assert.match(failed?.vars ?? '', /\| +900\n/)
  const without = await compiler.test({ modules, run: 'test_table' })
  assert.equal(without.tests[0]?.cases?.[1]?.failed_at?.vars, undefined)
})

test('coverage names the lines that no test reached', async () => {
  const policy = `${refunds}\nforgotten if input.never\n`
  const { tests: results, coverage } = await compiler.test({
    modules: { 'refunds.rego': policy, 'refunds_test.rego': tests },
    run: 'test_small',
    coverage: true,
  })
  assert.deepEqual(
    results.map(({ name }) => name),
    ['test_small'],
  )
  const file = coverage?.files['refunds.rego']
  assert.ok(file?.covered?.some(({ start }) => start.row === 7))
  assert.deepEqual([...new Set(file?.not_covered?.map(({ start }) => start.row))], [3, 10])
  assert.ok((coverage?.coverage ?? 100) < 100)
})

test('an evaluation error in a test is an error, not a failure', async () => {
  const conflicting = 'package a_test\n\nx := 1 if true\n\nx := 2 if true\n\ntest_x if x == 1\n'
  const { tests: results } = await compiler.test({ modules: { 'a_test.rego': conflicting } })
  assert.equal(results[0]?.outcome, 'error')
  assert.match(results[0]?.error ?? '', /eval_conflict_error: rule data\.a_test\.x/)
})

test('tests see data', async () => {
  const text = 'package a_test\n\ntest_x if data.limits.refund == 500\n'
  const { tests: results } = await compiler.test({
    modules: { 'a_test.rego': text },
    data: { limits: { refund: 500 } },
  })
  assert.equal(results[0]?.outcome, 'pass')
})

test('tests that do not compile are refused with their places', async () => {
  await assert.rejects(
    compiler.test({ modules: { 'a_test.rego': 'package a_test\n\ntest_x if missing\n' } }),
    (error) => {
      assert.ok(error instanceof CompileError)
      assert.deepEqual(error.diagnostics[0]?.row, 3)
      return true
    },
  )
})

test('a test cannot reach the network', async () => {
  const text = 'package a_test\n\ntest_x if http.send({"method": "get", "url": "http://localhost"})\n'
  await assert.rejects(compiler.test({ modules: { 'a_test.rego': text } }), /`http\.send` is refused/)
})
