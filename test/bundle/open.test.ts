/** A policy goes into a bundle and comes out of it as it was; what does not hold together is refused. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Artifact } from '../../src/bundle/artifact.ts'
import { buildMerged, buildPolicy } from '../../src/bundle/build.ts'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import { openBundle } from '../../src/bundle/open.ts'
import { requireRoot } from '../../src/bundle/root.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { pack } from '../../src/opa/pack.ts'
import { Engine } from '../../src/pdp/engine.ts'
import { newPair, now, signedBytes, text, trusting } from '../opa/signer.ts'

const policy = 'version: "1"\ndefault: deny\ntools:\n  pay:\n    rules: [{ rate_limit: 3/day }]\n'
const pair = newPair('EdDSA', 'release')
const trust = trusting(pair)
let artifact: Artifact
let files: readonly BundleFile[]

before(async () => {
  artifact = await buildPolicy({ name: 'policy.yaml', text: policy })
  files = bundleFiles(artifact, { version: '0.1.0' })
})

const open = (bytes: Uint8Array) => openBundle(bytes, trust, { now })

test('the policy in a bundle is the one that went in', async () => {
  const opened = await open(await signedBytes(files, pair))
  assert.deepEqual(opened.artifact, { ...artifact, wasm: new Uint8Array(artifact.wasm) })
  assert.equal(opened.revision, artifact.revision)
  assert.deepEqual(opened.roots, ['tollgate'])
  assert.equal(opened.sequence, 7)
  assert.deepEqual(opened.signers, [{ keyId: 'release', algorithm: 'EdDSA' }])
})

test('a bundle has the revision that it was given', async () => {
  const named = bundleFiles(artifact, { version: '0.1.0', revision: 'v12' })
  assert.equal((await open(await signedBytes(named, pair))).revision, 'v12')
})

/** Signed, all of them: what a signer put together wrongly, or on purpose. */
const apart: Readonly<Record<string, (files: readonly BundleFile[]) => readonly BundleFile[]>> = {
  'a rule of the Rego is another': (files) => changed(files, 'dispatch.rego', (rego) => `${rego}\n# changed\n`),
  'a module is missing': (files) => files.filter(({ path }) => path !== 'dispatch.rego'),
  'there is one module more': (files) => [...files, text('more.rego', 'package tollgate.more\n')],
  'the data is another': (files) => changed(files, 'data.json', () => '{"tollgate":{"tables":{}}}'),
  'the data is missing': (files) => files.filter(({ path }) => path !== 'data.json'),
  'there is data elsewhere': (files) => [...files, text('tollgate/x/data.json', '{}')],
  'the module is another': (files) => changed(files, 'policy.wasm', () => 'something else'),
  'the module is missing': (files) => files.filter(({ path }) => path !== 'policy.wasm'),
  'the source is another': (files) => changed(files, 'tollgate/sources/policy.yaml', (yaml) => yaml.replace('3', '4')),
  'there is a file nobody asked for': (files) => [...files, text('README.md', 'hello')],
}

for (const [what, change] of Object.entries(apart)) {
  test(`refused, though it is signed: ${what}`, async () => {
    await assert.rejects(open(await signedBytes(change(files), pair)), { code: 'bundle_content_differs' })
  })
}

test('a bundle of another version of Tollgate is refused by name', async () => {
  const other = changed(files, '.manifest', (manifest) => manifest.replace('"format":1', '"format":2'))
  await assert.rejects(open(await signedBytes(other, pair)), { code: 'bundle_foreign', message: /another version/ })
  const less = changed(files, '.manifest', (manifest) => manifest.replace('"rego_sha256"', '"rego"'))
  await assert.rejects(open(await signedBytes(less, pair)), { code: 'bundle_manifest_invalid' })
})

test('a bundle that is not signed is refused, unless it is allowed by name', async () => {
  await assert.rejects(open(pack(files)), { code: 'bundle_unsigned' })
  const opened = await openBundle(pack(files), { keys: [], threshold: 1, allowUnsigned: true }, { now })
  assert.equal(opened.artifact.revision, artifact.revision)
  assert.deepEqual(opened.signers, [])
})

function changed(files: readonly BundleFile[], path: string, change: (text: string) => string): readonly BundleFile[] {
  assert.ok(files.some((file) => file.path === path))
  return files.map((file) => (file.path === path ? text(path, change(Buffer.from(file.bytes).toString('utf8'))) : file))
}

test('under a root of its own, a policy owns that alone, decides the same, and is another revision', async () => {
  const named = 'say `data.tollgate.x`, or "package tollgate"'
  const written = `version: "1"\ndefault: deny\ntools:\n  pay:\n    rules: [{ action: deny, on_deny: ${JSON.stringify(named)} }]\n`
  const [plain, rooted] = await Promise.all(
    [undefined, 'org'].map((root) => buildMerged([{ name: 'p.yaml', text: written }], root)),
  )
  assert.ok(plain && rooted)
  const opened = await open(await signedBytes(bundleFiles(rooted, { version: '0.1.0' }), pair))
  assert.deepEqual(opened.roots, ['tollgate/org'])
  assert.equal(opened.artifact.entrypoint, 'tollgate/org/decision')
  assert.notEqual(opened.artifact.revision, plain.revision)
  const input = '{"method":"tools/call","server":"","tool":"pay","arguments":{},"facts":{}}'
  const ask = ({ wasm, data, entrypoint }: Artifact) => new Engine(wasm, data, entrypoint).evaluate(input)
  assert.deepEqual(ask(opened.artifact), ask(plain))
  assert.match(JSON.stringify(ask(plain)), /say `data\.tollgate\.x`/)
  const moved = changed(bundleFiles(rooted, { version: '0.1.0' }), '.manifest', (json) =>
    json.replace('["tollgate/org"]', '[""]'),
  )
  await assert.rejects(open(await signedBytes(moved, pair)), { code: 'bundle_content_differs', message: /roots/ })
  for (const root of ['Org', 'a/b', 'in', 'system', '', '1a'])
    assert.throws(() => requireRoot(root), { code: 'root_invalid' })
})
