/** The kill switch over real ledger files: what one process stops, every other refuses from its next call on, and the record proves it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { buildPolicy } from '../../src/bundle/build.ts'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { proveRecords } from '../../src/cli/auditProof.ts'
import { recordHash } from '../../src/ledger/chain.ts'
import { Kills as KillsTable } from '../../src/ledger/kills.ts'
import { openLedger, type SqliteLedger } from '../../src/ledger/ledger.ts'
import { migrate } from '../../src/ledger/schema.ts'
import { describeWith } from '../../src/log/describe.ts'
import { killView } from '../../src/log/kills.ts'
import type { Approver } from '../../src/model/approval.ts'
import type { Call, Principal } from '../../src/model/call.ts'
import type { Decision } from '../../src/model/decision.ts'
import { type KillKind, type KillTarget, killKinds } from '../../src/model/kill.ts'
import type { StoredRecord } from '../../src/model/ledger.ts'
import type { Gate } from '../../src/pep/gate.ts'
import { Kills } from '../../src/pep/kills.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { scratchFile } from '../ledger/fixtures.ts'
import { fc } from '../random.ts'

const artifact = await buildPolicy({
  name: 'policy.yaml',
  text: 'version: "1"\npolicy_id: bank\ndefault: deny\ntools:\n  pay: { rules: [{ rate_limit: 1000000/day }] }\n  read: {}\n',
})
const by: Approver = { name: 'ada', known_by: 'os_user', os_user: 'ada' }
const describe = describeWith({ id: 'person', version: '0' }, 'full')

interface Bank {
  readonly gate: Gate
  readonly own: SqliteLedger
  /** A person, with a connection of their own. */
  readonly ledger: SqliteLedger
  readonly kills: Kills
  call(change?: Partial<Call>): Decision
  close(): void
}

let ids = 0

function bankOf(file: string): Bank {
  const report = (error: unknown) => assert.fail(error as Error)
  const { gate, ledger: own } = openGateWith({ ledgerFile: file, report })
  const ledger = openLedger({ file })
  gate.activate(activePolicy(artifact))
  return {
    gate,
    own,
    ledger,
    kills: new Kills({ ledger, describe, newId: () => `${++ids}` }),
    call: (change = {}) => gate.admit([{ ...paying, ...change }])[0] as Decision,
    close: () => {
      own.close()
      ledger.close()
    },
  }
}

const paying: Call = {
  method: 'tools/call',
  server: 'bank',
  name: 'pay',
  arguments: {},
  principal: { agent: 'bot', user: 'eve' },
  session: 's-1',
}
const proved = (file: string) => readLedger(file, (source) => proveRecords(source))
const session = (name: string): KillTarget => ({ kind: 'session', name })

test('what another connection stops, the next call meets, and what it lifts goes on', (t) => {
  const file = scratchFile(t)
  const bank = bankOf(file)
  t.after(() => bank.close())
  assert.equal(bank.call().decision, 'allow')
  const { kill, again } = bank.kills.kill(session('s-1'), { by, reason: 'ticket' })
  assert.equal(again, false)
  const refused = bank.call()
  assert.deepEqual([refused.decision, refused.reason_code, refused.kill_id], ['kill', 'KILLED', kill.id])
  assert.equal(refused.message, '`ada` stopped this session: ticket')
  assert.equal(bank.gate.check(paying).kill_id, kill.id, 'a check says so too')
  assert.equal(bank.call({ session: 's-2' }).decision, 'allow')
  assert.equal(bank.kills.lift(session('s-1'), { by }).id, kill.id)
  assert.equal(bank.call().decision, 'allow')
  assert.deepEqual(bank.ledger.kills(), [])
  assert.deepEqual(proved(file).findings, [])
})

test('what could not be read once is not taken for nothing afterwards', (t) => {
  const file = scratchFile(t)
  openLedger({ file }).close()
  const db = new Database(file)
  t.after(() => db.close())
  const [kills, other] = [new KillsTable(db), new KillsTable(db)]
  assert.equal(kills.of(paying, 1), undefined)
  db.exec('ALTER TABLE kills RENAME TO away')
  assert.throws(() => kills.of(paying, 2), /no such table/)
  db.exec('ALTER TABLE away RENAME TO kills')
  other.add({ id: 'kill_1', target: session('s-1'), at: 1, by })
  assert.equal(kills.of(paying, 2)?.id, 'kill_1')
})

test('stopped twice is recorded twice, and stands as it was first said; lifted by id', (t) => {
  const file = scratchFile(t)
  const bank = bankOf(file)
  t.after(() => bank.close())
  const first = bank.kills.kill(session('s'), { by, reason: 'one' }).kill
  const second = bank.kills.kill(session('s'), { by: { ...by, name: 'bob' }, reason: 'two' })
  assert.deepEqual([second.kill, second.again], [first, true])
  const records = [...bank.ledger.records()].filter(({ kind }) => kind === 'kill').map(({ body }) => JSON.parse(body))
  assert.deepEqual(
    records.map(({ kill_id, said_by, reason, again }) => [kill_id, said_by, reason, again]),
    [
      [first.id, 'ada', 'one', undefined],
      [first.id, 'bob', 'two', true],
    ],
  )
  assert.equal(bank.kills.lift({ id: first.id }, { by }).id, first.id)
  assert.throws(() => bank.kills.lift({ id: first.id }, { by }), { code: 'kill_unknown' })
  assert.throws(() => bank.kills.lift(session('s'), { by }), {
    code: 'kill_unknown',
    message: /session `s` is not stopped/,
  })
  assert.throws(() => bank.kills.lift({ kind: 'all', name: '' }, { by }), { message: /all calls are not stopped/ })
  assert.deepEqual(proved(file).findings, [])
})

test('what cannot be written down, or has no name, stops nothing', (t) => {
  const bank = bankOf(scratchFile(t))
  t.after(() => bank.close())
  const before = [...bank.ledger.records()].length
  for (const kind of killKinds.filter((one) => one !== 'all'))
    assert.throws(() => bank.kills.kill({ kind, name: '' }, { by }), { code: 'kill_invalid' }, kind)
  const fails = (target: KillTarget, said: Parameters<Kills['kill']>[1]) =>
    assert.throws(() => bank.kills.kill(target, said), { code: 'kill_invalid' })
  fails(session('\ud800'), { by })
  fails(session('x'.repeat(10_000)), { by })
  fails(session('s'), { by, reason: 'x'.repeat(1_001) })
  fails(session('s'), { by, reason: '\udfff' })
  fails(session('s'), { by: { ...by, name: 'a\u001b[2J' } })
  fails(session('s'), { by: { ...by, name: '' } })
  assert.equal([...bank.ledger.records()].length, before)
  assert.equal(bank.call().decision, 'allow')
  // A name from outside may be anything else.
  const odd = '\u001b[2J\n__proto__'
  bank.kills.kill({ kind: 'tool', name: odd }, { by, reason: 'line\u0007' })
  assert.equal(bank.call({ name: odd }).reason_code, 'TOOL_KILLED')
  assert.deepEqual(
    bank.ledger.kills().map((kill) => killView(kill).name),
    [odd],
  )
})

test('random kills, lifts and calls of several gates: refused exactly while something stops them', (t) => {
  const file = scratchFile(t)
  const banks = [bankOf(file), bankOf(file)]
  t.after(() => banks.forEach((bank) => void bank.close()))
  const names = fc.constantFrom('a', 'A', 'b')
  // By the letter, every name, and names of one letter.
  const patterns = { a: 'a', A: 'p*y', b: '?' }
  const target = fc
    .tuple(fc.constantFrom(...killKinds), names)
    .map(([kind, name]): KillTarget => ({ kind, name: kind === 'all' ? '' : kind === 'tool' ? patterns[name] : name }))
  const call = fc.record(
    {
      session: names,
      agent: names,
      user: names,
      project: names,
      server: names,
      run: names,
      name: fc.constantFrom('pay', 'read', 'a', 'b'),
    },
    { requiredKeys: ['session', 'server', 'name'] },
  )
  const step = fc.record({
    bank: fc.constantFrom(0, 1),
    act: fc.oneof(
      { weight: 2, arbitrary: target.map((of) => ({ kill: of })) },
      { weight: 2, arbitrary: target.map((of) => ({ lift: of })) },
      { weight: 5, arbitrary: call.map((of) => ({ call: of })) },
    ),
  })
  let [refused, passed] = [0, 0]
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      for (const { id } of banks[0]?.ledger.kills() ?? []) banks[1]?.kills.lift({ id }, { by })
      const standing = new Set<string>()
      for (const { bank: index, act } of steps) {
        const bank = banks[index] as Bank
        if ('call' in act) {
          const { session: own, name, server, run, ...principal } = act.call
          const of = { session: own, name, server, principal: principal as Principal }
          const decision = bank.call({ ...of, ...(run && { run: { run_id: run } }) })
          const asked: readonly [KillKind, string | undefined][] = [
            ['session', own],
            ['agent', principal.agent],
            ['user', principal.user],
            ['project', principal.project],
            ['run', run],
            ['server', server],
            ['all', ''],
            ['tool', name],
            ['tool', name.length === 1 ? '?' : name === 'pay' ? 'p*y' : undefined],
          ]
          const [stops] = asked.filter(([kind, of]) => of !== undefined && standing.has(`${kind} ${of}`))
          assert.equal(decision.kill_id !== undefined, stops !== undefined)
          if (stops) assert.equal(decision.reason_code, stops[0] === 'tool' ? 'TOOL_KILLED' : 'KILLED')
          if (stops) refused++
          else passed++
          const { kill_id } = decision
          if (kill_id) assert.equal(bank.ledger.kills().find(({ id }) => id === kill_id)?.target.kind, stops?.[0])
        } else if ('kill' in act) {
          const key = `${act.kill.kind} ${act.kill.name}`
          assert.equal(bank.kills.kill(act.kill, { by }).again, standing.has(key))
          standing.add(key)
        } else {
          const key = `${act.lift.kind} ${act.lift.name}`
          if (standing.delete(key)) bank.kills.lift(act.lift, { by })
          else assert.throws(() => bank.kills.lift(act.lift, { by }), { code: 'kill_unknown' })
        }
      }
    }),
    { numRuns: 150 },
  )
  assert.ok(refused > 200 && passed > 200, `${refused} refused, ${passed} passed`)
  assert.deepEqual(proved(file).findings, [])
})

test('it survives a gate that is killed, and one that begins anew', async (t) => {
  const file = scratchFile(t)
  const worker = join(import.meta.dirname, 'killWorker.ts')
  const child = spawn(process.execPath, [worker, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const bank = bankOf(file)
  t.after(() => bank.close())
  assert.equal(bank.ledger.kills().length, 1)
  assert.equal(bank.call().decision, 'kill')
  assert.deepEqual(proved(file).findings, [])
})

test('two gates and a person in processes of their own: no call is let through while it is stopped', async (t) => {
  const file = scratchFile(t)
  const worker = join(import.meta.dirname, 'killWorker.ts')
  const children = ['gate', 'gate', 'person'].map((what) =>
    spawn(process.execPath, [worker, file, what], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  t.after(() => children.forEach((child) => void child.kill('SIGKILL')))
  for (const { stdout } of children) await once(stdout, 'data')
  const ledger = openLedger({ file })
  t.after(() => ledger.close())
  const enough = (kind: string) => [...ledger.records()].filter((record) => record.kind === kind).length >= 40
  for (const deadline = Date.now() + 60_000; !enough('lift'); await sleep(50))
    assert.ok(Date.now() < deadline, 'too slow')
  for (const child of children) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const bodies = [...ledger.records()].flatMap(({ kind, body }) => (kind === 'decision' ? [JSON.parse(body)] : []))
  for (const decision of ['allow', 'kill'])
    assert.ok(bodies.filter(({ result }) => result.decision === decision).length > 20, decision)
  assert.deepEqual(proved(file).findings, [])
})

test('what a transaction that came to nothing has stopped or lifted is as before', (t) => {
  const bank = bankOf(scratchFile(t))
  t.after(() => bank.close())
  const kill = { id: 'kill_x', target: session('s-1'), at: 0, by }
  const fails = (work: Parameters<SqliteLedger['transact']>[0]) =>
    assert.throws(() => bank.own.transact(work), /undone/)
  const undone = () => {
    throw new Error('undone')
  }
  fails((tx) => {
    tx.addKill(kill)
    assert.equal(tx.killOf(paying)?.id, 'kill_x')
    undone()
  })
  assert.equal(bank.call().decision, 'allow')
  bank.kills.kill(session('s-1'), { by })
  const { id } = bank.ledger.kills()[0] ?? assert.fail()
  fails((tx) => {
    tx.removeKill(id)
    assert.equal(tx.killOf(paying), undefined)
    undone()
  })
  assert.equal(bank.call().decision, 'kill')
  assert.throws(() => bank.own.transact((tx) => tx.removeKill(id)), /without a record/)
  assert.equal(bank.call().decision, 'kill')
  assert.throws(() => bank.own.transact((tx) => tx.addKill(kill)), /stopped already/)
})

test('an older gate that runs on denies, once a newer one has the ledger', (t) => {
  const file = scratchFile(t)
  const old = new Database(file)
  old.pragma('journal_mode = WAL')
  migrate(old, 3)
  const head = old.prepare('SELECT seq FROM head')
  assert.ok(head.get())
  openLedger({ file }).close()
  assert.throws(() => head.get(), /no such table: head/)
  old.close()
})

test('what was stopped before servers and runs could be stays so, and the gate of that time denies', (t) => {
  const file = scratchFile(t)
  const old = new Database(file)
  old.pragma('journal_mode = WAL')
  migrate(old, 7)
  const said = JSON.stringify({ by, reason: 'drill' })
  old.exec(`INSERT INTO kills VALUES (4, 'kill_1', 'agent', 'bot', 9, '${said}')`)
  const head = old.prepare('SELECT seq FROM chain_head')
  const ledger = openLedger({ file })
  const target = { kind: 'agent', name: 'bot' }
  assert.deepEqual(ledger.kills(), [{ id: 'kill_1', target, at: 9, by, reason: 'drill' }])
  assert.throws(() => head.get(), /no such table: chain_head/)
  const kills = new Kills({ ledger, describe, newId: () => 'new' })
  kills.kill({ kind: 'server', name: 'bank' }, { by })
  assert.equal(ledger.kills().length, 2)
  ledger.close()
  old.close()
})

test('a server and a run are stopped with all that they ask, a pattern of tools with the calls that it names', (t) => {
  const file = scratchFile(t)
  const bank = bankOf(file)
  t.after(() => bank.close())
  const who = { session: 's', principal: {} }
  const stops = (target: KillTarget) => {
    const { id } = bank.kills.kill(target, { by }).kill
    const found = {
      bank: bank.gate.stopped({ ...who, server: 'bank' })?.reason,
      shop: bank.gate.stopped({ ...who, server: 'shop' })?.reason,
      run: bank.gate.stopped({ ...who, run: { run_id: 'r1' } })?.reason,
      call: bank.call({ run: { run_id: 'r1' } }).reason_code,
    }
    bank.kills.lift({ id }, { by })
    return found
  }
  const none = { bank: undefined, shop: undefined, run: undefined, call: 'ALLOW' }
  assert.deepEqual(stops({ kind: 'server', name: 'bank' }), { ...none, bank: 'KILLED', call: 'KILLED' })
  assert.deepEqual(stops({ kind: 'run', name: 'r1' }), { ...none, run: 'KILLED', call: 'KILLED' })
  assert.deepEqual(stops({ kind: 'tool', name: 'p*' }), { ...none, call: 'TOOL_KILLED' })
  assert.deepEqual(stops({ kind: 'tool', name: 'P*' }), none)
  assert.deepEqual(stops({ kind: 'server', name: 'ban*' }), none, 'other names are no patterns')
  assert.deepEqual(stops({ kind: 'run', name: 'r*' }), none)
  assert.deepEqual(proved(file).findings, [])
})

test('a record that was tampered with does not hide that something was let through, or refused for nothing', (t) => {
  const file = scratchFile(t)
  const bank = bankOf(file)
  bank.call()
  bank.kills.kill(session('s-1'), { by })
  bank.call()
  bank.kills.lift(session('s-1'), { by })
  bank.close()
  const records = [...openLedger({ file, readOnly: true }).records()]
  const of = (kind: string) => records.find((record) => record.kind === kind) ?? assert.fail(kind)
  const findings = (changed: readonly StoredRecord[]) => {
    rewrite(file, changed)
    return proved(file).findings.map(({ kind, message }) => `${kind}: ${message.replace(/^record \d+: /, '')}`)
  }
  const { body } = of('kill')
  const other = { ...of('kill'), body: body.replace('"session_id":"s-1"', '"session_id":"s-2"') }
  const swapped = records.map((record) => (record.kind === 'kill' ? other : record))
  assert.deepEqual(findings(swapped), [
    `kill: it was refused for \`${JSON.parse(body).kill_id}\`, which does not stop it`,
    `kill: \`${JSON.parse(body).kill_id}\` does not stop it at this time`,
  ])
  const [, allowed] = records.filter(({ kind }) => kind === 'activation' || kind === 'decision')
  const late = { ...(allowed as StoredRecord), decisionId: allowed?.decisionId ?? '' }
  const moved = records.filter(({ seq }) => seq !== late.seq && records[seq - 1]?.kind !== 'lift')
  assert.ok(findings([...moved, late]).includes(`kill: it was decided though \`${JSON.parse(body).kill_id}\` stops it`))
  assert.deepEqual(findings(records), [])
})

/** The records written anew as a chain that is whole. */
function rewrite(file: string, records: readonly StoredRecord[]): void {
  const db = new Database(file)
  db.exec('DROP TRIGGER records_never_change; DROP TRIGGER records_never_go; DELETE FROM records')
  const insert = db.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)')
  let [seq, previousHash] = [0, '0'.repeat(64)]
  for (const { at, kind, decisionId, body } of records) {
    const entry = { seq: ++seq, at, kind, previousHash, body, ...(decisionId !== undefined && { decisionId }) }
    const hash = recordHash(entry)
    insert.run(seq, at, kind, decisionId ?? null, previousHash, hash, body)
    previousHash = hash
  }
  db.prepare('UPDATE chain_end SET seq = ?, hash = ?').run(seq, previousHash)
  db.exec(`CREATE TRIGGER records_never_change BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, ''); END;
    CREATE TRIGGER records_never_go BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, ''); END`)
  db.close()
}
