/** The guards over Streamable HTTP, in both eras: sessions, one server for each request, streams that are given up. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { until } from '../until.ts'
import { type Opened, opened } from './fixtures.ts'
import { decisionIn, type Sdk, sdks, type TestClient, type TestServer, text } from './sdks.ts'

const [v1, v2] = sdks as readonly [Sdk, Sdk]

const policy = `
version: "1"
default: deny
tools:
  say: {}
  slow: {}
  few:
    rules: [{ rate_limit: 10/day }]
  checked:
    rules: [{ arguments: { text: { enum: ["good"] } } }]
`

function withTools(sdk: Sdk, server: TestServer): TestServer {
  for (const name of ['say', 'few', 'checked', 'hidden']) sdk.tool(server, name, () => text(name))
  sdk.tool(server, 'slow', async (_, { signal }) => {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return text('stopped')
  })
  return server
}

function guarded(sdk: Sdk, gate: Opened['gate']): TestServer {
  return withTools(sdk, gate.guardServer(sdk.server() as never) as TestServer)
}

/** A handler of SDK 2, which makes a server for each request, and the transport of a client that talks to it. */
function handled(makeServer: () => TestServer): { readonly fetch: typeof fetch; close(): Promise<void> } {
  const handler = createMcpHandler(() => makeServer() as never)
  return { fetch: (url, init) => handler.fetch(new Request(url, init)), close: () => handler.close() }
}

const url = new URL('http://localhost/mcp')

async function usual(client: TestClient, hiddenIsUnknown: boolean): Promise<void> {
  assert.ok(!(await client.listTools()).tools.some(({ name }) => name === 'hidden'))
  assert.equal((await client.callTool({ name: 'say' })).content[0]?.text, 'say')
  const refused = await client.callTool({ name: 'checked', arguments: { text: 'bad' } })
  assert.equal(decisionIn(refused).reason_code, 'ARGUMENT_REJECTED')
  if (hiddenIsUnknown) await assert.rejects(client.callTool({ name: 'hidden' }), /Unknown tool/)
  else assert.equal(decisionIn(await client.callTool({ name: 'hidden' })).reason_code, 'TOOL_NOT_ALLOWED')
  const many = await Promise.all(Array.from({ length: 40 }, () => client.callTool({ name: 'few' })))
  assert.equal(many.filter(({ isError }) => isError).length, 30)
}

const clients: readonly [name: string, sdk: Sdk, options: object, transport: typeof HttpV1 | typeof HttpV2][] = [
  ['SDK 1', v1, {}, HttpV1],
  ['SDK 2, earlier revision', v2, {}, HttpV2],
  ['SDK 2, stateless revision', v2, { versionNegotiation: { mode: 'auto' } }, HttpV2],
]

for (const [name, sdk, options, Transport] of clients) {
  test(`a server that is made and guarded for each request judges the calls of ${name}`, async (t) => {
    const { gate, records } = await opened(t, policy)
    const { fetch, close } = handled(() => guarded(v2, gate))
    t.after(close)
    const client = sdk.client(options)
    await client.connect(new Transport(url, { fetch }))
    t.after(() => client.close())
    await usual(client, true)
    assert.equal(records('outcome').filter(({ status }) => status === 'success').length, 11)
  })

  test(`a wrapped client of ${name} is judged over HTTP`, async (t) => {
    const { gate, records } = await opened(t, policy)
    const { fetch, close } = handled(() => withTools(v2, v2.server()))
    t.after(close)
    const client = gate.wrapClient(sdk.client(options) as never) as TestClient
    await client.connect(new Transport(url, { fetch }))
    t.after(() => client.close())
    await usual(client, false)
    assert.equal(records('outcome').filter(({ status }) => status === 'success').length, 11)
  })

  test(`a call of ${name} that is given up over HTTP is unknown`, async (t) => {
    const { gate, records } = await opened(t, policy)
    const { fetch, close } = handled(() => withTools(v2, v2.server()))
    t.after(close)
    const client = gate.wrapClient(sdk.client(options) as never) as TestClient
    await client.connect(new Transport(url, { fetch }))
    const stop = new AbortController()
    const call = client.callTool({ name: 'slow' }, { signal: stop.signal })
    setTimeout(() => stop.abort('enough'), 50)
    await assert.rejects(call)
    assert.equal((await client.callTool({ name: 'say' })).content[0]?.text, 'say')
    await client.close()
    const [decision] = records('decision')
    const ended = records('outcome').find(({ decision_id }) => decision_id === decision.decision_id)
    assert.equal(ended?.status, 'unknown')
  })

  test(`a call of ${name} that cannot be sent rejects and is unknown`, async (t) => {
    const { gate, records } = await opened(t, policy)
    const { fetch, close } = handled(() => withTools(v2, v2.server()))
    t.after(close)
    let broken = false
    const client = gate.wrapClient(sdk.client(options) as never) as TestClient
    const failing: typeof fetch = (...request) =>
      broken ? Promise.reject(new TypeError('fetch failed')) : fetch(...request)
    await client.connect(new Transport(url, { fetch: failing }))
    broken = true
    await assert.rejects(client.callTool({ name: 'say' }), /fetch failed/)
    await client.close()
    assert.equal(records('outcome')[0].status, 'unknown')
  })
}

/** SDK 1 the way its documentation shows it: a server and a transport for each session. */
async function sessions(t: TestContext, gate: Opened['gate']): Promise<URL> {
  const transports = new Map<string, StreamableHTTPServerTransport>()
  const http = createServer(async (request, response) => {
    const known = transports.get(String(request.headers['mcp-session-id']))
    if (known !== undefined) return known.handleRequest(request, response)
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        transports.set(id, transport)
      },
    })
    await guarded(v1, gate).connect(transport)
    return transport.handleRequest(request, response)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.after(() => {
    http.closeAllConnections()
    http.close()
  })
  return new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
}

test('a guarded server of SDK 1 keeps its sessions, and tells them of a change of policy', async (t) => {
  const { gate } = await opened(t, policy)
  const address = await sessions(t, gate)
  const lists: string[][] = []
  const onChanged = (_: unknown, tools: readonly { readonly name: string }[] | null) => {
    lists.push((tools ?? []).map(({ name }) => name))
  }
  const client = v1.client({ listChanged: { tools: { onChanged } } })
  await client.connect(new HttpV1(address))
  t.after(() => client.close())
  await usual(client, true)
  const other = v2.client()
  await other.connect(new HttpV2(address))
  t.after(() => other.close())
  assert.equal((await other.callTool({ name: 'few' })).isError, true, 'sessions share what a limit counts')
  await gate.activate({ name: 'less.yaml', text: 'version: "1"\ndefault: deny\ntools: { hidden: {} }\n' })
  await until(() => lists.length > 0, 'the new list')
  assert.deepEqual(lists.at(-1), ['hidden'])
})
