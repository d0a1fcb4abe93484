import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { ledgerError } from '../../src/ledger/errors.ts'
import { openDatabase } from '../../src/ledger/file.ts'
import { openLedger, type SqliteLedger } from '../../src/ledger/ledger.ts'
import { pinRecords, Records } from '../../src/ledger/records.ts'
import { migrate } from '../../src/ledger/schema.ts'
import { TollgateError } from '../../src/model/errors.ts'
import { counter, scratch, total } from './fixtures.ts'

const append = (ledger: SqliteLedger) =>
  ledger.transact((tx) => tx.append({ kind: 'check', body: JSON.stringify('x'.repeat(500)) }))

/** A closed ledger of so many records. */
function written(file: string, records: number): string {
  const ledger = openLedger({ file })
  for (let i = 0; i < records; i++) append(ledger)
  ledger.close()
  return file
}

/** Opens, writes and verifies: the code of what goes wrong, or that nothing does. */
function use(file: string): string {
  try {
    const ledger = openLedger({ file })
    try {
      append(ledger)
      const report = ledger.verify()
      return report.intact ? 'intact' : report.fault.kind
    } finally {
      ledger.close()
    }
  } catch (thrown) {
    assert.ok(thrown instanceof TollgateError, String(thrown))
    assert.match(thrown.message, /^[^A-Z].*[^.]$/s)
    return thrown.code
  }
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

test('a new ledger is for its owner alone, and so are the folder and the files beside it', (t) => {
  const folder = join(scratch(t), 'state', 'tollgate')
  const ledger = openLedger({ file: join(folder, 'ledger.db') })
  append(ledger)
  assert.equal(mode(folder), '700')
  for (const name of readdirSync(folder)) assert.equal(mode(join(folder, name)), '600', name)
  ledger.close()
  assert.deepEqual(readdirSync(folder), ['ledger.db'])
})

test('what a commit survives is what was asked for', () => {
  const synchronous = (durability: 'process' | 'power') =>
    openDatabase({ file: ':memory:', durability, readOnly: false }).pragma('synchronous', { simple: true })
  assert.deepEqual([synchronous('process'), synchronous('power')], [1, 2])
})

test('an empty file becomes a ledger', (t) => {
  const file = join(scratch(t), 'ledger.db')
  writeFileSync(file, '')
  assert.equal(use(file), 'intact')
})

test('what is no ledger is refused and not touched', (t) => {
  const folder = scratch(t)
  const foreign = new Database(join(folder, 'foreign.db'))
  foreign.exec('CREATE TABLE notes (text); INSERT INTO notes VALUES (1)')
  foreign.close()
  writeFileSync(join(folder, 'text.db'), 'dear diary\n'.repeat(1_000))
  writeFileSync(join(folder, 'short.db'), 'x')
  writeFileSync(join(folder, 'zeros.db'), Buffer.alloc(8_192))
  for (const name of readdirSync(folder)) {
    const before = readFileSync(join(folder, name))
    assert.equal(use(join(folder, name)), 'ledger_corrupt', name)
    assert.deepEqual(readFileSync(join(folder, name)), before, name)
  }
})

test('a ledger that was cut short is refused', (t) => {
  const file = written(join(scratch(t), 'ledger.db'), 200)
  const { size } = statSync(file)
  for (const part of [0.9, 0.5, 0.1]) {
    truncateSync(file, Math.floor((size * part) / 4_096) * 4_096 + 100)
    assert.equal(use(file), 'ledger_corrupt')
  }
})

test('a damaged page of records is an error or a fault of the chain, and no damage is anything worse', (t) => {
  const file = written(join(scratch(t), 'ledger.db'), 100)
  const shell = new Database(file, { readonly: true })
  const pages = shell.prepare<[], { name: string; pageno: number }>('SELECT name, pageno FROM dbstat').all()
  shell.close()
  const whole = readFileSync(file)
  for (const { name, pageno } of pages) {
    writeFileSync(file, Buffer.from(whole).fill(0x5a, (pageno - 1) * 4_096, pageno * 4_096))
    rmSync(`${file}-wal`, { force: true })
    const outcome = use(file)
    if (name === 'records' || name === 'head') assert.notEqual(outcome, 'intact', `page ${pageno} of ${name}`)
  }
})

test('a log of garbage loses what was only there, and nothing else', (t) => {
  const file = written(join(scratch(t), 'ledger.db'), 20)
  for (const garbage of [Buffer.alloc(100_000, 0x5a), Buffer.from('short'), Buffer.alloc(0)]) {
    writeFileSync(`${file}-wal`, garbage)
    assert.equal(use(file), 'intact')
  }
  const ledger = openLedger({ file, readOnly: true })
  assert.equal(ledger.head().seq, 23)
  ledger.close()
})

test('a ledger of a newer version is refused and not touched', (t) => {
  const file = written(join(scratch(t), 'ledger.db'), 1)
  const shell = new Database(file)
  shell.pragma('user_version = 999')
  shell.close()
  const before = readFileSync(file)
  assert.equal(use(file), 'ledger_newer_schema')
  assert.deepEqual(readFileSync(file), before)
})

test('a ledger of the first version is brought up to date, with the calls that were open in it', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const old = new Database(file)
  migrate(old, 1)
  old.exec(`
    INSERT INTO open_calls VALUES ('d1', 'gone', '[{"key":"k","kind":"fixed","at":0,"amount":1}]'), ('d2', 'gone', '[]');
    INSERT INTO counters VALUES ('k', 0, 1, NULL);`)
  const letThrough = old.prepare('INSERT INTO open_calls VALUES (?, ?, ?)')
  const ledger = openLedger({ file })
  const outcomes = [...ledger.records()].map(({ kind, decisionId }) => [kind, decisionId])
  assert.deepEqual(outcomes, [
    ['outcome', 'd1'],
    ['outcome', 'd2'],
  ])
  assert.equal(ledger.transact((tx) => tx.used(counter('k', total))).used, 1)
  assert.equal(ledger.verify().intact, true)
  assert.throws(() => letThrough.run('d3', 'old', '[]'), /no such table: open_calls/)
  old.close()
  ledger.close()
})

test('a ledger of the sixth version gains the runs that are registered, which outlive the process', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const old = new Database(file)
  migrate(old, 6)
  old.close()
  const first = openLedger({ file })
  assert.deepEqual([first.runs(0), first.run('r1')], [[], undefined])
  for (const expires of [5, 9]) first.keepRun({ id: 'r1', expires, registered: `{"e":${expires}}` })
  first.keepRun({ id: 'r2', expires: 7, registered: '{}' })
  first.keepRun({ id: 'r3', expires: 9, registered: '{}' })
  first.removeRun('r3')
  first.close()
  const second = openLedger({ file })
  assert.deepEqual(second.runs(6), [
    { id: 'r1', expires: 9, registered: '{"e":9}' },
    { id: 'r2', expires: 7, registered: '{}' },
  ])
  assert.deepEqual([second.runsCount(6), second.runsCount(7), second.runsCount(9)], [2, 1, 0])
  second.removeExpiredRuns(7)
  assert.deepEqual([second.run('r1')?.expires, second.run('r2')], [9, undefined])
  assert.equal(second.verify().intact, true)
  second.close()
})

test('a ledger of the second version gains the requests to persons, which change only as they may', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const old = new Database(file)
  migrate(old, 2)
  const ledger = openLedger({ file })
  assert.deepEqual(ledger.approvals(), [])
  const insert = old.prepare(
    `INSERT INTO approvals (id, key, caller, state, requested, expires, request, answers) VALUES (?, 'k', 'c', ?, 0, 9, '{}', '[]')`,
  )
  for (const state of ['pending', 'approved', 'rejected', 'consumed', 'expired']) insert.run(state, state)
  assert.throws(() => insert.run('other', 'other'), /CHECK/)
  const become = (from: string, to: string) => old.prepare('UPDATE approvals SET state = ? WHERE id = ?').run(to, from)
  for (const over of ['rejected', 'consumed', 'expired'])
    assert.throws(() => become(over, 'approved'), /what was answered stays answered/)
  for (const back of ['pending', 'rejected']) assert.throws(() => become('approved', back), /stays answered/)
  for (const open of ['pending', 'approved'])
    assert.throws(() => old.prepare('DELETE FROM approvals WHERE id = ?').run(open), /what waits for an answer stays/)
  assert.equal(become('approved', 'consumed').changes, 1)
  assert.throws(
    () => ledger.transact((tx) => tx.changeApproval('consumed', { state: 'approved' })),
    /is not open, it cannot become approved/,
  )
  old.close()
  ledger.close()
})

test('a ledger of the seventh version finds what it knows of tools by another index, which costs other records nothing', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const old = new Database(file)
  migrate(old, 7)
  old.close()
  const ledger = openLedger({ file })
  const kinds = ['pin', 'decision', 'drift', 'outcome', 'accept', 'kill'] as const
  ledger.transact((tx) => {
    for (const kind of kinds) tx.append({ kind, body: '{}' })
  })
  ledger.close()
  const db = openDatabase({ file, durability: 'process', readOnly: true })
  assert.deepEqual(
    new Records(db).ofPins(6).map(({ kind }) => kind),
    ['pin', 'drift', 'accept'],
  )
  const plan = (sql: string) => JSON.stringify(db.prepare(`EXPLAIN ${sql}`).all())
  assert.doesNotMatch(plan("INSERT INTO records VALUES (9, 0, 'decision', 'd', '', '', '')"), /OpenEphemeral/)
  const byIndex = db.prepare(`EXPLAIN QUERY PLAN ${pinRecords}`).all(0)
  assert.match(JSON.stringify(byIndex), /USING (COVERING )?INDEX records_of_pins/)
  db.close()
})

test('a ledger without one of its tables is refused', (t) => {
  const file = written(join(scratch(t), 'ledger.db'), 1)
  const shell = new Database(file)
  shell.exec('DROP TABLE events')
  shell.close()
  assert.equal(use(file), 'ledger_corrupt')
})

test('a path that cannot be a file is refused', (t) => {
  const folder = scratch(t)
  mkdirSync(join(folder, 'folder.db'))
  writeFileSync(join(folder, 'file'), '')
  assert.equal(use(join(folder, 'folder.db')), 'ledger_unavailable')
  assert.equal(use(join(folder, 'file', 'ledger.db')), 'ledger_unavailable')
  assert.equal(use(join(folder, 'n'.repeat(300))), 'ledger_unavailable')
})

test('a ledger that is deleted, moved or replaced while it is open refuses', (t) => {
  const folder = scratch(t)
  const file = join(folder, 'ledger.db')
  const refused = { code: 'ledger_unavailable', message: /moved or replaced/ }
  const ledger = openLedger({ file })
  append(ledger)
  renameSync(file, join(folder, 'elsewhere.db'))
  assert.throws(() => append(ledger), refused)
  writeFileSync(file, '')
  assert.throws(() => append(ledger), refused)
  renameSync(join(folder, 'elsewhere.db'), file)
  assert.equal(append(ledger).seq, 2)
  rmSync(file)
  assert.throws(() => append(ledger), refused)
  ledger.close()
})

test('a link to a ledger is the ledger', (t) => {
  const folder = scratch(t)
  const file = written(join(folder, 'ledger.db'), 1)
  mkdirSync(join(folder, 'links'))
  symlinkSync(file, join(folder, 'links', 'ledger.db'))
  const one = openLedger({ file })
  one.transact((tx) => {
    tx.open('d1')
    tx.append({ kind: 'decision', decisionId: 'd1', body: '{}' })
  })
  const other = openLedger({ file: join(folder, 'links', 'ledger.db') })
  assert.equal(other.recordsOf('d1').length, 1)
  one.close()
  other.close()
})

test('a ledger opened to look at can be read while another writes, and not be written', (t) => {
  const file = written(join(scratch(t), 'ledger.db'), 2)
  const [writer, reader] = [openLedger({ file }), openLedger({ file, readOnly: true })]
  append(writer)
  assert.equal(reader.head().seq, 3)
  assert.equal([...reader.records()].length, 3)
  assert.equal(reader.verify().intact, true)
  assert.throws(() => append(reader), { code: 'ledger_read_only', message: /cannot be written/ })
  reader.close()
  append(writer)
  writer.close()
  assert.throws(() => openLedger({ file: `${file}.none`, readOnly: true }), { code: 'ledger_unavailable' })
})

test('a lock that a process left behind before it was entered is removed, and nothing else', (t) => {
  const folder = scratch(t)
  const file = join(folder, 'ledger.db')
  for (const name of ['ledger.db-instance-died', 'other.db-instance-x']) writeFileSync(join(folder, name), '')
  writeFileSync(join(folder, 'ledger.db-instance-notes'), 'not a lock of ours')
  openLedger({ file }).close()
  assert.deepEqual(readdirSync(folder), ['ledger.db', 'ledger.db-instance-notes', 'other.db-instance-x'])
})

test('an instance is a name, not a path', () => {
  for (const instance of ['', '../x', 'a/b', 'a b', 'x'.repeat(65)])
    assert.throws(() => openLedger({ file: ':memory:', instance }), { name: 'TypeError' })
})

test('each failure has its code, and what is not about the ledger stays what it is', () => {
  const codes: [string, string][] = [
    ['SQLITE_BUSY_RECOVERY', 'ledger_busy'],
    ['SQLITE_FULL', 'ledger_full'],
    ['SQLITE_IOERR_SHMSIZE', 'ledger_full'],
    ['SQLITE_READONLY_DIRECTORY', 'ledger_read_only'],
    ['SQLITE_CORRUPT_VTAB', 'ledger_corrupt'],
    ['SQLITE_NOTADB', 'ledger_corrupt'],
    ['SQLITE_CANTOPEN', 'ledger_unavailable'],
    ['SQLITE_IOERR_WRITE', 'ledger_unavailable'],
  ]
  for (const [from, to] of codes) {
    const error = ledgerError(new Database.SqliteError('why', from), 'x.db')
    assert.ok(error instanceof TollgateError)
    assert.equal(error.code, to, from)
  }
  const own = new RangeError('own')
  assert.equal(ledgerError(own, 'x.db'), own)
  assert.ok(ledgerError(new Database.SqliteError('why', 'SQLITE_CONSTRAINT_CHECK'), 'x.db') instanceof TypeError)
})

// A disk of four megabytes that only this test sees: it needs a mount namespace, which not every machine gives.

const worker = join(import.meta.dirname, 'worker.ts')

/** Runs a shell script with `$DISK` a small disk, `$BALLAST` a file to fill it with, `$NODE` and `$WORKER`. */
function onSmallDisk(t: TestContext, script: string): string | undefined {
  const disk = scratch(t)
  const env = { ...process.env, DISK: disk, NODE: process.execPath, WORKER: worker }
  const mount = 'mount -t tmpfs -o size=4m none "$DISK"'
  const inNamespace = (command: string) =>
    spawnSync('unshare', ['-rm', 'sh', '-ec', command], { env, encoding: 'utf8' })
  if (inNamespace(mount).status !== 0) {
    t.skip('this machine does not let a test mount a disk')
    return undefined
  }
  const { status, stdout, stderr } = inNamespace(`${mount}; ${script}`)
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

test('a disk that is full refuses, and the ledger goes on once there is room', (t) => {
  const said = onSmallDisk(
    t,
    `head -c 3000000 /dev/zero > "$DISK/ballast"; "$NODE" "$WORKER" fill "$DISK/ledger.db" "$DISK/ballast"`,
  )
  if (said === undefined) return
  const codes = ['ledger_full', 'ledger_full', 'ledger_full']
  assert.deepEqual(JSON.parse(said), { codes, went_on: true, agrees: true, intact: true })
})

test('a disk that is full from the start gives no ledger', (t) => {
  const said = onSmallDisk(t, `head -c 4190000 /dev/zero > "$DISK/ballast"; "$NODE" "$WORKER" look "$DISK/ledger.db"`)
  if (said !== undefined) assert.equal(JSON.parse(said)[0], 'ledger_full')
})

test('a disk that is read-only gives no ledger to write', (t) => {
  const said = onSmallDisk(
    t,
    `"$NODE" "$WORKER" spend "$DISK/ledger.db" calls 10 20 > "$DISK/said"; mount -o remount,ro "$DISK"; "$NODE" "$WORKER" look "$DISK/ledger.db"; "$NODE" "$WORKER" look "$DISK/new.db"`,
  )
  if (said === undefined) return
  const [old, fresh] = said.split('\n').map((line) => JSON.parse(line))
  assert.equal(old[0], 'ledger_read_only')
  assert.equal(fresh[0], 'ledger_read_only')
})
