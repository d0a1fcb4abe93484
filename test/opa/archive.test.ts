/** Archives: ours come back as they were, those of others are read, and what no bundle is made of is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { unpack } from '../../src/opa/archive.ts'
import { readBundle } from '../../src/opa/bundle.ts'
import { bundleEntriesMax } from '../../src/opa/limits.ts'
import { pack } from '../../src/opa/pack.ts'
import { fc, seed } from '../random.ts'
import { text } from './signer.ts'
import { tar, tarball } from './tarballs.ts'

const names = fc.array(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), { minLength: 1, maxLength: 5 })
const isPath = (path: string) =>
  !/[\p{Cc}\\/]/u.test(path) && path !== '' && path !== '.' && path !== '..' && path.isWellFormed()

test('whatever files are packed come back', async () => {
  const files = fc.uniqueArray(fc.tuple(names, fc.uint8Array({ maxLength: 2_000 })), {
    selector: ([parts]) => parts.join('/'),
    maxLength: 6,
  })
  await fc.assert(
    fc.asyncProperty(files, async (written) => {
      const given = written
        .filter(([parts]) => parts.every(isPath) && parts.join('/').length <= 512)
        .map(([parts, bytes]) => ({ path: parts.join('/'), bytes }))
      const read = await unpack(pack(given))
      assert.deepEqual(
        read.map(({ path, bytes }) => [path, new Uint8Array(bytes)]),
        given.map(({ path, bytes }) => [path, bytes]),
      )
    }),
    { seed, numRuns: 60 },
  )
})

test('the same files are the same bytes, and other files are others', () => {
  const files = [text('data.json', '{}'), text(`${'long/'.repeat(40)}policy.rego`, 'package a\n')]
  assert.deepEqual(pack(files), pack(files))
  assert.notDeepEqual(pack(files), pack(files.toReversed()))
})

const pax = (key: string, value: string) => {
  const length = Buffer.byteLength(` ${key}=${value}\n`) + 2
  return `${length} ${key}=${value}\n`
}

test('long names are read as GNU tar and as Go write them, and folders are passed over', async () => {
  const long = `${'folder/'.repeat(20)}a.rego`
  const read = await unpack(
    tarball([
      { name: 'sub/', type: '5' },
      { name: '././@LongLink', type: 'L', content: `${long}\0` },
      { name: 'a.rego', content: 'package a' },
      { name: 'PaxHeaders/b', type: 'x', content: pax('path', 'päckage.rego') + pax('mtime', '1.5') },
      { name: 'b', content: 'package b' },
      { name: 'c.rego', prefix: 'sub', content: 'package c' },
    ]),
  )
  assert.deepEqual(
    read.map(({ path }) => path),
    [long, 'päckage.rego', 'sub/c.rego'],
  )
})

const refused: Readonly<Record<string, readonly [string, Uint8Array, RegExp?]>> = {
  'a name that leads out of it': ['bundle_entry_refused', tarball([{ name: '../x.rego' }]), /leads out/],
  'a name that leads out of it further on': [
    'bundle_entry_refused',
    tarball([{ name: 'a/../../x.rego' }]),
    /leads out/,
  ],
  'a long name that leads out of it': [
    'bundle_entry_refused',
    tarball([{ name: 'x', type: 'x', content: pax('path', '../y') }, { name: 'z' }]),
    /leads out/,
  ],
  'a folder that leads out of it': ['bundle_entry_refused', tarball([{ name: '../', type: '5' }]), /leads out/],
  'a symbolic link': ['bundle_entry_refused', tarball([{ name: 'a.rego', type: '2', link: '/etc/passwd' }]), /link/],
  'a hard link': ['bundle_entry_refused', tarball([{ name: 'a.rego', type: '1', link: 'b.rego' }]), /link/],
  'a device': ['bundle_entry_refused', tarball([{ name: 'a', type: '3' }]), /device/],
  'a pipe': ['bundle_entry_refused', tarball([{ name: 'a', type: '6' }]), /pipe/],
  'a sparse file': ['bundle_entry_refused', tarball([{ name: 'a', type: 'S' }]), /sparse/],
  'a header for all files': ['bundle_entry_refused', tarball([{ name: 'a', type: 'g', content: pax('path', 'b') }])],
  'an extension that changes the size': [
    'bundle_entry_refused',
    tarball([{ name: 'a', type: 'x', content: pax('size', '00') }, { name: 'b' }]),
    /`size`/,
  ],
  'a backslash in a name': ['bundle_entry_refused', tarball([{ name: 'a\\b.rego' }])],
  'a control character in a name': ['bundle_entry_refused', tarball([{ name: 'a\u001b[2J.rego' }])],
  'a name that is not UTF-8': [
    'bundle_entry_refused',
    tarball([{ name: 'x', type: 'L', content: Uint8Array.from([0xff, 0]) }, { name: 'y' }]),
  ],
  'names with a dot before them': ['bundle_entry_refused', tarball([{ name: './data.json' }]), /plain names, as `tar/],
  'a file twice': ['bundle_duplicate_file', tarball([{ name: 'data.json' }, { name: 'data.json' }])],
  'a file twice, once with a slash': [
    'bundle_duplicate_file',
    tarball([{ name: 'data.json' }, { name: '/data.json' }]),
  ],
  'a file that is longer than the archive': ['bundle_unreadable', tarball([{ name: 'a', size: '00000077777\0' }])],
  'a size of 8 GB or more': ['bundle_unreadable', tarball([{ name: 'a', size: '\x80\0\0\0\0\0\0\x02\0\0\0\0' }])],
  'a size that is no number': ['bundle_unreadable', tarball([{ name: 'a', size: '0000000000x\0' }])],
  'an end that never comes': ['bundle_unreadable', gzipSync(tar([{ name: 'a' }]).subarray(0, 1024))],
  'something behind its end': ['bundle_unreadable', gzipSync(Buffer.concat([tar([]), tar([{ name: 'a' }])]))],
  'a header that was changed': ['bundle_unreadable', changed(tar([{ name: 'a' }]))],
  'a stream that is cut off': ['bundle_unreadable', tarball([{ name: 'a', content: 'b' }]).subarray(0, 60)],
  'bytes behind the stream': ['bundle_unreadable', Buffer.concat([tarball([{ name: 'a' }]), Buffer.from('junk')])],
  'no compression': ['bundle_unreadable', tar([{ name: 'a' }]), /not gzip/],
  'nothing in it': ['bundle_unreadable', new Uint8Array(0), /empty/],
  'a web page in its place': ['bundle_unreadable', Buffer.from('<!doctype html><title>Sign in</title>'), /HTML/],
  'more entries than any bundle has': [
    'bundle_too_large',
    gzipSync(tar(Array.from({ length: bundleEntriesMax + 1 }, (_, index) => ({ name: `${index}.rego` })))),
  ],
  'ten gigabytes of zeros': ['bundle_too_large', zeros(10 * 1024), /unpacks to more/],
  'a patch': ['bundle_delta_refused', pack([text('patch.json', '{"data":[]}')])],
  'a second manifest': ['bundle_entry_refused', pack([text('.manifest', '{}'), text('sub/.manifest', '{}')])],
  'something that ends as a manifest': ['bundle_entry_refused', pack([text('my.manifest', '{}')])],
  'a manifest in another form': ['bundle_entry_refused', pack([text('.manifest.pb', '')])],
  'signatures elsewhere': ['bundle_entry_refused', pack([text('sub/.signatures.json', '{}')])],
  'data in YAML': ['bundle_entry_refused', pack([text('data.yaml', 'a: 1.0\n')])],
  'a manifest that is no JSON': ['bundle_json_refused', pack([text('.manifest', '{')])],
  'a manifest with a key twice': ['bundle_json_refused', pack([text('.manifest', '{"revision":"a","revision":"b"}')])],
  'roots that overlap': ['bundle_manifest_invalid', manifest({ roots: ['a/b', 'a'] }), /overlap/],
  'roots that overlap behind slashes': ['bundle_manifest_invalid', manifest({ roots: ['/a/', 'a'] }), /overlap/],
  'a root of everything and another': ['bundle_manifest_invalid', manifest({ roots: ['', 'a'] }), /overlap/],
  'roots that are no list': ['bundle_manifest_invalid', manifest({ roots: 'a' })],
  'a revision that is no text': ['bundle_manifest_invalid', manifest({ revision: 7 })],
  'metadata that is no object': ['bundle_manifest_invalid', manifest({ metadata: [] })],
  'Rego of a version to come': ['bundle_manifest_invalid', manifest({ rego_version: 2 })],
  'a module that is not there': [
    'bundle_manifest_invalid',
    manifest({ wasm: [{ entrypoint: 'a/b', module: '/policy.wasm' }] }),
    /does not have/,
  ],
  'an entrypoint outside of its roots': [
    'bundle_manifest_invalid',
    manifest({ roots: ['a'], wasm: [{ entrypoint: 'ab/c', module: '/policy.wasm' }] }, 'policy.wasm'),
    /outside/,
  ],
  'an entrypoint twice': [
    'bundle_manifest_invalid',
    manifest({ wasm: [1, 2].map(() => ({ entrypoint: 'a', module: '/policy.wasm' })) }, 'policy.wasm'),
    /twice/,
  ],
}

for (const [what, [code, bytes, message = /./]] of Object.entries(refused)) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(readBundle(bytes), { code, message })
  })
}

/** A few kilobytes for each gigabyte: members of a gzip stream follow each other. */
function zeros(megabytes: number): Buffer {
  const member = gzipSync(Buffer.alloc(1024 * 1024), { level: 9 })
  return Buffer.concat(Array.from({ length: megabytes }, () => member))
}

function manifest(content: object, ...files: readonly string[]): Uint8Array {
  return pack([text('.manifest', JSON.stringify(content)), ...files.map((path) => text(path, ''))])
}

function changed(archive: Buffer): Buffer {
  archive[0] = 0x62
  return gzipSync(archive)
}
