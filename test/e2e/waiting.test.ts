/** A held call that is kept open over stdio: a person in another process answers, and the caller that waits hears it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import type { Answer } from '../answer.ts'
import { tollgate } from '../cli/auditRun.ts'
import { decisionIn, type Wrapped, wrap } from './wrapped.ts'

const policy = (wait = '1m', timeout = '10m') => `version: "1"
default: deny
tools:
  pay:
    rules:
      - { name: large, action: require_approval, arguments: { amount: { min: 100 } }, approval_wait: ${wait}, approval_timeout: ${timeout} }
      - { spend: { daily: 500 } }
`

const send = (gate: Wrapped, id: number, amount: number, meta?: object) =>
  gate.write(
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'pay', arguments: { amount }, ...(meta && { _meta: meta }) },
    }),
  )
const paid = (gate: Wrapped) =>
  gate.forwarded().flatMap((line) => {
    const { method, params } = JSON.parse(line)
    return method === 'tools/call' ? [params.arguments.amount] : []
  })
const person = ({ ledgerFile }: Wrapped, ...args: string[]) => {
  const { status, stderr } = tollgate(['approvals', ...args, '--ledger', ledgerFile])
  assert.equal(status, 0, stderr)
}
/** In this process, over a connection of its own. */
const here = ({ ledgerFile }: Wrapped, says: 'approve' | 'reject', id: string, reason?: string) => {
  const ledger = openLedger({ file: ledgerFile })
  const by = { name: 'ada', known_by: 'os_user', os_user: 'ada' } as const
  const describe = describeWith({ id: 'test', version: '0' }, 'full')
  new Approvals({ ledger, describe })[says](id, { by, ...(reason && { reason }) })
  ledger.close()
}
const asked = async (gate: Wrapped, count = 1): Promise<readonly string[]> => {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(20)) {
    const ids = gate.records().flatMap((record: Answer) => (record.type === 'hold' ? [record.approval_id] : []))
    if (ids.length === count) return ids
  }
  throw new Error('nobody was asked')
}
const proved = ({ ledgerFile }: Wrapped) =>
  assert.equal(tollgate(['audit', 'verify', '--ledger', ledgerFile]).status, 0)

test('the call is kept open with progress, others pass meanwhile, and once approved it goes on', async () => {
  await using gate = await wrap(policy())
  send(gate, 1, 400, { progressToken: 'p' })
  const { params } = await gate.notification('notifications/progress')
  const [id = ''] = await asked(gate)
  assert.deepEqual([params.progressToken, params.progress > 0 && params.progress < 0.001], ['p', true])
  assert.match(params.message, new RegExp(`^Waiting for approval ${id}, until 20`))
  send(gate, 2, 40)
  await gate.answer(2)
  send(gate, 3, 460)
  assert.deepEqual(paid(gate), [40])
  person(gate, 'approve', id, '--as', 'ada')
  assert.equal((await gate.answer(1)).result.isError, undefined)
  assert.deepEqual(paid(gate), [40, 400], 'what waits takes nothing of the budget')
  const [, other = ''] = await asked(gate, 2)
  person(gate, 'approve', other)
  assert.equal(decisionIn(await gate.answer(3)).reason_code, 'SPEND_LIMIT_EXCEEDED', 'judged anew when it goes on')
  assert.deepEqual(paid(gate), [40, 400])
  proved(gate)
})

test('a person says no, or nobody answers in time: the caller that waits hears it', async () => {
  await using gate = await wrap(policy('1m', '3s'))
  send(gate, 1, 100)
  const [id = ''] = await asked(gate)
  here(gate, 'reject', id, 'use the refund form')
  const { result } = await gate.answer(1)
  assert.match(result.content[0].text, /^Blocked by policy: a person said no to this call: use the refund form\./)
  send(gate, 2, 200)
  assert.equal(decisionIn(await gate.answer(2)).reason_code, 'APPROVAL_EXPIRED')
  assert.equal((await asked(gate, 2)).length, 2, 'nobody is asked anew by an expiry')
  assert.deepEqual(paid(gate), [])
  proved(gate)
})

test('kept open long enough, it is refused with the id, and the same call made again is the approved one', async () => {
  await using gate = await wrap(policy('1s'))
  send(gate, 1, 100)
  const { approval } = decisionIn(await gate.answer(1))
  send(gate, 2, 100)
  here(gate, 'approve', approval.id)
  assert.equal((await gate.answer(2)).result.isError, undefined)
  assert.deepEqual(paid(gate), [100])
})

test('what its caller gave up never runs: cancelled, or left', async () => {
  await using gate = await wrap(policy())
  send(gate, 1, 100)
  const [id = ''] = await asked(gate)
  gate.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }))
  send(gate, 1, 50)
  await gate.answer(1)
  here(gate, 'approve', id)
  await sleep(600)
  assert.deepEqual(paid(gate), [50], 'its id was free again, and its grant waits')
  send(gate, 2, 300)
  const [, other = ''] = await asked(gate, 2)
  gate.child.stdin?.end()
  await once(gate.child, 'exit')
  here(gate, 'approve', other)
  assert.deepEqual(paid(gate), [50])
  assert.ok(
    !gate.forwarded().some((line) => line.includes('notifications/cancelled')),
    'the server heard of none of it',
  )
})

test('clients that open pages are sent to that of `--admin-url`; an answer that cannot be read is a no, and for the gate alone', async () => {
  const page = /^https:\/\/approvals\.example\/approvals\/apr_/
  const opening = { elicitation: { url: {} } }
  const flags = ['--admin-url', 'https://approvals.example/']
  await using gate = await wrap(policy(), { flags, capabilities: opening })
  send(gate, 1, 100)
  const { id, params } = await gate.notification('elicitation/create')
  assert.match(params.url, page)
  gate.write(`{"jsonrpc":"2.0","id":"${id}","result":{"action":"accept","action":"decline"}}`)
  assert.match((await gate.answer(1)).result.content[0].text, /^Waiting for approval apr_/)
  const stateless = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': opening,
  }
  send(gate, 2, 200, stateless)
  const { result } = await gate.answer(2)
  assert.equal(result.resultType, 'input_required')
  assert.match(result.inputRequests.tollgate_approval.params.url, page)
  await gate.ask('ping', {})
  assert.ok(!gate.forwarded().some((line) => line.includes('tollgate-approval')), 'the server heard of none of it')
})
