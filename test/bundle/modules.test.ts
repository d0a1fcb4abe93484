/** Which of the modules that are written by hand belong to a compiled policy. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withHandWritten } from '../../src/bundle/build.ts'
import { generate } from '../../src/codegen/generate.ts'
import { parsePolicy } from '../../src/policy/parse.ts'

function handWrittenFor(text: string): readonly string[] {
  const { policy } = parsePolicy({ file: 'policy.yaml', text })
  assert.ok(policy)
  const { modules } = generate(policy)
  return Object.keys(withHandWritten(modules)).filter((name) => name === 'dispatch.rego' || !(name in modules))
}

const native = (more: string) => `version: "1"\ndefault: deny\n${more}\n`

test('a policy has the modules that its own ask, and no other', () => {
  assert.deepEqual(handWrittenFor(native('tools: { pay: { rules: [] } }')), ['dispatch.rego'])
  assert.deepEqual(
    handWrittenFor(native('tools: { pay: { rules: [{ arguments: { a: { length: { max: 3 } } } }] } }')),
    ['dispatch.rego', 'lib.rego'],
  )
  assert.deepEqual(
    handWrittenFor(native('rules: [{ tool: pay, agent: "a*", action: allow, when: { weekdays: [1] } }]')),
    ['agent.rego', 'calendar.rego', 'dispatch.rego'],
  )
  const pack = readFileSync(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url), 'utf8')
  assert.deepEqual(handWrittenFor(pack), ['dispatch.rego', 'pack.rego'])
})
