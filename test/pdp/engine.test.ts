import assert from 'node:assert/strict'
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
