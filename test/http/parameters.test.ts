/** Parameters that callers repeat in headers: learned from lists, compared with the body. And how lists that change are told. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { Parameters } from '../../src/http/parameters.ts'
import { readMessage } from '../../src/model/message/read.ts'
import { modernMeta, request, toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'
import { HttpGate, ScriptedServer } from './fixtures/gate.ts'

const inputSchema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    deep: { type: 'object', properties: { dry: { type: 'boolean', 'x-mcp-header': 'Dry-Run' } } },
  },
}

let server: ScriptedServer
let gate: HttpGate

before(async () => {
  server = await ScriptedServer.start((body, response, { method }) => {
    if (method !== 'POST') return response.writeHead(405).end()
    const { id, method: asked } = JSON.parse(body)
    const result = asked === 'tools/list' ? { tools: [{ name: 'pay', inputSchema }] } : { content: [] }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
  gate = await HttpGate.before(server.url)
  const fields = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  assert.equal((await gate.post(request(1, 'tools/list', modernMeta), fields)).status, 200)
})
after(async () => {
  await gate[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

describe('a call and the headers that repeat its parameters', () => {
  const fields = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'pay' }
  const args = { region: 'eu', count: 42, deep: { dry: true } }
  const all = { 'mcp-param-region': 'eu', 'mcp-param-count': '42', 'mcp-param-dry-run': 'true' }
  const cases: readonly [string, object, Readonly<Record<string, string>>, RegExp | undefined][] = [
    ['agree', args, all, undefined],
    ['agree in Base64', args, { ...all, 'mcp-param-region': '=?base64?ZXU=?=' }, undefined],
    ['agree in other digits', args, { ...all, 'mcp-param-count': '42.0' }, undefined],
    ['agree that there is none', { region: null }, {}, undefined],
    ['say one that nobody declares', args, { ...all, 'mcp-param-other': 'x' }, undefined],
    ['lie', args, { ...all, 'mcp-param-region': 'us' }, /`mcp-param-region` says `us`, and the body says `eu`/],
    ['lie about a number', args, { ...all, 'mcp-param-count': '43' }, /`mcp-param-count` says `43`/],
    ['lie deep inside', args, { ...all, 'mcp-param-dry-run': 'false' }, /`mcp-param-dry-run` says `false`/],
    ['are missing', args, { 'mcp-param-region': 'eu', 'mcp-param-count': '42' }, /`mcp-param-dry-run` is missing/],
    ['are no Base64', args, { ...all, 'mcp-param-region': '=?base64?ZX?=' }, /`mcp-param-region` says/],
  ]
  for (const [what, given, headers, says] of cases)
    test(`that ${what}`, async () => {
      const sent = server.requests.length
      const answer = await gate.post(toolCall(2, 'pay', given, modernMeta), { ...fields, ...headers })
      assert.equal(answer.status, says ? 400 : 200)
      const text = await answer.text()
      if (says === undefined) {
        for (const [name, value] of Object.entries(headers))
          assert.equal(server.requests.at(-1)?.headers[name], value, name)
        return
      }
      assert.match(text, /"code":-32020/)
      assert.match(text, says)
      assert.match(gate.refused.at(-1) ?? '', says)
      assert.equal(server.requests.length, sent)
    })

  test('in the eras before, they may be missing, but may not lie', async () => {
    assert.equal((await gate.post(toolCall(2, 'pay', args))).status, 200)
    assert.equal((await gate.post(toolCall(2, 'pay', args), { 'mcp-param-region': 'us' })).status, 400)
  })
})

test('a schema that declares a header oddly declares none', () => {
  const call = (schema: unknown) => {
    const parameters = new Parameters()
    parameters.learn({ tools: [{ name: 'pay', inputSchema: schema }] })
    const read = readMessage(Buffer.from(JSON.stringify(toolCall(1, 'pay', { a: 'x', b: 'y' }, modernMeta))))
    assert.ok(read.ok)
    return parameters.fieldsFor(read.message)
  }
  const property = (extra: object) => ({ properties: { a: { type: 'string', 'x-mcp-header': 'A', ...extra } } })
  assert.deepEqual(call(property({})), { 'mcp-param-a': 'x' })
  const twice = { properties: { ...property({}).properties, b: { type: 'string', 'x-mcp-header': 'a' } } }
  for (const odd of [
    property({ type: 'object' }),
    property({ type: ['string'] }),
    property({ 'x-mcp-header': 'a b' }),
    property({ 'x-mcp-header': 7 }),
    { 'x-mcp-header': 'A', ...property({}) },
    twice,
    { allOf: [property({})] },
    'no schema',
  ])
    assert.deepEqual(call(odd), {}, JSON.stringify(odd))
  assert.deepEqual(call({ properties: { b: { type: 'string', 'x-mcp-header': 'B' }, a: { type: 'string' } } }), {
    'mcp-param-b': 'y',
  })
})

test('a server that has no stream of its own hides no change of policy, with sessions and without', async () => {
  for (const hasSessions of [true, false]) {
    await using silent = await ScriptedServer.start((body, response, { method }) => {
      if (method !== 'POST') return response.writeHead(405, { allow: 'POST' }).end()
      const { id, method: asked } = JSON.parse(body)
      if (id === undefined) return response.writeHead(202).end()
      const capabilities = { tools: {} }
      const opened = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 's', version: '1' } }
      const result = asked === 'initialize' ? opened : { tools: [{ name: 'pay', inputSchema: { type: 'object' } }] }
      if (asked === 'initialize' && hasSessions) response.setHeader('mcp-session-id', 's-1')
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
    })
    await using behind = await HttpGate.before(silent.url)
    const client = new Client({ name: 'test', version: '1' })
    let told = 0
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void told++)
    await client.connect(new StreamableHTTPClientTransport(behind.url) as never)
    assert.equal((await client.listTools()).tools.length, 1)
    await until(() => {
      if (told === 0) behind.gate.change({ hide: ['pay'] })
      return told > 0
    }, 'the notification')
    assert.equal((await client.listTools()).tools.length, 0)
    await client.close()
    const stateless = { accept: 'text/event-stream', 'mcp-protocol-version': '2026-07-28' }
    assert.equal((await fetch(behind.url, { headers: stateless })).status, 405)
  }
})
