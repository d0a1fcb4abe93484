import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { canonical, type Json } from '../../src/model/canonical.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { fc, tries } from '../random.ts'
import { deepFrozen } from './frozen.ts'

const fixtures = new URL('fixtures/', import.meta.url)
const good = readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.\w+$/.test(name))
  .map((name) => readFileSync(new URL(name, fixtures), 'utf8'))

/** What holds for every input: a policy or an error, never both, never a throw, and places that exist. */
function holds(text: string | Uint8Array): void {
  const { policy, diagnostics, ...rest } = parsePolicy({ file: 'f.yaml', text })
  assert.deepEqual(rest, {})
  assert.equal(
    policy === undefined,
    diagnostics.some(({ severity }) => severity === 'error'),
  )
  const lines = (typeof text === 'string' ? text : new TextDecoder().decode(text)).split('\n')
  for (const diagnostic of diagnostics) {
    const { line, col, message } = diagnostic
    assert.ok(line >= 1 && line <= lines.length && col >= 1 && col <= (lines[line - 1] as string).length + 1)
    assert.match(message, /^[^A-Z\p{Cc}\p{Cs}][^\p{Cc}\p{Cs}]*[^.]$/u)
    assert.doesNotMatch(formatDiagnostic(diagnostic), /[\p{Cc}\p{Cf}]/u)
  }
  if (policy === undefined) return
  assert.ok(deepFrozen(policy))
  assert.deepEqual(JSON.parse(canonical(policy as unknown as Json)), policy)
}

const words = [
  ...[
    'version',
    'default',
    'tools',
    'resources',
    'prompts',
    'policy_id',
    'policy_version',
    'allowlist',
    'reason_codes',
  ],
  ...['hide', 'approvals', 'conditions', 'state', 'path', 'op', 'value', 'counter', 'increment', 'increment_from'],
  ...['evaluate', 'eq', 'not_in', 'lt', 'regex', 'contains', 'exists', 'args.a', 'state.pay.n', 'n', '5/hour'],
  ...[
    'rules',
    'name',
    'action',
    'arguments',
    'spend',
    'rate_limit',
    'per',
    'approval_timeout',
    'approval_wait',
    'approval_quorum',
    'approval_not_requester',
    'risk_level',
    'on_deny',
  ],
  ...['type', 'enum', 'min', 'max', 'length', 'pattern', 'prefix', 'required', 'forbidden', 'each', 'any', 'fields'],
  ...['per_call', 'daily', 'total', 'amount', 'currency', 'currencies', 'limit', 'window', 'sliding', 'description'],
  ...[
    'allow',
    'deny',
    'require_approval',
    '1',
    '1/day',
    '15m',
    'user',
    'arguments.a',
    'string',
    'object',
    'a.b',
    '*',
    's/t',
  ],
]

const signs = [
  ...[
    '\n',
    '\n  ',
    '\n    - ',
    ': ',
    ', ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '<<: ',
    '!!str ',
    '|\n',
    '>\n',
    '? ',
    '- ',
  ],
  ...[
    '\t',
    '\r',
    '\0',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\ud800',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '~',
    'null',
    '0777',
    '1e3',
    'yes',
  ],
]

test('any text gives a policy or at least one error', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), holds), { numRuns: tries(2_000) })
})

test('any bytes give a policy or at least one error', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), holds), { numRuns: tries(2_000) })
})

test('any words and signs of the language give a policy or at least one error', () => {
  const piece = fc.oneof(fc.constantFrom(...words), fc.constantFrom(...signs))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => holds(pieces.join(''))),
    { numRuns: tries(3_000) },
  )
})

test('a good file with a mistake in it gives a policy or at least one error', () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(20),
    paste: fc.oneof(
      fc.constant(''),
      fc.constantFrom(...words),
      fc.constantFrom(...signs),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
  })
  const edited = fc.tuple(fc.constantFrom(...good), fc.array(edit, { minLength: 1, maxLength: 4 }))
  fc.assert(
    fc.property(edited, ([text, edits]) => {
      let changed = text
      for (const { at, cut, paste } of edits) {
        const start = Math.floor(at * changed.length)
        changed = changed.slice(0, start) + paste + changed.slice(start + cut)
      }
      holds(changed)
    }),
    { numRuns: tries(3_000) },
  )
})

test('any JSON in the shape of a policy gives a policy or at least one error', () => {
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6, depthSize: 'medium' },
      fc.constantFrom<unknown>(...words, null, true, false, 0, 1, -1, 0.1, 1e21, 1e-7, ''),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...words, '__proto__', 'a'), tie('value'), { maxKeys: 5 }),
    ),
  }))
  const root = fc.dictionary(fc.constantFrom(...words.slice(0, 9)), value, { minKeys: 2, maxKeys: 8 })
  fc.assert(
    fc.property(root, (policy) => holds(JSON.stringify({ version: '1', default: 'deny', ...policy }))),
    { numRuns: tries(3_000) },
  )
})
