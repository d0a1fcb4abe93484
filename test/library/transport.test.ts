/** What the guard does to a transport: messages take its way, and everything else is the transport's own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import { McpServer } from '@modelcontextprotocol/server'
import { opened } from './fixtures.ts'
import { decisionIn, type Sdk, sdks, type TestClient, text } from './sdks.ts'

const policy = 'version: "1"\ndefault: deny\ntools: { say: {} }\n'

/** A transport of the program's own: private state, an accessor, a method. */
class Own {
  readonly #inner: InMemoryTransport
  #sent = 0
  onmessage: ((message: unknown, extra?: unknown) => void) | undefined
  onclose: (() => void) | undefined
  onerror: ((error: Error) => void) | undefined

  constructor(inner: unknown) {
    this.#inner = inner as InMemoryTransport
  }

  get sent(): number {
    return this.#sent
  }

  sentTwice(): number {
    return 2 * this.#sent
  }

  async start(): Promise<void> {
    this.#inner.onmessage = (message, extra) => this.onmessage?.(message, extra)
    this.#inner.onclose = () => this.onclose?.()
    await this.#inner.start()
  }

  async send(message: never): Promise<void> {
    this.#sent++
    await this.#inner.send(message)
  }

  async close(): Promise<void> {
    await this.#inner.close()
  }
}

for (const sdk of sdks) {
  async function connected(client: TestClient, wrap: (near: unknown) => unknown): Promise<void> {
    const server = sdk.server()
    sdk.tool(server, 'say', () => text('said'))
    sdk.tool(server, 'hidden', () => assert.fail('it ran'))
    const [near, far] = sdk.pair()
    await Promise.all([client.connect(wrap(near)), server.connect(far)])
  }

  async function wrapped(t: Parameters<typeof opened>[0], wrap: (near: unknown) => unknown): Promise<TestClient> {
    const { gate } = await opened(t, policy)
    const client = gate.wrapClient(sdk.client() as never) as TestClient
    await connected(client, wrap)
    t.after(() => client.close())
    return client
  }

  test(`${sdk.name}: a transport with private state keeps it, and its class`, async (t) => {
    const client = await wrapped(t, (near) => new Own(near))
    assert.ok(client.transport instanceof Own)
    const before = client.transport.sent
    assert.equal(decisionIn(await client.callTool({ name: 'hidden' })).decision, 'deny')
    assert.equal(client.transport.sent, before)
    await client.callTool({ name: 'say' })
    assert.equal(client.transport.sent, before + 1)
    assert.equal(client.transport.sentTwice(), 2 * before + 2)
  })

  test(`${sdk.name}: whoever listened before the client goes on listening, and nothing is judged twice`, async (t) => {
    const seen: unknown[] = []
    let closed = 0
    const { gate, records } = await opened(t, policy)
    const client = gate.wrapClient(sdk.client() as never) as TestClient
    await connected(client, (near) => {
      const own = new Own(near)
      own.onmessage = (message) => void seen.push(message)
      own.onclose = () => closed++
      return own
    })
    await client.callTool({ name: 'say' })
    assert.match(JSON.stringify(seen.at(-1)), /said/)
    await client.close()
    assert.ok(closed > 0)
    assert.equal(records('decision').length, 1)
  })

  test(`${sdk.name}: who sends past the client, by its transport, is judged`, async (t) => {
    const client = await wrapped(t, (near) => near)
    const own = client.transport as { send(message: object): Promise<void>; onmessage: (message: object) => void }
    const answers: { readonly id?: unknown }[] = []
    const listening = own.onmessage
    own.onmessage = (message) => {
      answers.push(message)
      listening(message)
    }
    client.onerror = () => {}
    await own.send({ jsonrpc: '2.0', id: 'mine', method: 'tools/call', params: { name: 'hidden' } })
    assert.match(JSON.stringify(answers), /"id":"mine".*TOOL_NOT_ALLOWED/)
  })

  test(`${sdk.name}: a tracing library may put itself before the guard`, async (t) => {
    const client = await wrapped(t, (near) => near)
    const own = client.transport as { send(message: object, options?: object): Promise<void> }
    const traced: object[] = []
    const send = own.send
    own.send = (message, options) => {
      traced.push(message)
      return send(message, options)
    }
    assert.equal(decisionIn(await client.callTool({ name: 'hidden' })).decision, 'deny')
    assert.equal(traced.length, 1)
  })

  test(`${sdk.name}: two gates may guard one client, and both must allow`, async (t) => {
    const team = await opened(t, 'version: "1"\ndefault: allow\ntools: { hidden: {} }\n')
    const organisation = await opened(t, policy)
    const client = organisation.gate.wrapClient(team.gate.wrapClient(sdk.client() as never)) as TestClient
    await connected(client, (near) => near)
    t.after(() => client.close())
    assert.equal((await client.callTool({ name: 'say' })).content[0]?.text, 'said')
    assert.equal(decisionIn(await client.callTool({ name: 'hidden' })).revision, organisation.gate.revision)
    assert.deepEqual(
      [team, organisation].map(({ records }) => records('decision').map(({ result }) => result.decision)),
      [
        ['allow', 'allow'],
        ['allow', 'deny'],
      ],
    )
    const [, refusedLater] = team.records('outcome')
    assert.equal(refusedLater.status, 'error', 'what the first reserved is given back')
  })
}

test('a client that makes its own transport cannot connect past the guard', async (t) => {
  const { gate } = await opened(t, policy)
  const server = new McpServer({ name: 'server', version: '1' })
  const [near, far] = InMemoryTransport.createLinkedPair()
  class Stubborn extends Client {
    override async connect(): Promise<void> {
      await super.connect(near)
    }
  }
  const client = gate.wrapClient(new Stubborn({ name: 'client', version: '1' }))
  const { connect } = client as { connect(transport: unknown): Promise<void> }
  await assert.rejects(connect.call(client, { command: 'some server' }), /no transport/)
  await assert.rejects(connect.call(client, undefined), /no transport/)
  const [other] = InMemoryTransport.createLinkedPair()
  await Promise.all([assert.rejects(connect.call(client, other), /past the guard/), server.connect(far)])
  assert.equal(client.transport, undefined)
})

test('a transport that one server could not take is taken by the next, and judged once', async (t) => {
  for (const sdk of sdks) {
    const { gate, records } = await opened(t, policy)
    const [near, far] = sdk.pair()
    const busy = gate.guardServer(sdk.server() as never) as ReturnType<Sdk['server']>
    await busy.connect(sdk.pair()[0])
    await assert.rejects(busy.connect(far), /connect/)
    const next = gate.guardServer(sdk.server() as never) as ReturnType<Sdk['server']>
    sdk.tool(next, 'say', () => text('said'))
    const client = sdk.client()
    await Promise.all([client.connect(near), next.connect(far)])
    assert.equal((await client.callTool({ name: 'say' })).content[0]?.text, 'said')
    assert.equal(records('decision').length, 1)
    await client.close()
  }
})

test('a wrapped client on a guarded server: both gates judge', async (t) => {
  for (const sdk of sdks as readonly Sdk[]) {
    const outside = await opened(t, policy)
    const inside = await opened(t, 'version: "1"\ndefault: deny\ntools: { say: {}, hidden: {} }\n')
    const client = outside.gate.wrapClient(sdk.client() as never) as TestClient
    const server = inside.gate.guardServer(sdk.server() as never) as ReturnType<Sdk['server']>
    sdk.tool(server, 'say', () => text('said'))
    const [near, far] = sdk.pair()
    await Promise.all([client.connect(near), server.connect(far)])
    assert.equal((await client.callTool({ name: 'say' })).content[0]?.text, 'said')
    assert.equal(decisionIn(await client.callTool({ name: 'hidden' })).decision, 'deny')
    assert.equal(inside.records('decision').length, 1)
    await client.close()
  }
})
