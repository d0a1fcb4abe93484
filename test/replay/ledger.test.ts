/** What a replay knows in memory, of counters and of requests to persons, is what the ledger knows on disk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { Approval, ApprovalState } from '../../src/model/approval.ts'
import type { CounterKey } from '../../src/model/counters.ts'
import type { Window } from '../../src/model/policy.ts'
import { ReplayLedger } from '../../src/replay/ledger.ts'
import { fc, seed } from '../random.ts'

const windows: readonly Window[] = [
  { kind: 'fixed', unit: 'second' },
  { kind: 'fixed', unit: 'day' },
  { kind: 'fixed', unit: 'month' },
  { kind: 'sliding', ms: 1_000 },
  { kind: 'sliding', ms: 60_000 },
  { kind: 'total' },
]

const keys: readonly CounterKey[] = windows.flatMap((window, index) =>
  ['a', 'b'].map((by) => ({
    counter: { id: `c${index}`, measure: 'calls' as const, window, per: [] },
    key: JSON.stringify(['p', `c${index}`, by]),
  })),
)

const key = fc.constantFrom(...keys)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('charge' as const), key, amount: fc.constantFrom(0, 1, 1, 2, 5) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), of: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('keep' as const), of: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 250, 999, 999, 1_000, 1_000, 59_000, 40 * 86_400_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('room' as const),
      key,
      amount: fc.nat(4),
      max: fc.constantFrom(3, 8),
    }),
  },
)

test(`counters in memory stand where those of the ledger stand (seed ${seed})`, () => {
  let [roomLater, released] = [0, 0]
  fc.assert(
    fc.property(fc.array(step, { minLength: 60, maxLength: 90 }), (steps) => {
      let at = Date.parse('2026-01-31T23:59:58.000Z')
      const ledger = openLedger({ file: ':memory:', clock: () => at })
      const memory = new ReplayLedger()
      const open: string[] = []
      let ids = 0
      for (const one of steps) {
        if (one.do === 'wait') at += one.ms
        memory.reach(at)
        ledger.transact((tx) => {
          if (one.do === 'charge') {
            const id = `d${++ids}`
            open.push(id)
            tx.reserve(id, one.key, one.amount)
            tx.append({ kind: 'decision', decisionId: id, body: '{}' })
            memory.reserve(id, one.key, one.amount)
          }
          if (one.do === 'release' || one.do === 'keep') {
            const id = open.at(-1 - (one.of % Math.max(1, open.length))) ?? ''
            const how = one.do === 'keep' ? 'kept' : 'released'
            const done = tx.settle(id, how)
            assert.equal(memory.settle(id, how), done)
            if (done) released += 1
          }
          if (one.do === 'room') {
            const room = tx.roomAt(one.key, one.amount, one.max)
            if (room !== undefined && room > at) roomLater += 1
            assert.equal(memory.roomAt(one.key, one.amount, one.max), room)
          }
          for (const each of keys) assert.deepEqual(memory.used(each), tx.used(each))
        })
      }
      ledger.close()
    }),
    { numRuns: 60 },
  )
  assert.ok(roomLater > 20 && released > 100, `${roomLater} waits, ${released} releases`)
})

const ask = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      key: fc.constantFrom('k1', 'k2', 'k3'),
      caller: fc.constantFrom('ada', 'bob'),
      ms: fc.constantFrom(1_000, 1_000, 5_000, 60_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      of: fc.nat(5),
      state: fc.constantFrom<ApprovalState>('pending', 'approved', 'rejected', 'consumed', 'expired'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 500, 1_000, 30_000) }) },
)

/** What the gate makes of them. */
const nextStates: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  pending: ['pending', 'approved', 'rejected', 'consumed', 'expired'],
  approved: ['consumed', 'expired'],
  rejected: [],
  consumed: [],
  expired: [],
}

function requestOf(id: string, key: string, caller: string, at: number, ms: number): Approval {
  const call = {
    method: 'tools/call',
    server: 's',
    name: 'n',
    arguments_sha256: '',
    principal: {},
    session_id: '',
  } as const
  const policy = { policy_id: 'p', policy_version: '', revision: '', rule: 'r', message: '', holds: [] }
  const times = { requested_at: at, expires_at: at + ms, quorum: 1, not_requester: false }
  return { request: { id, decision_id: id, ...call, ...policy, ...times }, key, caller, state: 'pending', answers: [] }
}

test(`requests in memory stand as those of the ledger stand (seed ${seed})`, () => {
  let [overdue, refused] = [0, 0]
  fc.assert(
    fc.property(fc.array(ask, { minLength: 40, maxLength: 60 }), (steps) => {
      let at = Date.parse('2026-03-02T09:00:00.000Z')
      const ledger = openLedger({ file: ':memory:', clock: () => at })
      const memory = new ReplayLedger()
      const ids: string[] = []
      for (const one of steps) {
        // Of two requests of one instant nobody can say which is the newer one.
        at += one.do === 'wait' ? one.ms : 1
        memory.reach(at)
        ledger.transact((tx) => {
          if (one.do === 'ask') {
            const approval = requestOf(`r${ids.length}`, one.key, one.caller, at, one.ms)
            ids.push(approval.request.id)
            for (const to of [tx, memory]) to.addApproval(approval)
          }
          const id = one.do === 'change' ? ids.at(-1 - (one.of % Math.max(1, ids.length))) : undefined
          const open = id === undefined ? undefined : tx.approval(id)?.state
          if (one.do === 'change' && id !== undefined) {
            if (nextStates[open ?? 'expired'].includes(one.state))
              for (const to of [tx, memory]) to.changeApproval(id, { state: one.state })
            else if (open !== 'approved') {
              refused += 1
              assert.throws(() => memory.changeApproval(id, { state: one.state }), TypeError)
            }
          }
          for (const key of ['k1', 'k2', 'k3'])
            assert.deepEqual(memory.approvalFor(key)?.request.id, tx.approvalFor(key)?.request.id)
          for (const caller of [undefined, 'ada', 'bob'])
            assert.equal(memory.approvalsPending(caller), tx.approvalsPending(caller))
          const late = tx.approvalsOverdue().map(({ request }) => request.id)
          assert.deepEqual(
            memory
              .approvalsOverdue()
              .map(({ request }) => request.id)
              .sort(),
            late.toSorted(),
          )
          overdue += late.length
        })
      }
      ledger.close()
    }),
    { numRuns: 40 },
  )
  assert.ok(overdue > 100 && refused > 20, `${overdue} overdue, ${refused} refused`)
})
