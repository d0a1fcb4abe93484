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
  assert.deepEqual(selected({ kinds: ['activation', 'check'] }), [1, 10])
  assert.deepEqual(selected({ session: 's-2' }), [7])
  assert.deepEqual(selected({ server: 'bank' }), [4, 6, 7, 11, 12])
  assert.deepEqual(selected({ tool: 'crm.read' }), [2, 10])
  assert.deepEqual(selected({ decision: 'hold' }), [7])
})

test('what is asked for must hold together', () => {
  assert.deepEqual(selected({ server: 'bank', decision: 'deny', tool: 'pay' }), [6, 11])
  assert.deepEqual(selected({ server: 'crm', session: 's-2' }), [])
})

test('a resource is not selected as a tool of the same name', () => {
  assert.deepEqual(selected({ tool: 'crm://1' }), [])
})
