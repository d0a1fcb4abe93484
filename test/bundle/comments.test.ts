/** What a policy says of itself in comments is part of its Rego and of its revision, and nothing of its WASM. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openCompiler } from '../../src/compile/compiler.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-comments-'))
const { TOLLGATE_CACHE_DIR: before } = process.env
process.env['TOLLGATE_CACHE_DIR'] = folder
const compiler = await openCompiler()
after(async () => {
  if (before === undefined) delete process.env['TOLLGATE_CACHE_DIR']
  else process.env['TOLLGATE_CACHE_DIR'] = before
  rmSync(folder, { recursive: true })
  await compiler.close()
})

const policies = {
  native: 'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ rate_limit: 3/day }] }\n',
  ordered:
    'version: "1"\ndefault: deny\nrules: [{ tool: pay, action: allow, when: { arguments: { a: { lte: 3 } } } }]\n',
}

for (const [name, text] of Object.entries(policies))
  test(`${name}: a policy that moved, or has another name, is compiled already`, async () => {
    const first = await buildPolicy({ name: 'policy.yaml', text })
    const compiled = () => readdirSync(folder).filter((file) => file.endsWith('.wasm'))
    const kept = compiled()
    const moved = await buildPolicy({ name: 'other.yaml', text: `# moved\n${text}` })
    assert.deepEqual(compiled(), kept)
    assert.notEqual(moved.revision, first.revision)
    assert.ok(Object.values(moved.modules).some((rego) => rego.includes('other.yaml:')))
    // Whoever compiles the Rego as it stands gets the same bytes.
    const { modules, data, entrypoint } = moved
    const { wasm } = await compiler.build({ modules, data: data as Record<string, unknown>, entrypoints: [entrypoint] })
    assert.ok(Buffer.from(wasm).equals(moved.wasm))
  })
