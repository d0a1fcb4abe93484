/** Path patterns of a change scope: what they mean is shown by the cases of packs; here, that they answer in time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allows, forbids } from '../../src/reference/paths.ts'

test('`**` is any number of segments, and one at least where it stands last', () => {
  const matched = ['a', 'a/b', 'a/x/b', 'a/x/y/b', 'b/a'].filter((path) => allows('a/**/b', path))
  assert.deepEqual(matched, ['a/b', 'a/x/b', 'a/x/y/b'])
  assert.deepEqual(
    ['a', 'a/b', 'a/b/c', 'ab'].filter((path) => allows('a/**', path)),
    ['a/b', 'a/b/c'],
  )
  assert.deepEqual(
    ['a', 'b', 'x/b', 'b/b'].filter((path) => allows('**/**/b', path)),
    ['b', 'x/b', 'b/b'],
  )
})

test('a path that almost fits a pattern of many stars is refused in time', () => {
  const path = Array.from({ length: 512 }, () => 'a').join('/')
  const begun = performance.now()
  assert.equal(allows('**/a/**/a/**/a/**/a/**/b', path), false)
  assert.equal(allows('**/**/**/**/**/b', path), false)
  assert.equal(forbids('**/a*/**/a*/**/b', path), false)
  assert.ok(performance.now() - begun < 2_000)
})
