import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { type ChainReport, origin, recordHash, verifyChain } from '../../src/ledger/chain.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { StoredRecord } from '../../src/model/ledger.ts'
import { fc, tries } from '../random.ts'
import { scratch } from './fixtures.ts'

const faultOf = (report: ChainReport) => (report.intact ? undefined : [report.fault.kind, report.fault.seq])

function chainOf(length: number): StoredRecord[] {
  const ledger = openLedger({ file: ':memory:' })
  for (let i = 0; i < length; i++)
    ledger.transact((tx) => tx.append({ kind: 'decision', decisionId: `d${i}`, body: `{"n":${i}}` }))
  return [...ledger.records()]
}

const swap = (records: StoredRecord[], a: number, b: number) =>
  records.map((record, i) => (i === a ? records[b] : i === b ? records[a] : record) as StoredRecord)

test('a chain that nobody touched verifies, and its head is its last record', () => {
  const records = chainOf(5)
  const last = records.at(-1) as StoredRecord
  assert.deepEqual(verifyChain(records), { intact: true, head: { seq: 5, at: last.at, hash: last.hash } })
  assert.deepEqual(verifyChain([]), { intact: true, head: origin })
})

test('a chain verifies from any place on, given the head before it', () => {
  const records = chainOf(5)
  const third = records[2] as StoredRecord
  assert.equal(verifyChain(records.slice(3), third).intact, true)
  assert.deepEqual(faultOf(verifyChain(records.slice(3))), ['missing', 1])
})

test('the first changed, removed, moved or added record is named', () => {
  const records = chainOf(6)
  const at = (i: number) => records[i] as StoredRecord
  const changed = (change: Partial<StoredRecord>) => verifyChain(records.with(2, { ...at(2), ...change }))
  assert.deepEqual(faultOf(changed({ body: '{"n":9}' })), ['changed', 3])
  assert.deepEqual(faultOf(changed({ kind: 'grant' })), ['changed', 3])
  assert.deepEqual(faultOf(changed({ at: at(2).at + 1 })), ['changed', 3])
  assert.deepEqual(faultOf(changed({ decisionId: 'd9' })), ['changed', 3])
  assert.deepEqual(faultOf(changed({ hash: at(3).hash })), ['changed', 3])
  assert.deepEqual(faultOf(changed({ previousHash: at(3).hash })), ['detached', 3])
  assert.deepEqual(faultOf(verifyChain(records.toSpliced(2, 1))), ['missing', 3])
  assert.deepEqual(faultOf(verifyChain(records.toSpliced(2, 0, at(4)))), ['missing', 3])
  assert.deepEqual(faultOf(verifyChain(records.toSpliced(2, 0, at(1)))), ['misplaced', 2])
  assert.deepEqual(faultOf(verifyChain(swap(records, 1, 4))), ['missing', 2])
})

test('a record that was hashed anew no longer fits the one after it', () => {
  const records = chainOf(4)
  const forged = { ...(records[1] as StoredRecord), body: '{"n":100}' }
  assert.deepEqual(faultOf(verifyChain(records.with(1, { ...forged, hash: recordHash(forged) }))), ['detached', 3])
})

test('a record that is older than the one before it is out of place, however well it is hashed', () => {
  const [first] = chainOf(1) as [StoredRecord]
  const older = { kind: 'stop' as const, body: '{}', seq: 2, at: first.at - 1, previousHash: first.hash }
  assert.deepEqual(faultOf(verifyChain([first, { ...older, hash: recordHash(older) }])), ['misplaced', 2])
})

test('a body that UTF-8 cannot hold is not the one that was hashed', () => {
  const record = { kind: 'check' as const, body: '"\ufffd"', seq: 1, at: 1, previousHash: origin.hash }
  const hash = recordHash(record)
  assert.equal(verifyChain([{ ...record, hash }]).intact, true)
  assert.deepEqual(faultOf(verifyChain([{ ...record, hash, body: '"\ud800"' }])), ['changed', 1])
})

test('no two records share an encoding', () => {
  const word = fc.string({ unit: fc.constantFrom('a', '\n', '"', ',', '[', ']', '\\', '\0'), maxLength: 4 })
  const record = fc.record({
    previousHash: word,
    seq: fc.nat(2),
    at: fc.nat(2),
    kind: word as fc.Arbitrary<'kill'>,
    decisionId: fc.option(word, { nil: undefined }),
    body: word,
  })
  const identity = (it: object) => JSON.stringify(it, (_, value) => (value === undefined ? null : value))
  fc.assert(
    fc.property(record, record, (a, b) => {
      assert.equal(recordHash(a as StoredRecord) === recordHash(b as StoredRecord), identity(a) === identity(b))
    }),
    { numRuns: tries(2_000) },
  )
})

test('a random edit of a random chain is always found', () => {
  const records = chainOf(12)
  const index = fc.nat(records.length - 1)
  const edit = fc.oneof(
    fc.tuple(index, fc.string()).map(([i, body]) => records.with(i, { ...(records[i] as StoredRecord), body })),
    fc.tuple(index, index).map(([a, b]) => swap(records, a, b)),
    fc.tuple(index, index).map(([a, b]) => records.toSpliced(a, 0, records[b] as StoredRecord)),
    fc.nat(records.length - 2).map((i) => records.toSpliced(i, 1)),
  )
  fc.assert(
    fc.property(edit, (edited) => {
      assert.equal(verifyChain(edited).intact, JSON.stringify(edited) === JSON.stringify(records))
    }),
  )
})

/** Writes thirty records, and lets somebody with a shell at the file. */
function tampered(file: string, sql: string) {
  const ledger = openLedger({ file })
  for (let i = 0; i < 30; i++) ledger.transact((tx) => tx.append({ kind: 'check', body: `{"n":${i}}` }))
  const shell = new Database(file)
  shell.exec('DROP TRIGGER records_never_change; DROP TRIGGER records_never_go')
  shell.exec(sql)
  shell.close()
  const report = ledger.verify()
  ledger.close()
  return report
}

test('rows edited in the file are found, also where the end was cut off or added to', (t) => {
  const folder = scratch(t)
  const cases: [string, unknown][] = [
    [`UPDATE records SET body = '{}' WHERE seq = 4`, ['changed', 4]],
    ['DELETE FROM records WHERE seq = 4', ['missing', 4]],
    ['DELETE FROM records WHERE seq > 28', ['missing', 29]],
    ['UPDATE records SET seq = 100 WHERE seq = 4', ['missing', 4]],
    [`INSERT INTO records SELECT 31, at, kind, NULL, hash, hash, body FROM records WHERE seq = 30`, ['changed', 31]],
    [`UPDATE chain_end SET hash = '${'f'.repeat(64)}'`, ['changed', 30]],
  ]
  for (const [i, [sql, fault]] of cases.entries())
    assert.deepEqual(faultOf(tampered(join(folder, `${i}.db`), sql)), fault, sql)
})

test('a record well made but added behind the head is found', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const ledger = openLedger({ file })
  const last = ledger.transact((tx) => tx.append({ kind: 'check', body: '{}' }))
  const added = { kind: 'grant' as const, body: '{}', seq: 2, at: last.at, previousHash: last.hash }
  const shell = new Database(file)
  shell
    .prepare('INSERT INTO records VALUES (2, ?, ?, NULL, ?, ?, ?)')
    .run(added.at, added.kind, added.previousHash, recordHash(added), added.body)
  shell.close()
  assert.deepEqual(faultOf(ledger.verify()), ['misplaced', 2])
  ledger.close()
})

test('a ledger whose last records do not verify is opened only to look at', (t) => {
  const file = join(scratch(t), 'ledger.db')
  tampered(file, `UPDATE records SET body = '{}' WHERE seq = 29`)
  assert.throws(() => openLedger({ file }), { code: 'ledger_corrupt', message: /record 29 is not what was recorded/ })
  const evidence = openLedger({ file, readOnly: true })
  assert.deepEqual(faultOf(evidence.verify()), ['changed', 29])
  evidence.close()
})

test('SQLite itself refuses to change or remove a record or a policy', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const ledger = openLedger({ file })
  ledger.transact((tx) => {
    tx.append({ kind: 'check', body: '{}' })
    tx.keepPolicy('r1', () => Buffer.from('policy'))
  })
  const shell = new Database(file)
  for (const sql of [
    `UPDATE records SET body = '[]'`,
    'DELETE FROM records',
    `UPDATE policies SET artifact = x'00'`,
    'DELETE FROM policies',
  ])
    assert.throws(() => shell.exec(sql), { code: 'SQLITE_CONSTRAINT_TRIGGER' }, sql)
  shell.close()
  ledger.close()
})
