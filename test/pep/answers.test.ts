/** Waiting for persons: who is woken, when, and that nobody asks the ledger while nobody waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApprovalState } from '../../src/model/approval.ts'
import { Answers } from '../../src/pep/answers.ts'
import { until } from '../until.ts'

/** A ledger by hand: what is waited for is when it is asked, and what when it fails. */
function desk(max = 10) {
  const states = new Map<string, ApprovalState>()
  const errors: unknown[] = []
  let [version, asked, broken] = [0, 0, false]
  let tell = () => {}
  const answers = new Answers({
    ledger: {
      approvalsVersion: () => {
        asked++
        if (broken) throw new Error('no disk')
        return String(version)
      },
      approval: (id) => ({ state: states.get(id) ?? 'pending' }) as never,
    },
    onPolicyChange: (listener) => {
      tell = listener
    },
    report: (error) => errors.push(error),
    pollMs: 2,
    max,
  })
  const change = (id: string, state: ApprovalState) => {
    states.set(id, state)
    version++
  }
  const far = () => Date.now() + 60_000
  return {
    answers,
    errors,
    change,
    wait: (id: string, at = far(), signal = new AbortController().signal) => answers.wait(id, at, signal),
    policy: () => tell(),
    asked: () => asked,
    fail: (now: boolean) => {
      broken = now
    },
  }
}

test('each is woken by its own answer, or its own time', async () => {
  const { wait, change, answers } = desk()
  const [one, two, three] = [wait('1'), wait('2'), wait('3', Date.now() + 30)]
  change('1', 'approved')
  assert.equal(await one, 'changed')
  assert.equal(await three, 'late')
  assert.equal(answers.waiting, 1)
  change('2', 'expired')
  assert.equal(await two, 'expired')
  assert.equal(await wait('1'), 'changed', 'what was answered before is found at once')
  assert.equal(answers.waiting, 0)
})

test('while nobody waits, the ledger is not asked', async () => {
  const { wait, change, asked } = desk()
  await sleep(20)
  assert.equal(asked(), 0)
  const one = wait('1')
  await until(() => asked() > 2, 'a look')
  change('1', 'rejected')
  await one
  const before = asked()
  await sleep(30)
  assert.equal(asked(), before)
})

test('another policy wakes all, the end of the gate too, and then nobody waits', async () => {
  const { wait, policy, answers } = desk()
  const first = [wait('1'), wait('2')]
  policy()
  assert.deepEqual(await Promise.all(first), ['changed', 'changed'])
  const judgedIn = answers.epoch
  policy()
  const { signal } = new AbortController()
  const late = answers.wait('1', Date.now() + 60_000, signal, judgedIn)
  assert.equal(await late, 'changed', 'whoever was judged before it and begins to wait after it is woken too')
  const leave = new AbortController()
  const left = wait('3', undefined, leave.signal)
  leave.abort()
  assert.equal(await left, 'ended')
  const last = wait('4')
  answers.end()
  assert.deepEqual([await last, await wait('5'), answers.isFull], ['ended', 'ended', true])
})

test('a ledger that cannot be read wakes nobody, is told of once, and is asked again', async () => {
  const { wait, change, fail, errors, asked } = desk()
  const one = wait('1')
  fail(true)
  change('1', 'approved')
  const before = asked()
  await until(() => asked() > before + 5, 'some looks')
  assert.equal(errors.length, 1)
  fail(false)
  assert.equal(await one, 'changed')
})

test('so many wait, and no more', () => {
  const { wait, answers } = desk(2)
  void wait('1')
  assert.equal(answers.isFull, false)
  void wait('2')
  assert.equal(answers.isFull, true)
  answers.end()
})
