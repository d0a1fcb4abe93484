/** Real servers behind the gate, with the real clients of both generations. */
import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Client as ModernClient } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { until } from '../until.ts'
import { everything, fixture, Gated, installed } from './fixtures/gated.ts'
import type { ByName } from './fixtures/gatekeeper.ts'

const decisionKey = 'dev.tollgate/decision'
const clientInfo = { name: 'test', version: '1' }
const dual = [fixture('dual-server.ts')]

class Connection implements AsyncDisposable {
  readonly gated: Gated
  readonly client: Client

  private constructor(gated: Gated, client: Client) {
    this.gated = gated
    this.client = client
  }

  static async open(rules: ByName, server: readonly string[]): Promise<Connection> {
    const gated = new Gated(rules, server)
    // server-filesystem would take the roots of a client for its folders.
    if (server !== everything) return new Connection(gated, await connected(gated, new Client(clientInfo)))
    const client = new Client(clientInfo, {
      capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } },
    })
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({
      role: 'assistant',
      model: 'm',
      content: { type: 'text', text: 'sampled words' },
    }))
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'decline' }))
    client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///work', name: 'work' }] }))
    return new Connection(gated, await connected(gated, client))
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const { content } = await this.client.callTool({ name, arguments: args })
    return (content as { text: string }[])[0]?.text ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close()
    this.gated[Symbol.dispose]()
  }
}

async function connected({ command, args }: Gated, client: Client): Promise<Client> {
  await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore' }))
  return client
}

describe('server-everything with the v1 client', { concurrency: 3 }, () => {
  test('a call that is allowed is answered, and settled as success', async () => {
    await using open = await Connection.open({}, everything)
    assert.equal(await open.call('echo', { message: 'hello' }), 'Echo: hello')
    assert.deepEqual(open.gated.admitted, ['echo'])
    await until(() => open.gated.outcomes.length === 1, 'the outcome')
    assert.equal(open.gated.outcomes[0]?.status, 'success')
  })

  test('a call that is denied is a result with the reason, and never reaches the server', async () => {
    await using open = await Connection.open({ deny: ['get-env'] }, everything)
    const result = await open.client.callTool({ name: 'get-env', arguments: {} })
    assert.equal(result.isError, true)
    assert.match(JSON.stringify(result.content), /Blocked by policy: not on my watch\. Do not retry unchanged\./)
    assert.match(JSON.stringify(result._meta?.[decisionKey]), /"reason_code":"DENIED_BY_RULE"/)
    assert.deepEqual(open.gated.outcomes, [])
  })

  test('a denied tool with an output schema is no broken answer to the client', async () => {
    await using open = await Connection.open({ deny: ['get-structured-content'] }, everything)
    await open.client.listTools()
    const result = await open.client.callTool({ name: 'get-structured-content', arguments: { location: 'Chicago' } })
    assert.equal(result.isError, true)
  })

  test('a hidden tool is neither listed nor known', async () => {
    await using open = await Connection.open({ hide: ['get-env', 'get-sum'] }, everything)
    const { tools } = await open.client.listTools()
    const names = tools.map(({ name }) => name)
    assert.ok(names.includes('echo'))
    assert.ok(!names.includes('get-env') && !names.includes('get-sum'))
    await assert.rejects(open.call('get-env'), { code: -32602, message: /Unknown tool: get-env/ })
  })

  test('hidden prompts and resources are neither listed nor known', async () => {
    await using seen = await Connection.open({}, everything)
    const prompts = (await seen.client.listPrompts()).prompts.map(({ name }) => name)
    const resources = (await seen.client.listResources()).resources.map(({ uri }) => uri)
    const [prompt = '', resource = ''] = [prompts[0], resources[0]]
    await using open = await Connection.open({ hide: [prompt, resource] }, everything)
    assert.deepEqual(
      (await open.client.listPrompts()).prompts.map(({ name }) => name),
      prompts.slice(1),
    )
    assert.deepEqual(
      (await open.client.listResources()).resources.map(({ uri }) => uri),
      resources.slice(1),
    )
    await assert.rejects(open.client.getPrompt({ name: prompt }), { code: -32602 })
    await assert.rejects(open.client.readResource({ uri: resource }), { code: -32002 })
    await open.client.readResource({ uri: resources[1] ?? '' })
  })

  test('forty calls at once are each decided and answered for themselves', async () => {
    await using open = await Connection.open({ deny: ['get-sum'], hide: ['get-env'] }, everything)
    const calls = Array.from({ length: 40 }, async (_, i) => {
      if (i % 4 === 0) return open.call('echo', { message: `m${i}` }).then((text) => assert.equal(text, `Echo: m${i}`))
      if (i % 4 === 1)
        return open.call('get-sum', { a: i, b: 1 }).then((text) => assert.match(text, /Blocked by policy/))
      if (i % 4 === 2) return assert.rejects(open.call('get-env'), /Unknown tool/)
      return open.call('get-tiny-image').then((text) => assert.ok(text.length > 0))
    })
    await Promise.all(calls)
    assert.equal(open.gated.admitted.length, 40)
    await until(() => open.gated.outcomes.length === 20, 'twenty outcomes')
  })

  test('progress passes', async () => {
    await using open = await Connection.open({}, everything)
    const seen: number[] = []
    const params = { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } }
    await open.client.callTool(params, undefined, { onprogress: ({ progress }) => seen.push(progress) })
    assert.deepEqual(seen.slice(0, 3), [1, 2, 3])
  })

  test('sampling, elicitation and roots requests of the server are answered by the client', async () => {
    await using open = await Connection.open({}, everything)
    await until(() => open.gated.events.length >= 0, 'the start')
    assert.match(await open.call('trigger-sampling-request', { prompt: 'p', maxTokens: 5 }), /sampled words/)
    assert.match(await open.call('trigger-elicitation-request'), /declined/i)
    assert.match(await open.call('get-roots-list'), /work/)
  })

  test('a change of policy is announced, and the lists change', async () => {
    await using open = await Connection.open({}, everything)
    assert.equal(open.client.getServerCapabilities()?.tools?.listChanged, true)
    assert.ok((await open.client.listTools()).tools.some(({ name }) => name === 'get-sum'))
    let heard = 0
    open.client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard++)
    const before = heard
    open.gated.change({ hide: ['get-sum'] })
    await until(() => heard > before, 'the notification')
    assert.ok(!(await open.client.listTools()).tools.some(({ name }) => name === 'get-sum'))
  })
})

describe('server-filesystem and server-memory', () => {
  test('files are read and written as without the gate, and a denied tool writes none', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tollgate-files-')))
    try {
      writeFileSync(join(folder, 'a.txt'), 'words\n"quoted" \u{1f600} é')
      const server = [installed('@modelcontextprotocol/server-filesystem/dist/index.js'), folder]
      await using open = await Connection.open({ deny: ['write_file'] }, server)
      const path = join(folder, 'a.txt')
      await open.client.listTools()
      assert.equal(await open.call('read_text_file', { path }), 'words\n"quoted" \u{1f600} é')
      assert.match(await open.call('write_file', { path, content: 'x' }), /Blocked by policy/)
      const edits = [{ oldText: 'words\n"quoted"', newText: 'line\n\\back\\ "other"' }]
      await open.call('edit_file', { path, edits })
      assert.equal(await open.call('read_text_file', { path }), 'line\n\\back\\ "other" \u{1f600} é')
      assert.deepEqual(new Set(open.gated.outcomes.map(({ status }) => status)), new Set(['success']))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('a tool that fails settles as an error', async () => {
    await using open = await Connection.open({}, [
      installed('@modelcontextprotocol/server-filesystem/dist/index.js'),
      tmpdir(),
    ])
    await open.call('read_text_file', { path: '/no/such/file' })
    await until(() => open.gated.outcomes.length === 1, 'the outcome')
    assert.equal(open.gated.outcomes[0]?.status, 'error')
  })

  test('the memory server lists what is visible, with its output schemas', async () => {
    await using open = await Connection.open({ hide: ['delete_entities'] }, [
      installed('@modelcontextprotocol/server-memory/dist/index.js'),
    ])
    const names = (await open.client.listTools()).tools.map(({ name }) => name)
    assert.ok(names.includes('read_graph') && !names.includes('delete_entities'))
    assert.match(await open.call('search_nodes', { query: 'nothing like this' }), /entities/)
  })
})

for (const era of ['legacy', 'modern'] as const) {
  describe(`a server of both eras with the v2 client, ${era}`, () => {
    class Connected implements AsyncDisposable {
      readonly gated: Gated
      readonly client: ModernClient
      changes = 0

      constructor(rules: ByName) {
        this.gated = new Gated(rules, dual)
        const mode = era === 'modern' ? 'auto' : 'legacy'
        this.client = new ModernClient(clientInfo, {
          capabilities: { elicitation: {} },
          versionNegotiation: { mode },
          listChanged: { tools: { onChanged: () => void this.changes++, autoRefresh: false } },
        })
        this.client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { ok: true } }))
      }

      async connect(): Promise<this> {
        const { command, args } = this.gated
        await this.client.connect(new ModernTransport({ command, args, stderr: 'ignore' }))
        return this
      }

      async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
        const { content } = await this.client.callTool({ name, arguments: args })
        return (content as { text: string }[])[0]?.text ?? ''
      }

      async [Symbol.asyncDispose](): Promise<void> {
        await this.client.close()
        this.gated[Symbol.dispose]()
      }
    }

    test('calls are allowed, denied, held, limited and hidden', async () => {
      await using open = await new Connected({
        deny: ['secret'],
        hold: ['typed'],
        limit: ['slow'],
        hide: ['confirm'],
      }).connect()
      assert.deepEqual(
        (await open.client.listTools()).tools.map(({ name }) => name),
        ['echo', 'secret', 'typed', 'slow'],
      )
      assert.equal(await open.call('echo', { message: 'x' }), `${era}:x`)
      assert.match(await open.call('secret'), /Blocked by policy: not on my watch/)
      assert.match(await open.call('typed'), /Waiting for approval apr_1/)
      assert.match(await open.call('slow', { ms: 1 }), /Try again in 42 s\./)
      await assert.rejects(open.call('confirm'), /Unknown tool/)
    })

    test("a typed result passes the client's check", async () => {
      await using open = await new Connected({}).connect()
      await open.client.listTools()
      const result = await open.client.callTool({ name: 'typed', arguments: {} })
      assert.deepEqual(result.structuredContent, { n: 1 })
    })

    test('progress passes, and a cancelled call is stopped at the server', async () => {
      await using open = await new Connected({}).connect()
      const seen: number[] = []
      const onprogress = ({ progress }: { progress: number }) => void seen.push(progress)
      await open.client.callTool({ name: 'slow', arguments: { ms: 200 } }, { onprogress })
      assert.deepEqual(seen.slice(0, 3), [1, 2, 3])
      const abort = new AbortController()
      const call = open.client.callTool({ name: 'slow', arguments: { ms: 4_000 } }, { signal: abort.signal })
      setTimeout(() => abort.abort(), 200)
      await assert.rejects(call)
      assert.equal(await open.call('echo', { message: 'still here' }), `${era}:still here`)
    })

    test('a question to the user comes back, and each round is judged', async () => {
      await using open = await new Connected({}).connect()
      assert.equal(await open.call('confirm'), 'confirmed=true')
      const rounds = era === 'modern' ? ['confirm', 'confirm'] : ['confirm']
      assert.deepEqual(open.gated.admitted, rounds)
      await until(() => open.gated.outcomes.length === rounds.length, 'the outcomes')
      const statuses = open.gated.outcomes.map(({ status }) => status)
      assert.deepEqual(statuses, era === 'modern' ? ['unknown', 'success'] : ['success'])
    })

    test('a change of policy is announced, and the list changes', async () => {
      await using open = await new Connected({}).connect()
      assert.equal((await open.client.listTools()).tools.length, 5)
      const before = open.changes
      open.gated.change({ hide: ['secret'] })
      await until(() => open.changes > before, 'the notification')
      assert.equal((await open.client.listTools()).tools.length, 4)
    })
  })
}
