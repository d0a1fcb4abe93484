/** The data API as OPA answers it: the shapes of OPA 1.22, and where one is named, a real `opa run --server` beside it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { bodyOf } from '../../src/log/body.ts'
import type { Answer } from '../answer.ts'
import { reached, until } from '../until.ts'
import { Desk, policy } from './fixtures/desk.ts'

let desk: Desk
before(async () => {
  desk = await Desk.open()
})
after(() => desk[Symbol.asyncDispose]())

const post = (body?: unknown, key = desk.keys.gateway) => ({
  method: 'POST',
  key,
  ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
})
const data = (path: string, body?: unknown) => desk.api(`/v1/data/${path}`, post(body))

/** Input documents as they come about, and odd ones. */
function inputs(): readonly unknown[] {
  for (const name of ['pay', 'close', 'free', 'nothing', '<img src>']) desk.call({ amount: '1' }, { name })
  const own = [...desk.opened.ledger.records()].map((record) => bodyOf(record)['input']).filter((input) => input)
  const first = own[0] as Answer
  return [...own, {}, [], 'x', 1, false, { tool: 'pay' }, { ...first, facts: {} }, { ...first, facts: { odd: -1 } }]
}

test('the decision of the policy is a document under its path', async () => {
  desk.call({}, { name: 'free' })
  const [record] = [...desk.opened.ledger.records()].filter(({ kind }) => kind === 'decision')
  const { input, result } = bodyOf(record as never) as Answer
  const { status, body } = await data('tollgate/decision', { input })
  assert.deepEqual([status, Object.keys(body)], [200, ['result']])
  assert.deepEqual([body.result.decision, body.result.rule], [result.decision, result.rule])
  assert.deepEqual((await data('tollgate/decision/decision', { input })).body, { result: 'allow' })
  for (const path of [
    'tollgate/decision/none',
    'tollgate/decision/decision/0',
    'tollgate',
    'tollgate/none',
    'a/b',
    '__proto__/x',
  ])
    assert.deepEqual((await data(path, { input })).body, {}, path)
})

test('the parameters of OPA, and bodies without an input', async () => {
  desk.call({}, { name: 'free' })
  const input = bodyOf([...desk.opened.ledger.records()].at(-1) as never)['input']
  for (const query of ['?strict-builtin-errors=true', '?strict-builtin-errors', '?explain=full', '?pretty=false'])
    assert.deepEqual(Object.keys((await data(`tollgate/decision${query}`, { input })).body), ['result'], query)
  const { body } = await data('tollgate/decision?metrics=true', { input })
  assert.ok(body.metrics.timer_server_handler_ns > 0)
  const pretty = await fetch(`${desk.url}/v1/data/a?pretty=true`, {
    ...post({ input: {} }),
    headers: { authorization: `Bearer ${desk.keys.gateway}`, 'content-type': 'application/json' },
  })
  assert.equal(await pretty.text(), '{}\n')
  const warning = { code: 'api_usage_warning', message: "'input' key missing from the request" }
  for (const body of [undefined, '{}', 'null', '{"inputs":{}}', '{"input":null}'])
    assert.deepEqual((await data('a/b', body)).body, { warning }, body)
})

test('the decision of the gate is a check, on record', async () => {
  const call = { tool: 'pay', server: 'bank', principal: { user: 'zoe' } }
  const { body } = await data('tollgate/admission', { input: call })
  assert.equal(body.result.decision, 'allow')
  assert.equal(body.decision_id, body.result.decision_id)
  assert.deepEqual(
    desk.opened.ledger.recordsOf(body.decision_id).map(({ kind }) => kind),
    ['check'],
  )
  assert.equal((await data('tollgate/admission/decision', { input: { ...call, tool: 'none' } })).body.result, 'deny')
  const { body: none } = await data('tollgate/admission')
  assert.deepEqual(Object.keys(none), ['warning'])
})

test('what cannot be answered is refused in the form of OPA', async () => {
  const refused: readonly (readonly [string, ReturnType<typeof post>, number, string])[] = [
    ['tollgate/decision', post('{"input":'), 400, 'invalid_parameter'],
    ['tollgate/decision', post('[]'), 400, 'invalid_parameter'],
    ['tollgate/decision', post('"x"'), 400, 'invalid_parameter'],
    ['tollgate/decision', post('{"input":{"tool":"a","tool":"b"}}'), 400, 'invalid_parameter'],
    ['tollgate/decision', post({ input: { words: 'x'.repeat(300_000) } }), 400, 'invalid_parameter'],
    ['tollgate/admission', post({ input: { tool: 'pay', odd: 1 } }), 400, 'invalid_parameter'],
    ['tollgate/admission', post({ input: { tool: 'pay', mode: 'reserve' } }), 400, 'invalid_parameter'],
    ['tollgate/admission', post({ input: 7 }), 400, 'invalid_parameter'],
    ['tollgate/admission', post({ input: { tool: 'pay', run: {} } }), 403, 'unauthorized'],
    ['tollgate/decision', post({}, desk.keys.reader), 403, 'unauthorized'],
    ['tollgate/decision', post({}, 'tgk_none'), 401, 'unauthorized'],
  ]
  for (const [path, init, status, code] of refused) {
    const answer = await desk.api(`/v1/data/${path}`, init)
    assert.deepEqual([answer.status, answer.body.code, Object.keys(answer.body)], [status, code, ['code', 'message']])
  }
})

const opa = process.env['TOLLGATE_OPA']

test('a real opa gives the same documents', {
  skip: opa === undefined && 'TOLLGATE_OPA names no opa',
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-opa-'))
  for (const [name, text] of Object.entries(policy.modules)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  writeFileSync(join(folder, 'data.json'), JSON.stringify(policy.data))
  const port = await freePort()
  const server = spawn(opa as string, ['run', '--server', '-a', `127.0.0.1:${port}`, '--log-level', 'error', folder])
  const theirs = async (path: string, body?: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/data/${path}`, { method: 'POST', body: body ?? '' })
    return { status: response.status, body: (await response.json()) as Answer }
  }
  try {
    await until(async () => (await reached(`http://127.0.0.1:${port}/health`))?.ok, 'opa answers')
    let compared = 0
    for (const input of inputs())
      for (const path of ['tollgate/decision', 'tollgate/decision/decision', 'tollgate/decision/none', 'a/b']) {
        const body = JSON.stringify({ input })
        assert.deepEqual(await data(path, body), await theirs(path, body), `${path} ${body}`)
        compared += 1
      }
    assert.ok(compared >= 40)
    for (const body of ['{}', 'null', '{"inputs":{}}', '{"input":null}'])
      assert.deepEqual(await data('a/b', body), await theirs('a/b', body), body)
    for (const body of ['{"input":', '[]', '"x"']) {
      const [own, other] = [await data('a/b', body), await theirs('a/b', body)]
      assert.deepEqual([own.status, own.body.code], [other.status, other.body.code], body)
    }
  } finally {
    server.kill()
    rmSync(folder, { recursive: true })
  }
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
