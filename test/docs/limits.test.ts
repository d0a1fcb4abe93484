/** `docs/limits.md` has every limit with its value and its reason, as the sources have them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitsIn, limitsPage, valueText } from './limitsPage.ts'
import { readPage } from './tables.ts'

test('the page is what the sources say; `node test/docs/limitsPage.ts` writes it anew', async () => {
  assert.equal(readPage('docs/limits.md'), await limitsPage())
})

test('a limit without a reason, and one that is not in the text, are found', () => {
  assert.throws(() => limitsIn('export const callBytesMax = 1\n', { callBytesMax: 1 }), /no number with a reason/)
  assert.throws(() => limitsIn('/** Why. */\nexport const a = 1\n', { a: 1, b: 2 }), /not found in the text: b/)
})

test('a value has the unit that its name says', () => {
  assert.equal(valueText('callBytesMax', 4 * 1024 * 1024), '4 MiB')
  assert.equal(valueText('crashReportBytesMax', 2_000), '2,000 bytes')
  assert.equal(valueText('stopGraceMs', 1_500), '1.5 s')
  assert.equal(valueText('drainMs', 500), '500 ms')
  assert.equal(valueText('approvalTimeoutMsMax', 30 * 86_400_000), '30 days')
  assert.throws(() => valueText('thing', 1), /does not say what it counts/)
})
