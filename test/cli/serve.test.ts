/** `tollgate serve` as a process: real policies, a real ledger, real servers and clients; and what it says of a wrong command line. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { everythingOverHttp, ScriptedServer, type ServerProcess } from '../http/fixtures/gate.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-serve-'))
const ledger = join(folder, 'ledger.db')
let server: ServerProcess

const policy = `
version: "1"
default: deny
tools:
  echo: { rules: [{ rate_limit: 3/hour }] }
  get-sum: {}
`

before(async () => {
  writeFileSync(join(folder, 'policy.yaml'), policy)
  server = await everythingOverHttp()
})
after(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

class Serving implements AsyncDisposable {
  readonly child: ChildProcess
  readonly urls: string[] = []
  stderr = ''

  private constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [main, 'serve', '--listen', '127.0.0.1:0', '--ledger', ledger, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  static async start(servers: number, ...args: readonly string[]): Promise<Serving> {
    const serving = new Serving(args)
    await new Promise<void>((resolve, reject) => {
      createInterface(serving.child.stderr as NodeJS.ReadableStream).on('line', (line) => {
        serving.stderr += `${line}\n`
        const url = /listening on (\S+)/.exec(line)?.[1]
        if (url !== undefined && serving.urls.push(url) === servers) resolve()
      })
      serving.child.once('exit', () => reject(new Error(serving.stderr)))
    })
    return serving
  }

  async client(url = this.urls[0]): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL(url ?? '')) as never)
    return client
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<[number | null, NodeJS.Signals | null]> {
    const exited = once(this.child, 'exit')
    this.child.kill(signal)
    return (await exited) as [number | null, NodeJS.Signals | null]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end('SIGKILL')
  }
}

function tollgate(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
  return { status, stdout, stderr }
}

async function said(client: Client, name: string, args: object = {}): Promise<string> {
  const { content } = await client.callTool({ name, arguments: { ...args } })
  return (content as { text: string }[])[0]?.text ?? ''
}

test('calls are judged, limited across sessions, recorded, and the record is proved', async () => {
  await using serving = await Serving.start(1, '-c', 'policy.yaml', '--agent', 'bot', '--upstream', server.url.href)
  const [one, two] = [await serving.client(), await serving.client()]
  assert.deepEqual(
    (await one.listTools()).tools.map(({ name }) => name),
    ['echo', 'get-sum'],
  )
  for (const client of [one, two, one]) assert.equal(await said(client, 'echo', { message: 'm' }), 'Echo: m')
  assert.match(await said(two, 'echo', { message: 'm' }), /Blocked by policy/)
  await assert.rejects(said(one, 'get-env'), /Unknown tool/)
  await one.close()
  await two.close()
  assert.deepEqual(await serving.end(), [0, null])
  const audit = tollgate('audit', '--ledger', ledger, '--format', 'jsonl', '--agent', 'bot')
  const decisions = audit.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).result.reason_code)
  assert.deepEqual(decisions, ['ALLOW', 'ALLOW', 'ALLOW', 'RATE_LIMITED', 'TOOL_NOT_ALLOWED'])
  assert.equal(tollgate('audit', 'verify', '--ledger', ledger).status, 0)
})

test('the policy is followed, clients hear of it, and without one the gate is not ready', async () => {
  const file = join(folder, 'changing.yaml')
  writeFileSync(file, policy)
  await using serving = await Serving.start(1, '-c', file, '--upstream', server.url.href)
  const client = await serving.client()
  const heard = new Promise<void>((resolve) =>
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()),
  )
  await client.listTools()
  writeFileSync(file, `${policy}  get-tiny-image: {}\n`)
  await heard
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'get-tiny-image'))
  await client.close()
  const asked = async (probe: string) => (await fetch(new URL(probe, serving.urls[0]))).status
  assert.deepEqual([await asked('/healthz'), await asked('/readyz')], [200, 200])
  rmSync(file)
  await until(async () => (await asked('/readyz')) === 503, 'a gate that is not ready')
  assert.equal(await asked('/healthz'), 200)
})

test('SIGHUP makes the gate read its policy again, and ends nothing', async () => {
  const file = join(folder, 'asked.yaml')
  writeFileSync(file, policy)
  await using serving = await Serving.start(1, '-c', file, '--upstream', server.url.href)
  const says = async (pattern: RegExp) => {
    for (const deadline = Date.now() + 20_000; !pattern.test(serving.stderr); ) {
      assert.ok(Date.now() < deadline, serving.stderr)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  serving.child.kill('SIGHUP')
  await says(/asked\.yaml` says the same: revision \w+ stays active/)
  writeFileSync(file, `${policy}  get-env: {}\n`)
  serving.child.kill('SIGHUP')
  await says(/asked\.yaml` changed: revision \w+ is active/)
  writeFileSync(file, 'version: 3\n')
  serving.child.kill('SIGHUP')
  await says(/asked\.yaml` was not loaded: revision \w+ stays active/)
  const client = await serving.client()
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'get-env'))
  await client.close()
  assert.deepEqual(await serving.end(), [0, null])
})

test('a session and then an agent are stopped by another process, and stay so after a kill -9 and a restart', async () => {
  const own = join(folder, 'killed.db')
  const args = ['-c', 'killed.yaml', '--ledger', own, '--agent', 'bot', '--upstream', server.url.href]
  writeFileSync(join(folder, 'killed.yaml'), 'version: "1"\ndefault: allow\ntools: {}\n')
  const long = { name: 'trigger-long-running-operation', arguments: { duration: 60, steps: 60 } }
  const kill = (...words: string[]) => {
    const { status, stderr } = tollgate('kill', ...words, '--ledger', own)
    assert.equal(status, 0, stderr)
  }
  {
    await using serving = await Serving.start(1, ...args)
    const [one, two] = [await serving.client(), await serving.client()]
    await said(two, 'echo', { message: 'm' })
    const call = one.callTool(long)
    const ended = assert.rejects(call, { code: -31403, message: /stopped this session: ticket/ })
    const decided = () => tollgate('audit', '--ledger', own, '--tool', long.name, '--format', 'json').stdout
    await until(() => decided() !== '[]\n', 'the call is under way')
    const [{ session_id: session }] = JSON.parse(decided())
    kill('--session', session, '--reason', 'ticket')
    await ended
    await assert.rejects(one.listTools(), /there is no such session/)
    assert.equal(await said(two, 'echo', { message: 'm' }), 'Echo: m', 'another session goes on')
    const again = await serving.client()
    kill('--agent', 'bot')
    assert.match(await said(again, 'echo', { message: 'm' }).catch(String), /stopped the agent `bot`|no such session/)
    await serving.end('SIGKILL')
  }
  await using serving = await Serving.start(1, ...args)
  await assert.rejects(serving.client(), /stopped the agent `bot`/)
  kill('lift', '--agent', 'bot')
  const client = await serving.client()
  assert.equal(await said(client, 'echo', { message: 'm' }), 'Echo: m')
  await client.close()
  await serving.end()
  assert.equal(tollgate('audit', 'verify', '--ledger', own).status, 0)
})

test('several servers stand behind one gate, each at a path of its name, and policies know them by it', async () => {
  writeFileSync(
    join(folder, 'several.yaml'),
    'version: "1"\ndefault: deny\ntools:\n  left/echo: {}\n  right/get-sum: {}\n',
  )
  const upstreams = ['--upstream', `left=${server.url.href}`, '--upstream', `right=${server.url.href}`]
  await using serving = await Serving.start(2, '-c', 'several.yaml', ...upstreams)
  assert.deepEqual(
    serving.urls.map((url) => new URL(url).pathname),
    ['/left/mcp', '/right/mcp'],
  )
  for (const [index, tool] of ['echo', 'get-sum'].entries()) {
    const client = await serving.client(serving.urls[index])
    assert.deepEqual(
      (await client.listTools()).tools.map(({ name }) => name),
      [tool],
    )
    await client.close()
  }
})

test('a call under way finishes when the gate is told to end, and its outcome is recorded', async () => {
  await using slow = await ScriptedServer.start((body, response) => {
    const { id } = JSON.parse(body)
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'late' }] } })
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(answer), 700)
  })
  const own = join(folder, 'drain.db')
  await using serving = await Serving.start(1, '-c', 'policy.yaml', '--ledger', own, '--upstream', slow.url.href)
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const body = JSON.stringify(toolCall(1, 'get-sum'))
  const answered = fetch(serving.urls[0] ?? '', { method: 'POST', headers, body })
  while (slow.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  const ended = serving.end()
  assert.match(await (await answered).text(), /"late"/)
  assert.deepEqual(await ended, [0, null])
  const { stdout } = tollgate('audit', '--ledger', own, '--format', 'jsonl', '--kind', 'outcome')
  assert.match(stdout, /"success"/)
})

const mistakes: readonly { readonly args: readonly string[]; readonly says: RegExp }[] = [
  { args: [], says: /the server behind the gate is missing/ },
  { args: ['--upstream', 'nowhere'], says: /`--upstream` takes the URL of an MCP server.*got `nowhere`/ },
  { args: ['--upstream', 'ftp://x/'], says: /`--upstream` takes the URL/ },
  { args: ['--upstream', 'http://u:p@x/'], says: /takes no user and no password/ },
  { args: ['--upstream', 'http://x/', '--upstream', 'b=http://y/'], says: /several servers need a name each/ },
  { args: ['--upstream', 'a=http://x/', '--upstream', 'a=http://y/'], says: /two servers are named `a`/ },
  { args: ['--upstream', 'a=http://x/', '--server', 'b'], says: /`--server` names the one server/ },
  { args: ['--upstream', 'http://x/', '--listen', 'here'], says: /`--listen` takes PORT or HOST:PORT/ },
  { args: ['--upstream', 'http://x/', '--listen', '70000'], says: /`--listen` takes PORT or HOST:PORT/ },
  {
    args: ['--upstream', 'http://x/', '--listen', '0.0.0.0:80'],
    says: /is reached from other machines.*`--allow-host NAME`/,
  },
  { args: ['--upstream', 'http://x/', '--allow-host', 'a:80'], says: /`--allow-host` takes a host name/ },
  { args: ['--upstream', 'http://x/', '--allow-origin', 'a.example'], says: /`--allow-origin` takes an origin/ },
  { args: ['--upstream', 'http://x/', '--timeout', 'soon'], says: /`--timeout` must be a duration/ },
]

for (const { args, says } of mistakes)
  test(`\`serve ${args.join(' ')}\` is not understood, and says why`, () => {
    const { status, stderr } = tollgate('serve', '-c', 'policy.yaml', ...args)
    assert.match(stderr, says)
    assert.equal(status, 2)
  })

test('a port that is taken is one sentence', () => {
  const { status, stderr } = tollgate(
    'serve',
    '-c',
    'policy.yaml',
    '--ledger',
    ':memory:',
    '--listen',
    server.url.port,
    '--upstream',
    server.url.href,
  )
  assert.match(stderr, /tollgate: cannot listen on `127\.0\.0\.1:\d+`: it is in use \(listen_failed\)/)
  assert.equal(status, 1)
})
