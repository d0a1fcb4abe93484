/** Files are hashed as OPA does it (`v1/bundle/hash.go`); `make opa-test` holds it against a real one. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { fileHash } from '../../src/opa/hashing.ts'
import { hashedText } from '../../src/opa/json.ts'
import { bundleJsonBytesMax } from '../../src/opa/limits.ts'
import { text } from './signer.ts'

const hashed = (json: string) => hashedText('data.json', Buffer.from(json))

test('the vector of OPA: a manifest is hashed by what it says', () => {
  const digest = '507a2c38a1441db58d2cb87982c42aa91a4342ef422a6b542eddebeef6f0412f'
  assert.equal(fileHash(text('.manifest', '{"revision": "quickbrownfaux"}'), 'SHA-256'), digest)
  assert.equal(fileHash(text('.manifest', '\n{ "revision":\t"quickbrownfaux" }\n'), 'SHA-256'), digest)
})

test('only data.json and the manifest are hashed so, wherever they lie', () => {
  const bytes = '{ "a": 1 }'
  const whole = hash('sha256', bytes)
  for (const path of ['data.json', 'sub/data.json', '.manifest'])
    assert.notEqual(fileHash(text(path, bytes), 'SHA-256'), whole)
  for (const path of ['plan.json', 'a.rego', 'policy.wasm', 'x.json', 'notdata.json'])
    assert.equal(fileHash(text(path, bytes), 'SHA-256'), whole, path)
})

/** What stands in a file, and what is hashed of it. */
const hashedOf: readonly (readonly [string, string])[] = [
  ['[1, 2 ,3]', '[1,2,3]'],
  ['{"b":1,"a":2}', '{"a":2,"b":1}'],
  ['[1.0,1e3,1E+3,-0,12345678901234567890123]', '[1.0,1e3,1E+3,-0,12345678901234567890123]'],
  // An astral character sorts behind U+FFFD by its UTF-8 bytes, and before it by its UTF-16 units.
  ['{"\u{10000}":1,"\ufffd":2}', '{"\ufffd":2,"\u{10000}":1}'],
  ['["\\u2028\u2029"]', '["\\u2028\\u2029"]'],
  ['["<a href=\\"x\\">&\\/"]', '["<a href=\\"x\\">&/"]'],
  ['["\\b\\f\\n\\r\\t\\u0001\\u007f"]', '["\\b\\f\\n\\r\\t\\u0001\u007f"]'],
  ['{"":{"":[]},"a":{}}', '{"":{"":[]},"a":{}}'],
  ['[true,false,null,"",[[]]]', '[true,false,null,"",[[]]]'],
  [' "just text" ', '"just text"'],
]

for (const [written, expected] of hashedOf) {
  test(`of ${JSON.stringify(written)} is hashed ${JSON.stringify(expected)}`, () => {
    assert.equal(hashed(written), expected)
  })
}

test('what has more than one reading is refused', () => {
  const odd = ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '["\\ud800"]', '[1,]', '{"a" 1}', '', '[1] 2', '[01]', '{a:1}']
  for (const json of odd) assert.throws(() => hashed(json), { code: 'bundle_json_refused' }, json)
  assert.throws(() => hashed(`${'['.repeat(200)}${']'.repeat(200)}`), {
    code: 'bundle_json_refused',
    message: /nested/,
  })
  const latin1 = Buffer.from('"\u00e4"', 'latin1')
  assert.throws(() => hashedText('data.json', latin1), { code: 'bundle_json_refused', message: /UTF-8/ })
})

test('what is larger than any data of a policy is refused before it is parsed', () => {
  const large = Buffer.alloc(bundleJsonBytesMax + 1, '[')
  assert.throws(() => hashedText('data.json', large), { code: 'bundle_too_large' })
})

test('hashes that can be forged are none', () => {
  for (const algorithm of ['MD5', 'SHA-1', 'SHA-224', 'SHA-512-256', 'sha256', ''])
    assert.throws(() => fileHash(text('a.rego', ''), algorithm), { code: 'bundle_hash_refused' }, algorithm)
  assert.equal(fileHash(text('a.rego', 'x'), 'SHA-512'), hash('sha512', 'x'))
})
