/** `tollgate eval`: as strict as the wire, in order, the same text for the same calls. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openLedger } from '../../src/ledger/ledger.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const payments = fileURLToPath(new URL('../policy/fixtures/payments.yaml', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-'))
after(() => rmSync(folder, { recursive: true }))

function evaluate(input: string | Buffer, ...flags: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, 'eval', '-c', payments, ...flags], {
    input,
    timeout: 60_000,
    maxBuffer: 1 << 26,
  })
  const lines = stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
  return {
    decisions: lines.map((line) => JSON.parse(line)),
    text: stdout.toString(),
    stderr: stderr.toString(),
    status,
  }
}

const day = '2026-01-05T12:00:00Z'
const call = (tool: string, args: object = {}) => JSON.stringify({ server: 'bank', tool, arguments: args, time: day })

test('the eleven decisions that the comments of the first policy promise', () => {
  const payment = (amount: number, currency = 'GBP') => call('create_payment', { amount, currency })
  const lines = [
    call('get_balance'),
    payment(500),
    payment(500.01),
    payment(5, 'JPY'),
    ...Array.from({ length: 9 }, () => payment(500)),
    payment(0.01),
    ...Array.from({ length: 10 }, () => call('create_refund', { amount: 1 })),
    call('create_refund', { amount: 1 }),
    call('create_refund', { amount: 100.01 }),
    call('close_account'),
    call('delete_all_records'),
    call('transfer_to_external', { amount: 1 }),
  ]
  const { decisions, status } = evaluate(lines.join('\n'))
  const said = decisions.map(({ decision, reason_code }) =>
    decision === 'allow' ? 'allow' : `${decision} ${reason_code}`,
  )
  assert.equal(status, 0)
  assert.deepEqual(said, [
    'allow',
    'allow',
    'deny SPEND_PER_CALL_EXCEEDED',
    'deny ARGUMENT_REJECTED',
    ...Array.from({ length: 9 }, () => 'allow'),
    'deny SPEND_LIMIT_EXCEEDED',
    ...Array.from({ length: 10 }, () => 'allow'),
    'deny RATE_LIMITED',
    'deny SPEND_PER_CALL_EXCEEDED',
    'hold APPROVAL_REQUIRED',
    'deny TOOL_NOT_ALLOWED',
    'deny TOOL_NOT_ALLOWED',
  ])
})

test('the same calls give the same text', () => {
  const lines = [call('close_account'), call('create_refund', { amount: -1 }), 'nonsense', call('get_balance')].join(
    '\n',
  )
  assert.equal(evaluate(lines).text, evaluate(lines).text)
})

const bad: readonly [string, string | Buffer, string][] = [
  ['a line that is not JSON', 'nonsense', 'MALFORMED_CALL'],
  ['a key twice', '{"tool":"get_balance","tool":"delete_all_records"}', 'MALFORMED_CALL'],
  ['an unknown key', '{"tool":"get_balance","argument":{}}', 'MALFORMED_CALL'],
  ['no target', '{"server":"bank"}', 'MALFORMED_CALL'],
  ['two targets', '{"tool":"a","prompt":"b"}', 'MALFORMED_CALL'],
  ['arguments that are a list', '{"tool":"get_balance","arguments":[]}', 'MALFORMED_CALL'],
  ['a control character in a name', '{"tool":"get_\\u0007balance"}', 'MALFORMED_CALL'],
  ['a name that is too long', `{"tool":"${'x'.repeat(600)}"}`, 'MALFORMED_CALL'],
  [
    'invalid UTF-8',
    Buffer.from([...Buffer.from('{"tool":"get_balance","session":"'), 0xff, ...Buffer.from('"}')]),
    'MALFORMED_CALL',
  ],
  ['a time without a zone', '{"tool":"get_balance","time":"2026-01-05T12:00:00"}', 'MALFORMED_CALL'],
  ['a time in words', '{"tool":"get_balance","time":"16 Jan 2026 10:00"}', 'MALFORMED_CALL'],
  ['a call of 5 MB', `{"tool":"get_balance","arguments":{"a":"${'x'.repeat(5_000_000)}"}}`, 'CALL_TOO_LARGE'],
]

for (const [what, line, reason] of bad) {
  test(`${what} is refused, and the next call is judged`, () => {
    const { decisions, status } = evaluate(
      Buffer.concat([Buffer.from(line), Buffer.from(`\n${call('get_balance')}\n`)]),
    )
    assert.deepEqual(
      decisions.map(({ reason_code }) => reason_code),
      [reason, 'ALLOW'],
    )
    assert.equal(status, 0)
  })
}

test('a line separator inside a text is no end of line', () => {
  const { decisions } = evaluate('{"tool":"get_balance","session":"a\u2028b"}\n')
  assert.deepEqual(
    decisions.map(({ reason_code }) => reason_code),
    ['ALLOW'],
  )
})

test('a ledger that is kept goes on where it was, and no id comes twice', () => {
  const file = join(folder, 'kept.db')
  const refunds = Array.from({ length: 6 }, () => call('create_refund', { amount: 1 })).join('\n')
  evaluate(refunds, '--ledger', file)
  const { decisions } = evaluate(refunds, '--ledger', file)
  assert.deepEqual(
    decisions.map(({ decision }) => decision),
    ['allow', 'allow', 'allow', 'allow', 'deny', 'deny'],
  )
  const ledger = openLedger({ file, readOnly: true })
  // The day of the calls, and not the one on which they are judged.
  assert.equal([...ledger.records()][0]?.at, Date.parse(day))
  const ids = [...ledger.records()].filter(({ kind }) => kind === 'decision').map(({ decisionId }) => decisionId)
  ledger.close()
  assert.equal(new Set(ids).size, 12)
})

test('calls that cannot be read are a clear error', () => {
  writeFileSync(join(folder, 'empty.jsonl'), '')
  assert.deepEqual(evaluate('', '--calls', join(folder, 'empty.jsonl')).decisions, [])
  for (const calls of [join(folder, 'missing.jsonl'), folder]) {
    const { status, stderr } = evaluate('', '--calls', calls)
    assert.equal(status, 1)
    assert.match(stderr, /calls_unreadable/)
  }
})
