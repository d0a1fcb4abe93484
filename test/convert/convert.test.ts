/** Files of other languages in the native one: what is said, how it is laid out, which comments stay, and what cannot be said. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { commentsOf } from '../../src/convert/comments.ts'
import { meaningOf, toNative } from '../../src/convert/convert.ts'
import { flow, number, text as textOut } from '../../src/convert/yaml.ts'
import { formatDiagnostic } from '../../src/policy/diagnostics.ts'
import { parsePolicies } from '../../src/policy/merge.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { examplesOf } from '../policy/pages.ts'
import { meaning, parsed } from './meaning.ts'

interface Source {
  readonly file: string
  readonly text: string
}

function filesUnder(folder: string, pattern: RegExp): readonly Source[] {
  const root = new URL(`../${folder}/`, import.meta.url)
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => pattern.test(name))
  return names.map((name) => ({ file: `${folder}/${name}`, text: readFileSync(new URL(name, root), 'utf8') }))
}

/** What the project has of policies, in whichever language. */
const everything: readonly Source[] = [
  ...filesUnder('intercept/samples', /\.yaml$/),
  ...filesUnder('policy/fixtures', /\.(?:yaml|json)$/),
  ...filesUnder('cases', /\.yaml$/).flatMap(({ file, text }) => {
    const { policy } = parse(text) as { policy?: unknown }
    return policy ? [{ file: file.replace(/yaml$/, 'json'), text: JSON.stringify(policy) }] : []
  }),
  ...['native.md', 'guard.md', 'intercept.md', 'aegis.md'].flatMap((page) =>
    examplesOf(page).map((text, index) => ({ file: `${page}-${index}.yaml`, text })),
  ),
]

const policies = everything.filter(
  (source) => parsePolicy(source).policy?.strategy !== 'pack' && parsePolicy(source).policy,
)

test('every policy of the project is written in the native language, and means the same under another name', () => {
  assert.ok(policies.length > 45, String(policies.length))
  for (const { file, text } of policies) {
    const { text: converted, diagnostics } = toNative(file, text)
    assert.ok(converted, `${file}: ${diagnostics.map(formatDiagnostic).join('\n')}`)
    const again = parsed('another.yaml', converted)
    assert.deepEqual(meaning(again), meaning(parsed(file, text)), `${file}\n${converted}`)
    assert.equal(again.language, 'native')
    assert.equal(toNative('third.yaml', converted).text, converted)
  }
})

const texts = (source: string) => commentsOf(source).map(({ text }) => text)

test('no comment is lost, and none is made up', () => {
  for (const { file, text } of policies)
    assert.deepEqual(texts(toNative(file, text).text ?? '').sort(), texts(text).sort(), file)
})

test('nor is one that stands anywhere else, and none changes what is said', () => {
  for (const { file, text } of policies.filter((one) => one.file.endsWith('.yaml') && !/[|>]-?$/m.test(one.text))) {
    const remarked = text
      .split('\n')
      .map((line, index) =>
        line.trim() === '' || line.trim().startsWith('#') ? line : `# before ${index}\n${line} # behind ${index}`,
      )
      .join('\n')
    const original = parsePolicy({ file, text: remarked })
    if (!original.policy) continue
    const { text: converted = '' } = toNative(file, remarked)
    assert.deepEqual(texts(converted).sort(), texts(remarked).sort(), remarked)
    assert.deepEqual(meaning(parsed('another.yaml', converted)), meaning(original.policy), converted)
  }
})

test('comments stay with what they are about', () => {
  const source = `# Charges of the shop.

version: "1" # the language
default: deny
# Nobody deletes.
hide: [delete_customer]
tools:
  # Money goes out here.
  create_charge: # careful
    rules:
      # In cents.
      - name: cap # agreed in May
        conditions:
          - path: args.amount # cents
            op: lte
            value: 50000

      - rate_limit: 5/hour # few
# The end.
`
  assert.equal(
    toNative('charges.yaml', source).text,
    `# Charges of the shop.

version: "1" # the language
policy_id: charges
default: deny
counting: last
default_rule: (default deny)
# Nobody deletes.
hidden: [delete_customer]
tools:
  # Money goes out here.
  create_charge: # careful
    rules:
      # In cents.
      - name: cap # agreed in May
        arguments:
          amount: { max: 50000 } # cents
        on_deny: Denied by rule "cap"

      - rate_limit: 5/hour # few
        on_deny: Rate limit of 5 per hour reached. Try again later.
# The end.
`,
  )
})

test('a file that is native already keeps every byte, and gets the name that its counters belong to', () => {
  const block = '# Refunds\nversion: "1"\ndefault: deny # safe\ntools: {pay: {rules: [{rate_limit: 1/day}]}}\n'
  assert.equal(toNative('refunds.yaml', block).text, block.replace('version', 'policy_id: refunds\nversion'))
  const json = '{"version": "1", "default": "deny", "tools": {"pay": {}}}'
  assert.equal(toNative('a b.json', json).text, json.replace('{', '{ "policy_id": "a b",'))
  const named = `policy_id: refunds\n${block}`
  assert.equal(toNative('other.yaml', named).text, named)
})

const cannot: readonly (readonly [name: string, text: string, says: readonly string[]])[] = [
  [
    'a file with a mistake',
    'version: "1"\nhide: [a]\ntols: {}\n',
    ['f.yaml:3:1: unknown key `tols`, did you mean `tools`?'],
  ],
  [
    'a name of the file that is no name of a policy',
    'version: "1"\ndefault: deny\nhide: [a]\n',
    ['f.yaml:1:1: the native language cannot say this: `policy_id` must not be empty, got " "'],
  ],
]

for (const [name, text, says] of cannot)
  test(`not converted: ${name}`, () => {
    const file = name.startsWith('a name') ? ' .yaml' : 'f.yaml'
    const { text: converted, diagnostics } = toNative(file, text)
    assert.equal(converted, undefined)
    assert.deepEqual(
      diagnostics
        .filter(({ severity }) => severity === 'error')
        .map((one) => formatDiagnostic({ ...one, file: 'f.yaml' })),
      says,
    )
  })

test('a policy pack is refused in one sentence', () => {
  const pack = readFileSync(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url))
  const { text, diagnostics } = toNative('pack.json', pack)
  assert.equal(text, undefined)
  assert.deepEqual(diagnostics.map(formatDiagnostic), [
    'pack.json:1:1: a policy pack judges the run of a workflow, for which the native language has no words: use it as it is',
  ])
})

test('what is no policy is told, and nothing is thrown', () => {
  for (const text of ['', '# nothing\n', '- a\n', 'x', 'a: &a [*a]\n', '\0', 'version: "1"\n---\n'])
    assert.equal(toNative('f.yaml', text).text, undefined, text)
})

test('numbers are written out, and texts are quoted where a reader could take them for something else', () => {
  for (const value of [0, -1, 0.1, 1e21, -1.5e300, 1e-7, 5e-324, -2.5e-9, 123456789.000001]) {
    assert.match(flow(number(value)), /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/)
    assert.equal(Number(flow(number(value))), value)
  }
  const bare = [
    'a',
    'daily spend cap',
    'paid_out.n',
    'file:///a',
    "it's so",
    'GET /a/{id}'.slice(0, 5),
    'é',
    '_x',
    '(hidden)',
  ]
  for (const value of bare) assert.equal(flow(textOut(value)), value)
  const odd = [
    '',
    'yes',
    'No',
    'null',
    'True',
    '~',
    '5',
    '1e3',
    '18:00',
    '2026-01-01',
    '- a',
    '# a',
    'a: b',
    'a #b',
    ' a',
    'a ',
    'a\nb',
    '\u2028',
    '\u200b',
    '\u{e0001}',
    '[a]',
    '{a',
    '*',
    '&a',
    '!a',
    '=',
    '.5',
    '...',
    '<<',
    '\\d+',
    `"'`,
    '%a',
    '@a',
    '`a',
    '|',
    '>',
    'a, b',
    '0777',
    '.inf',
    '\u0085',
  ]
  for (const value of odd) {
    const written = flow(textOut(value))
    assert.match(written, /^["']/, value)
    assert.match(written, /^[\P{C}]*$/u, value)
    assert.equal(parse(written), value)
    assert.deepEqual(parse(`{ ${written}: [${written}] }`), { [value]: [value] })
  }
})

test('files that are merged come to the same policy when each of them is converted before', () => {
  const pairs = policies.flatMap(({ file, text }): readonly (readonly [Source, Source])[] => {
    const native = toNative(file, text).text
    return native === undefined
      ? []
      : [
          [
            { file, text },
            { file, text: native },
          ],
        ]
  })
  const kinds = { all: 0, first: 0 }
  for (const [index, [base, nativeBase]] of pairs.entries())
    for (const [further, [more, nativeMore]] of pairs.slice(index + 1).entries()) {
      // Each with some of the others: with all of them it takes half a minute.
      if ((index + 3 * further) % 8 > 0 || base.file === more.file) continue
      const { policy } = parsePolicies([base, more])
      if (!policy || policy.strategy === 'pack') continue
      kinds[policy.strategy]++
      const converted = parsePolicies([nativeBase, nativeMore])
      assert.ok(converted.policy, `${base.file} ${more.file} ${converted.diagnostics.map(formatDiagnostic).join()}`)
      assert.equal(meaningOf(converted.policy), meaningOf(policy), `${base.file} ${more.file}`)
    }
  assert.ok(kinds.all > 80 && kinds.first > 5, JSON.stringify(kinds))
})

test('a counter that is none of several numbers, some of them side by side, is said', () => {
  const text = `version: "1"
default: deny
tools:
  pay:
    rules:
      - conditions: [{ path: state.pay.n, op: not_in, value: [3, 0, 1, 7] }, { path: state.pay.n, op: lte, value: 9 }]
        state: { counter: n, window: day }
`
  const { text: written, diagnostics } = toNative('f.yaml', text)
  assert.ok(written, diagnostics.map(formatDiagnostic).join('\n'))
  assert.deepEqual(meaning(parsed('f.yaml', written)), meaning(parsed('f.yaml', text)))
})
