/** Modules that no compiler of ours made are refused before a call waits for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryModule } from '../../src/pdp/trial.ts'
import { oddModules, talking } from '../opa/wasm.ts'

for (const [what, [wasm, message]] of Object.entries(oddModules)) {
  test(`a module is refused that ${what}`, () => {
    const load = () => tryModule({ wasm, data: {}, entrypoint: 'tollgate/decision' }, 300)
    const { log } = console
    assert.throws(load, { code: 'engine_unloadable', message })
    assert.equal(console.log, log)
  })
}

test('what a module prints is not said on stdout, where MCP lives', (t) => {
  const log = t.mock.method(console, 'log', () => {})
  assert.throws(() => tryModule({ wasm: talking, data: {}, entrypoint: 'x/y' }), {
    code: 'engine_unloadable',
    message: /builtins/,
  })
  assert.equal(log.mock.callCount(), 0)
  console.log('heard')
  assert.equal(log.mock.callCount(), 1)
})
