/** Real servers over Streamable HTTP behind the gate, with the real clients of both generations. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { fixture } from '../mcp/fixtures/gated.ts'
import type { ByName } from '../mcp/fixtures/gatekeeper.ts'
import { until } from '../until.ts'
import { everythingOverHttp, HttpGate, ServerProcess } from './fixtures/gate.ts'

const clientInfo = { name: 'test', version: '1' }
const decisionKey = 'dev.tollgate/decision'

function v1Client(): Client {
  const client = new Client(clientInfo, {
    capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } },
  })
  const content = { type: 'text' as const, text: 'sampled words' }
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({ role: 'assistant', model: 'm', content }))
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'decline' }))
  client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///work', name: 'work' }] }))
  return client
}

class Connection implements AsyncDisposable {
  readonly gate: HttpGate
  readonly client: Client
  readonly transport: StreamableHTTPClientTransport

  constructor(gate: HttpGate, client: Client, transport: StreamableHTTPClientTransport) {
    this.gate = gate
    this.client = client
    this.transport = transport
  }

  static async open(upstream: URL, rules: ByName = {}): Promise<Connection> {
    const gate = await HttpGate.before(upstream, rules)
    const transport = new StreamableHTTPClientTransport(gate.url)
    const client = v1Client()
    await client.connect(transport as never)
    return new Connection(gate, client, transport)
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const { content } = await this.client.callTool({ name, arguments: args })
    return (content as { text: string }[])[0]?.text ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    await this.gate[Symbol.asyncDispose]()
  }
}

describe('server-everything with the v1 client', { concurrency: 3 }, () => {
  let server: ServerProcess
  before(async () => {
    server = await everythingOverHttp()
  })
  after(() => server[Symbol.asyncDispose]())

  test('a call that is allowed is answered, and settled as success', async () => {
    await using open = await Connection.open(server.url)
    assert.equal(await open.call('echo', { message: 'hello' }), 'Echo: hello')
    assert.deepEqual(open.gate.admitted, ['echo'])
    assert.deepEqual(open.gate.outcomes, ['success'])
  })

  test('a call that is denied is a result with the reason, and has no outcome', async () => {
    await using open = await Connection.open(server.url, { deny: ['get-env'] })
    const result = await open.client.callTool({ name: 'get-env', arguments: {} })
    assert.equal(result.isError, true)
    assert.match(JSON.stringify(result.content), /Blocked by policy: not on my watch/)
    assert.match(JSON.stringify(result._meta?.[decisionKey]), /"reason_code":"DENIED_BY_RULE"/)
    assert.deepEqual(open.gate.outcomes, [])
  })

  test('a hidden tool is neither listed nor known', async () => {
    await using open = await Connection.open(server.url, { hide: ['get-env'] })
    const names = (await open.client.listTools()).tools.map(({ name }) => name)
    assert.ok(names.includes('echo') && !names.includes('get-env'))
    await assert.rejects(open.call('get-env'), { code: -32602, message: /Unknown tool: get-env/ })
  })

  test('progress, and requests of the server, pass on the stream of their call', async () => {
    await using open = await Connection.open(server.url)
    const seen: number[] = []
    const args = { duration: 1, steps: 4 }
    const onprogress = ({ progress }: { progress: number }) => void seen.push(progress)
    await open.client.callTool({ name: 'trigger-long-running-operation', arguments: args }, undefined, { onprogress })
    assert.deepEqual(seen, [1, 2, 3, 4])
    const sampled = await open.call('trigger-sampling-request', { prompt: 'say', maxTokens: 10 })
    assert.match(sampled, /sampled words/)
  })

  test('forty calls at once are each decided and answered for themselves', async () => {
    await using open = await Connection.open(server.url, { deny: ['get-sum'] })
    const calls = Array.from({ length: 40 }, (_, n) =>
      n % 4 === 0 ? open.call('get-sum', { a: n, b: 1 }) : open.call('echo', { message: `m${n}` }),
    )
    for (const [n, answer] of (await Promise.all(calls)).entries())
      assert.match(answer, n % 4 === 0 ? /Blocked by policy/ : new RegExp(`^Echo: m${n}$`))
    assert.deepEqual(
      open.gate.outcomes,
      Array.from({ length: 30 }, () => 'success'),
    )
  })

  test('an answer of the client never waits behind a stream, however many clients came and left before', async () => {
    await using gate = await HttpGate.before(server.url)
    for (let round = 0; round < 25; round++) {
      const client = v1Client()
      await client.connect(new StreamableHTTPClientTransport(gate.url) as never)
      await client.listTools()
      const asked = { name: 'trigger-sampling-request', arguments: { prompt: 'say', maxTokens: 10 } }
      const { content } = await client.callTool(asked, undefined, { timeout: 15_000 })
      assert.match(JSON.stringify(content), /sampled words/, `round ${round}`)
      await client.close()
    }
  })

  test('another policy is told on the stream of the session', async () => {
    await using open = await Connection.open(server.url)
    let changes = 0
    open.client.setNotificationHandler(ToolListChangedNotificationSchema, () => void changes++)
    await open.client.listTools()
    await until(() => {
      if (changes === 0) open.gate.gate.change({ hide: ['get-env'] })
      return changes > 0
    }, 'the notification')
    assert.ok(!(await open.client.listTools()).tools.some(({ name }) => name === 'get-env'))
  })

  test('a session that its client ended is unknown from then on', async () => {
    await using open = await Connection.open(server.url)
    const session = open.transport.sessionId ?? ''
    await open.transport.terminateSession()
    const answer = await open.gate.post({ jsonrpc: '2.0', id: 9, method: 'tools/list' }, { 'mcp-session-id': session })
    assert.equal(answer.status, 404)
    assert.match(await answer.text(), /there is no such session: initialize again/)
  })
})

describe('a server of both eras with the v2 client', { concurrency: 3 }, () => {
  let server: ServerProcess
  before(async () => {
    server = await ServerProcess.start([fixture('../../http/fixtures/dual-server.ts')], /dual is listening/)
  })
  after(() => server[Symbol.asyncDispose]())

  async function connected(gate: HttpGate): Promise<ModernClient> {
    const client = new ModernClient(clientInfo, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new ModernHttp(gate.url))
    return client
  }

  test('a stateless call is judged and answered', async () => {
    await using gate = await HttpGate.before(server.url, { deny: ['secret'] })
    const client = await connected(gate)
    const result = await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
    assert.equal((result.content[0] as { text: string }).text, 'modern:hi')
    assert.equal((await client.callTool({ name: 'secret', arguments: {} })).isError, true)
    assert.deepEqual(gate.admitted, ['echo', 'secret'])
    assert.deepEqual(gate.outcomes, ['success'])
    await client.close()
  })

  test('a stateless list shows what the policy allows', async () => {
    await using gate = await HttpGate.before(server.url, { hide: ['secret'] })
    const client = await connected(gate)
    assert.deepEqual(
      (await client.listTools()).tools.map(({ name }) => name),
      ['echo', 'slow'],
    )
    await client.close()
  })

  test('a caller that leaves a stateless call cancels it, and its outcome is unknown', async () => {
    await using gate = await HttpGate.before(server.url)
    const client = await connected(gate)
    const leaving = new AbortController()
    const args = { name: 'slow', arguments: { ms: 4_000 } }
    const call = client.callTool(args, { signal: leaving.signal })
    await until(() => gate.admitted.length === 1, 'the call')
    await new Promise((resolve) => setTimeout(resolve, 200))
    leaving.abort()
    await assert.rejects(call)
    await until(() => gate.outcomes.length === 1, 'the outcome')
    assert.deepEqual(gate.outcomes, ['unknown: the caller left'])
    await client.close()
  })
})
