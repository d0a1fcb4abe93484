/** The gate's own story: what fails on the way is a deny, and what is not recorded did not happen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { Verdict } from '../../src/model/decision.ts'
import { TollgateError } from '../../src/model/errors.ts'
import { nameCharsMax, recordedDetailCharsMax } from '../../src/model/limits.ts'
import { type ActivePolicy, Gate } from '../../src/pep/gate.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { around } from '../ledger/fixtures.ts'
import { bodies, type Changes, call, type Opened, only, opened } from './opened.ts'

const artifact = await buildPolicy({
  name: 'gate.yaml',
  text: `
version: "1"
default: deny
tools:
  pay: { rules: [{ spend: { daily: 10 } }, { rate_limit: 3/day }] }
  free: { rules: [] }
  by-customer: { rules: [{ rate_limit: 1/day, per: arguments.customer }] }
`,
})

function open({ policy, ...changes }: Changes & { readonly policy?: Partial<ActivePolicy> } = {}): Opened {
  const all = opened(changes)
  if (!changes.describe) all.gate.activate({ ...activePolicy(artifact), ...policy })
  return all
}

test('calls that arrive together see what the earlier ones reserved', () => {
  const { gate } = open()
  const decisions = gate.admit(Array.from({ length: 5 }, () => call('pay', { amount: 1 })))
  assert.deepEqual(
    decisions.map(({ decision }) => decision),
    ['allow', 'allow', 'allow', 'deny', 'deny'],
  )
})

test('without a policy every call is denied, and recorded', () => {
  const { gate, ledger } = open()
  gate.deactivate('gone')
  assert.equal(only(gate.admit([call('free')])).reason_code, 'POLICY_UNAVAILABLE')
  assert.equal(bodies(ledger).at(-1).result.reason_code, 'POLICY_UNAVAILABLE')
  assert.equal(gate.visible({ method: 'tools/call', server: 's', name: 'free' }, {}), false)
})

test('an engine that throws is a deny that is recorded', () => {
  const evaluate = () => {
    throw 'a bare string, as the WASM library throws'
  }
  const { gate, ledger, reported } = open({ policy: { evaluate } })
  assert.equal(only(gate.admit([call('free')])).reason_code, 'ENGINE_FAILED')
  assert.equal(bodies(ledger).at(-1).result.reason_code, 'ENGINE_FAILED')
  assert.equal(reported.length, 1)
})

test('an allowed call that cannot be counted is not allowed', () => {
  const evaluate = (): Verdict => ({ decision: 'allow', reason_code: 'ALLOW', rule: 'x', message: '' })
  const { gate } = open({ policy: { evaluate } })
  assert.equal(only(gate.admit([call('by-customer')])).reason_code, 'ENGINE_FAILED')
  assert.equal(only(gate.admit([call('pay', { amount: '5' })])).reason_code, 'ENGINE_FAILED')
})

test('a call whose record cannot be written is denied, and nothing of it stays', () => {
  let failing = false
  const describe = describeWith({ id: 'test', version: '0' }, 'full')
  const ledger = openLedger({ file: ':memory:' })
  const reported: unknown[] = []
  const gate = new Gate({
    ledger,
    newId: () => crypto.randomUUID(),
    report: (error) => reported.push(error),
    describe: (event) => {
      if (failing) throw new Error('no text for this')
      return describe(event)
    },
  })
  gate.activate(activePolicy(artifact))
  failing = true
  const [first, second] = gate.admit([call('pay', { amount: 10 }), call('free')])
  assert.deepEqual([first?.reason_code, second?.reason_code], ['GATE_FAILED', 'GATE_FAILED'])
  assert.equal(reported.length, 1)
  failing = false
  assert.equal(only(gate.admit([call('pay', { amount: 10 })])).decision, 'allow')
})

test('a ledger that fails to commit denies every call of the transaction', () => {
  const full = new TollgateError('ledger_full', 'the disk is full')
  let failing = false
  const { gate, ledger, reported } = open({
    ledger: (real) =>
      around(real, {
        transact: (work) => {
          if (failing) throw full
          return real.transact(work)
        },
      }),
  })
  failing = true
  const before = bodies(ledger).length
  assert.deepEqual(
    gate.admit([call('free'), call('free')]).map(({ reason_code }) => reason_code),
    ['LEDGER_UNAVAILABLE', 'LEDGER_UNAVAILABLE'],
  )
  assert.equal(
    gate.refuse([{ reason: 'UNKNOWN_METHOD', message: '', server: '', principal: {}, session: '' }])[0]?.decision,
    'deny',
  )
  gate.settle([{ decisionId: 'any', status: 'success' }])
  assert.deepEqual(reported, [full, full, full])
  assert.equal(bodies(ledger).length, before)
})

test('a policy that cannot be recorded does not become active', () => {
  const { gate } = open({
    describe: () => {
      throw new Error('no text for this')
    },
  })
  assert.throws(() => gate.activate(activePolicy(artifact)))
  assert.equal(gate.revision, '')
})

test('an outcome settles once', () => {
  const { gate, ledger } = open()
  const { decision_id: decisionId } = only(gate.admit([call('pay', { amount: 10 })]))
  gate.settle([
    { decisionId, status: 'error' },
    { decisionId, status: 'error' },
  ])
  gate.settle([{ decisionId, status: 'success' }])
  assert.equal(bodies(ledger).filter(({ type }) => type === 'outcome').length, 1)
  assert.equal(only(gate.admit([call('pay', { amount: 10 })])).decision, 'allow')
  assert.equal(only(gate.admit([call('pay', { amount: 1 })])).reason_code, 'SPEND_LIMIT_EXCEEDED')
})

test('an unknown outcome keeps what was reserved', () => {
  const { gate } = open()
  const { decision_id: decisionId } = only(gate.admit([call('pay', { amount: 10 })]))
  gate.settle([{ decisionId, status: 'unknown' }])
  assert.equal(only(gate.admit([call('pay', { amount: 1 })])).reason_code, 'SPEND_LIMIT_EXCEEDED')
})

test('a check reserves nothing and is recorded as a check', () => {
  const { gate, ledger } = open()
  for (let i = 0; i < 5; i++) assert.equal(gate.check(call('pay', { amount: 10 })).decision, 'allow')
  assert.equal(only(gate.admit([call('pay', { amount: 10 })])).decision, 'allow')
  assert.equal(gate.check(call('pay', { amount: 1 })).reason_code, 'SPEND_LIMIT_EXCEEDED')
  assert.equal(bodies(ledger).filter(({ type }) => type === 'check').length, 6)
})

test('a policy that did not become active, and one that was lost, are records that name the policy concerned', () => {
  const { gate, ledger } = open()
  gate.notActivated({ sources: ['a.yaml'], code: 'policy_invalid', detail: `a.yaml:1:1 ${'x'.repeat(10_000)}` })
  gate.deactivate('`a.yaml` is gone')
  gate.notActivated({ sources: ['a.yaml'], code: '', detail: 'no' })
  const [failure, loss, another] = bodies(ledger).slice(1)
  assert.deepEqual(
    [failure.type, failure.sources, failure.error_code, failure.detail.length, failure.bundles],
    [
      'activation_failure',
      ['a.yaml'],
      'policy_invalid',
      recordedDetailCharsMax,
      { gate: { revision: artifact.revision } },
    ],
  )
  assert.deepEqual([loss.type, loss.detail, loss.policy_id], ['deactivation', '`a.yaml` is gone', 'gate'])
  assert.deepEqual([another.type, another.policy_id], ['activation_failure', undefined])
})

test('a policy is gone though the ledger cannot record it, and though a listener throws', () => {
  let full = false
  const { gate, reported } = open({
    ledger: (real) =>
      around(real, {
        transact: (work) => {
          if (full) throw new TollgateError('ledger_full', 'no room')
          return real.transact(work)
        },
      }),
  })
  gate.onPolicyChange(() => {
    throw new Error('nobody can be told')
  })
  full = true
  gate.deactivate('gone')
  assert.equal(gate.revision, '')
  assert.deepEqual(reported.map(String), ['Error: nobody can be told', 'TollgateError: no room'])
})

test('what a list shows is worked out once for each target, and anew for another policy', () => {
  const { policy } = artifact
  let asked = 0
  const counting = () => ({
    ...activePolicy(artifact),
    policy: new Proxy(policy, {
      get: (of, key) => {
        if (key === 'entries') asked++
        return Reflect.get(of, key)
      },
    }),
  })
  const { gate } = open()
  gate.activate(counting())
  const target = (name: string) => ({ method: 'tools/call', server: 's', name }) as const
  for (let times = 0; times < 5; times++) {
    assert.equal(gate.visible(target('free'), {}), true)
    assert.equal(gate.visible(target('hidden'), {}), false)
  }
  assert.equal(asked, 2)
  gate.activate(counting())
  assert.equal(gate.visible(target('free'), {}), true)
  assert.equal(asked, 3)
  gate.deactivate('gone')
  assert.equal(gate.visible(target('free'), {}), false)
  gate.activate(counting())
  for (let times = 0; times < 2; times++) gate.visible(target('x'.repeat(nameCharsMax + 1)), {})
  assert.equal(asked, 5, 'a long name is not remembered')
})

test('a listener hears of every policy that became active', () => {
  const { gate } = open()
  let heard = 0
  gate.onPolicyChange(() => heard++)
  gate.activate(activePolicy(artifact))
  gate.deactivate('gone')
  assert.equal(heard, 2)
})

test('an outcome that gives nothing back does not stand in the way of the next call', () => {
  const due: (() => void)[] = []
  const { gate, ledger } = open({ later: (work) => due.push(work) })
  for (const name of ['free', 'free']) {
    const { decision_id: decisionId } = only(gate.admit([call(name)]))
    gate.settle([{ decisionId, status: 'success' }])
  }
  const kinds = () => bodies(ledger).map(({ type }) => type)
  assert.deepEqual(kinds(), ['activation', 'decision', 'decision'])
  assert.equal(due.length, 1)
  due.pop()?.()
  assert.deepEqual(kinds().slice(3), ['outcome', 'outcome'])
})

test('an outcome that gives something back shares the transaction of the next call, which sees it', () => {
  const due: (() => void)[] = []
  const { gate, ledger } = open({ later: (work) => due.push(work) })
  const { decision_id: decisionId } = only(gate.admit([call('pay', { amount: 10 })]))
  gate.settle([{ decisionId, status: 'error' }])
  gate.settle([])
  assert.equal(due.length, 1)
  assert.equal(bodies(ledger).at(-1)?.type, 'decision')
  assert.equal(only(gate.admit([call('pay', { amount: 10 })])).decision, 'allow')
  assert.deepEqual(
    bodies(ledger).map(({ type }) => type),
    ['activation', 'decision', 'outcome', 'decision'],
  )
  due.pop()?.()
  assert.equal(bodies(ledger).length, 4)
})

test('an outcome that no call comes after is recorded when its time is up, or the gate stops', () => {
  const due: (() => void)[] = []
  const { gate, ledger } = open({ later: (work) => due.push(work) })
  const [first, second] = gate.admit([call('free'), call('free')])
  gate.settle([{ decisionId: first?.decision_id as string, status: 'success' }])
  due.pop()?.()
  assert.equal(bodies(ledger).at(-1)?.type, 'outcome')
  gate.settle([{ decisionId: second?.decision_id as string, status: 'success' }])
  gate.mark('stop', 's')
  assert.deepEqual(
    bodies(ledger)
      .slice(-3)
      .map(({ type }) => type),
    ['outcome', 'outcome', 'stop'],
  )
})

test('an outcome that met a busy ledger is recorded with what comes next', () => {
  let busy = false
  const { gate, ledger } = open({
    ledger: (real) =>
      around(real, {
        transact: (work) => {
          if (busy) throw new TollgateError('ledger_busy', 'the ledger is locked')
          return real.transact(work)
        },
      }),
  })
  const { decision_id: decisionId } = only(gate.admit([call('pay', { amount: 10 })]))
  busy = true
  gate.settle([{ decisionId, status: 'error', detail: 'isError' }])
  busy = false
  assert.equal(only(gate.admit([call('pay', { amount: 10 })])).decision, 'allow')
  const outcome = bodies(ledger).find(({ type }) => type === 'outcome')
  assert.deepEqual([outcome?.status, outcome?.decision_id], ['error', decisionId])
})

test('an outcome outlives the transaction of a call that could not be recorded', () => {
  let fails = false
  const { gate, ledger } = open({
    later: () => {},
    ledger: (real) =>
      around(real, {
        transact: (work) =>
          real.transact((tx) => {
            const result = work(tx)
            if (fails) throw new TollgateError('ledger_full', 'no room')
            return result
          }),
      }),
  })
  const { decision_id: decisionId } = only(gate.admit([call('pay', { amount: 10 })]))
  gate.settle([{ decisionId, status: 'error' }])
  fails = true
  assert.equal(only(gate.admit([call('free')])).reason_code, 'LEDGER_UNAVAILABLE')
  fails = false
  gate.flush()
  assert.equal(bodies(ledger).at(-1)?.type, 'outcome')
  assert.equal(only(gate.admit([call('pay', { amount: 10 })])).decision, 'allow')
})
