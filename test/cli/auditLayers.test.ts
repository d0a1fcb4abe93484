/** What layers decided is proved as what one policy decided is. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type Database from 'better-sqlite3'
import { buildPolicy } from '../../src/bundle/build.ts'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { proveRecords } from '../../src/cli/auditProof.ts'
import type { Decision } from '../../src/model/decision.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { layered } from '../../src/runtime/policySet.ts'
import { crmRead, malformed, pay, rewriteChain, startedAt, tamper, temporaryFolder } from '../log/ledgers.ts'
import { tollgate } from './auditRun.ts'

const policy = (id: string, cap: number) =>
  buildPolicy({
    name: `${id}.yaml`,
    text: `version: "1"\ndefault: allow\npolicy_id: ${id}\ntools:\n  pay: { rules: [{ name: ${id}-cap, spend: { daily: ${cap} } }] }\n`,
  })
const [org, team, tighter] = await Promise.all([policy('org', 100), policy('team', 50), policy('team', 5)])
const set = (inner: typeof team) =>
  layered([
    { name: 'org', artifact: org },
    { name: 'team', artifact: inner },
  ])

/** Allowed, refused by one layer, refused by the gate, and again after one layer was replaced. */
function layeredLedger(): string {
  const file = join(temporaryFolder(), 'ledger.db')
  let at = startedAt
  const report = (error: unknown) => assert.fail(error as Error)
  const { gate, ledger } = openGateWith({ ledgerFile: file, clock: () => (at += 1_000), report })
  const admit = (call: typeof crmRead) => gate.admit([call])[0] as Decision
  gate.activate(set(team).active())
  const allowed = admit(pay(40))
  gate.settle([{ decisionId: allowed.decision_id, status: 'success' }])
  assert.equal(admit(pay(40)).rule, 'team-cap')
  gate.refuse([malformed])
  gate.activate(set(tighter).active())
  assert.equal(admit(crmRead).decision, 'allow')
  assert.equal(admit(pay(6)).rule, 'team-cap')
  ledger.close()
  return file
}

function changed(change: (db: Database.Database) => void): string {
  const file = layeredLedger()
  tamper(file, (db) => {
    change(db)
    rewriteChain(db)
  })
  return file
}

const prove = (file: string, since?: number) =>
  readLedger(file, (source) => proveRecords(source, since === undefined ? {} : { since }))
const inBody = (db: Database.Database, seq: number, from: string, to: string) =>
  assert.equal(
    db
      .prepare('UPDATE records SET body = replace(body, ?, ?) WHERE seq = ? AND instr(body, ?) > 0')
      .run(from, to, seq, from).changes,
    1,
  )

test('decisions of layers are made again, each layer by the revision that judged', () => {
  const { ok, findings, evaluated, revisions, by_gate } = prove(layeredLedger())
  assert.deepEqual(findings, [])
  assert.deepEqual({ ok, evaluated, by_gate }, { ok: true, evaluated: 4, by_gate: { MALFORMED_CALL: 1 } })
  assert.deepEqual(revisions, { [org.revision]: 4, [team.revision]: 2, [tighter.revision]: 2 })
})

test('the layers that were activated before the records that are looked at are found', () => {
  const { ok, findings, evaluated } = prove(layeredLedger(), startedAt + 7_000)
  assert.deepEqual({ ok, findings, evaluated }, { ok: true, findings: [], evaluated: 2 })
})

const frauds: readonly [string, (db: Database.Database) => void, RegExp][] = [
  [
    'another decision',
    (db) => inBody(db, 4, '"decision":"deny","reason_code":"SPEND', '"decision":"allow","reason_code":"SPEND'),
    /`decision` is `allow`, the policy says `deny`/,
  ],
  [
    'another word of one layer',
    (db) => inBody(db, 4, '{"name":"org","decision":"allow"', '{"name":"org","decision":"deny"'),
    /`layers` is/,
  ],
  [
    'a conflict that is gone',
    (db) => inBody(db, 4, '"conflicts":[{"layer":"org","decision":"allow","overruled_by":"team"}]', '"conflicts":[]'),
    /`conflicts` is/,
  ],
  [
    'another policy than the deciding one',
    (db) => inBody(db, 4, '"policy_id":"team"', '"policy_id":"org"'),
    /is policy `team`.*the record says `org`/,
  ],
  [
    'a layer that is left out',
    (db) => inBody(db, 4, '"layers":["org","team"]', '"layers":["org"]'),
    /its result is of revision/,
  ],
  [
    'the revision of another layer',
    (db) => inBody(db, 4, team.revision, tighter.revision),
    /its result is of revision|never activated/,
  ],
]

for (const [what, change, says] of frauds) {
  test(`${what} is found, though the chain was made anew`, () => {
    const { ok, findings } = prove(changed(change))
    assert.equal(ok, false)
    assert.match(findings.map(({ message }) => message).join('\n'), says)
  })
}

test('a set of layers that was never active together is found', () => {
  const file = changed((db) => {
    const { body } = db.prepare<[], { body: string }>('SELECT body FROM records WHERE seq = 4').get() as {
      body: string
    }
    const told = JSON.parse(body)
    told.layers = ['org']
    const alone = layered([{ name: 'org', artifact: org }])
    told.result = { ...told.result, revision: alone.revision }
    db.prepare('UPDATE records SET body = ? WHERE seq = 4').run(JSON.stringify(told))
  })
  const { findings } = prove(file)
  assert.match(findings.map(({ message }) => message).join('\n'), /`org` were never activated together/)
})

test('`audit` shows what each layer said', () => {
  const file = layeredLedger()
  const { stdout, status } = tollgate([
    'audit',
    '--ledger',
    file,
    '--format',
    'json',
    '--decision',
    'deny',
    '--tool',
    'pay',
  ])
  const [{ policy_id, matched_rule, layers, result, bundles }] = JSON.parse(stdout)
  assert.deepEqual([status, policy_id, matched_rule], [0, 'team', 'team-cap'])
  assert.deepEqual(layers, ['org', 'team'])
  assert.deepEqual(Object.keys(bundles), layers)
  assert.deepEqual(result.conflicts, [{ layer: 'org', decision: 'allow', overruled_by: 'team' }])
  assert.equal(tollgate(['audit', 'verify', '--ledger', file]).status, 0)
})

test('a decision of layers is explained by its id, layer by layer, by the revisions that judged', () => {
  const file = layeredLedger()
  const { stdout } = tollgate(['audit', '--ledger', file, '--format', 'json', '--decision', 'deny', '--tool', 'pay'])
  const [refused, malformed, tightened] = JSON.parse(stdout)
  const explained = ({ decision_id }: { decision_id: string }) => {
    const { agrees, decided_by, policies, gate } = JSON.parse(
      tollgate(['explain', '--ledger', file, '--json', decision_id]).stdout,
    )
    const revisions = policies.map(({ layer, revision }: { layer: string; revision: string }) => [layer, revision])
    return { agrees, decided_by, revisions, byGate: gate !== undefined }
  }
  const by = { agrees: true, decided_by: 'team', byGate: false }
  const first = ['org', org.revision]
  assert.deepEqual(explained(refused), { ...by, revisions: [first, ['team', team.revision]] })
  assert.deepEqual(explained(malformed), { agrees: true, decided_by: undefined, revisions: [], byGate: true })
  assert.deepEqual(explained(tightened), { ...by, revisions: [first, ['team', tighter.revision]] })
})
