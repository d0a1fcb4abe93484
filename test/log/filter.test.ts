import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLedger } from '../../src/ledger/ledger.ts'
import { type RecordFilter, selects } from '../../src/log/filter.ts'
import { everydayLedger } from './ledgers.ts'

const ledger = openLedger({ file: everydayLedger(), readOnly: true })
const records = [...ledger.records()]

function selected(filter: RecordFilter): number[] {
  return records.filter((record) => selects(filter, record)).map(({ seq }) => seq)
}

test('a filter that asks for nothing selects every record', () => {
  assert.deepEqual(
    selected({}),
    records.map(({ seq }) => seq),
  )
})

test('records are selected by kind, session, server, tool and decision', () => {
  assert.deepEqual(selected({ kinds: ['activation', 'check'] }), [1, 11])
  assert.deepEqual(selected({ session: 's-2' }), [7, 8])
  assert.deepEqual(selected({ server: 'bank' }), [4, 6, 7, 8, 12, 13])
  assert.deepEqual(selected({ tool: 'crm.read' }), [2, 11])
  assert.deepEqual(selected({ decision: 'hold' }), [7])
})

test('records are selected by who called, and by the reason', () => {
  const calls = [2, 4, 6, 7, 8, 9, 11, 13]
  assert.deepEqual(selected({ agent: 'bot' }), calls)
  assert.deepEqual(selected({ project: 'support-bot' }), calls)
  assert.deepEqual(
    selected({ user: 'user-12345' }),
    [...calls, 12].toSorted((a, b) => a - b),
    'refused messages too',
  )
  assert.deepEqual(selected({ user: 'USER-12345' }), [])
  assert.deepEqual(selected({ reason: 'SPEND_PER_CALL_EXCEEDED' }), [6])
  assert.deepEqual(selected({ reason: 'MALFORMED_CALL' }), [12])
})

test('what is asked for must hold together', () => {
  assert.deepEqual(selected({ server: 'bank', decision: 'deny', tool: 'pay' }), [6, 12])
  assert.deepEqual(selected({ server: 'crm', session: 's-2' }), [])
  assert.deepEqual(selected({ agent: 'bot', reason: 'MALFORMED_CALL' }), [])
})

test('a resource is not selected as a tool of the same name', () => {
  assert.deepEqual(selected({ tool: 'crm://1' }), [])
})
