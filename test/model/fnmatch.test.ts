/** Globs of Python's fnmatch against each other; `test/aegis` holds what they match against Python itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coversGlob, matchesGlob } from '../../src/model/fnmatch.ts'
import { fc } from '../random.ts'

const piece = fc.constantFrom('a', 'b', '*', '?', '[ab]', '[!a]', '[', ']')
const glob = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''))
const text = fc.array(fc.constantFrom('a', 'b', 'c', '[', ']', '*'), { maxLength: 5 }).map((chars) => chars.join(''))

test('a glob that covers another one matches all that the other matches', () => {
  let covered = 0
  fc.assert(
    fc.property(glob, glob, fc.array(text, { maxLength: 20 }), (wide, narrow, texts) => {
      if (!coversGlob(wide, narrow)) return
      for (const one of texts.filter((one) => matchesGlob(narrow, one))) {
        covered++
        assert.ok(matchesGlob(wide, one), `${wide} covers ${narrow}, and does not match ${one}`)
      }
    }),
    { numRuns: 50_000 },
  )
  assert.ok(covered > 1_000, `${covered}`)
})

test('a run is taken by a run alone', () => {
  const pairs = [
    ['read_*', 'read_secret'],
    ['a*', 'ab*'],
    ['?*', 'a'],
    ['*', '*'],
    ['[!a]*', 'b?*'],
  ] as const
  assert.deepEqual(
    pairs.filter(([wide, narrow]) => !coversGlob(wide, narrow)),
    [],
  )
  const others = [
    ['?', '*'],
    ['a?', 'a*'],
    ['ab*', 'a*'],
    ['[ab]', '?'],
    ['a', 'A'],
  ] as const
  assert.deepEqual(
    others.filter(([wide, narrow]) => coversGlob(wide, narrow)),
    [],
  )
})
