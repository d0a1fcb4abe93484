/** Globs and URIs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { globMatches } from '../../src/model/match.ts'
import { unsafeUri } from '../../src/model/uri.ts'
import { fc } from '../random.ts'

test('globs match whole names', () => {
  const matching: readonly [string, string][] = [
    ['*', ''],
    ['*', 'a/b'],
    ['a*', 'a'],
    ['a*', 'abc'],
    ['*c', 'abc'],
    ['a*c', 'ac'],
    ['a*c', 'abcc'],
    ['a?c', 'a😀c'],
    ['**', 'x'],
    ['*a*b*', 'xaybz'],
  ]
  const failing: readonly [string, string][] = [
    ['a', 'b'],
    ['a*', 'ba'],
    ['*c', 'cb'],
    ['a*a', 'a'],
    ['a?c', 'ac'],
    ['?', ''],
    ['', 'a'],
    ['A', 'a'],
    ['a.c', 'abc'],
  ]
  for (const [glob, text] of matching) assert.ok(globMatches(glob, text), `${glob} ${text}`)
  for (const [glob, text] of failing) assert.ok(!globMatches(glob, text), `${glob} ${text}`)
})

test('globs agree with the regular expression that says the same', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
  const words = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  fc.assert(
    fc.property(letters, words, (glob, text) => {
      const pattern = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su')
      assert.equal(globMatches(glob, text), pattern.test(text))
    }),
  )
})

test('many stars cost no more than a few', () => {
  const started = performance.now()
  assert.ok(!globMatches(`${'*a'.repeat(200)}b`, 'a'.repeat(8_000)))
  assert.ok(performance.now() - started < 5_000)
})

test('URIs that could name another resource are unsafe', () => {
  for (const uri of [
    'file:///a/../b',
    'file:///a/..',
    'file:///./a',
    'file:///a/%2e%2e/b',
    'file:///a%2Fb',
    'file:///a%5cb',
    'file:///%252e%252E/a',
    'file:\\\\a',
    'file:///a b',
    'file:///a\u0000',
    'file:///%70rivate/a',
    'file:///privat%2565/a',
    'file:///a%00',
    'file:///a%0Ab',
    'file:///%c0%ae%c0%ae/a',
    'file:///a/?/../b',
    'file:///a/#/../../b',
    'file:///a?../b',
    'file:///a/..;/b',
    'FILE:///a',
    'File:///a',
    'file:/a',
    'file://localhost/a',
    'file:////a',
    'file:///a//b',
  ])
    assert.ok(unsafeUri(uri), uri)
  for (const uri of [
    'file:///a/b.txt',
    'test://static/1',
    'https://example.com/a?x=../b',
    'file:///a..b/c',
    'urn:x:y',
    'file:///%C3%BC',
    'file:///a%20b',
    'file:///100%25',
    'file:///C:/a',
    'file://host/a',
    'file:///a;v=1',
    'memo://Insights',
    'https://example.com/web/https://example.com/a',
    'test://a?x=a%26b',
  ])
    assert.equal(unsafeUri(uri), undefined, uri)
})
