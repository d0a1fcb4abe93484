/** A wrapped client: whatever makes a request, it is judged, and what is refused never reaches the server. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { until } from '../until.ts'
import { opened } from './fixtures.ts'
import { decisionIn, furnish, type Sdk, sdks, type TestClient, type TestServer, text } from './sdks.ts'

const policy = `
version: "1"
default: deny
tools:
  pay:
    rules: [{ spend: { amount: amount, per_call: 100, daily: 1000 } }]
  say: {}
  slow: {}
  ask: {}
  few:
    rules: [{ rate_limit: 10/day }]
  checked:
    rules: [{ arguments: { text: { enum: ["good"] } } }]
  held:
    rules: [{ action: require_approval }]
resources:
  "file:///public/*": {}
prompts:
  greet: {}
`

interface Stage {
  readonly client: TestClient
  readonly server: TestServer
  /** What reached the handlers. */
  readonly ran: string[]
  readonly gate: Awaited<ReturnType<typeof opened>>['gate']
  readonly records: Awaited<ReturnType<typeof opened>>['records']
  readonly aborted: () => boolean
}

/** A wrapped client, connected in memory to a server without a guard. */
async function staged(t: TestContext, sdk: Sdk, options: object = {}): Promise<Stage> {
  const { gate, records } = await opened(t, policy)
  const server = sdk.server()
  const furnished = furnish(sdk, server, ['pay', 'say', 'few', 'held', 'hidden'])
  const client = gate.wrapClient(sdk.client(options) as never, { server: 'shop' }) as TestClient
  const [near, far] = sdk.pair()
  await Promise.all([client.connect(near), server.connect(far)])
  t.after(() => client.close())
  return { client, server, gate, records, ...furnished }
}

for (const sdk of sdks) {
  test(`${sdk.name}: an allowed tool call passes, and its outcome is recorded`, async (t) => {
    const { client, records } = await staged(t, sdk)
    const result = await client.callTool({ name: 'pay', arguments: { amount: 5, text: 'x' } })
    assert.deepEqual(JSON.parse(result.content[0]?.text ?? ''), { amount: 5, text: 'x' })
    const [decision, outcome] = records('decision', 'outcome')
    assert.deepEqual([decision.server, decision.name, decision.arguments.amount], ['shop', 'pay', 5])
    assert.deepEqual([outcome.status, outcome.decision_id], ['success', decision.decision_id])
  })

  test(`${sdk.name}: a refused tool call is a result with the decision, and the tool does not run`, async (t) => {
    const { client, ran } = await staged(t, sdk)
    const result = await client.callTool({ name: 'pay', arguments: { amount: 500 } })
    assert.equal(result.isError, true)
    assert.match(result.content[0]?.text ?? '', /^Blocked by policy: .*cap of 100/)
    assert.equal(decisionIn(result).reason_code, 'SPEND_PER_CALL_EXCEEDED')
    assert.deepEqual(ran, [])
  })

  test(`${sdk.name}: a refusal for a tool with an output schema has no structured content and is not thrown`, async (t) => {
    const { client } = await staged(t, sdk)
    await client.listTools()
    const result = await client.callTool({ name: 'checked', arguments: { text: 'bad' } })
    assert.equal(result.isError, true)
    assert.equal('structuredContent' in result, false)
    const good = await client.callTool({ name: 'checked', arguments: { text: 'good' } })
    assert.deepEqual(good.structuredContent, { ok: true })
  })

  test(`${sdk.name}: a tool that the policy does not list is refused with its decision`, async (t) => {
    const { client, ran } = await staged(t, sdk)
    const result = await client.callTool({ name: 'hidden' })
    assert.equal(decisionIn(result).reason_code, 'TOOL_NOT_ALLOWED')
    assert.deepEqual(ran, [])
  })

  test(`${sdk.name}: a held call names its approval`, async (t) => {
    const { client, ran } = await staged(t, sdk)
    const result = await client.callTool({ name: 'held' })
    assert.match(decisionIn(result).approval.id, /^apr_/)
    assert.match(result.content[0]?.text ?? '', /^Waiting for approval apr_/)
    assert.deepEqual(ran, [])
  })

  test(`${sdk.name}: the request method is judged like the methods for each kind`, async (t) => {
    const { client, ran } = await staged(t, sdk)
    const result = await sdk.request(client, 'tools/call', { name: 'hidden', arguments: {} })
    assert.equal(decisionIn(result).decision, 'deny')
    assert.deepEqual(ran, [])
  })

  test(`${sdk.name}: a refused resource or prompt rejects with the SDK's own error`, async (t) => {
    const { client } = await staged(t, sdk)
    const refused: readonly [Promise<unknown>, string][] = [
      [client.readResource({ uri: 'file:///secret' }), 'RESOURCE_NOT_ALLOWED'],
      [client.readResource({ uri: 'file:///public/../secret' }), 'RESOURCE_URI_UNSAFE'],
      [client.subscribeResource({ uri: 'file:///secret' }), 'RESOURCE_NOT_ALLOWED'],
      [client.getPrompt({ name: 'other' }), 'PROMPT_NOT_ALLOWED'],
    ]
    for (const [answer, reason] of refused) {
      await assert.rejects(answer, (error: Error & { readonly code?: unknown }) => {
        assert.equal(error.code, -31403)
        assert.ok(['McpError', 'ProtocolError'].includes(error.constructor.name))
        assert.equal(decisionIn(error).reason_code, reason)
        return true
      })
    }
    assert.ok(await client.readResource({ uri: 'file:///public/a' }))
    assert.ok(await client.getPrompt({ name: 'greet' }))
  })

  test(`${sdk.name}: lists show what may be used`, async (t) => {
    const { client } = await staged(t, sdk)
    const { tools } = await client.listTools()
    assert.deepEqual(tools.map(({ name }) => name).sort(), ['ask', 'checked', 'few', 'held', 'pay', 'say', 'slow'])
    assert.deepEqual(
      (await client.listPrompts()).prompts.map(({ name }) => name),
      ['greet'],
    )
    assert.deepEqual(
      (await client.listResources()).resources.map(({ uri }) => uri),
      ['file:///public/a'],
    )
  })

  test(`${sdk.name}: a method that the gate does not know is refused`, async (t) => {
    const { client, records } = await staged(t, sdk)
    await assert.rejects(sdk.request(client, 'tools/run', { name: 'pay' }), /Method not found/)
    assert.equal(records('refusal')[0].result.reason_code, 'UNKNOWN_METHOD')
  })

  test(`${sdk.name}: what cannot be written as JSON, or has two readings, is refused`, async (t) => {
    const { client, ran, records } = await staged(t, sdk)
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const bad = [{ amount: 1n }, cycle, { text: 'x\ud800' }, { amount: 1, Amount: 2 }, { amount: 1, 'a\0': 1 }]
    for (const args of bad) {
      const result = await client.callTool({ name: 'pay', arguments: args })
      assert.equal(decisionIn(result).reason_code, 'MALFORMED_CALL')
    }
    assert.deepEqual(ran, [])
    assert.equal(records('refusal').length, bad.length)
  })

  test(`${sdk.name}: the server gets what was judged, whenever the caller changes its own`, async (t) => {
    const { client, records } = await staged(t, sdk)
    const mine = { amount: 1, text: 'a' }
    const call = client.callTool({ name: 'pay', arguments: mine })
    mine.amount = 2
    await Promise.resolve()
    mine.amount = 3
    const result = await call
    assert.deepEqual(JSON.parse(result.content[0]?.text ?? ''), records('decision')[0].arguments)
  })

  test(`${sdk.name}: of forty calls at once exactly as many run as the limit has room for`, async (t) => {
    const { client, ran } = await staged(t, sdk)
    const calls = Array.from({ length: 40 }, (_, index) => client.callTool({ name: index % 2 === 0 ? 'few' : 'say' }))
    const results = await Promise.all(calls)
    assert.equal(results.filter((result) => result.isError).length, 10)
    assert.equal(ran.filter((name) => name === 'few').length, 10)
    assert.equal(ran.filter((name) => name === 'say').length, 20)
  })

  test(`${sdk.name}: progress and cancellation pass, and a cancelled call is unknown`, async (t) => {
    const { client, aborted, records } = await staged(t, sdk)
    const stop = new AbortController()
    const seen: number[] = []
    const onprogress = ({ progress }: { readonly progress: number }) => {
      seen.push(progress)
      stop.abort('enough')
    }
    await assert.rejects(client.callTool({ name: 'slow' }, { signal: stop.signal, onprogress }))
    assert.deepEqual(seen, [1])
    await until(aborted, 'the cancellation')
    await client.close()
    assert.equal(records('outcome')[0].status, 'unknown')
  })

  test(`${sdk.name}: a connection that ends leaves its calls unknown`, async (t) => {
    const { client, server, records } = await staged(t, sdk)
    let started = () => {}
    const running = new Promise<void>((resolve) => {
      started = resolve
    })
    const call = client.callTool({ name: 'slow' }, { onprogress: () => started() })
    const rejected = assert.rejects(call)
    await running
    await server.close()
    await rejected
    assert.equal(records('outcome')[0].status, 'unknown')
  })

  test(`${sdk.name}: what the server asks of the client passes`, async (t) => {
    const { client } = await staged(t, sdk)
    const answers = { action: 'decline' }
    if (sdk === sdks[0]) {
      const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js')
      ;(client as unknown as ClientV1).setRequestHandler(ElicitRequestSchema, () => answers as never)
    } else {
      const v2 = client as unknown as { setRequestHandler(method: string, handler: () => unknown): void }
      v2.setRequestHandler('elicitation/create', () => answers)
    }
    const result = await client.callTool({ name: 'ask' })
    assert.deepEqual(JSON.parse(result.content[0]?.text ?? ''), answers)
  })

  test(`${sdk.name}: a change of policy tells the client that its lists changed`, async (t) => {
    const lists: string[][] = []
    const onChanged = (_: unknown, tools: readonly { readonly name: string }[] | null) => {
      lists.push((tools ?? []).map(({ name }) => name))
    }
    const { client, gate } = await staged(t, sdk, { listChanged: { tools: { onChanged } } })
    await client.listTools()
    await gate.activate({ name: 'less.yaml', text: 'version: "1"\ndefault: deny\ntools: { hidden: {} }\n' })
    await until(() => lists.length > 0, 'the new list')
    assert.deepEqual(lists.at(-1), ['hidden'])
    assert.equal((await client.callTool({ name: 'say' })).isError, true)
    assert.equal((await client.callTool({ name: 'hidden' })).isError, undefined)
  })

  test(`${sdk.name}: a closed gate refuses every call and hides every list`, async (t) => {
    const { client, gate, ran } = await staged(t, sdk)
    gate.close()
    const result = await client.callTool({ name: 'say' })
    assert.equal(decisionIn(result).reason_code, 'LEDGER_UNAVAILABLE')
    assert.deepEqual((await client.listTools()).tools, [])
    assert.deepEqual(ran, [])
  })

  test(`${sdk.name}: a client connects again, and is guarded then too`, async (t) => {
    const { client, gate } = await staged(t, sdk)
    await client.close()
    assert.equal(client.transport, undefined)
    const server = sdk.server()
    sdk.tool(server, 'pay', () => text('paid'))
    const [near, far] = sdk.pair()
    await Promise.all([client.connect(near), server.connect(far)])
    assert.equal((await client.callTool({ name: 'pay', arguments: { amount: 500 } })).isError, true)
    assert.equal((await client.callTool({ name: 'pay', arguments: { amount: 5 } })).isError, undefined)
    assert.equal(gate.check({ server: 'shop', tool: 'pay', arguments: { amount: 5 } }).decision, 'allow')
  })

  test(`${sdk.name}: a failed connect leaves the client as it was`, async (t) => {
    const { gate } = await opened(t, policy)
    const client = gate.wrapClient(sdk.client() as never) as TestClient
    await assert.rejects(client.connect(sdk.stdio('/no/such/command', [])))
    await assert.rejects(client.callTool({ name: 'say' }), /Not connected|Connection closed/)
  })

  test(`${sdk.name}: what cannot be wrapped is a TypeError`, async (t) => {
    const { client, gate } = await staged(t, sdk)
    assert.throws(() => gate.wrapClient(client as never), /guarded already/)
    const other = sdk.client()
    const [near, far] = sdk.pair()
    await Promise.all([other.connect(near), sdk.server().connect(far)])
    assert.throws(() => gate.wrapClient(other as never), /before it connects/)
    assert.throws(() => gate.wrapClient({} as never), /no client/)
    const nameless = await opened(t, policy, { server: undefined })
    assert.throws(() => nameless.gate.wrapClient(sdk.client() as never), /`server` is missing/)
    assert.throws(() => gate.wrapClient(sdk.client() as never, { servr: 'x' } as never), /`servr`/)
    await other.close()
  })
}

const everything = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'))
const modes: readonly [string, Sdk, object][] = [
  ['SDK 1', sdks[0] as Sdk, {}],
  ['SDK 2', sdks[1] as Sdk, {}],
  ['SDK 2 that finds out the revision', sdks[1] as Sdk, { versionNegotiation: { mode: 'auto' } }],
]

for (const [name, sdk, options] of modes) {
  test(`${name}: a real server over stdio, behind a wrapped client`, async (t) => {
    const allowed = 'echo: { rules: [{ arguments: { message: { enum: [hello] } } }] }, get-sum: {}'
    const { gate, records } = await opened(t, `version: "1"\ndefault: deny\ntools: { ${allowed} }\n`)
    const client = gate.wrapClient(sdk.client(options) as never, { server: 'everything' }) as TestClient
    await client.connect(sdk.stdio(process.execPath, [everything]))
    t.after(() => client.close())
    assert.deepEqual(
      (await client.listTools()).tools.map((tool) => tool.name),
      ['echo', 'get-sum'],
    )
    assert.deepEqual((await client.listResources()).resources, [])
    const hello = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
    assert.equal(hello.content[0]?.text, 'Echo: hello')
    const bye = await client.callTool({ name: 'echo', arguments: { message: 'bye' } })
    assert.equal(decisionIn(bye).reason_code, 'ARGUMENT_REJECTED')
    const env = await client.callTool({ name: 'get-env' })
    assert.equal(decisionIn(env).reason_code, 'TOOL_NOT_ALLOWED')
    const sums = Array.from({ length: 40 }, (_, a) => client.callTool({ name: 'get-sum', arguments: { a, b: 1 } }))
    const texts = (await Promise.all(sums)).map(({ content }) => content[0]?.text)
    texts.forEach((said, a) => {
      assert.match(said ?? '', new RegExp(`\\b${a + 1}\\b`))
    })
    assert.equal(records('outcome').filter(({ status }) => status === 'success').length, 41)
  })
}

test('SDK 1: a tool called as a task is judged too', async (t) => {
  const { client, ran } = await staged(t, sdks[0] as Sdk)
  const v1 = client as unknown as ClientV1
  const seen: unknown[] = []
  for await (const message of v1.experimental.tasks.callToolStream({ name: 'hidden', arguments: {} })) {
    seen.push(message)
  }
  assert.match(JSON.stringify(seen), /TOOL_NOT_ALLOWED/)
  assert.deepEqual(ran, [])
})
