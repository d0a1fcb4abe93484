/** Traces: a collector that speaks OTLP over HTTP gets a span for each call, under the span of its caller. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { contextOf } from '../../src/model/trace.ts'
import { postFields, type ScriptedServer } from '../http/fixtures/gate.ts'
import { Folder, recordingServer } from '../identity/fixtures/serving.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const witness = fileURLToPath(new URL('../e2e/witness.mjs', import.meta.url))
const folder = new Folder()
let server: ScriptedServer
let collector: Server
let endpoint = ''
let received: Span[] = []
let asked: (string | undefined)[] = []

/** What is looked at of a span, as OTLP writes it in JSON. */
interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name: string
  readonly kind: number
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  readonly status: { readonly code?: number }
}

before(async () => {
  server = await recordingServer()
  folder.write('policy.yaml', 'version: "1"\ndefault: deny\ntools:\n  pay: {}\n')
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    asked.push(request.url)
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString())
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = resource.attributes.find(({ key }: { key: string }) => key === 'service.name')
      assert.equal(service.value.stringValue, 'gate-under-test')
      for (const { spans } of scopeSpans) received.push(...spans)
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
})
after(async () => {
  collector.close()
  await server[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'
const traceparent = `00-${traceId}-${parent}-01`

function start(args: readonly string[], collected: string): ChildProcess {
  received = []
  asked = []
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: collected, OTEL_SERVICE_NAME: 'gate-under-test' }
  const env = { ...process.env, ...variables }
  return spawn(process.execPath, [main, ...args], { cwd: folder.path, env, stdio: 'pipe' })
}

async function listening(child: ChildProcess): Promise<string> {
  for await (const line of createInterface(child.stderr as NodeJS.ReadableStream)) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the gate does not listen')
}

async function ended(child: ChildProcess): Promise<number | null> {
  child.stderr?.resume()
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  return ((await closed) as [number | null])[0]
}

const serveArgs = () => ['serve', '-c', 'policy.yaml', '--upstream', server.url.href, '--listen', '0', '--ledger']

const said = ({ attributes }: Span): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

test('each call is a span under the one of its caller, with the decision and no argument; the record has its ids', async () => {
  const child = start([...serveArgs(), 'traced.db'], endpoint)
  const url = await listening(child)
  const post = (message: object, headers = {}) =>
    fetch(url, { method: 'POST', body: JSON.stringify(message), headers: { ...postFields, ...headers } }).then((r) =>
      r.text(),
    )
  await post(toolCall(1, 'pay', { card: 'secret-argument' }), { traceparent, tracestate: 'a=1' })
  await post(toolCall(2, 'steal', { card: 'secret-argument' }), { traceparent: 'nonsense' })
  assert.equal(await ended(child), 0)

  assert.ok(asked.length > 0 && asked.every((path) => path === '/v1/traces'))
  const [paid, stolen] = received
  assert.equal(received.length, 2)
  assert.deepEqual([paid?.traceId, paid?.parentSpanId, paid?.traceState], [traceId, parent, 'a=1'])
  assert.ok(stolen && stolen.traceId !== traceId && !stolen.parentSpanId)
  const [one, other] = received.map(said)
  assert.equal(one?.['mcp.method.name'], 'tools/call')
  assert.equal(one?.['gen_ai.tool.name'], 'pay')
  assert.equal(one?.['tollgate.decision'], 'allow')
  assert.equal(one?.['tollgate.outcome'], 'success')
  assert.ok(Number(one?.['tollgate.decide_ms']) > 0 && Number(one?.['tollgate.upstream_ms']) > 0)
  assert.deepEqual([other?.['tollgate.decision'], other?.['tollgate.reason_code']], ['deny', 'TOOL_NOT_ALLOWED'])
  assert.equal(other?.['tollgate.upstream_ms'], undefined)
  assert.doesNotMatch(JSON.stringify(received), /secret-argument/)

  const audit = folder.tollgate('audit', '--ledger', 'traced.db', '--format', 'json')
  const records: readonly { decision_id: string; trace_id: string; span_id: string }[] = JSON.parse(audit.stdout)
  for (const span of received) {
    const record = records.find(({ decision_id }) => decision_id === said(span)['tollgate.decision_id'])
    assert.deepEqual([record?.trace_id, record?.span_id], [span.traceId, span.spanId])
  }
  assert.equal(folder.tollgate('audit', 'verify', '--ledger', 'traced.db').status, 0)
  assert.equal(server.requests.at(-1)?.headers['traceparent'], traceparent)
})

test('a call that a person lets through later is one span, and so is one whose caller has left', async () => {
  folder.write(
    'held.yaml',
    'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ action: require_approval, approval_quorum: 2 }] }\n',
  )
  const args = ['serve', '-c', 'held.yaml', '--upstream', server.url.href, '--listen', '0', '--ledger', 'held.db']
  const child = start([...args, '--approval-wait', '5m'], endpoint)
  const url = await listening(child)
  const post = (amount: number, signal?: AbortSignal) => {
    const body = JSON.stringify(toolCall(1, 'pay', { amount }, { _meta: { progressToken: 'p' } }))
    return fetch(url, { method: 'POST', body, headers: { ...postFields, traceparent }, ...(signal && { signal }) })
  }
  const paid = await post(1)
  const [{ id }] = JSON.parse(folder.tollgate('approvals', 'list', '--json', '--ledger', 'held.db').stdout)
  const leaving = new AbortController()
  await post(2, leaving.signal)
  leaving.abort()
  for (const name of ['ada', 'bob'])
    assert.equal(folder.tollgate('approvals', 'approve', id, '--as', name, '--ledger', 'held.db').status, 0)
  assert.match(await paid.text(), /"content":\[\]/)
  assert.equal(await ended(child), 0)
  const spans = received.map(said).map((span) => [span['tollgate.decision'], span['tollgate.outcome']])
  assert.deepEqual(spans.toSorted(), [
    ['allow', 'success'],
    ['hold', undefined],
  ])
  assert.ok(received.every((span) => span.parentSpanId === parent))
})

test('over stdio `_meta` says whose trace it is, and the server gets it as it came', async () => {
  const log = `${folder.path}/witness.log`
  const args = ['run', '-c', 'policy.yaml', '--ledger', ':memory:', '--', process.execPath, witness, log]
  const child = start(args, endpoint)
  const _meta = { traceparent, tracestate: 'b=2' }
  child.stdin?.write(`${JSON.stringify(toolCall(1, 'pay', {}, { _meta }))}\n`)
  const [answer] = await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')
  assert.equal(JSON.parse(answer).id, 1)
  const closed = once(child, 'close')
  child.stdin?.end()
  await closed
  const sent = readFileSync(log, 'utf8').trim().split('\n')
  assert.deepEqual(JSON.parse(sent.at(-1) ?? '').params._meta, _meta)
  assert.deepEqual(
    received.map((span) => [span.traceId, span.parentSpanId, span.traceState]),
    [[traceId, parent, 'b=2']],
  )
})

test('a collector that is away costs no call and no exit', async () => {
  const child = start([...serveArgs(), ':memory:'], 'http://127.0.0.1:9')
  const url = await listening(child)
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(toolCall(1, 'pay', {})), headers: postFields })
  assert.equal(answer.status, 200)
  assert.equal(await ended(child), 0)
})

test('what is no trace context is none, and an odd `tracestate` is left out', () => {
  for (const wrong of [
    undefined,
    null,
    'text',
    {},
    { traceparent: 7 },
    { traceparent: '' },
    { traceparent: `ff-${traceId}-${parent}-01` },
    { traceparent: `00-${'0'.repeat(32)}-${parent}-01` },
    { traceparent: `00-${traceId}-${'0'.repeat(16)}-01` },
    { traceparent: `${traceparent}-more` },
    { traceparent: traceparent.toUpperCase() },
    { traceparent: `${traceparent}, ${traceparent}` },
  ])
    assert.equal(contextOf(wrong), undefined, JSON.stringify(wrong))
  assert.deepEqual(contextOf({ traceparent: `01-${traceId}-${parent}-03-more`, tracestate: 'x'.repeat(513) }), {
    traceId,
    spanId: parent,
    traceFlags: 1,
  })
})
