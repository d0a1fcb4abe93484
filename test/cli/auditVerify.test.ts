import assert from 'node:assert/strict'
import { copyFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type Database from 'better-sqlite3'
import { encodeArtifact } from '../../src/bundle/artifact.ts'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { type ProofOptions, proveRecords } from '../../src/cli/auditProof.ts'
import type { Finding, ProofReport } from '../../src/cli/auditReport.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import {
  artifact,
  crmRead,
  everydayLedger,
  malformed,
  openTestGate,
  otherArtifact,
  pay,
  rewriteChain,
  tamper,
  temporaryFolder,
} from '../log/ledgers.ts'
import { fc } from '../random.ts'
import { tollgate } from './auditRun.ts'

const everyday = everydayLedger()

function prove(file: string, options: ProofOptions = {}): ProofReport {
  return readLedger(file, (source) => proveRecords(source, options))
}

/** The everyday ledger, changed by somebody who may write the file. */
function tampered(change: (db: Database.Database) => void): string {
  const file = join(temporaryFolder(), 'ledger.db')
  copyFileSync(everyday, file)
  tamper(file, change)
  return file
}

/** Changed so, and with a chain that was made anew. */
function rewritten(change: (db: Database.Database) => void): string {
  return tampered((db) => {
    change(db)
    rewriteChain(db)
  })
}

function firstFinding(file: string, options?: ProofOptions): Finding {
  const { ok, failures, findings } = prove(file, options)
  assert.equal(ok, false)
  assert.ok(failures > 0)
  return findings[0] as Finding
}

const inBody = (db: Database.Database, seq: number, from: string, to: string) => {
  const { changes } = db
    .prepare('UPDATE records SET body = replace(body, ?, ?) WHERE seq = ? AND instr(body, ?) > 0')
    .run(from, to, seq, from)
  assert.equal(changes, 1)
}

test('what the gate wrote is proved, and counted', () => {
  const report = prove(everyday)
  assert.deepEqual(report.findings, [])
  const { ok, records, first_seq, evaluated, by_gate, revisions, calls, unknown_calls, open_calls, head } = report
  assert.deepEqual(
    { ok, records, first_seq, evaluated, by_gate, revisions, calls, open_calls },
    {
      ok: true,
      records: 14,
      first_seq: 1,
      evaluated: 7,
      by_gate: { MALFORMED_CALL: 1 },
      revisions: { [artifact.revision]: 7 },
      calls: { allowed: 4, success: 2, error: 1, unknown: 1, open: 0 },
      open_calls: [],
    },
  )
  assert.deepEqual(
    unknown_calls.map(({ seq }) => seq),
    [14],
  )
  const ledger = openLedger({ file: everyday, readOnly: true })
  assert.equal(head.hash, ledger.head().hash)
  ledger.close()
})

test('a call without an end is listed as open, and is no failure', () => {
  const file = join(temporaryFolder(), 'ledger.db')
  const { ledger, activate, admit } = openTestGate(file)
  activate(artifact)
  const { decision_id } = admit(crmRead)
  const { ok, calls, open_calls } = prove(file)
  assert.deepEqual({ ok, open: calls.open, open_calls }, { ok: true, open: 1, open_calls: [{ seq: 2, decision_id }] })
  ledger.close()
})

test('an empty ledger is proved', () => {
  const file = join(temporaryFolder(), 'ledger.db')
  openLedger({ file }).close()
  const { ok, records, head } = prove(file)
  assert.deepEqual({ ok, records, hash: head.hash }, { ok: true, records: 0, hash: '0'.repeat(64) })
})

test('a policy that was changed while the gate ran leaves two revisions, each of which decides its own records again', () => {
  const file = join(temporaryFolder(), 'ledger.db')
  const { ledger, activate, done, admit, refuse } = openTestGate(file)
  activate(artifact)
  done(pay(100))
  activate(otherArtifact)
  assert.equal(admit(pay(100)).decision, 'deny')
  refuse(malformed)
  activate(artifact)
  done(pay(100))
  ledger.close()
  const { ok, findings, revisions } = prove(file)
  assert.deepEqual(findings, [])
  assert.deepEqual({ ok, revisions }, { ok: true, revisions: { [artifact.revision]: 2, [otherArtifact.revision]: 1 } })
})

test('only the records from a time on are proved, with the policy that was activated before', () => {
  const since = Date.parse('2026-01-16T19:11:27Z')
  const { ok, findings, records, first_seq, evaluated, head } = prove(everyday, { since })
  assert.deepEqual(
    { ok, findings, records, first_seq, evaluated },
    { ok: true, findings: [], records: 10, first_seq: 5, evaluated: 5 },
  )
  assert.equal(head.hash, prove(everyday).head.hash)
  assert.equal(prove(everyday, { since: Date.now() }).records, 0)
  const changedBefore = tampered((db) => inBody(db, 2, 'c-1', 'c-2'))
  assert.equal(prove(changedBefore, { since }).ok, true)
})

test('a changed body is found', () => {
  const file = tampered((db) => inBody(db, 2, 'c-1', 'c-2'))
  assert.deepEqual(firstFinding(file), { seq: 2, kind: 'changed', message: 'record 2 is not what was recorded' })
})

test('a changed decision is found, with what the policy says instead', () => {
  const { findings } = prove(tampered((db) => inBody(db, 6, '"decision":"deny"', '"decision":"allow"')))
  assert.deepEqual(findings, [
    { seq: 6, kind: 'changed', message: 'record 6 is not what was recorded' },
    { seq: 6, kind: 'decision', message: 'record 6: `decision` is `allow`, the policy says `deny`' },
  ])
})

test('a changed row is found, whatever column it is', () => {
  for (const change of ['at = at + 1', "kind = 'check'", "decision_id = 'other'", `hash = '${'f'.repeat(64)}'`]) {
    const file = tampered((db) => db.exec(`UPDATE records SET ${change} WHERE seq = 4`))
    assert.deepEqual([firstFinding(file).seq, firstFinding(file).kind], [4, 'changed'], change)
  }
  const moved = tampered((db) => db.exec(`UPDATE records SET previous_hash = '${'f'.repeat(64)}' WHERE seq = 4`))
  assert.deepEqual(firstFinding(moved), {
    seq: 4,
    kind: 'detached',
    message: 'record 4 does not follow from the one before it',
  })
})

test('any character of any text, changed to another, is found', () => {
  const columns = ['kind', 'decision_id', 'previous_hash', 'hash', 'body'] as const
  const change = fc.tuple(fc.integer({ min: 1, max: 14 }), fc.constantFrom(...columns), fc.nat(), fc.nat())
  fc.assert(
    fc.property(change, ([seq, column, place, other]) => {
      const file = tampered((db) => {
        const text = db.prepare(`SELECT ${column} FROM records WHERE seq = ?`).pluck().get(seq) as string | null
        db.prepare(`UPDATE records SET ${column} = ? WHERE seq = ?`).run(otherText(text ?? '', place, other), seq)
      })
      const finding = firstFinding(file)
      assert.ok(finding.seq === seq || finding.seq === seq + 1 || finding.kind === 'head')
      rmSync(dirname(file), { recursive: true })
    }),
    { numRuns: 200 },
  )
})

function otherText(text: string, place: number, other: number): string {
  const at = place % (text.length + 1)
  const letter = String.fromCharCode(0x20 + (other % 0x5f))
  return `${text.slice(0, at)}${letter === text[at] ? '~~' : letter}${text.slice(at + 1)}`
}

test('a removed row is found', () => {
  const file = tampered((db) => db.exec('DELETE FROM records WHERE seq = 6'))
  const { findings, failures, records } = prove(file)
  assert.deepEqual(findings, [{ seq: 6, kind: 'missing', message: 'record 6 is missing, 7 comes next' }])
  assert.deepEqual({ failures, records }, { failures: 1, records: 13 })
})

test('rows that changed places are found', () => {
  const file = tampered((db) =>
    db.exec(`
      UPDATE records SET seq = -6 WHERE seq = 6;
      UPDATE records SET seq = 6 WHERE seq = 7;
      UPDATE records SET seq = 7 WHERE seq = -6;`),
  )
  const { findings } = prove(file)
  assert.deepEqual([findings[0]?.seq, findings[0]?.kind], [6, 'detached'])
  assert.ok(findings.every(({ seq }) => seq >= 6 && seq <= 8))
})

test('an inserted row is found', () => {
  const file = tampered((db) =>
    db.exec(`
      UPDATE records SET seq = -seq WHERE seq > 6;
      INSERT INTO records SELECT 7, at, kind, 'new', hash, '${'e'.repeat(64)}', replace(body, decision_id, 'new') FROM records WHERE seq = 6;
      UPDATE records SET seq = -seq + 1 WHERE seq < 0;`),
  )
  assert.deepEqual([firstFinding(file).seq, firstFinding(file).kind], [7, 'changed'])
})

test('a row that was added behind the last one is found', () => {
  const file = tampered((db) =>
    db.exec(`INSERT INTO records SELECT 15, at, kind, decision_id, hash, hash, body FROM records WHERE seq = 14`),
  )
  assert.equal(prove(file).findings.at(-1)?.kind, 'head')
})

const dropTail = (db: Database.Database) => db.exec('DELETE FROM records WHERE seq > 12')
const dropTailWhole = (db: Database.Database) => {
  dropTail(db)
  db.exec('UPDATE chain_end SET (seq, hash) = (SELECT seq, hash FROM records WHERE seq = 12)')
}

test('a tail that was cut off is found', () => {
  assert.deepEqual(firstFinding(tampered(dropTail)), {
    seq: 13,
    kind: 'missing',
    message: 'the last records, 13 to 14, are missing',
  })
})

test('a tail that was cut off with care is found by a hash that was noted down', () => {
  const { hash } = prove(everyday).head
  const file = tampered(dropTailWhole)
  assert.equal(prove(file).ok, true)
  assert.equal(prove(everyday, { head: hash }).ok, true)
  const finding = firstFinding(file, { head: hash })
  assert.deepEqual([finding.seq, finding.kind], [12, 'head'])
  assert.match(finding.message, new RegExp(`no record has the hash ${hash}`))
})

test('a hash that was noted down stays in a chain that grows', () => {
  const file = join(temporaryFolder(), 'ledger.db')
  const first = openTestGate(file)
  first.activate(artifact)
  const { hash } = first.ledger.head()
  first.done(crmRead)
  first.ledger.close()
  assert.equal(prove(file, { head: hash }).ok, true)
})

test('a ledger that forgot its last record is found', () => {
  assert.equal(firstFinding(tampered((db) => db.exec('DELETE FROM chain_end'))).kind, 'head')
})

test('a decision that was changed together with its chain is found by evaluating it again', () => {
  const file = rewritten((db) => {
    inBody(db, 6, '"decision":"deny","reason_code":"SPEND_PER_CALL_EXCEEDED"', '"decision":"deny","reason_code":"X"')
  })
  assert.deepEqual(prove(file).findings, [
    {
      seq: 6,
      kind: 'decision',
      message: 'record 6: `reason_code` is `X`, the policy says `SPEND_PER_CALL_EXCEEDED`',
    },
  ])
})

test('rule, message and risk must be the same as well', () => {
  for (const [from, to] of [
    ['"rule":"cap"', '"rule":"gap"'],
    ['for one call', 'for two calls'],
    ['"risk_level":"medium"', '"risk_level":"low"'],
    [',"risk_level":"medium"', ''],
  ] as const) {
    assert.equal(firstFinding(rewritten((db) => inBody(db, 6, from, to))).kind, 'decision', from)
  }
})

test('a record that says other than its input is found, though its chain was made anew', () => {
  for (const [from, to] of [
    ['"name":"pay"', '"name":"crm.read"'],
    ['"server":"bank","name"', '"server":"crm","name"'],
    ['"session_id":"s-1"', '"session_id":"s-9"'],
    ['"principal":{"agent":"bot","user":"user-12345"', '"principal":{"agent":"bot","user":"user-9"'],
    ['"timestamp":"2026-01-16T19:11:28.000Z"', '"timestamp":"2026-01-16T19:11:29.000Z"'],
    ['"input_sha256":"', '"input_sha256":"0'],
    ['"v":1}}', '"v":1} }'],
    [',"revision":"', ',"revision":"0'],
    ['{"revision":"', '{"revision":"0'],
    ['"type":"decision"', '"type":"check"'],
  ] as const) {
    assert.equal(firstFinding(rewritten((db) => inBody(db, 6, from, to))).kind, 'record', from)
  }
})

test('a time that is none is found', () => {
  const file = rewritten((db) => db.exec('UPDATE records SET at = 9000000000000000 WHERE seq >= 13'))
  const { findings, head } = prove(file)
  assert.deepEqual(findings[0], {
    seq: 13,
    kind: 'record',
    message: 'record 13: the time of record 13 is none: 9000000000000000',
  })
  assert.equal(head.timestamp, null)
})

test('an allowed call without an input to prove it is found', () => {
  const file = rewritten((db) =>
    db.exec(`UPDATE records SET body = json_remove(body, '$.input', '$.input_sha256') WHERE seq = 2`),
  )
  const { seq, kind, message } = firstFinding(file)
  assert.deepEqual([seq, kind], [2, 'record'])
  assert.match(message, /it says `allow` by the rule `crm.read`, and has no input to prove it/)
})

test('an input that was changed with its digest is found when the policy decides otherwise', () => {
  const file = rewritten((db) => inBody(db, 6, '"amounts":{"amount":1000000000}', '"amounts":{"amount":1000000}'))
  assert.ok(
    prove(file).findings.some(({ kind, message }) => kind === 'decision' && /`decision` is `deny`/.test(message)),
  )
})

test('the outcome of a call that was never allowed is found', () => {
  const file = join(temporaryFolder(), 'ledger.db')
  const { ledger, activate, admit } = openTestGate(file)
  activate(artifact)
  const { decision_id: decisionId } = admit(pay(1_000))
  ledger.transact((tx) => tx.append({ kind: 'outcome', decisionId, body: '{"status":"success"}' }))
  ledger.close()
  assert.deepEqual(firstFinding(file), {
    seq: 3,
    kind: 'outcome',
    message: 'record 3: it is the outcome of a call that was not open',
  })
})

test('an outcome that was removed leaves its call open', () => {
  const file = tampered((db) => {
    db.exec('DELETE FROM records WHERE seq = 14')
    db.exec('UPDATE chain_end SET (seq, hash) = (SELECT seq, hash FROM records WHERE seq = 13)')
  })
  const { ok, open_calls } = prove(file)
  assert.deepEqual([ok, open_calls.map(({ seq }) => seq)], [true, [13]])
})

const keep = (bytes: Uint8Array) => (db: Database.Database) =>
  db.prepare('UPDATE policies SET artifact = ? WHERE revision = ?').run(bytes, artifact.revision)

test('a stored policy that was replaced is found', () => {
  const revision = artifact.revision.slice(0, 12)
  const messages = (file: string) => {
    const { findings } = prove(file)
    assert.ok(findings.length > 0 && findings.every(({ kind }) => kind === 'policy'))
    return findings[0]?.message
  }
  assert.equal(
    messages(tampered(keep(encodeArtifact(otherArtifact)))),
    `record 1: what is kept as revision ${revision} is another revision`,
  )
  assert.equal(
    messages(tampered(keep(encodeArtifact({ ...artifact, policy: { ...artifact.policy, id: 'other' } })))),
    `record 1: what is kept as revision ${revision}: the compiled policy does not match its revision`,
  )
  assert.equal(
    messages(tampered((db) => db.exec('DELETE FROM policies'))),
    `record 1: the ledger does not keep revision ${revision}`,
  )
})

test('a module that was exchanged under its policy is found, though its own digest fits', () => {
  const { wasm, wasmDigest } = otherArtifact
  const file = tampered(keep(encodeArtifact({ ...artifact, wasm, wasmDigest })))
  assert.deepEqual(firstFinding(file), {
    seq: 1,
    kind: 'policy',
    message: `record 1: the module kept for revision ${artifact.revision.slice(0, 12)} is not the one that was activated`,
  })
})

test('a decision of a revision that was never activated is found', () => {
  const file = rewritten((db) => db.exec(`UPDATE records SET kind = 'start' WHERE seq = 1`))
  assert.match(firstFinding(file).message, /record 2: revision [0-9a-f]{12} was never activated before this record/)
})

test('verify prints what it proved, with the head to note down, and ends with 0', () => {
  const { status, stdout, stderr } = tollgate(['audit', 'verify', '--ledger', everyday])
  const { hash } = prove(everyday).head
  assert.deepEqual([status, stderr], [0, ''])
  assert.deepEqual(
    stdout.split('\n').map((line) => line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'ID')),
    [
      `ledger     ${everyday}`,
      'records    14 records, 1 to 14: proved',
      'decisions  7 evaluated again with 1 policy revision, 1 by the gate itself (MALFORMED_CALL 1)',
      'calls      4 allowed; 2 succeeded, 1 failed, 1 ended unknown, 0 open',
      '           unknown: ID (record 14)',
      `head       ${hash} (record 14, 2026-01-16T19:11:35.000Z)`,
      '',
    ],
  )
})

test('verify names the first failure and ends with 1, also where the gate would not open the ledger', () => {
  const file = tampered((db) => inBody(db, 13, '"decision":"allow"', '"decision":"deny"'))
  const { status, stdout } = tollgate(['audit', 'verify', '--ledger', file])
  assert.equal(status, 1)
  assert.match(stdout, /^records {4}14 records, 1 to 14: not proved, 3 failures$/m)
  assert.match(stdout, /^failures {3}record 13 is not what was recorded$/m)
  assert.match(stdout, /^ +record 13: `decision` is `deny`, the policy says `allow`$/m)
  const asJson = tollgate(['audit', 'verify', '--ledger', file, '--json'])
  assert.equal(asJson.status, 1)
  assert.deepEqual(JSON.parse(asJson.stdout), { ledger: file, ...prove(file) })
})

test('a damaged ledger is shown, and said to be damaged', () => {
  const file = tampered((db) => inBody(db, 13, '"decision":"allow"', '"decision":"deny"'))
  const { status, stdout, stderr } = tollgate(['audit', '--format', 'jsonl', '--ledger', file])
  assert.equal(status, 1)
  assert.equal(
    stdout.split('\n').length,
    tollgate(['audit', '--format', 'jsonl', '--ledger', everyday]).stdout.split('\n').length,
  )
  assert.match(stderr, /^tollgate: .*record 13 is not what was recorded.*\(ledger_corrupt\)$/m)
})

test('verify takes a hash, and refuses what is none', () => {
  const { hash } = prove(everyday).head
  assert.equal(tollgate(['audit', 'verify', '--ledger', everyday, '--head', hash]).status, 0)
  assert.equal(tollgate(['audit', 'verify', '--ledger', everyday, '--head', 'f'.repeat(64)]).status, 1)
  const none = tollgate(['audit', 'verify', '--ledger', everyday, '--head', 'abc'])
  assert.equal(none.status, 2)
  assert.match(none.stderr, /`--head` takes a hash of 64 digits/)
})
