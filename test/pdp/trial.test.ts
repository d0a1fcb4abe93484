/** Modules that no compiler of ours made are refused before a call waits for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryModule } from '../../src/pdp/trial.ts'
import { oddModules } from '../opa/wasm.ts'

for (const [what, [wasm, message]] of Object.entries(oddModules)) {
  test(`a module is refused that ${what}`, () => {
    const load = () => tryModule({ wasm, data: {}, entrypoint: 'tollgate/decision' }, 300)
    assert.throws(load, { code: 'engine_unloadable', message })
  })
}
