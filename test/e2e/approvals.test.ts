/** A held call, from a client over the gate to a server and back, and a person in another process. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tollgate } from '../cli/auditRun.ts'
import { decisionIn, type Wrapped, wrap } from './wrapped.ts'

const policy = (timeout = '10m', more = '') => `version: "1"
default: deny
tools:
  pay:
    rules:
      - { name: large, action: require_approval, arguments: { amount: { min: 100 } }, approval_timeout: ${timeout} }
      - { spend: { daily: 500 } }${more}
`
const deny = '\n      - { action: deny, arguments: { amount: { min: 100 } } }'

const pay = (gate: Wrapped, amount: number) => gate.ask('tools/call', { name: 'pay', arguments: { amount } })
const paid = (gate: Wrapped) =>
  gate.forwarded().flatMap((line) => {
    const { method, params } = JSON.parse(line)
    return method === 'tools/call' ? [params.arguments.amount] : []
  })
const person = ({ ledgerFile }: Wrapped, ...args: string[]) => {
  const { status, stdout, stderr } = tollgate(['approvals', ...args, '--ledger', ledgerFile])
  assert.equal(status, 0, stderr)
  return stdout
}
const proved = ({ ledgerFile }: Wrapped) =>
  assert.equal(tollgate(['audit', 'verify', '--ledger', ledgerFile]).status, 0)

test('held, approved by a person in another process, made again and run once, then held again', async () => {
  await using gate = await wrap(policy(), { flags: ['--user', 'eve'] })
  const held = await pay(gate, 400)
  const { id } = decisionIn(held).approval
  const [{ text }] = held.result.content
  assert.match(
    text,
    new RegExp(`^Waiting for approval ${id}: .* Nothing was done\\. .* until 20.*make the same call again`),
  )
  assert.deepEqual(decisionIn(await pay(gate, 400)).approval, decisionIn(held).approval)
  assert.match(person(gate, 'list'), new RegExp(`^${id}  pending .* pay .* eve +\\{"amount":400\\}$`, 'm'))
  assert.deepEqual(paid(gate), [])
  person(gate, 'approve', id, '--as', 'ada')
  assert.equal(decisionIn(await pay(gate, 401)).decision, 'hold', 'other arguments are another call')
  const run = await pay(gate, 400)
  assert.equal(decisionIn(run), undefined)
  assert.deepEqual(paid(gate), [400])
  const again = decisionIn(await pay(gate, 400))
  assert.equal(again.reason_code, 'SPEND_LIMIT_EXCEEDED', 'the limits count what ran')
  const other = decisionIn(await pay(gate, 100))
  assert.deepEqual([other.decision, paid(gate)], ['hold', [400]], 'what waits takes nothing of the budget')
  person(gate, 'approve', other.approval.id)
  await pay(gate, 100)
  assert.equal(decisionIn(await pay(gate, 100)).reason_code, 'SPEND_LIMIT_EXCEEDED')
  assert.deepEqual(paid(gate), [400, 100])
  proved(gate)
})

test('a person says no, and the agent hears why', async () => {
  await using gate = await wrap(policy())
  const { id } = decisionIn(await pay(gate, 100)).approval
  person(gate, 'reject', id, '--reason', 'use the refund form')
  const { result } = await pay(gate, 100)
  assert.match(result.content[0].text, /^Blocked by policy: a person said no to this call: use the refund form\./)
  assert.deepEqual(paid(gate), [])
  proved(gate)
})

test('nobody answers in time, or the agent comes too late', async () => {
  await using gate = await wrap(policy('2s'))
  const first = decisionIn(await pay(gate, 100)).approval
  await sleep(2_100)
  const second = decisionIn(await pay(gate, 100)).approval
  assert.notEqual(second.id, first.id)
  person(gate, 'approve', second.id)
  await sleep(2_100)
  assert.equal(decisionIn(await pay(gate, 100)).decision, 'hold')
  assert.deepEqual(paid(gate), [])
  assert.equal(gate.records().filter(({ type }) => type === 'expiry').length, 2)
  proved(gate)
})

test('a policy that denies by now denies what was approved', async () => {
  await using gate = await wrap(policy())
  const { id } = decisionIn(await pay(gate, 100)).approval
  person(gate, 'approve', id)
  writeFileSync(gate.policyFile, policy('10m', deny))
  for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
    const { decision } = decisionIn(await pay(gate, 101))
    if (decision === 'deny') break
    assert.ok(Date.now() < deadline, 'the policy was not loaded')
  }
  assert.equal(decisionIn(await pay(gate, 100)).reason_code, 'DENIED_BY_RULE')
  assert.deepEqual(paid(gate), [])
  proved(gate)
})

test('a request and its grant outlive the gate', async () => {
  let ledger = ''
  let id = ''
  {
    const gate = await wrap(policy())
    ledger = gate.ledgerFile.replace(/ledger\.db$/, '')
    id = decisionIn(await pay(gate, 100)).approval.id
    gate.child.kill('SIGKILL')
    await sleep(100)
    person(gate, 'approve', id)
    await using next = await wrap(policy(), { ledger: gate.ledgerFile })
    assert.equal(decisionIn(await pay(next, 100)), undefined)
    assert.deepEqual(paid(next), [100])
    proved(next)
    await gate[Symbol.asyncDispose]()
  }
  assert.ok(ledger !== '' && id !== '')
})
