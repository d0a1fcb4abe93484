/** A guarded server in process: what reaches its handlers was judged, whatever carries the messages. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../until.ts'
import { opened, recordsOf, temporaryFolder } from './fixtures.ts'
import { decisionIn, furnish, type Sdk, sdks, type TestClient, type TestServer, text } from './sdks.ts'

const policy = `
version: "1"
default: deny
tools:
  pay:
    rules: [{ spend: { amount: amount, per_call: 100, daily: 200 } }]
  say: {}
  slow: {}
  ask: {}
  late: {}
  fails: {}
  few:
    rules: [{ rate_limit: 10/day }]
  checked:
    rules: [{ arguments: { text: { enum: ["good"] } } }]
resources:
  "file:///public/*": {}
prompts:
  greet: {}
`

interface Stage {
  readonly client: TestClient
  readonly server: TestServer
  readonly ran: string[]
  readonly gate: Awaited<ReturnType<typeof opened>>['gate']
  readonly records: Awaited<ReturnType<typeof opened>>['records']
  readonly aborted: () => boolean
}

/** A guarded server, connected in memory to a client without a guard. */
async function staged(t: TestContext, sdk: Sdk, options: object = {}): Promise<Stage> {
  const { gate, records } = await opened(t, policy)
  const server = gate.guardServer(sdk.server() as never, { server: 'shop', principal: { user: 'ann' } }) as TestServer
  const furnished = furnish(sdk, server, ['pay', 'say', 'few', 'hidden'])
  sdk.tool(server, 'fails', () => {
    throw new Error('out of order')
  })
  const client = sdk.client(options)
  const [near, far] = sdk.pair()
  await Promise.all([client.connect(near), server.connect(far)])
  t.after(() => client.close())
  return { client, server, gate, records, ...furnished }
}

for (const sdk of sdks) {
  test(`${sdk.name}: an allowed call reaches its handler, and its outcome is recorded`, async (t) => {
    const { client, records } = await staged(t, sdk)
    const result = await client.callTool({ name: 'pay', arguments: { amount: 5 } })
    assert.equal(result.content[0]?.text, '{"amount":5}')
    const [decision, outcome] = records('decision', 'outcome')
    assert.deepEqual([decision.server, decision.principal, decision.name], ['shop', { user: 'ann' }, 'pay'])
    assert.deepEqual([outcome.status, outcome.decision_id], ['success', decision.decision_id])
  })

  test(`${sdk.name}: a refused call is a result with the decision, and no handler runs`, async (t) => {
    const { client, ran } = await staged(t, sdk)
    await client.listTools()
    const result = await client.callTool({ name: 'pay', arguments: { amount: 500 } })
    assert.equal(result.isError, true)
    assert.equal(decisionIn(result).reason_code, 'SPEND_PER_CALL_EXCEEDED')
    const checked = await client.callTool({ name: 'checked', arguments: { text: 'bad' } })
    assert.equal('structuredContent' in checked, false)
    assert.equal(checked.isError, true)
    assert.deepEqual(ran, [])
  })

  test(`${sdk.name}: what the policy hides answers as what does not exist`, async (t) => {
    const { client, ran, records } = await staged(t, sdk)
    await assert.rejects(client.callTool({ name: 'hidden' }), /Unknown tool: hidden/)
    await assert.rejects(client.getPrompt({ name: 'other' }), /Unknown prompt: other/)
    await assert.rejects(client.readResource({ uri: 'file:///secret' }), /Resource not found/)
    assert.deepEqual(ran, [])
    assert.deepEqual(
      records('decision').map(({ name, result }) => [name, result.decision]),
      ['hidden', 'other', 'file:///secret'].map((name) => [name, 'deny']),
    )
    assert.ok(await client.getPrompt({ name: 'greet' }))
    assert.ok(await client.readResource({ uri: 'file:///public/a' }))
  })

  test(`${sdk.name}: lists show what may be used`, async (t) => {
    const { client } = await staged(t, sdk)
    const { tools } = await client.listTools()
    assert.ok(tools.some(({ name }) => name === 'pay') && !tools.some(({ name }) => name === 'hidden'))
    assert.deepEqual(
      (await client.listPrompts()).prompts.map(({ name }) => name),
      ['greet'],
    )
    assert.deepEqual(
      (await client.listResources()).resources.map(({ uri }) => uri),
      ['file:///public/a'],
    )
  })

  test(`${sdk.name}: a tool that is registered after the guard is judged too`, async (t) => {
    const { client, server, gate } = await staged(t, sdk)
    let ran = 0
    sdk.tool(server, 'late', () => {
      ran++
      return text('late')
    })
    sdk.tool(server, 'later', () => assert.fail('it ran'))
    assert.equal((await client.callTool({ name: 'late' })).content[0]?.text, 'late')
    await assert.rejects(client.callTool({ name: 'later' }), /Unknown tool/)
    await gate.activate({ name: 'none.yaml', text: 'version: "1"\ndefault: deny\ntools: { nothing: {} }\n' })
    await assert.rejects(client.callTool({ name: 'late' }), /Unknown tool/)
    assert.equal(ran, 1)
  })

  test(`${sdk.name}: a tool that fails gets its charge back, as MCP says with it that nothing happened`, async (t) => {
    const { client, records } = await staged(t, sdk)
    assert.equal((await client.callTool({ name: 'fails' })).isError, true)
    assert.equal(records('outcome')[0].status, 'error')
  })

  test(`${sdk.name}: of forty calls at once exactly as many run as the limit has room for`, async (t) => {
    const { client, ran } = await staged(t, sdk)
    const calls = Array.from({ length: 40 }, (_, index) => client.callTool({ name: index % 2 === 0 ? 'few' : 'say' }))
    const results = await Promise.all(calls)
    assert.equal(results.filter((result) => result.isError).length, 10)
    assert.equal(ran.filter((name) => name === 'few').length, 10)
    assert.equal(ran.filter((name) => name === 'say').length, 20)
  })

  test(`${sdk.name}: progress and cancellation pass`, async (t) => {
    const { client, server, aborted, records } = await staged(t, sdk)
    const stop = new AbortController()
    const onprogress = () => stop.abort('enough')
    await assert.rejects(client.callTool({ name: 'slow' }, { signal: stop.signal, onprogress }))
    await until(aborted, 'the cancellation')
    await server.close()
    assert.equal(records('outcome')[0].status, 'unknown')
  })

  test(`${sdk.name}: what a handler asks of the client passes`, async (t) => {
    const { client } = await staged(t, sdk)
    const answers = { action: 'decline' }
    // biome-ignore lint/suspicious/noExplicitAny: the two SDKs name what is handled in different ways
    const { setRequestHandler } = client as any
    const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js')
    setRequestHandler.call(client, sdk === sdks[0] ? ElicitRequestSchema : 'elicitation/create', () => answers)
    const result = await client.callTool({ name: 'ask' })
    assert.deepEqual(JSON.parse(result.content[0]?.text ?? ''), answers)
  })

  test(`${sdk.name}: a change of policy reaches the client as a change of its lists`, async (t) => {
    const lists: string[][] = []
    const onChanged = (_: unknown, tools: readonly { readonly name: string }[] | null) => {
      lists.push((tools ?? []).map(({ name }) => name))
    }
    const { client, gate } = await staged(t, sdk, { listChanged: { tools: { onChanged } } })
    await client.listTools()
    await gate.activate({ name: 'less.yaml', text: 'version: "1"\ndefault: deny\ntools: { hidden: {} }\n' })
    await until(() => lists.length > 0, 'the new list')
    assert.deepEqual(lists.at(-1), ['hidden'])
  })

  test(`${sdk.name}: a call that two parsers could read differently is refused`, async (t) => {
    const { client, ran } = await staged(t, sdk)
    const result = await client.callTool({ name: 'pay', arguments: { amount: 1, Amount: 1_000 } })
    assert.equal(decisionIn(result).reason_code, 'MALFORMED_CALL')
    assert.deepEqual(ran, [])
  })

  test(`${sdk.name}: the low-level server is guarded like the high-level one`, async (t) => {
    const { gate } = await opened(t, policy)
    const server = sdk.server()
    sdk.tool(server, 'say', () => text('said'))
    sdk.tool(server, 'hidden', () => assert.fail('it ran'))
    gate.guardServer(server.server as never)
    const client = sdk.client()
    const [near, far] = sdk.pair()
    await Promise.all([client.connect(near), server.connect(far)])
    t.after(() => client.close())
    assert.equal((await client.callTool({ name: 'say' })).content[0]?.text, 'said')
    await assert.rejects(client.callTool({ name: 'hidden' }), /Unknown tool/)
  })

  test(`${sdk.name}: what cannot be guarded is a TypeError`, async (t) => {
    const { server, gate } = await staged(t, sdk)
    assert.throws(() => gate.guardServer(server as never), /guarded already/)
    assert.throws(() => gate.guardServer(server.server as never), /guarded already/)
    const other = sdk.server()
    const client = sdk.client()
    const [near, far] = sdk.pair()
    await Promise.all([client.connect(near), other.connect(far)])
    t.after(() => client.close())
    assert.throws(() => gate.guardServer(other as never), /before it connects/)
    assert.throws(() => gate.guardServer(null as never), /no server/)
    const nameless = await opened(t, policy, { server: undefined })
    assert.throws(() => nameless.gate.guardServer(sdk.server() as never), /`server` is missing/)
  })
}

const script = fileURLToPath(new URL('guardedServer.ts', import.meta.url))
const modes: readonly [name: string, mode: string, sdk: Sdk, options: object][] = [
  ['SDK 1', '1', sdks[0] as Sdk, {}],
  ['SDK 2', '2', sdks[1] as Sdk, {}],
  ['SDK 2 by serveStdio, earlier revision', 'serve', sdks[1] as Sdk, {}],
  ['SDK 2 by serveStdio, stateless revision', 'serve', sdks[1] as Sdk, { versionNegotiation: { mode: 'auto' } }],
]

for (const [name, mode, sdk, options] of modes) {
  test(`${name}: a guarded server over stdio`, async (t) => {
    const folder = temporaryFolder(t)
    const policyFile = join(folder, 'policy.yaml')
    const ledger = join(folder, 'ledger.db')
    writeFileSync(policyFile, 'version: "1"\ndefault: deny\ntools: { say: { rules: [{ rate_limit: 20/day }] } }\n')
    const lists: string[][] = []
    const onChanged = (_: unknown, tools: readonly { readonly name: string }[] | null) => {
      lists.push((tools ?? []).map((tool) => tool.name))
    }
    const client = sdk.client({ ...options, listChanged: { tools: { onChanged } } })
    await client.connect(sdk.stdio(process.execPath, [script, mode, policyFile, ledger]))
    t.after(() => client.close())
    assert.deepEqual(
      (await client.listTools()).tools.map((tool) => tool.name),
      ['say'],
    )
    await assert.rejects(client.callTool({ name: 'other' }), /Unknown tool: other/)
    const calls = Array.from({ length: 40 }, (_, amount) => client.callTool({ name: 'say', arguments: { amount } }))
    const results = await Promise.all(calls)
    assert.deepEqual(
      results.map(({ isError, content }) => isError ?? content[0]?.text),
      results.map((_, amount) => (amount < 20 ? `say {"amount":${amount}}` : true)),
    )
    assert.equal(recordsOf(ledger).filter(({ status }) => status === 'success').length, 20)
    writeFileSync(policyFile, 'version: "1"\ndefault: deny\ntools: { other: {} }\n')
    await until(() => lists.length > 0, 'the change of the list')
    assert.deepEqual(lists.at(-1), ['other'])
  })
}
