import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openCompiler } from '../../src/compile/compiler.ts'
import { CompileError } from '../../src/compile/errors.ts'
import { evaluate, refunds } from './evaluate.ts'

const compiler = await openCompiler()
after(() => compiler.close())

async function failureOf(promise: Promise<unknown>): Promise<CompileError> {
  const failure = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(failure instanceof CompileError, String(failure))
  return failure
}

test('a small policy compiles and decides', async () => {
  const { wasm, entrypoints } = await compiler.build({
    modules: { 'refunds.rego': refunds },
    entrypoints: ['refunds/allow'],
  })
  assert.deepEqual(entrypoints, ['refunds/allow'])
  assert.deepEqual(await evaluate(wasm, { amount: 500 }), [true])
  assert.deepEqual(await evaluate(wasm, { amount: 501 }), [false])
  assert.deepEqual(await evaluate(wasm, { amount: null }), [false])
})

test('the same request gives the same bytes, whatever the order of its modules', async () => {
  const other = 'package other\n\nlimits := {"a": 1, "b": 2}\n'
  const entrypoints = ['refunds/allow', 'other/limits']
  const one = await compiler.build({ modules: { 'a.rego': refunds, 'b.rego': other }, entrypoints })
  const two = await compiler.build({ modules: { 'b.rego': other, 'a.rego': refunds }, entrypoints })
  assert.deepEqual(one.wasm, two.wasm)
})

test('every mistake is reported at once with its file, row and column', async () => {
  const modules = {
    'a.rego': 'package a\n\nx := 1\n\ny := "s" + 1\n',
    'b.rego': 'package b\n\nz := upper(1)\n\nw := input.x > lower(2)\n',
  }
  const failure = await failureOf(compiler.build({ modules, entrypoints: ['a/x'] }))
  assert.equal(failure.code, 'compile_failed')
  const places = failure.diagnostics.map(({ file, row, col, code }) => [file, row, col, code])
  assert.deepEqual(places, [
    ['a.rego', 5, 6, 'rego_type_error'],
    ['b.rego', 3, 6, 'rego_type_error'],
    ['b.rego', 5, 16, 'rego_type_error'],
  ])
  assert.match(failure.message, /^a\.rego:5:6 plus: invalid argument/)
  assert.deepEqual(await compiler.check({ modules }), failure.diagnostics)
})

test('more mistakes than the ten at which a build stops are all reported', async () => {
  const rules = Array.from({ length: 25 }, (_, i) => `r${i} := missing_${i}\n`).join('')
  const failure = await failureOf(
    compiler.build({ modules: { 'a.rego': `package a\n${rules}` }, entrypoints: ['a/r0'] }),
  )
  assert.equal(failure.diagnostics.length, 25)
})

test('syntax errors of several files are reported together', async () => {
  const found = await compiler.check({
    modules: { 'a.rego': 'package a\n\nx := \n', 'b.rego': 'package\n', 'c.rego': '' },
  })
  assert.deepEqual([...new Set(found.map(({ file }) => file))], ['a.rego', 'b.rego', 'c.rego'])
})

test('rules written for Rego v0 are refused', async () => {
  const [found] = await compiler.check({ modules: { 'a.rego': 'package a\n\nx { input.y }\n' } })
  assert.equal(found?.row, 3)
  assert.match(found?.message ?? '', /`if` keyword is required/)
})

test('an entrypoint that does not exist, or none at all, is an error', async () => {
  const modules = { 'refunds.rego': refunds }
  const unknown = await failureOf(compiler.build({ modules, entrypoints: ['refunds/deny'] }))
  assert.match(unknown.message, /refunds\/deny/)
  assert.match((await failureOf(compiler.build({ modules, entrypoints: [] }))).message, /at least one entrypoint/)
})

test('a rule in the place of data is refused', async () => {
  const request = { modules: { 'refunds.rego': refunds }, data: { refunds: { allow: true } } }
  const failure = await failureOf(compiler.build({ ...request, entrypoints: ['refunds/allow'] }))
  assert.match(failure.message, /conflicting rule for data path refunds\/allow/)
  assert.deepEqual(await compiler.check(request), failure.diagnostics)
})

test('a module that is not well-formed text is refused before it is sent', async () => {
  for (const modules of [{ 'a.rego': 'package a\nx := "\ud800"' }, { 'a\udfff.rego': 'package a' }]) {
    assert.equal((await failureOf(compiler.check({ modules }))).code, 'compiler_bad_request')
  }
})

test('package names with quotes, slashes, spaces, keywords and other scripts dispatch', async () => {
  const names = [
    'a"b',
    'a/b',
    'a b',
    '__proto__',
    'constructor',
    'package',
    'if',
    '退款',
    'возврат',
    '😀',
    '\\',
    "'",
    '`',
    '',
  ]
  const modules = Object.fromEntries(
    names.map((name, i) => [`${i}.rego`, `package tools[${JSON.stringify(name)}]\n\ndecision := ${i}\n`]),
  )
  const main = 'package main\n\ndecision := data.tools[input.tool].decision\n'
  const { wasm } = await compiler.build({ modules: { ...modules, 'main.rego': main }, entrypoints: ['main/decision'] })
  for (const [i, tool] of names.entries()) assert.deepEqual(await evaluate(wasm, { tool }), [i], JSON.stringify(tool))
  assert.deepEqual(await evaluate(wasm, { tool: 'toString' }), [])
})

test('names that would leave every dispatch undefined are refused', async () => {
  for (const name of ['\0', '\u0001', '\x1b', '\x7f', '\u{e0001}']) {
    const quoted = `"${[...name].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
    const text = name.length === 1 ? quoted : JSON.stringify(name)
    for (const module of [`package tools[${text}]\n\nx := 1\n`, `package tools\n\nx[${text}] := 1\n`]) {
      const failure = await failureOf(compiler.build({ modules: { 'a.rego': module }, entrypoints: ['tools'] }))
      assert.equal(failure.diagnostics[0]?.code, 'name_refused', JSON.stringify(name))
    }
  }
})

test('modules whose paths are property names of objects are kept', async () => {
  const modules = Object.fromEntries([
    ['__proto__', refunds],
    ['constructor', 'package b\n\nx := data.refunds.allow\n'],
  ])
  const { wasm } = await compiler.build({ modules, entrypoints: ['b/x'] })
  assert.deepEqual(await evaluate(wasm, { amount: 1 }), [true])
})

test('OPA formats text and refuses what does not parse', async () => {
  const text = await compiler.format({ path: 'a.rego', text: 'package a\nx:=1\ny if{\nx==1;x<2}' })
  assert.equal(text, 'package a\n\nx := 1\n\ny if {\n\tx == 1\n\tx < 2\n}\n')
  const failure = await failureOf(compiler.format({ path: 'a.rego', text: 'package a\nx :=' }))
  assert.equal(failure.diagnostics[0]?.file, 'a.rego')
})

test("OPA's own evaluator answers, and an undefined query has no result", async () => {
  const modules = { 'refunds.rego': refunds }
  const query = 'data.refunds.allow'
  assert.deepEqual(await compiler.eval({ modules, query, input: { amount: 5 } }), [true])
  assert.deepEqual(await compiler.eval({ modules, query: 'data.limits.x', data: { limits: { x: [1, null] } } }), [
    [1, null],
  ])
  assert.deepEqual(await compiler.eval({ modules, query: 'input' }), [])
  assert.deepEqual(await compiler.eval({ modules, query: 'input', input: null }), [null])
})

test('the version names OPA and Go', async () => {
  const { opa, go } = await compiler.version()
  assert.match(opa, /^1\.\d+\.\d+$/)
  assert.match(go, /^go1\.\d+/)
})

test('requests asked at once are answered each with its own answer, in order', async () => {
  const order: number[] = []
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const modules = { 'a.rego': i % 5 === 3 ? 'package a\n\nx := missing\n' : `package a\n\nx := ${i}\n` }
      const answer = await compiler.eval({ modules, query: 'data.a.x' }).catch((error: CompileError) => error.code)
      order.push(i)
      return answer
    }),
  )
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
  assert.deepEqual(
    answers,
    answers.map((_, i) => (i % 5 === 3 ? 'compile_failed' : [i])),
  )
})
