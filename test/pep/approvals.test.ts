/** Requests to persons, over real ledger files: a grant lets one call through, and every step has its record. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildPolicy } from '../../src/bundle/build.ts'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { proveRecords } from '../../src/cli/auditProof.ts'
import { openLedger, type SqliteLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { Approver } from '../../src/model/approval.ts'
import type { Call } from '../../src/model/call.ts'
import type { Decision } from '../../src/model/decision.ts'
import { approvalArgumentsBytesMax, approvalsPendingMax, approvalsPendingPerCallerMax } from '../../src/model/limits.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import type { Gate } from '../../src/pep/gate.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { scratchFile } from '../ledger/fixtures.ts'
import { fc, tries } from '../random.ts'
import { until } from '../until.ts'

const policyOf = (close: string) =>
  buildPolicy({
    name: 'policy.yaml',
    text: `version: "1"\npolicy_id: bank\ndefault: deny\ntools:\n  close: { rules: [${close}] }\n  pair: { rules: [{ action: require_approval, approval_quorum: 2, approval_not_requester: true }] }\n`,
  })
const ask = '{ name: ask, action: require_approval, approval_timeout: 10m }'
const [asking, counting, denying, changed] = await Promise.all([
  policyOf(ask),
  policyOf(`${ask}, { rate_limit: 3/hour }`),
  policyOf(`${ask}, { action: deny, arguments: { account: { max: 100 } } }`),
  policyOf('{ name: ask, action: require_approval, approval_timeout: 10m, arguments: { account: { min: 0 } } }'),
])

interface Bank {
  readonly gate: Gate
  readonly ledger: SqliteLedger
  readonly approvals: Approvals
  at: number
  call(account: number | string, change?: Partial<Call>): Decision
  records(): readonly { readonly kind: string; readonly body: Record<string, unknown> }[]
}

/** A gate, and a person who has the same file open. */
function bankOf(t: { after(work: () => void): void }, file: string): Bank {
  const report = (error: unknown) => assert.fail(error as Error)
  const bank = { at: Date.parse('2026-01-05T12:00:00Z') }
  const clock = () => bank.at
  const { gate, ledger } = openGateWith({ ledgerFile: file, clock, report })
  const other = openLedger({ file, clock })
  t.after(() => {
    ledger.close()
    other.close()
  })
  gate.activate(activePolicy(asking))
  const describe = describeWith({ id: randomUUID(), version: '0' }, 'full')
  return Object.assign(bank, {
    gate,
    ledger: other,
    approvals: new Approvals({ ledger: other, describe }),
    call: (account: number | string, change: Partial<Call> = {}) =>
      gate.admit([{ ...closing, arguments: { account }, ...change }])[0] as Decision,
    records: () => [...other.records()].map(({ kind, body }) => ({ kind, body: JSON.parse(body) })),
  })
}

const closing: Call = {
  method: 'tools/call',
  server: 'bank',
  name: 'close',
  arguments: {},
  principal: { user: 'eve', agent: 'bot' },
  session: 's',
}
const idOf = ({ approval }: Decision) => approval?.id ?? assert.fail('no approval')
const by = (name: string): { by: Approver } => ({ by: { name, known_by: 'os_user', os_user: name } })
const proved = (file: string) => readLedger(file, (source) => proveRecords(source))

test('a request is made once, with a record, and its grant lets one call through', (t) => {
  const file = scratchFile(t)
  const { call, approvals, records, ledger } = bankOf(t, file)
  const first = call(1)
  assert.equal(idOf(call(1)), idOf(first))
  const approved = approvals.approve(idOf(first), { ...by('ada'), reason: 'ticket 812' })
  assert.equal(approved.state, 'approved')
  const run = call(1)
  assert.deepEqual([run.decision, run.approval], ['allow', first.approval])
  assert.notEqual(idOf(call(1)), idOf(first))
  const kinds = records().map(({ kind }) => kind)
  assert.deepEqual(kinds, [
    'activation',
    'decision',
    'hold',
    'decision',
    'grant',
    'decision',
    'consumption',
    'decision',
    'hold',
  ])
  const { body } = records()[4] ?? assert.fail()
  assert.deepEqual([body['approver'], body['reason'], body['decision_id']], ['ada', 'ticket 812', first.decision_id])
  assert.equal(records()[6]?.body['consumed_by'], run.decision_id)
  const [used] = ledger.approvals()
  assert.deepEqual([used?.state, used?.arguments], ['consumed', undefined])
  assert.deepEqual(proved(file).findings, [])
})

test('what was answered stays answered, and an answer that does not count changes nothing', (t) => {
  const { call, approvals, records, at, ...bank } = bankOf(t, scratchFile(t))
  const fails = (work: () => unknown, code: string) => {
    const before = records().length
    assert.throws(work, { code })
    assert.equal(records().length, before)
  }
  fails(() => approvals.approve('apr_none', by('ada')), 'approval_unknown')
  const id = idOf(call(1))
  fails(() => approvals.approve(id, by('a\u001b[2J')), 'approver_invalid')
  fails(() => approvals.reject(id, { ...by('ada'), reason: 'x'.repeat(1_001) }), 'approver_invalid')
  approvals.approve(id, by('ada'))
  fails(() => approvals.approve(id, by('bob')), 'approval_settled')
  fails(() => approvals.reject(id, by('bob')), 'approval_settled')
  call(1)
  fails(() => approvals.approve(id, by('ada')), 'approval_settled')
  const other = idOf(call(2))
  approvals.reject(other, by('ada'))
  fails(() => approvals.approve(other, by('bob')), 'approval_settled')
  assert.equal(bank.ledger.verify().intact, true)
})

test('an answer that comes too late is refused, and the expiry recorded', (t) => {
  const file = scratchFile(t)
  const bank = bankOf(t, file)
  const id = idOf(bank.call(1))
  bank.at += 10 * 60_000
  assert.throws(() => bank.approvals.approve(id, by('ada')), { code: 'approval_settled', message: /expired/ })
  assert.equal(bank.records().at(-1)?.kind, 'expiry')
  assert.deepEqual(proved(file).findings, [])
})

test('a grant that nobody used expires with a record', (t) => {
  const file = scratchFile(t)
  const bank = bankOf(t, file)
  const id = idOf(bank.call(1))
  bank.approvals.approve(id, by('ada'))
  bank.at += 10 * 60_000
  assert.equal(bank.call(1).decision, 'hold')
  assert.deepEqual(
    bank
      .records()
      .slice(-3)
      .map(({ kind }) => kind),
    ['expiry', 'decision', 'hold'],
  )
  assert.deepEqual(proved(file).findings, [])
})

test('a quorum counts persons, and nobody who asked', (t) => {
  const file = scratchFile(t)
  const { call, approvals } = bankOf(t, file)
  const pair = { name: 'pair' }
  const id = idOf(call(1, pair))
  assert.equal(approvals.approve(id, by('ada')).state, 'pending')
  assert.throws(() => approvals.approve(id, by('ADA')), { code: 'approval_given' })
  assert.throws(() => approvals.approve(id, by('Eve')), { code: 'approval_by_requester' })
  const hidden = { by: { name: 'bob', known_by: 'command_line', os_user: 'eve' } } as const
  assert.throws(() => approvals.approve(id, hidden), { code: 'approval_by_requester' })
  assert.equal(call(1, pair).decision, 'hold')
  assert.equal(approvals.approve(id, by('bob')).state, 'approved')
  assert.equal(call(1, pair).decision, 'allow')
  const unknown = idOf(call(1, { ...pair, principal: { agent: 'bot' } }))
  assert.throws(() => approvals.approve(unknown, by('ada')), { code: 'approval_by_requester', message: /--user/ })
  assert.deepEqual(proved(file).findings, [])
})

test('a policy that changed meanwhile judges the call anew', (t) => {
  const file = scratchFile(t)
  const { call, approvals, gate } = bankOf(t, file)
  const id = idOf(call(1))
  approvals.approve(id, by('ada'))
  gate.activate(activePolicy(denying))
  assert.equal(call(1).decision, 'deny')
  gate.activate(activePolicy(changed))
  assert.notEqual(idOf(call(1)), id, 'another rule of the same name asks anew')
  gate.activate(activePolicy(counting))
  assert.equal(call(1).decision, 'allow', 'the grant was still there, and its rule is the same')
  assert.deepEqual(proved(file).findings, [])
})

test('what waits, and what was approved, takes nothing from a limit', (t) => {
  const { call, approvals, gate } = bankOf(t, scratchFile(t))
  gate.activate(activePolicy(counting))
  for (let i = 0; i < 10; i++) call(1)
  for (const account of [1, 2, 3, 4]) approvals.approve(idOf(call(account)), by('ada'))
  assert.deepEqual(
    [1, 2, 3, 4].map((account) => call(account).reason_code),
    ['ALLOW', 'ALLOW', 'ALLOW', 'RATE_LIMITED'],
  )
})

test('a grant does not come back when the server says that nothing happened', (t) => {
  const { call, approvals, gate } = bankOf(t, scratchFile(t))
  approvals.approve(idOf(call(1)), by('ada'))
  const { decision_id: decisionId } = call(1)
  gate.settle([{ decisionId, status: 'error' }])
  assert.equal(call(1).decision, 'hold')
})

test('to ask what would be decided asks nobody and uses nothing up', (t) => {
  const file = scratchFile(t)
  const { call, approvals, gate, ledger } = bankOf(t, file)
  const what = { ...closing, arguments: { account: 1 } }
  assert.deepEqual([gate.check(what).decision, gate.check(what).approval], ['hold', undefined])
  assert.equal(ledger.approvals().length, 0)
  approvals.approve(idOf(call(1)), by('ada'))
  assert.equal(gate.check(what).decision, 'allow')
  assert.equal(call(1).decision, 'allow')
  assert.deepEqual(proved(file).findings, [])
})

test('what goes on beside the arguments is part of the call, except `_meta`', (t) => {
  const { call, approvals } = bankOf(t, scratchFile(t))
  const params = (more: object) => ({ params: { name: 'close', arguments: { account: 1 }, ...more } }) as Partial<Call>
  approvals.approve(idOf(call(1, params({ _meta: { progressToken: 1 } }))), by('ada'))
  assert.equal(call(1, params({ task: { ttl: 1 } })).decision, 'hold')
  assert.equal(call(1, { asked: 'subscriptions/listen' }).decision, 'hold')
  assert.equal(call(1, params({ _meta: { progressToken: 2 } })).decision, 'allow')
})

test('so many calls may wait, of one caller and of all, and no call larger than what a person reads', (t) => {
  const { call } = bankOf(t, ':memory:'.replace(':memory:', scratchFile(t)))
  for (let i = 0; i < approvalsPendingPerCallerMax; i++) assert.equal(call(i).decision, 'hold')
  assert.equal(call(-1).reason_code, 'APPROVALS_FULL')
  assert.equal(call(0).decision, 'hold', 'what waits already is no new request')
  for (let i = 0; i < approvalsPendingMax - approvalsPendingPerCallerMax; i++)
    assert.equal(call(i, { principal: { user: `u${i}` } }).decision, 'hold')
  assert.equal(call(1, { principal: { user: 'another' } }).reason_code, 'APPROVALS_FULL')
  const large = call('x'.repeat(approvalArgumentsBytesMax))
  assert.deepEqual([large.decision, large.reason_code], ['deny', 'CALL_TOO_LARGE'])
})

type Move =
  | {
      readonly do: 'call' | 'check'
      readonly account: number
      readonly user: string
      readonly status?: 'success' | 'error'
    }
  | { readonly do: 'approve' | 'reject'; readonly which: number; readonly by: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'activate'; readonly which: number }

const user = fc.constantFrom('eve', 'eve', 'mallory')
const account = fc.constantFrom(1, 101)
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      account,
      user,
      status: fc.constantFrom('success' as const, 'error' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('check' as const), account, user }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('approve' as const),
      which: fc.nat(2),
      by: fc.constantFrom('ada', 'bob', 'eve'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('reject' as const), which: fc.nat(2), by: fc.constantFrom('ada', 'bob') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 300_000, 600_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('activate' as const), which: fc.nat(3) }) },
)

const endOf: Readonly<Record<string, string>> = { reject: 'rejected', expiry: 'expired', consumption: 'consumed' }

/** The state that the records of a request leave it in. */
function stateByRecords(records: ReturnType<Bank['records']>, id: string): string {
  const own = records.filter(({ body }) => body['approval_id'] === id)
  assert.equal(own.filter(({ kind }) => kind === 'hold').length, 1)
  const ends = own.filter(({ kind }) => kind in endOf)
  assert.ok(ends.length <= 1, 'it ended twice')
  return endOf[ends[0]?.kind ?? ''] ?? String(own.at(-1)?.body['state'])
}

test('whatever happens in whatever order, a grant is used at most once, and every change of state has its record', (t) => {
  const seen = { allowed: 0, rejected: 0, expired: 0 }
  fc.assert(
    fc.property(fc.array(move, { minLength: 5, maxLength: 40 }), (moves) => {
      const folder = mkdtempSync(join(tmpdir(), 'tollgate-approvals-'))
      const file = join(folder, 'ledger.db')
      const ends: (() => void)[] = []
      try {
        const bank = bankOf({ after: (work) => void ends.push(work) }, file)
        for (const one of moves) play(bank, one)
        const records = bank.records()
        const allowed = records.filter(
          ({ kind, body }) => kind === 'decision' && (body['result'] as Decision).decision === 'allow',
        )
        const used = records.filter(({ kind }) => kind === 'consumption')
        assert.deepEqual(
          used.map(({ body }) => body['consumed_by']),
          allowed.map(({ body }) => body['decision_id']),
        )
        assert.equal(new Set(used.map(({ body }) => body['approval_id'])).size, used.length)
        for (const { request, state } of bank.ledger.approvals()) {
          assert.equal(stateByRecords(records, request.id), state)
          if (state === 'rejected' || state === 'expired') seen[state]++
        }
        seen.allowed += allowed.length
        assert.deepEqual(proved(file).findings, [])
      } finally {
        for (const end of ends) end()
        rmSync(folder, { recursive: true, force: true })
      }
    }),
    { numRuns: tries(60) },
  )
  t.diagnostic(JSON.stringify(seen))
  assert.ok(
    Object.values(seen).every((count) => count > 0),
    JSON.stringify(seen),
  )
})

function play(bank: Bank, one: Move): void {
  switch (one.do) {
    case 'call': {
      const decision = bank.call(one.account, { principal: { user: one.user } })
      if (decision.decision === 'allow' && one.status)
        bank.gate.settle([{ decisionId: decision.decision_id, status: one.status }])
      break
    }
    case 'check':
      bank.gate.check({ ...closing, arguments: { account: one.account }, principal: { user: one.user } })
      break
    case 'approve':
    case 'reject': {
      const all = bank.ledger.approvals()
      const { id } = all[all.length - 1 - one.which]?.request ?? { id: 'apr_none' }
      try {
        bank.approvals[one.do](id, by(one.by))
      } catch (error) {
        assert.match((error as { code: string }).code, /^approval_(unknown|settled)$/)
      }
      break
    }
    case 'wait':
      bank.at += one.ms
      break
    case 'activate':
      bank.gate.activate(activePolicy([asking, counting, denying, changed][one.which] as typeof asking))
  }
}

const worker = join(import.meta.dirname, 'approvalWorker.ts')

interface Run {
  readonly child: ChildProcess
  readonly said: () => readonly string[]
  readonly ended: Promise<unknown>
}

function run(t: TestContext, ...words: string[]): Run {
  const child = spawn(process.execPath, [worker, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return { child, said: () => text.split('\n').slice(0, -1), ended: once(child, 'close') }
}

test('gates and persons in processes of their own, killed at any moment: no grant is used twice, and all of it is proved', async (t) => {
  const file = scratchFile(t)
  const sent: string[] = []
  for (let round = 0; round < 3; round++) {
    const gates = [run(t, 'gate', file), run(t, 'gate', file)]
    const persons = [run(t, 'person', file), run(t, 'person', file)]
    const all = [...gates, ...persons]
    await until(
      () => gates.every(({ said }) => said().length > 3) && persons.every(({ said }) => said().length > 0),
      'all are at work',
    )
    for (const { child } of all) {
      await sleep(Math.random() * 60)
      child.kill('SIGKILL')
    }
    await Promise.all(all.map(({ ended }) => ended))
    const words = gates.flatMap(({ said }) => said())
    assert.deepEqual(
      [...words, ...persons.flatMap(({ said }) => said())].filter((word) => word.startsWith('failed')),
      [],
    )
    sent.push(...words.filter((word) => word !== 'open'))
  }
  const ledger = openLedger({ file })
  const records = [...ledger.records()].map(({ kind, body }) => ({ kind, body: JSON.parse(body) }))
  const used = records.filter(({ kind }) => kind === 'consumption').map(({ body }) => body)
  t.diagnostic(`${sent.length} calls made, ${used.length} grants used, ${records.length} records`)
  assert.equal(new Set(used.map(({ approval_id }) => approval_id)).size, used.length)
  const byDecision = new Set(used.map(({ consumed_by }) => consumed_by))
  assert.deepEqual(
    sent.filter((id) => !byDecision.has(id)),
    [],
    'a call was made without a grant',
  )
  assert.ok(used.length >= sent.length && used.length <= records.filter(({ kind }) => kind === 'grant').length)
  ledger.close()
  assert.deepEqual(proved(file).findings, [])
})
