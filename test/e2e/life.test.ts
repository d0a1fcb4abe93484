/** The life of a wrapped server: reload, a policy that vanishes, exits, signals, restarts, outcomes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Answer } from '../answer.ts'
import { until } from '../until.ts'
import { decisionIn, wrap } from './wrapped.ts'

const capped = 'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ spend: { daily: 10 } }] }\n'

const pay = (gate: { ask(method: string, params: object): Promise<Answer> }, args: object) =>
  gate.ask('tools/call', { name: 'pay', arguments: args })

test('a good edit becomes active and the client is told that lists changed', async () => {
  await using gate = await wrap(capped)
  assert.equal(decisionIn(await pay(gate, { amount: 11 })).reason_code, 'SPEND_LIMIT_EXCEEDED')
  writeFileSync(gate.policyFile, capped.replace('10', '20'))
  await gate.notification('notifications/tools/list_changed')
  assert.equal((await pay(gate, { amount: 11 })).result.isError, undefined)
  assert.equal(gate.records().filter(({ type }) => type === 'activation').length, 2)
})

test('a counter keeps its value when the policy changes around it', async () => {
  await using gate = await wrap(capped)
  await pay(gate, { amount: 10 })
  writeFileSync(gate.policyFile, capped.replace('10', '15'))
  await gate.notification('notifications/tools/list_changed')
  assert.equal(decisionIn(await pay(gate, { amount: 6 })).reason_code, 'SPEND_LIMIT_EXCEEDED')
  assert.equal((await pay(gate, { amount: 5 })).result.isError, undefined)
})

test('a bad edit keeps the old policy and says where the mistake is', async () => {
  await using gate = await wrap(capped)
  writeFileSync(gate.policyFile, capped.replace('daily', 'dayly'))
  await until(() => gate.stderr().includes('stays active'), 'the mistake is told')
  assert.match(gate.stderr(), /policy\.yaml:4:\d+:? .*`dayly`.*`daily`/)
  assert.equal((await pay(gate, { amount: 10 })).result.isError, undefined)
  assert.equal(decisionIn(await pay(gate, { amount: 1 })).reason_code, 'SPEND_LIMIT_EXCEEDED')
  const failure = gate.records().find(({ type }) => type === 'activation_failure')
  assert.match(failure.detail, /policy\.yaml:4:\d+:? .*`dayly`/)
})

test('a policy that vanishes leaves no policy until it is back', async () => {
  await using gate = await wrap(capped)
  renameSync(gate.policyFile, `${gate.policyFile}.away`)
  await until(() => gate.stderr().includes('is gone'), 'the loss is told')
  const before = gate.forwarded().length
  const refused = await pay(gate, { amount: 1 })
  assert.match(JSON.stringify(refused), /Unknown tool|POLICY_UNAVAILABLE/)
  assert.equal(gate.forwarded().length, before)
  assert.equal(gate.records().at(-1).result.reason_code, 'POLICY_UNAVAILABLE')
  assert.equal(gate.records().at(-2).type, 'deactivation')
  renameSync(`${gate.policyFile}.away`, gate.policyFile)
  await until(() => gate.stderr().includes('is active'), 'it is back')
  assert.equal((await pay(gate, { amount: 1 })).result.isError, undefined)
})

test('what an upstream refuses is not charged, and what it did is', async () => {
  await using gate = await wrap(capped)
  assert.equal((await pay(gate, { amount: 10, fail: true })).result.isError, true)
  assert.equal((await pay(gate, { amount: 10 })).result.isError, undefined)
  assert.equal(decisionIn(await pay(gate, { amount: 1 })).reason_code, 'SPEND_LIMIT_EXCEEDED')
  await until(() => gate.records().filter(({ type }) => type === 'outcome').length === 2, 'both outcomes are recorded')
  assert.deepEqual(
    gate
      .records()
      .filter(({ type }) => type === 'outcome')
      .map(({ status }) => status),
    ['error', 'success'],
  )
})

test('a server that dies in a call: the caller gets an error, the amount stays charged, the exit code is passed on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'))
  const ledger = join(folder, 'ledger.db')
  {
    await using gate = await wrap(capped, { ledger })
    const exited = once(gate.child, 'exit')
    const answer = await pay(gate, { amount: 10, die: true })
    assert.ok(answer.error, JSON.stringify(answer))
    assert.deepEqual(await exited, [7, null])
    assert.equal(gate.records().find(({ type }) => type === 'outcome').status, 'unknown')
  }
  {
    await using gate = await wrap(capped, { ledger })
    assert.equal(decisionIn(await pay(gate, { amount: 1 })).reason_code, 'SPEND_LIMIT_EXCEEDED')
  }
  rmSync(folder, { recursive: true })
})

test('a gate that is killed in a call: the next one records the outcome as unknown and keeps the charge', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'))
  const ledger = join(folder, 'ledger.db')
  {
    await using gate = await wrap(capped, { ledger })
    gate.write(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"amount":10,"silent":true}}}',
    )
    await until(() => gate.forwarded().some((line) => line.includes('silent')), 'the call is at the server')
    const exited = once(gate.child, 'exit')
    gate.child.kill('SIGKILL')
    await exited
  }
  {
    await using gate = await wrap(capped, { ledger })
    assert.equal(decisionIn(await pay(gate, { amount: 1 })).reason_code, 'SPEND_LIMIT_EXCEEDED')
    assert.equal(gate.records().find(({ type }) => type === 'outcome')?.status, 'unknown')
  }
  rmSync(folder, { recursive: true })
})

test('SIGTERM reaches the server and ends the gate', async () => {
  await using gate = await wrap(capped)
  const exited = once(gate.child, 'exit')
  gate.child.kill('SIGTERM')
  const [code] = await exited
  assert.equal(code, 143)
})

test('a policy that speaks of servers by name asks which one this is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'))
  await assert.rejects(
    wrap('version: "1"\ndefault: deny\ntools:\n  stripe/pay: { rules: [] }\n', { ledger: join(folder, 'l.db') }),
    /--server NAME/,
  )
  assert.ok(!existsSync(join(folder, 'l.db')), 'nothing was opened')
  rmSync(folder, { recursive: true })
})
