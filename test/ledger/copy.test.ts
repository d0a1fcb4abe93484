/** A ledger in memory that begins with what another one knows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copiedTables } from '../../src/ledger/copy.ts'
import { openDatabase } from '../../src/ledger/file.ts'
import { openLedger } from '../../src/ledger/ledger.ts'

test('all that a decision depends on is taken over: what stays behind is named here', () => {
  const db = openDatabase({ file: ':memory:', durability: 'process', readOnly: false })
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all()
  db.close()
  const left = ['records', 'chain_end', 'pending', 'instances', 'policies', 'sqlite_sequence', 'cursors']
  left.push('servers_seen', 'tool_definitions', 'runs')
  assert.deepEqual(tables, [...copiedTables, ...left].sort())
})

test('a ledger that is not there has nothing to begin with', () => {
  assert.throws(() => openLedger({ file: ':memory:', stateOf: '/nowhere/ledger.db' }), { code: 'ledger_unavailable' })
})
