/** `tollgate run --upstream URL`: stdio clients of both generations before real servers over HTTP, and servers that fail. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client as ModernClient } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { CreateMessageRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { openLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import { everythingOverHttp, ScriptedServer, ServerProcess } from '../http/fixtures/gate.ts'
import { fixture } from '../mcp/fixtures/gated.ts'
import { RawClient } from '../mcp/fixtures/raw-client.ts'
import { until } from '../until.ts'
import { tollgate } from './auditRun.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-run-remote-'))
const policyFile = join(folder, 'policy.yaml')
const policy = `
version: "1"
default: deny
tools:
  echo: { rules: [{ rate_limit: 100/hour }] }
  slow: {}
  pay: {}
  trigger-long-running-operation: {}
  trigger-sampling-request: {}
`
let everything: ServerProcess

before(async () => {
  writeFileSync(policyFile, policy)
  everything = await everythingOverHttp()
})
after(async () => {
  await everything[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

let ledgers = 0

function gate(url: URL, file = policyFile) {
  const ledger = join(folder, `ledger-${++ledgers}.db`)
  const args = [main, 'run', '-c', file, '--ledger', ledger, '--upstream', url.href, '--session', 's-1']
  return { command: process.execPath, args, ledger }
}

// The compiled policy of one serves the next.
const env = { ...(process.env as Record<string, string>) }

function outcomesIn(ledger: string): readonly string[] {
  const opened = openLedger({ file: ledger, readOnly: true })
  const bodies = [...opened.records()].filter(({ kind }) => kind === 'outcome').map(({ body }) => JSON.parse(body))
  opened.close()
  return bodies.map(({ status }) => status)
}

function admitted(ledger: string): boolean {
  const opened = openLedger({ file: ledger, readOnly: true })
  const found = [...opened.records()].some(({ kind }) => kind === 'decision')
  opened.close()
  return found
}

test('a session that another process stops: its call gets an error, and the gate ends with it', async () => {
  const { command, args, ledger } = gate(everything.url)
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StdioClientTransport({ command, args, env, stderr: 'ignore' }) as never)
  const closed = new Promise<void>((resolve) => {
    client.onclose = resolve
  })
  const call = client.callTool({ name: 'trigger-long-running-operation', arguments: { duration: 60, steps: 60 } })
  const ended = assert.rejects(call, { code: -31403, message: /stopped this session: ticket/ })
  await until(() => admitted(ledger), 'the call is under way')
  const { status, stderr } = tollgate(['kill', '--session', 's-1', '--reason', 'ticket', '--ledger', ledger])
  assert.equal(status, 0, stderr)
  await ended
  await until(() => outcomesIn(ledger).length === 1, 'its outcome')
  assert.deepEqual(outcomesIn(ledger), ['unknown'])
  await assert.rejects(client.listTools(), /there is no such session|stopped this session|closed/)
  await closed
})

test('a v1 client: calls, a denial, progress, requests of the server, a changed policy', async () => {
  const file = join(folder, 'changing.yaml')
  writeFileSync(file, policy)
  const { command, args, ledger } = gate(everything.url, file)
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { sampling: {} } })
  const content = { type: 'text' as const, text: 'sampled words' }
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({ role: 'assistant', model: 'm', content }))
  const heard = new Promise<void>((resolve) =>
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()),
  )
  await client.connect(new StdioClientTransport({ command, args, env }) as never)
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'echo'))
  const echoed = await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
  assert.deepEqual(echoed.content, [{ type: 'text', text: 'Echo: hi' }])
  await assert.rejects(client.callTool({ name: 'get-env', arguments: {} }), /Unknown tool: get-env/)
  const seen: number[] = []
  const onprogress = ({ progress }: { progress: number }) => void seen.push(progress)
  const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } }
  await client.callTool(long, undefined, { onprogress })
  // The client loses the last one when it arrives with the answer, whatever stands between.
  assert.deepEqual(seen.slice(0, 3), [1, 2, 3])
  const sampling = { name: 'trigger-sampling-request', arguments: { prompt: 'say', maxTokens: 10 } }
  assert.match(JSON.stringify((await client.callTool(sampling)).content), /sampled words/)
  writeFileSync(file, `${policy}  get-tiny-image: {}\n`)
  await heard
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'get-tiny-image'))
  await client.close()
  assert.deepEqual(outcomesIn(ledger), ['success', 'success', 'success'])
})

test('a v2 client and a server of both eras: the stateless revision passes, and leaving cancels', async () => {
  await using server = await ServerProcess.start([fixture('../../http/fixtures/dual-server.ts')], /dual is listening/)
  const { command, args, ledger } = gate(server.url)
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new ModernStdio({ command, args, env, stderr: 'ignore' }))
  const answer = await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
  assert.deepEqual(answer.content, [{ type: 'text', text: 'modern:hi' }])
  const leaving = new AbortController()
  const left = client.callTool({ name: 'slow', arguments: { ms: 20_000 } }, { signal: leaving.signal })
  setTimeout(() => leaving.abort(), 300)
  await assert.rejects(left)
  assert.match(JSON.stringify((await client.callTool({ name: 'echo', arguments: { message: 'on' } })).content), /on/)
  await client.close()
  assert.deepEqual([...outcomesIn(ledger)].sort(), ['success', 'success', 'unknown'])
})

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
})

test('calls end with an error when the server fails, and the gate lives', async () => {
  await using server = await ScriptedServer.start((body, response, { method }) => {
    if (method !== 'POST') return response.writeHead(405).end()
    const { id, params } = JSON.parse(body)
    if (id === undefined) return response.writeHead(202).end()
    if (params?.arguments?.how === 'breaks') return response.destroy()
    if (params?.arguments?.how === 'fails') return response.writeHead(500).end('oh')
    const status = params?.arguments?.how === 'refuses' ? 400 : 200
    const answer = status === 400 ? { error: { code: -32_600, message: 'not like this' } } : { result: { content: [] } }
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: status === 400 ? null : id, ...answer }, null, 2))
  })
  const { ledger, ...command } = gate(server.url)
  await using client = new RawClient(command)
  client.send(initialize)
  assert.deepEqual((await client.answer(0)).result, { content: [] })
  for (const [how, says] of [
    ['breaks', /the connection to the MCP server broke/],
    ['fails', /answered with HTTP 500/],
    ['refuses', /not like this/],
    ['', /"content":\[\]/],
  ] as const) {
    client.call(how, 'pay', { how })
    assert.match(JSON.stringify(await client.answer(how)), says)
  }
  client.process.stdin.end()
  assert.equal(await client.ended, 0)
  assert.deepEqual(outcomesIn(ledger), ['unknown', 'unknown', 'error', 'success'])
})

test('a stream that ends before its answer is taken up again', async () => {
  let gets = 0
  await using server = await ScriptedServer.start((body, response, { method, headers }) => {
    if (method === 'DELETE') return response.writeHead(200).end()
    if (method === 'GET' && headers['last-event-id'] === undefined) return response.writeHead(405).end()
    const { id, method: asked } = method === 'GET' ? { id: 7, method: '' } : JSON.parse(body)
    if (id === undefined) return response.writeHead(202).end()
    if (asked === 'initialize') response.setHeader('mcp-session-id', 's-1')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (asked === 'tools/call') return response.end('id: e1\nretry: 10\ndata: \n\n')
    const result = asked === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {} } : { content: [] }
    if (asked === '' && ++gets === 1) return response.end('id: e2\ndata: \n\n')
    response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`)
  })
  const { ledger, ...command } = gate(server.url)
  await using client = new RawClient(command)
  client.send(initialize)
  await client.answer(0)
  client.call(7, 'pay')
  assert.deepEqual((await client.answer(7)).result, { content: [] })
  const resumed = server.requests.map(({ headers }) => headers['last-event-id']).filter((id) => id !== undefined)
  assert.deepEqual(resumed, ['e1', 'e2'])
  assert.equal(server.requests.at(-1)?.headers['mcp-protocol-version'], '2025-11-25')
  client.process.stdin.end()
  assert.equal(await client.ended, 0)
  assert.equal(server.requests.at(-1)?.method, 'DELETE')
  assert.deepEqual(outcomesIn(ledger), ['success'])
})

test('a session that the server ended ends the gate, so that its client starts anew', async () => {
  await using server = await ScriptedServer.start((body, response, { method }) => {
    if (method !== 'POST') return response.writeHead(405).end()
    const { id, method: asked } = JSON.parse(body)
    if (asked !== 'initialize') return response.writeHead(404).end()
    response.setHeader('mcp-session-id', 's-1')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { capabilities: {} } }))
  })
  const { ledger, ...command } = gate(server.url)
  await using client = new RawClient(command)
  client.send(initialize)
  await client.answer(0)
  client.call(7, 'pay')
  assert.match(JSON.stringify(await client.answer(7)), /HTTP 404/)
  assert.equal(await client.ended, 1)
  assert.match(client.stderr, /the MCP server ended the session/)
  assert.deepEqual(outcomesIn(ledger), ['unknown'])
})

test('a call that waits for a person does not keep the gate from ending', async () => {
  await using server = await ScriptedServer.start((body, response) => {
    const { id } = JSON.parse(body)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }))
  })
  const file = join(folder, 'held.yaml')
  const rule = '{ name: large, action: require_approval, approval_wait: 5m, approval_timeout: 10m }'
  writeFileSync(file, `version: "1"\ndefault: deny\ntools:\n  pay: { rules: [${rule}] }\n`)
  const { ledger, ...command } = gate(server.url, file)
  await using client = new RawClient(command)
  client.send(initialize)
  await client.answer(0)
  client.call(7, 'pay')
  const held = () => {
    const opened = openLedger({ file: ledger, readOnly: true })
    const kinds = [...opened.records()].map(({ kind }) => kind)
    opened.close()
    return kinds.includes('hold')
  }
  await until(held, 'the call to be held')
  client.process.stdin.end()
  assert.equal(await client.ended, 0)
  assert.equal(server.requests.length, 1)
})

test('a signal lets a call under way finish', async () => {
  await using server = await ScriptedServer.start((body, response, { method }) => {
    if (method !== 'POST') return response.writeHead(405).end()
    const { id, method: asked } = JSON.parse(body)
    const answer = () => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: {} }))
    }
    if (asked === 'tools/call') setTimeout(answer, 400)
    else answer()
  })
  const { ledger, ...command } = gate(server.url)
  await using client = new RawClient(command)
  client.send(initialize)
  await client.answer(0)
  client.call(7, 'pay')
  await until(() => server.requests.some(({ body }) => body.includes('tools/call')), 'the call')
  client.process.kill('SIGTERM')
  assert.deepEqual((await client.answer(7)).result, {})
  assert.equal(await client.ended, 0)
  assert.deepEqual(outcomesIn(ledger), ['success'])
})

test('a call that waits for a person goes on once it is approved, and never once its client has left', async () => {
  const holding = join(folder, 'holding.yaml')
  writeFileSync(
    holding,
    'version: "1"\ndefault: deny\ntools: { echo: { rules: [{ action: require_approval, approval_wait: 1m }] } }\n',
  )
  await using server = await ScriptedServer.start((body, response) => {
    const { id, method } = JSON.parse(body)
    if (id === undefined) return response.writeHead(202).end()
    const result =
      method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} } : { content: [] }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
  const started = gate(server.url, holding)
  const { ledger } = started
  await using client = new RawClient(started)
  const calls = () => server.requests.filter(({ body }) => body.includes('tools/call')).length
  const asked = async (count: number) => {
    const opened = openLedger({ file: ledger })
    await until(() => opened.approvals().length === count, 'somebody is asked')
    const describe = describeWith({ id: 'test', version: '0' }, 'full')
    const by = { name: 'ada', known_by: 'os_user', os_user: 'ada' } as const
    const approve = () => {
      const { request } = opened.approvals()[count - 1] ?? assert.fail()
      new Approvals({ ledger: opened, describe }).approve(request.id, { by })
    }
    return { approve, [Symbol.dispose]: () => opened.close(), state: () => opened.approvals()[count - 1]?.state }
  }
  client.send(initialize)
  await client.answer(0)
  client.call(1, 'echo', { message: '1' })
  {
    using first = await asked(1)
    first.approve()
    assert.deepEqual((await client.answer(1)).result, { content: [] })
  }
  client.call(2, 'echo', { message: '2' })
  using second = await asked(2)
  client.process.stdin.end()
  assert.notEqual(await Promise.race([client.ended, sleep(20_000, 'it waits on')]), 'it waits on')
  second.approve()
  assert.deepEqual([calls(), second.state()], [1, 'approved'])
})
