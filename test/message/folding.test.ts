import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldedKey } from '../../src/model/message/folding.ts'

test('letters that are equal without case by the Unicode tables fold to the same', () => {
  const unequal: string[] = []
  for (let code = 0x80; code <= 0x1ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const letter = String.fromCodePoint(code)
    for (const other of [letter.toLowerCase(), letter.toUpperCase()]) {
      // The `iu` flags compare by simple case folding, as Go's EqualFold does.
      const equal = new RegExp(`^\\u{${code.toString(16)}}$`, 'iu').test(other)
      if (equal && foldedKey(letter, false) !== foldedKey(other, false)) unequal.push(letter)
    }
  }
  assert.deepEqual(unequal, [])
})

test('letters of one case folding orbit fold to the same', () => {
  for (const orbit of ['kK\u212a', 'sS\u017f', 'åÅ\u212b', 'σςΣ', 'µμΜ', 'θϑΘϴ', 'ßẞ', 'iIıİ', 'ωΩ\u2126']) {
    assert.equal(new Set([...orbit].map((letter) => foldedKey(letter, false))).size, 1, orbit)
  }
})

test('different keys stay different', () => {
  for (const [a, b] of [
    ['strasse', 'straße'],
    ['name', 'names'],
    ['a', 'ä'],
    ['', ' '],
    ['😀', '😁'],
  ] as const) {
    assert.notEqual(foldedKey(a, false), foldedKey(b, false))
  }
})

test('the quick way for ASCII gives the same', () => {
  for (const key of ['amount', 'Amount', 'ORDER_ID', 'x-y.z', '__proto__']) {
    assert.equal(`${foldedKey(key, true)}é`, foldedKey(`${key}é`, false))
    assert.equal(foldedKey(key, true), foldedKey(key, false))
  }
})
