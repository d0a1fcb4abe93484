/** What Rego of others may say of a call: a yes is said in one way only, and everything else is a no with its reason. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../src/model/canonical.ts'
import type { RegoPolicy } from '../../src/model/rego.ts'
import { readRegoVerdict } from '../../src/pdp/regoVerdict.ts'
import { fc, seed } from '../random.ts'

const policy: RegoPolicy = {
  strategy: 'rego',
  language: 'rego',
  id: 'authz/decision',
  version: '7',
  entrypoint: 'authz/decision',
  digest: 'd',
}
const read = (said: unknown, input = '{}') => readRegoVerdict(policy, [{ result: said }], input)

test('`true` and a document that says so allow', () => {
  const plain = {
    decision: 'allow',
    reason_code: 'ALLOW',
    rule: 'authz/decision',
    message: 'the policy allows this call',
  }
  assert.deepEqual(read(true), plain)
  assert.deepEqual(read({ allow: true }), plain)
  assert.deepEqual(read({ decision: 'allow' }), plain)
  assert.deepEqual(read({ allow: true, reason_code: 'OK', rule: 'r', message: 'm', risk_level: 'high' }), {
    decision: 'allow',
    reason_code: 'OK',
    rule: 'r',
    message: 'm',
    risk_level: 'high',
  })
})

test('`false` and a document that says so deny', () => {
  const plain = {
    decision: 'deny',
    reason_code: 'REGO_DENIED',
    rule: 'authz/decision',
    message: 'this call is not allowed',
  }
  assert.deepEqual(read(false), plain)
  assert.deepEqual(read({ allow: false }), plain)
  assert.deepEqual(read({ decision: 'deny' }), plain)
  assert.deepEqual(read({ decision: 'deny', reason_code: 'NIGHT', message: 'not at night' }), {
    ...plain,
    reason_code: 'NIGHT',
    message: 'not at night',
  })
})

test('what is to be approved is held, and let through once exactly that was approved', () => {
  const said = { decision: 'require_approval', rule: 'large', risk_level: 'high' }
  const held = read({ ...said, approval: { timeout_ms: 60_000, wait_ms: 5_000, quorum: 2, not_requester: true } })
  const { hold = '', ...rest } = held
  assert.match(hold, /^large#[0-9a-f]{32}$/)
  assert.deepEqual(rest, {
    decision: 'hold',
    reason_code: 'APPROVAL_REQUIRED',
    rule: 'large',
    message: 'a person has to approve this call',
    risk_level: 'high',
    approval_timeout_ms: 60_000,
    approval_wait_ms: 5_000,
    approval_quorum: 2,
    approval_not_requester: true,
  })
  const plain = read(said)
  const asked = (holds: readonly string[]) => read(said, JSON.stringify({ approved: holds }))
  assert.deepEqual(asked([plain.hold ?? '']), {
    decision: 'allow',
    reason_code: 'ALLOW',
    rule: 'large',
    message: 'the policy allows this call',
    risk_level: 'high',
  })
  // Of another policy, other words, or under a name of its own each time: nothing is let through by it, and nothing is asked for ever.
  for (const holds of [[hold], [], ['large'], ['large#'], hold, null, {}] as string[][])
    assert.equal(asked(holds).reason_code, 'REGO_RESULT_ODD')
  assert.notEqual(readRegoVerdict({ ...policy, digest: 'e' }, [{ result: said }], '{}').hold, plain.hold)
})

test('nothing said is a no of its own', () => {
  const { decision, reason_code } = readRegoVerdict(policy, [], '{}')
  assert.deepEqual([decision, reason_code], ['deny', 'REGO_UNDEFINED'])
})

const long = 'x'.repeat(1_001)
const odd: readonly unknown[] = [
  ...[undefined, null, 0, 1, Number.NaN, '', 'true', 'allow', [], [true], {}, { result: true }],
  ...[{ allow: 'true' }, { allow: 1 }, { allow: null }, { allow: [true] }, { Allow: true }, { allowed: true }],
  ...[
    { allow: true, decision: 'allow' },
    { allow: false, decision: 'allow' },
    { allow: true, decision: 'deny' },
  ],
  ...[{ decision: 'ALLOW' }, { decision: 'hold' }, { decision: 'kill' }, { decision: true }, { decision: null }],
  ...[
    { allow: true, obligations: [] },
    { allow: true, deny: [] },
    { allow: true, __proto__x: 1 },
  ],
  ...[
    { allow: true, reason_code: '' },
    { allow: true, reason_code: 'ok' },
    { allow: true, reason_code: 'A'.repeat(65) },
  ],
  ...[
    { allow: true, message: '' },
    { allow: true, message: 5 },
    { allow: true, message: long },
  ],
  ...[
    { allow: true, message: '\ud800' },
    { allow: true, rule: 'gate' },
    { allow: true, rule: long },
    { allow: true, rule: [] },
  ],
  ...[
    { allow: true, risk_level: 'none' },
    { allow: true, risk_level: 1 },
    { allow: true, hold: 'x' },
    { allow: true, counter: 'x' },
  ],
  ...[
    { allow: true, approval: {} },
    { decision: 'deny', approval: {} },
    { allow: true, approved: true },
  ],
  ...[
    [],
    null,
    5,
    { timeout: '1h' },
    { timeout_ms: 0 },
    { timeout_ms: 1.5 },
    { timeout_ms: 1e15 },
    { wait_ms: -1 },
  ].map((approval) => ({ decision: 'require_approval', approval })),
  ...[{ quorum: 0 }, { quorum: 11 }, { quorum: '2' }, { not_requester: 'true' }, { not_requester: null }].map(
    (approval) => ({
      decision: 'require_approval',
      approval,
    }),
  ),
]

for (const said of odd) {
  test(`no decision: ${JSON.stringify(said)?.slice(0, 80)}`, () => {
    const { decision, reason_code, rule, hold } = read(said)
    assert.deepEqual([decision, reason_code, rule, hold], ['deny', 'REGO_RESULT_ODD', 'authz/decision', undefined])
  })
}

test('a result set that is none, or has two results, is no decision', () => {
  for (const results of [
    undefined,
    null,
    {},
    true,
    'x',
    [{ result: true }, { result: true }],
    [null],
    [true],
    [{}],
    [[]],
  ])
    assert.equal(readRegoVerdict(policy, results, '{}').reason_code, 'REGO_RESULT_ODD', JSON.stringify(results))
})

test('whatever is said, it is allowed only where it says so and nothing more', () => {
  const key = fc.constantFrom('allow', 'decision', 'message', 'rule', 'reason_code', 'approval', 'risk_level', 'more')
  const value = fc.oneof(
    fc.constantFrom<Json>(true, false, 'allow', 'deny', 'require_approval', 'low', 'OK', 'true', '', 1, {}, []),
    fc.jsonValue() as fc.Arbitrary<Json>,
  )
  let allowed = 0
  fc.assert(
    fc.property(fc.oneof(value, fc.dictionary(key, value, { maxKeys: 3 })), (said) => {
      const verdict = read(said)
      assert.equal(verdict.rule === 'gate', false)
      if (verdict.decision !== 'allow') return
      allowed++
      const { allow, decision } = said as { allow?: unknown; decision?: unknown }
      assert.ok(said === true || allow === true || (allow === undefined && decision === 'allow'), JSON.stringify(said))
    }),
    { seed, numRuns: 20_000 },
  )
  assert.ok(allowed > 500, String(allowed))
})
