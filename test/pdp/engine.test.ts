import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { openCompiler } from '../../src/compile/compiler.ts'
import { Engine } from '../../src/pdp/engine.ts'

test('a policy whose texts alone are larger than the memory of a small one is loaded', async () => {
  const message = 'long '.repeat(100_000)
  const verdict = { decision: 'allow', message, reason_code: 'ALLOW', rule: 'long' }
  const modules = { 'long.rego': `package tollgate\n\ndecision := ${JSON.stringify(verdict)}\n` }
  await using compiler = await openCompiler()
  const { wasm } = await compiler.build({ modules, entrypoints: ['tollgate/decision'] })
  const engine = new Engine(wasm, {}, 'tollgate/decision')
  assert.deepEqual(engine.evaluate('{}'), verdict)
})

test('an input and an answer larger than the memory it began with are read whole', async () => {
  const modules = {
    'echo.rego':
      'package tollgate\n\ndecision := {"decision": "allow", "reason_code": "ALLOW", "rule": "echo", "message": input.text}\n',
  }
  await using compiler = await openCompiler()
  const { wasm } = await compiler.build({ modules, entrypoints: ['tollgate/decision'] })
  const engine = new Engine(wasm, {}, 'tollgate/decision')
  for (const text of ['short', 'ünïcödé 😀 '.repeat(100_000), 'short again', 'x'.repeat(3_000_000), ''])
    assert.equal(engine.evaluate(JSON.stringify({ text })).message, text)
})

test('an engine that failed answers the next question', async () => {
  const modules = { 'odd.rego': 'package tollgate\n\ndecision := input.verdict\n' }
  await using compiler = await openCompiler()
  const { wasm } = await compiler.build({ modules, entrypoints: ['tollgate/decision'] })
  const engine = new Engine(wasm, {}, 'tollgate/decision')
  const verdict = { decision: 'deny', reason_code: 'X', rule: 'r', message: 'm' }
  for (const input of ['{"verdict":{"decision":"allow"}}', '{"verdict":{"odd":1}}'])
    assert.throws(() => engine.evaluate(input), { code: 'engine_failed' }, input)
  for (const input of ['', '{', 'null', '0', '{}'])
    assert.throws(() => engine.evaluate(input), { code: 'decision_undefined' }, input)
  assert.deepEqual(engine.evaluate(JSON.stringify({ verdict })), verdict)
})

test('the YAML parser that the library would bring along is whole for others who ask for it', async () => {
  const modules = { 'yes.rego': 'package tollgate\n\ndecision := {"decision": "allow"}\n' }
  await using compiler = await openCompiler()
  const { wasm } = await compiler.build({ modules, entrypoints: ['tollgate/decision'] })
  new Engine(wasm, {}, 'tollgate/decision')
  const library = createRequire(import.meta.url).resolve('@open-policy-agent/opa-wasm')
  assert.deepEqual(createRequire(library)('yaml').parse('a: [1]'), { a: [1] })
})
