import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { openLedger, type SqliteLedger } from '../../src/ledger/ledger.ts'
import { counter, scratch, total } from './fixtures.ts'

const worker = join(import.meta.dirname, 'worker.ts')

interface Run {
  readonly child: ChildProcess
  /** Lines said so far, whole ones only. */
  readonly lines: () => string[]
  readonly ended: Promise<unknown>
}

function run(t: TestContext, ...words: string[]): Run {
  const child = spawn(process.execPath, [worker, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return { child, lines: () => said.split('\n').slice(0, -1), ended: once(child, 'close') }
}

/** Waits for the first line, or for the one given. */
async function firstLine({ lines, ended }: Run, line?: string): Promise<string> {
  const said = () => (line === undefined ? lines()[0] : lines().find((it) => it === line))
  while (said() === undefined) {
    const more = await Promise.race([sleep(2, true), ended.then(() => false)])
    if (!more && said() === undefined) assert.fail('the process ended without a word')
  }
  return said() as string
}

/** What the records say of each budget: calls allowed less calls that gave their charge back. */
function spentByRecords(ledger: SqliteLedger): Map<string, number> {
  const spent = new Map<string, number>()
  for (const { body } of ledger.records()) {
    const { decision, status, of } = JSON.parse(body) as Record<string, string>
    const change = decision === 'allow' ? 1 : status === 'error' ? -1 : 0
    if (of !== undefined) spent.set(of, (spent.get(of) ?? 0) + change)
  }
  return spent
}

const usedOf = (ledger: SqliteLedger, budget: string) => ledger.transact((tx) => tx.used(counter(budget, total)).used)

const filesBeside = (file: string) =>
  readdirSync(dirname(file)).filter((name) => name.startsWith(`${basename(file)}-instance-`))

test('processes that share a ledger never exceed a budget together, and miss no call', async (t) => {
  const file = join(scratch(t), 'ledger.db')
  // All at once on a file that is not there yet: they also race to create it.
  const runs = Array.from({ length: 4 }, () => run(t, 'spend', file, 'shared', '300', '400'))
  await Promise.all(runs.map((it) => it.ended))
  const ledger = openLedger({ file })
  assert.deepEqual(
    runs.map((it) => it.child.exitCode),
    [0, 0, 0, 0],
  )
  const decisions = [...ledger.records()].filter(({ kind }) => kind === 'decision')
  assert.equal(decisions.length, 1_600)
  assert.equal(usedOf(ledger, 'shared'), 300)
  assert.equal(spentByRecords(ledger).get('shared'), 300)
  assert.equal(ledger.verify().intact, true)
  ledger.close()
})

test('after a kill at any moment no allowed call lacks its record, no budget is exceeded, and the chain holds', async (t) => {
  const file = join(scratch(t), 'ledger.db')
  const [rounds, max] = [24, 150]
  const sent: string[] = []
  for (let round = 0; round < rounds; round++) {
    const runs = [0, 1].map(() => run(t, 'spend', file, `budget ${round}`, `${max}`))
    for (const it of runs) {
      // Half of the rounds kill under load, half at any time from the start on: while it opens, creates, recovers.
      if (round % 2 === 0) await firstLine(it, 'open')
      await sleep(Math.random() * (round % 2 === 0 ? 40 : 160))
      it.child.kill('SIGKILL')
    }
    await Promise.all(runs.map((it) => it.ended))
    sent.push(...runs.flatMap((it) => it.lines()).filter((line) => !line.startsWith('open')))
  }

  const ledger = openLedger({ file })
  assert.equal(ledger.verify().intact, true)
  assert.ok(sent.length > 100, `only ${sent.length} calls were allowed`)
  for (const id of sent) {
    const [decision] = ledger.recordsOf(id)
    assert.equal(decision?.kind, 'decision', `call ${id} was sent without a record`)
    assert.equal(JSON.parse(decision.body).decision, 'allow')
  }
  const spent = spentByRecords(ledger)
  for (let round = 0; round < rounds; round++) {
    const used = usedOf(ledger, `budget ${round}`)
    assert.ok(used <= max, `budget ${round} was exceeded: ${used}`)
    assert.equal(used, spent.get(`budget ${round}`) ?? 0, 'counters and records disagree')
  }
  // Recovery: every allowed call has exactly one outcome, and nobody is remembered as living.
  const statuses = new Map<string, number>()
  for (const { kind, body, decisionId = '' } of ledger.records()) {
    if (kind === 'decision' && JSON.parse(body).decision !== 'allow') continue
    const outcomes = ledger.recordsOf(decisionId).filter((it) => it.kind === 'outcome')
    assert.equal(outcomes.length, 1, JSON.stringify(ledger.recordsOf(decisionId)))
    const { status } = JSON.parse(outcomes[0]?.body ?? '{}')
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  assert.ok((statuses.get('unknown') ?? 0) > 0)
  assert.equal(filesBeside(file).length, 1)
  ledger.close()
  assert.deepEqual(filesBeside(file), [])
})

test('calls that a killed process left open end as unknown, with their charge kept', async (t) => {
  const file = join(scratch(t), 'ledger.db')
  const other = run(t, 'wait', file)
  const id = await firstLine(other)
  other.child.kill('SIGKILL')
  await other.ended
  const ledger = openLedger({ file })
  const [, outcome] = ledger.recordsOf(id)
  assert.equal(outcome?.kind, 'outcome')
  assert.deepEqual(JSON.parse(outcome.body), {
    type: 'outcome',
    decision_id: id,
    status: 'unknown',
    detail: 'the gate stopped before the call ended',
  })
  assert.equal(usedOf(ledger, 'waiting'), 1)
  assert.equal(
    ledger.transact((tx) => tx.settle(id, 'released')),
    false,
  )
  assert.equal(ledger.recover(), 0)
  ledger.close()
})

test('the open calls of a process that lives are left alone, until it does not', async (t) => {
  const file = join(scratch(t), 'ledger.db')
  const other = run(t, 'wait', file)
  const id = await firstLine(other)
  const ledger = openLedger({ file })
  assert.equal(ledger.recover(), 0)
  assert.equal(ledger.recordsOf(id).length, 1)
  other.child.kill('SIGKILL')
  await other.ended
  assert.equal(ledger.recover(), 1)
  assert.equal(ledger.recordsOf(id).length, 2)
  ledger.close()
})

test('a process that closes with calls open leaves them to the next', async (t) => {
  const file = join(scratch(t), 'ledger.db')
  const other = run(t, 'wait', file)
  const id = await firstLine(other)
  other.child.stdin?.end()
  await other.ended
  assert.deepEqual(filesBeside(file), [])
  const ledger = openLedger({ file })
  assert.equal(ledger.recordsOf(id).length, 2)
  ledger.close()
})

test('a process that comes back under the name of a dead one closes what that left open', async (t) => {
  const file = join(scratch(t), 'ledger.db')
  const other = run(t, 'wait', file, 'gate-1')
  const id = await firstLine(other)
  assert.throws(() => openLedger({ file, instance: 'gate-1' }), { code: 'ledger_unavailable', message: /as `gate-1`/ })
  other.child.kill('SIGKILL')
  await other.ended
  const ledger = openLedger({ file, instance: 'gate-1' })
  assert.equal(ledger.recordsOf(id).length, 2)
  ledger.close()
})

test('a second process waits its turn', async (t) => {
  const file = join(scratch(t), 'ledger.db')
  const ledger = openLedger({ file })
  const other = run(t, 'block', file, '300')
  await firstLine(other)
  ledger.transact((tx) => tx.append({ kind: 'check', body: '{}' }))
  assert.equal(ledger.head().seq, 1)
  await other.ended
  ledger.close()
})

test('a process that opens a ledger while another creates it waits for that', async (t) => {
  const file = join(scratch(t), 'ledger.db')
  const creator = new Database(file)
  creator.exec('BEGIN IMMEDIATE')
  const other = run(t, 'spend', file, 'budget', '5', '5')
  await firstLine(other)
  await sleep(300)
  assert.deepEqual(other.lines(), ['opening'])
  creator.exec('ROLLBACK')
  creator.close()
  await other.ended
  assert.equal(other.child.exitCode, 0)
})

test('a process that opens a ledger which another never finishes creating does not wait for ever', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const creator = new Database(file)
  creator.exec('BEGIN IMMEDIATE')
  assert.throws(() => openLedger({ file }), { code: 'ledger_busy' })
  creator.close()
  openLedger({ file }).close()
})

test('a ledger that stays locked refuses, and works again once it is free', (t) => {
  const file = join(scratch(t), 'ledger.db')
  const ledger = openLedger({ file })
  const shell = new Database(file)
  shell.exec('BEGIN IMMEDIATE')
  const append = () => ledger.transact((tx) => tx.append({ kind: 'check', body: '{}' }))
  assert.throws(append, { code: 'ledger_busy', message: /locked by another process/ })
  shell.exec('ROLLBACK')
  shell.close()
  assert.equal(append().seq, 1)
  ledger.close()
})
