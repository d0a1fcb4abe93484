/** Whatever is done to the bytes of a signed bundle, it is refused with a code, or it is the same bundle. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { readBundle } from '../../src/opa/bundle.ts'
import { BundleError } from '../../src/opa/errors.ts'
import { verifyBundle } from '../../src/opa/verify.ts'
import { fc, seed } from '../random.ts'
import { newPair, now, signedBytes, text, trusting } from './signer.ts'

const pair = newPair('EdDSA', 'k')
const files = [
  text('data.json', '{"a":[1.0,"x"],"b":{}}'),
  text('a.rego', 'package a\n\nallow if input.n == 1\n'),
  text(`${'long/'.repeat(25)}b.rego`, 'package b\n'),
  text('.manifest', '{"revision":"1","roots":[""]}'),
]

/** What it holds, if it is believed. */
async function believed(bytes: Uint8Array): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const bundle = await readBundle(bytes)
    await verifyBundle(bundle, trusting(pair), { now })
    const signed = bundle.files.filter(({ path }) => path !== '.signatures.json')
    return new Map(signed.map(({ path, bytes: content }) => [path, Buffer.from(content).toString('latin1')]))
  } catch (error) {
    assert.ok(error instanceof BundleError, String((error as Error).stack))
    return undefined
  }
}

test('a byte of the archive that is another', async () => {
  const archive = gunzipSync(await signedBytes(files, pair))
  const whole = await believed(gzipSync(archive))
  assert.ok(whole)
  // White space in data and manifest is nobody's business.
  const meant = (found: ReadonlyMap<string, string>) =>
    new Map(
      [...found].map(([path, content]) => [
        path,
        /json$|manifest$/.test(path) ? JSON.stringify(JSON.parse(content)) : content,
      ]),
    )
  let refused = 0
  const place = fc.nat({ max: archive.length - 1 })
  await fc.assert(
    fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = Buffer.from(archive)
      changed[at] = (changed[at] as number) ^ change
      const found = await believed(gzipSync(changed, { level: 1 }))
      if (found) assert.deepEqual(meant(found), meant(whole))
      else refused++
    }),
    { seed, numRuns: 1_500 },
  )
  assert.ok(refused > 500, String(refused))
})

test('blocks of the archive left out, repeated or exchanged', async () => {
  const archive = gunzipSync(await signedBytes(files, pair))
  const blocks = Array.from({ length: archive.length / 512 }, (_, index) =>
    archive.subarray(index * 512, index * 512 + 512),
  )
  const whole = await believed(gzipSync(archive))
  const order = fc.array(fc.nat({ max: blocks.length - 1 }), { minLength: 1, maxLength: blocks.length + 4 })
  const near = fc.tuple(fc.nat({ max: blocks.length - 1 }), fc.nat({ max: blocks.length - 1 })).map(([from, to]) => {
    const indices = blocks.map((_, index) => index)
    const [moved = 0] = indices.splice(from, 1)
    return indices.toSpliced(to, 0, ...(from % 2 === 0 ? [moved] : []))
  })
  await fc.assert(
    fc.asyncProperty(fc.oneof(order, near), async (indices) => {
      const shuffled = Buffer.concat(indices.map((index) => blocks[index] as Buffer))
      const found = await believed(gzipSync(shuffled, { level: 1 }))
      if (found) assert.deepEqual(new Map([...found].sort()), new Map([...(whole ?? [])].sort()))
    }),
    { seed, numRuns: 500 },
  )
})

test('bytes that are nothing in particular', async () => {
  const bytes = fc.uint8Array({ maxLength: 3_000 })
  await fc.assert(
    fc.asyncProperty(bytes, fc.boolean(), async (content, isPacked) => {
      assert.equal(await believed(isPacked ? gzipSync(content, { level: 1 }) : content), undefined)
    }),
    { seed, numRuns: 300 },
  )
})
