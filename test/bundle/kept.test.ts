import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { builtFile, sourceDigest } from '../../src/bundle/codeDigest.ts'
import { keptName } from '../../src/bundle/kept.ts'
import { loadPolicyFile } from '../../src/runtime/policyFile.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-kept-'))
const cache = join(folder, 'cache')
const file = join(folder, 'policy.yaml')
const policy = (limit: number) =>
  `version: "1"\ndefault: deny\ntools:\n  pay:\n    rules: [{ rate_limit: ${limit}/day }]\n`
const bytes = (text: string) => new TextEncoder().encode(text)
const known = process.env['TOLLGATE_CACHE_DIR']

before(() => {
  process.env['TOLLGATE_CACHE_DIR'] = cache
})
after(() => {
  if (known === undefined) delete process.env['TOLLGATE_CACHE_DIR']
  else process.env['TOLLGATE_CACHE_DIR'] = known
  rmSync(folder, { recursive: true })
})

test('a policy that was built before is the same when it is found again', async () => {
  writeFileSync(file, policy(1))
  const built = await loadPolicyFile(file)
  const name = keptName([{ name: 'policy.yaml', text: bytes(policy(1)) }])
  assert.ok(readdirSync(cache).includes(name))
  const found = await loadPolicyFile(file)
  assert.deepEqual(JSON.parse(JSON.stringify(found.policy)), JSON.parse(JSON.stringify(built.policy)))
  assert.deepEqual(new Uint8Array(found.wasm), new Uint8Array(built.wasm))
  assert.equal(found.revision, built.revision)
})

test('another text, and the same text under another name, are other policies', () => {
  const names = [
    { name: 'a.yaml', text: bytes(policy(1)) },
    { name: 'a.yaml', text: bytes(policy(2)) },
    { name: 'b.yaml', text: bytes(policy(1)) },
  ].map((one) => keptName([one]))
  assert.equal(new Set(names).size, 3)
})

test('what was kept is not believed once it was changed, or others could have changed it', async () => {
  writeFileSync(file, policy(3))
  const { revision } = await loadPolicyFile(file)
  const entry = join(cache, keptName([{ name: 'policy.yaml', text: bytes(policy(3)) }]))
  appendFileSync(entry, ' ')
  assert.equal((await loadPolicyFile(file)).revision, revision)
  chmodSync(entry, 0o666)
  writeFileSync(entry, 'not an entry at all')
  assert.equal((await loadPolicyFile(file)).revision, revision)
})

test('a policy with mistakes is told its mistakes every time', async () => {
  writeFileSync(file, 'version: "1"\ndefault: maybe\n')
  for (let i = 0; i < 2; i++) await assert.rejects(loadPolicyFile(file), { code: 'policy_invalid' })
})

test('what was built says of its code what is true of it, and what runs as it is keeps no such note', async () => {
  const dist = new URL('../../dist/bundle/codeDigest.js', import.meta.url).href
  const built: { builtFile: string; sourceDigest(): string } = await import(dist)
  assert.equal(readFileSync(built.builtFile, 'latin1'), built.sourceDigest())
  assert.notEqual(built.sourceDigest(), sourceDigest())
  assert.ok(!existsSync(builtFile))
})
