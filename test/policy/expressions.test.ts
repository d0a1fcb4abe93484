import assert from 'node:assert/strict'
import test from 'node:test'
import { loadPolicy } from '@open-policy-agent/opa-wasm'
import { openCompiler } from '../../src/compile/compiler.ts'
import { readExpression, wholeMatch } from '../../src/policy/expressions.ts'
import { unicodeClasses } from '../../src/policy/unicode.ts'
import { fc, tries } from '../random.ts'

const accepted = (pattern: string) => !('fault' in readExpression(pattern))

/** What OPA's runtime says: undefined when it cannot compile the pattern. */
async function openRuntime(): Promise<(pattern: string, text: string) => boolean | undefined> {
  await using compiler = await openCompiler()
  const rego = 'package t\n\nmatch := regex.match(input.pattern, input.text)\n'
  const { wasm } = await compiler.build({ modules: { 't.rego': rego }, entrypoints: ['t'] })
  const policy = await loadPolicy(Uint8Array.from(wasm).buffer)
  return (pattern, text) => policy.evaluate({ pattern: `\\A(?:${pattern})\\z`, text })[0].result.match
}

test('the runtime knows every Unicode class that a pattern may name', async () => {
  const match = await openRuntime()
  for (const name of unicodeClasses) {
    assert.ok(accepted(`\\p{${name}}`))
    assert.notEqual(match(`\\p{${name}}`, 'a'), undefined, name)
  }
})

test('a pattern that is accepted compiles in the runtime, and matches there what it matches here', async () => {
  const match = await openRuntime()
  const atom = fc.constantFrom(
    ...[
      'a',
      'b',
      '.',
      '\\d',
      '\\w',
      '\\s',
      '[a-c]',
      '[^a]',
      '[[:alpha:]]',
      '\\.',
      '\\x41',
      '\\bA',
      '^',
      '$',
      '\\z',
      'é',
      '()',
    ],
    ...[
      '\\pL',
      '\\p{Greek}',
      '\\P{Lu}',
      '[\\p{N}_-]',
      '(?i)A',
      '(?s).',
      '(?m)^',
      '(?P<n>a)',
      '(?<n>a)',
      '\\Qa.\\E',
      '\\Q',
      '[',
      ')',
      '|',
    ],
  )
  const count = fc.constantFrom('', '', '', '?', '*', '+', '*?', '{2}', '{0,3}', '{1,}', '{30}', '{1,300}', '{1000}')
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(atom, count).map((parts) => parts.join('')),
      fc.tuple(tie('pattern'), tie('pattern')).map((parts) => parts.join('')),
      fc.tuple(tie('pattern'), tie('pattern')).map((parts) => parts.join('|')),
      fc.tuple(tie('pattern'), count).map(([inner, times]) => `(?:${inner})${times}`),
    ),
  }))
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'A', '1', '_', '.', ' ', '\n', 'é', 'α', '漢', '😀'),
    maxLength: 6,
  })
  fc.assert(
    fc.property(pattern, text, (written, given) => {
      if (accepted(written)) assert.equal(match(written, given), wholeMatch(written, given))
    }),
    { numRuns: tries(1_500) },
  )
})

test('the largest patterns that are accepted compile in the runtime', async () => {
  const match = await openRuntime()
  const list = Array.from({ length: 900 }, (_, index) => String.fromCodePoint(0x4e00 + 37 * index)).join('')
  const shapes: readonly ((times: number) => string)[] = [
    (times) => `\\p{L}{${times}}`,
    (times) => `[^\\p{L}\\p{N}\\p{M}]{${times}}`,
    (times) => `[\\p{Lo}\\p{Lu}\\p{Mn}\\p{So}]{${times}}`,
    (times) => `(?i)[\\p{Lu}\\p{Mn}]{0,${times}}`,
    (times) => `(?:\\p{L}*x){${times}}`,
    (times) => `[${list}]{${times}}`,
    (times) => `[^${list}]{0,${times}}`,
    (times) => `.{${times}}`,
  ]
  for (const shape of shapes) {
    const times = most((count) => accepted(shape(count)))
    assert.ok(times >= 10)
    assert.notEqual(match(shape(times), 'a'), undefined, shape(times).slice(0, 40))
  }
})

/** The largest count up to a thousand, if what holds for a count holds for smaller ones. */
function most(holds: (count: number) => boolean): number {
  let [low, high] = [0, 1_001]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (holds(middle)) low = middle
    else high = middle
  }
  return low
}
