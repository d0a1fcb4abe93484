/** The hand-written Rego: its own tests, every line covered, formatted as OPA formats. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { openCompiler } from '../../src/compile/compiler.ts'

const folder = new URL('../../rego/', import.meta.url)
const modules = Object.fromEntries(
  readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
)
const compiler = await openCompiler()
after(() => compiler.close())

test('every Rego test passes and every line is covered', async () => {
  const { tests, coverage } = await compiler.test({ modules, coverage: true })
  assert.ok(tests.length >= 14)
  assert.deepEqual(
    tests.filter(({ outcome }) => outcome !== 'pass'),
    [],
  )
  for (const [name, file] of Object.entries(coverage?.files ?? {})) assert.deepEqual(file.not_covered ?? [], [], name)
})

for (const [name, text] of Object.entries(modules)) {
  test(`${name} is formatted`, async () => assert.equal(await compiler.format({ path: name, text }), text))
}
