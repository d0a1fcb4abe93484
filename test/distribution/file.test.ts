/** A bundle in a file or in a folder: read when it is still, in bounds, and without what a link leads to. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { LocalBundle } from '../../src/distribution/file.ts'
import { readBundle } from '../../src/opa/bundle.ts'
import { bundleBytesMax } from '../../src/opa/limits.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-local-'))
after(() => rmSync(folder, { recursive: true }))
const signal = new AbortController().signal
const ask = (bundle: LocalBundle, etag?: string) => bundle.ask({ etag, waitMs: 0, signal })

test('a file is read once for each change, and not while it is being written', async () => {
  const file = join(folder, 'policy.tar.gz')
  writeFileSync(file, gzipSync('one'))
  const bundle = new LocalBundle(file)
  const first = await ask(bundle)
  const etag = first.kind === 'found' ? first.etag : assert.fail('it was not found')
  assert.equal((await ask(bundle, etag)).kind, 'same')
  writeFileSync(file, gzipSync('half of the second one'))
  assert.equal((await ask(bundle, etag)).kind, 'same', 'it has just changed')
  writeFileSync(file, gzipSync('the second one, which is whole'))
  assert.equal((await ask(bundle, etag)).kind, 'same', 'it has changed again')
  const second = await ask(bundle, etag)
  assert.deepEqual(second.kind === 'found' && Buffer.from(second.bytes), gzipSync('the second one, which is whole'))
})

test('a folder is the bundle that was unpacked into it', async () => {
  const unpacked = join(folder, 'unpacked')
  mkdirSync(join(unpacked, 'tollgate/tools'), { recursive: true })
  writeFileSync(join(unpacked, '.manifest'), '{"revision":"r1","roots":["tollgate"]}')
  writeFileSync(join(unpacked, 'data.json'), '{}')
  writeFileSync(join(unpacked, 'tollgate/tools/pay.rego'), 'package tollgate.tools.pay\n')
  writeFileSync(join(folder, 'secret'), 'of somebody else')
  symlinkSync(join(folder, 'secret'), join(unpacked, 'link'))
  symlinkSync(folder, join(unpacked, 'out'))
  const bundle = new LocalBundle(unpacked)
  const found = await ask(bundle)
  const { files, manifest } = await readBundle(found.kind === 'found' ? found.bytes : assert.fail('it was not found'))
  assert.deepEqual(files.map(({ path }) => path).sort(), ['.manifest', 'data.json', 'tollgate/tools/pay.rego'])
  assert.equal(manifest.revision, 'r1')
  const etag = found.kind === 'found' ? found.etag : undefined
  assert.equal((await ask(bundle, etag)).kind, 'same')
  writeFileSync(join(unpacked, 'tollgate/tools/pay.rego'), 'package tollgate.tools.pay\n\nx := 1\n')
  await ask(bundle, etag)
  assert.equal((await ask(bundle, etag)).kind, 'found')
})

test('what is no regular file is refused before it is read: a pipe would be waited for, by the whole gate', async () => {
  await assert.rejects(ask(new LocalBundle('/dev/null')), { code: 'bundle_absent', message: /is no regular file$/ })
})

test('what is missing, empty, too large or no gzip is named as that', async () => {
  const large = join(folder, 'large.tar.gz')
  writeFileSync(large, '')
  truncateSync(large, bundleBytesMax + 1)
  writeFileSync(join(folder, 'empty.tar.gz'), '')
  writeFileSync(join(folder, 'policy.yaml'), 'version: "1"\n')
  const cases = { 'none.tar.gz': 'bundle_absent', 'large.tar.gz': 'bundle_too_large', 'empty.tar.gz': 'bundle_absent' }
  for (const [name, code] of Object.entries({ ...cases, 'policy.yaml': 'bundle_content_wrong' }))
    await assert.rejects(ask(new LocalBundle(join(folder, name))), { code }, name)
})
