/** Decisions for programs that make the calls themselves: what is charged, what is told later, and what no key may do. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readLedger } from '../../src/cli/auditLedger.ts'
import { proveRecords } from '../../src/cli/auditProof.ts'
import { runOf } from '../../src/cli/serveRuns.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { bodyOf } from '../../src/log/body.ts'
import { callBytesMax } from '../../src/model/limits.ts'
import type { Answer } from '../answer.ts'
import { Desk } from './fixtures/desk.ts'

let desk: Desk
before(async () => {
  desk = await Desk.open()
})
after(() => desk[Symbol.asyncDispose]())

type Init = RequestInit & { key?: string }
const post = (body: unknown, key = desk.keys.gateway): Init => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  key,
})
const ask = async (change: object, key?: string) =>
  desk.api('/v1/admission', post({ mode: 'reserve', server: 'bank', ...change }, key))
const tell = async (decision_id: string, status: string, key?: string) =>
  desk.api('/v1/outcomes', post({ decision_id, status }, key))
const codeOf = ({ status, body }: { status: number; body: Answer }) => `${status} ${body.error?.code}`
const recordsOf = (id: string) =>
  desk.opened.ledger.recordsOf(id).map((record) => [record.kind, bodyOf(record)['status']])

test('a call that is reserved is charged, and an error gives back what it took', async () => {
  const eve = { tool: 'pay', principal: { user: 'eve' } }
  const first = await ask(eve)
  assert.deepEqual([first.status, first.body.decision], [200, 'allow'])
  assert.ok(Date.parse(first.body.outcome_due_at) > Date.now())
  const { body: second } = await ask(eve)
  const { body: third } = await ask(eve)
  assert.equal(third.decision, 'allow')
  assert.equal((await ask(eve)).body.reason_code, 'RATE_LIMITED')
  assert.deepEqual((await tell(second.decision_id, 'success')).body, {
    decision_id: second.decision_id,
    status: 'success',
  })
  assert.equal((await ask(eve)).body.decision, 'deny')
  assert.equal((await tell(third.decision_id, 'error')).status, 200)
  assert.equal((await ask({ ...eve, mode: 'check' })).body.decision, 'allow')
  assert.equal((await ask(eve)).body.decision, 'allow')
  assert.equal((await ask({ ...eve, mode: 'check' })).body.decision, 'deny')
  const [decided] = desk.opened.ledger.recordsOf(first.body.decision_id)
  assert.deepEqual(bodyOf(decided as never)['principal'], { user: 'eve' })
})

test('a check reserves nothing, and waits for no outcome', async () => {
  const { body } = await ask({ tool: 'free', mode: 'check' })
  assert.deepEqual([body.decision, body.outcome_due_at], ['allow', undefined])
  assert.deepEqual(recordsOf(body.decision_id), [['check', undefined]])
  assert.equal(codeOf(await tell(body.decision_id, 'success')), '404 decision_unknown')
})

test('an outcome is told once, by the key that asked, of a call that waits for it', async () => {
  const { body } = await ask({ tool: 'free' })
  assert.equal(codeOf(await tell(body.decision_id, 'error', desk.keys.other)), '404 decision_unknown')
  assert.equal(codeOf(await tell('none', 'error')), '404 decision_unknown')
  assert.equal((await tell(body.decision_id, 'success')).status, 200)
  assert.equal(codeOf(await tell(body.decision_id, 'error')), '409 outcome_settled')
  assert.deepEqual(recordsOf(body.decision_id), [
    ['decision', undefined],
    ['outcome', 'success'],
  ])
})

test('an outcome that nobody tells in time is unknown', async () => {
  const { body } = await ask({ tool: 'free', outcome_within_ms: 1 })
  while (recordsOf(body.decision_id).length < 2) await sleep(5)
  assert.deepEqual(recordsOf(body.decision_id).at(-1), ['outcome', 'unknown'])
  assert.equal(codeOf(await tell(body.decision_id, 'error')), '409 outcome_settled')
})

test('what waits when the gate ends is unknown and stays charged', async () => {
  const other = await Desk.open()
  const asked = post({ mode: 'reserve', tool: 'pay' }, other.keys.gateway)
  const { body } = await other.api('/v1/admission', asked)
  await other.endServer()
  other.opened.ledger.close()
  const ledger = openLedger({ file: other.ledgerFile })
  assert.deepEqual(
    ledger.recordsOf(body.decision_id).map(({ kind }) => kind),
    ['decision', 'outcome'],
  )
  ledger.close()
  await other[Symbol.asyncDispose]()
})

test('a held call names the request, and is let through once it is approved', async () => {
  const call = { tool: 'close', arguments: { account: 77 }, principal: { user: 'eve' } }
  const { body } = await ask(call)
  assert.equal(body.decision, 'hold')
  assert.equal((await desk.api(`/v1/approvals/${body.approval.id}/approve`, { method: 'POST' })).status, 200)
  const { body: again } = await ask(call)
  assert.deepEqual([again.decision, again.approval.id], ['allow', body.approval.id])
  assert.equal((await tell(again.decision_id, 'success')).status, 200)
})

test('what is no call is refused and recorded', async () => {
  const odd = [
    '{"mode":"reserve","tool":"free","tool":"pay"}',
    '{"mode":"reserve","tool":"free","__proto__":{"tool":"pay"}}',
    '{"mode":"reserve","tool":"free","arguments":{"a":1e999}}',
    '{"mode":"reserve","tool":"free","time":"2026-01-01T00:00:00Z"}',
    '{"mode":"reserve","tool":"free","prompt":"x"}',
    '{"mode":"maybe","tool":"free"}',
    '{"tool":"free"}',
    '{"mode":"reserve"}',
    '{"mode":"reserve","tool":"free","outcome_within_ms":0}',
    '{"mode":"reserve","tool":"free","principal":{"name":"eve"}}',
    '{"mode":"reserve","tool":"free","run_id":7}',
    '[]',
    '{',
    '',
  ]
  for (const text of odd) {
    const answer = await desk.api('/v1/admission', post(text))
    assert.equal(codeOf(answer), '400 MALFORMED_CALL', text)
    const [record] = desk.opened.ledger.recordsOf(answer.body.error.decision_id)
    assert.equal((bodyOf(record as never)['result'] as Answer).reason_code, 'MALFORMED_CALL', text)
  }
  for (const text of ['{"decision_id":"x"}', '{"decision_id":1,"status":"error"}', '{"a":1,"a":2}', '[]', ''])
    assert.equal(codeOf(await desk.api('/v1/outcomes', post(text))), '400 request_invalid', text)
})

test('a body of another type, a packed one, a huge one and one that never ends are refused', async () => {
  const raw = (headers: Record<string, string>) =>
    new Promise<string>((resolve, reject) => {
      const authorization = `Bearer ${desk.keys.gateway}`
      const asked = request(`${desk.url}/v1/admission`, { method: 'POST', headers: { authorization, ...headers } })
      asked.on('response', (response) => resolve(`${response.resume().statusCode}`))
      asked.on('error', reject)
      if (headers['transfer-encoding'] === undefined) return asked.end('{"mode":"check","tool":"free"}')
      // It is never ended.
      asked.once('response', () => asked.on('error', () => {}).destroy())
      asked.write(Buffer.alloc(callBytesMax + 1, ' '))
    })
  assert.equal(await raw({ 'content-type': 'text/plain' }), '415')
  assert.equal(await raw({ 'content-type': 'application/json', 'content-encoding': 'gzip' }), '415')
  assert.equal(await raw({ 'content-type': 'application/json; charset=utf-8' }), '200')
  assert.equal(await raw({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' }), '413')
})

test('a key may do what its line says, and no more', async () => {
  const call = { mode: 'check', tool: 'free' }
  const run = { run_id: 'r', attributes: {} }
  const refused: readonly (readonly [string, Init])[] = [
    ['/v1/admission', post(call, desk.keys.ada)],
    ['/v1/admission', post(call, desk.keys.host)],
    ['/v1/admission', post({ ...call, run: {} })],
    ['/v1/outcomes', post({ decision_id: 'x', status: 'error' }, desk.keys.reader)],
    ['/v1/runs', post(run)],
    ['/v1/runs', { key: desk.keys.gateway }],
    ['/v1/runs/r', { method: 'DELETE', key: desk.keys.reader }],
    ['/v1/approvals', { key: desk.keys.gateway }],
    ['/v1/status', { key: desk.keys.host }],
    ['/v1/approvals/x/approve', { method: 'POST', key: desk.keys.reader }],
    ['/v1/kills', post({ all: true }, desk.keys.eve)],
    ['/v1/kills/x', { method: 'DELETE', key: desk.keys.eve }],
    ['/v1/kills', { key: desk.keys.gateway }],
    ['/v1/sessions', { key: desk.keys.gateway }],
    ['/v1/sessions/x', { key: desk.keys.gateway }],
  ]
  for (const [path, init] of refused) assert.equal(codeOf(await desk.api(path, init)), '403 scope_missing', path)
  assert.equal(codeOf(await desk.api('/v1/admission', post(call, 'tgk_none'))), '401 unauthenticated')
  const { body } = await desk.api('/v1/admission', post(call, 'tgk_none'))
  assert.match(
    JSON.stringify(body),
    /this key counts for nothing here: its line must stand in the file of `--approvers`/,
  )
  assert.equal((await desk.api('/v1/admission', post({ ...call, run: {} }, desk.keys.other))).status, 200)
  assert.equal(codeOf(await desk.api('/v1/admission', { key: desk.keys.gateway })), '404 not_found')
})

test('a run is registered, replaced, listed, taken back, and expires', async () => {
  const register = (body: unknown) => desk.api('/v1/runs', post(body, desk.keys.host))
  const first = await register({ run_id: 'r1', attributes: { gate_phase: 'plan' } })
  assert.equal(first.status, 201)
  assert.deepEqual(first.body.attributes, { gate_phase: 'plan', run_id: 'r1' })
  const again = await register({ run_id: 'r1', attributes: { gate_phase: 'build' }, expires_in_seconds: 60 })
  assert.deepEqual([again.status, again.body.registered_by], [200, 'host'])
  assert.deepEqual(desk.runs.get('r1'), { gate_phase: 'build', run_id: 'r1' })
  await register({ run_id: 'r2', attributes: {} })
  const ids = async () => (await desk.api('/v1/runs')).body.runs.map(({ run_id }: Answer) => run_id)
  assert.deepEqual(await ids(), ['r1', 'r2'])
  desk.aheadMs = 60_000
  assert.deepEqual(await ids(), ['r2'])
  assert.equal(desk.runs.get('r1'), undefined)
  desk.aheadMs = 0
  const taken = { method: 'DELETE', key: desk.keys.host }
  assert.equal((await desk.api('/v1/runs/r2', taken)).body.run_id, 'r2')
  assert.equal(codeOf(await desk.api('/v1/runs/r2', taken)), '404 run_unknown')
  for (const [body, code] of [
    [{ run_id: 'x', attributes: { gate_fase: 'plan' } }, 'run_invalid'],
    [{ run_id: 'x', attributes: { run_id: 'y' } }, 'run_invalid'],
    [{ run_id: '', attributes: {} }, 'run_invalid'],
    [{ run_id: 'x', attributes: [] }, 'run_invalid'],
    [{ run_id: 'x', attributes: {}, expires_in_seconds: 1e9 }, 'run_invalid'],
    [{ run_id: 'x', attributes: {}, ttl: 1 }, 'request_invalid'],
    ['{"run_id":"x","attributes":{"gate_phase":"a","gate_phase":"b"}}', 'request_invalid'],
  ] as const)
    assert.equal(codeOf(await register(body)), `400 ${code}`, JSON.stringify(body))
})

test('the run of a call is the one that a verified credential claims, and never another', () => {
  desk.runs.register({ run_id: 'mine', attributes: { gate_phase: 'build' } }, 'host')
  const file = { run_id: 'of-file' }
  const run = runOf(desk.runs, () => file)
  assert.deepEqual(run({ claims: { run_id: 'mine' } }), { gate_phase: 'build', run_id: 'mine' })
  assert.equal(run({ claims: { run_id: 'of-file' } }), file)
  assert.equal(run({ claims: {} }), file)
  for (const run_id of ['other', 7, null]) assert.equal(run({ claims: { run_id } }), undefined)
  assert.deepEqual(runOf(desk.runs, () => ({ gate_phase: 'plan' }))({ claims: { run_id: 'other' } }), {
    gate_phase: 'plan',
  })
  assert.equal(runOf(desk.runs)({}), undefined)
})

test('all of that is proved from the record', () => {
  assert.deepEqual(readLedger(desk.ledgerFile, (source) => proveRecords(source)).findings, [])
})
