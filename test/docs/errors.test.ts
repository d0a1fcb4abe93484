/** `docs/errors.md` explains every code that can be given, and none that cannot. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decisionKey, errorCodes as jsonRpcCodes, refusal } from '../../src/mcp/refusal.ts'
import { reasons } from '../../src/model/reasons.ts'
import { diagnosticCodes } from '../../src/policy/codes.ts'
import type { DiagnosticCode } from '../../src/policy/diagnostics.ts'
import { compilerCodes, errorCodes, mistakeSeverities, sources, unionMembers } from './codes.ts'
import { code, readPage, rows, section } from './tables.ts'

const page = readPage('docs/errors.md')
const documented = (heading: string) => rows(section(page, heading))
const codesOf = (heading: string) => documented(heading).map(([first]) => code(first))
const sorted = (codes: Iterable<string>) => [...codes].sort()

function assertSame(documentedCodes: readonly string[], given: Iterable<string>): void {
  const inCode = new Set(given)
  const inPage = new Set(documentedCodes)
  assert.deepEqual(
    {
      undocumented: sorted(inCode).filter((one) => !inPage.has(one)),
      gone: sorted(inPage).filter((one) => !inCode.has(one)),
      twice: documentedCodes.filter((one, at) => documentedCodes.indexOf(one) !== at),
    },
    { undocumented: [], gone: [], twice: [] },
  )
}

test('every reason code is explained, in the words of the source, with what is seen and what to do', () => {
  assertSame(codesOf('## Reason codes'), Object.keys(reasons))
  for (const [name, meaning, seen, advice] of documented('## Reason codes')) {
    assert.equal(meaning, reasons[code(name) as keyof typeof reasons], name)
    assert.ok(seen && advice, name)
  }
})

test('every error code is explained, and none that no source gives', () => {
  const { codes, unclear } = errorCodes()
  assert.deepEqual(
    unclear,
    ['src/ledger/errors.ts: kind', 'src/runtime/bundleFile.ts: cause.code'],
    'a code that is no literal needs a union to be read from, or is the one of an error that was thrown before',
  )
  assertSame(codesOf('## Error codes'), [
    ...codes,
    ...unionMembers('LedgerErrorCode'),
    ...unionMembers('CompileErrorCode'),
  ])
  for (const [name, meaning, advice] of documented('## Error codes')) assert.ok(meaning && advice, name)
  assert.deepEqual(codesOf('## Error codes'), sorted(codesOf('## Error codes')), 'in alphabetical order')
})

test('every mistake of a policy is explained in the words of the source, as the error or the warning that it is', () => {
  const members = unionMembers('DiagnosticCode')
  assertSame(codesOf('## Mistakes in a policy'), members)
  const severities = mistakeSeverities(members)
  for (const [name, severity, meaning, advice] of documented('## Mistakes in a policy')) {
    assert.equal(severity, sorted(severities.get(code(name)) ?? []).join(', '), name)
    assert.deepEqual({ meaning, advice }, diagnosticCodes[code(name) as DiagnosticCode], name)
  }
})

test('every diagnostic of the compiler is explained', () => {
  assertSame(codesOf('## Diagnostics of the compiler'), compilerCodes())
})

test('every JSON-RPC error code is explained', () => {
  assertSame(codesOf('## JSON-RPC error codes'), Object.values(jsonRpcCodes).map(String))
})

test('the refusal that is shown is the one that is sent', () => {
  const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(section(page, '## What a caller sees'))?.[1] ?? '')
  const sent = JSON.parse(refusal({ id: 1, method: 'tools/call', modern: false }, shown._meta[decisionKey]))
  assert.deepEqual(sent.result, shown)
})

describe('the search for codes finds', () => {
  const file = (text: string) => [{ path: 'src/some.ts', text }]

  test('codes on a line of their own, of subclasses, and those that a class fixes', () => {
    const { codes, unclear } = errorCodes(
      file(`
class FixedError extends TollgateError {
  constructor() {
    super('fixed', 'message')
  }
}
class OpenError extends TollgateError {
  constructor(code: string) {
    super(code, 'message')
  }
}
throw new OpenError('open', 'x')
throw new TollgateError(
  'own_line',
  'x',
)
throw new FixedError(message)
throw new TypeError('no code')
`),
    )
    assert.deepEqual([sorted(codes), unclear], [['fixed', 'open', 'own_line'], []])
  })

  test('what it cannot read, instead of passing over it', () => {
    assert.deepEqual(errorCodes(file('throw new TollgateError(codeOf(x), "y")')).unclear, ['src/some.ts: codeOf(x'])
  })

  test('no code thrown around the error classes: a code is never set by hand', () => {
    for (const { path, text } of sources('src/**/*.ts').filter(({ path }) => path !== 'src/model/errors.ts'))
      assert.doesNotMatch(text, /\berror\.code = |Object\.assign\(new \w*Error/, path)
  })
})
