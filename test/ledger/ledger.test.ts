import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLedger } from '../../src/ledger/ledger.ts'

test('a record is hashed onto the one before it', () => {
  const ledger = openLedger({ file: ':memory:' })
  const first = ledger.transact((tx) => tx.append({ kind: 'start', body: '{}' }))
  const second = ledger.transact((tx) => tx.append({ kind: 'stop', body: '{}' }))
  assert.equal(first.previousHash, '0'.repeat(64))
  assert.equal(second.previousHash, first.hash)
  assert.deepEqual([...ledger.records()], [first, second])
  assert.equal(ledger.verify().intact, true)
})
