/** Held calls that are kept open over HTTP: a real gate over a real ledger, real clients, and a person beside them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { buildPolicy } from '../../src/bundle/build.ts'
import { Front } from '../../src/http/front.ts'
import { loopbackNames } from '../../src/http/hosts.ts'
import { Local } from '../../src/http/local.ts'
import { Remote } from '../../src/http/remote.ts'
import { openLedger, type SqliteLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { Command } from '../../src/mcp/child.ts'
import { Answers, type Woken } from '../../src/pep/answers.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { everything as everythingStdio, fixture } from '../mcp/fixtures/gated.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'
import { everythingOverHttp, initialize, postFields, ServerProcess } from './fixtures/gate.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-waiting-'))
const policyOf = (wait: string) =>
  buildPolicy({
    name: 'policy.yaml',
    text: `version: "1"\npolicy_id: bank\ndefault: deny\ntools:\n  echo: { rules: [{ action: require_approval, approval_wait: ${wait} }, { rate_limit: 2/day }] }\n  plain: {}\n`,
  })
const [waiting, denying] = await Promise.all([
  policyOf('1m'),
  buildPolicy({ name: 'policy.yaml', text: 'version: "1"\npolicy_id: bank\ndefault: deny\ntools: { plain: {} }\n' }),
])
let everything: ServerProcess
before(async () => {
  everything = await everythingOverHttp()
})
after(async () => {
  await everything[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

let files = 0

/** Wakes early, as if the time between two signs of life were short. */
class Hurried extends Answers {
  override wait(id: string, untilMs: number, signal: AbortSignal, judgedIn?: number): Promise<Woken> {
    return super.wait(id, Math.min(untilMs, Date.now() + 150), signal, judgedIn)
  }
}

interface Settings {
  readonly max?: number
  readonly quietWaitMs?: number
  readonly credentialMs?: number
}

const approvalPage = (id: string) => `https://approvals.example/approvals/${id}`

class Gate implements AsyncDisposable {
  readonly file = join(folder, `${++files}.db`)
  readonly #opened = openGateWith({ ledgerFile: this.file, report: (error) => assert.fail(error as Error) })
  readonly answers: Answers
  readonly gate = this.#opened.gate
  /** A person's own connection, as of another process. */
  readonly ledger: SqliteLedger
  readonly person: Approvals
  readonly #front: Front
  #port = 0

  constructor(upstream: URL | Command, { max = 100, quietWaitMs = 45_000, credentialMs }: Settings = {}) {
    const { gate, ledger } = this.#opened
    const report = (error: unknown) => assert.fail(error as Error)
    const onPolicyChange = (listener: () => void) => gate.onPolicyChange(listener)
    this.answers = new Hurried({ ledger, onPolicyChange, report, pollMs: 20, max })
    gate.activate(activePolicy(waiting))
    const common = {
      gate,
      server: 'srv',
      session: 's',
      silenceMs: 10_000,
      log: () => undefined,
      answers: this.answers,
      quietWaitMs,
      approvalPage,
    }
    const endpoint =
      upstream instanceof URL ? new Remote({ ...common, url: upstream }) : new Local({ ...common, command: upstream })
    this.#front = new Front({
      gate,
      routes: new Map([['/mcp', { server: 'srv', session: 's', endpoint }]]),
      names: { hosts: new Set(loopbackNames), origins: new Set() },
      identify: () => ({
        principal: { agent: 'bot', user: 'eve' },
        ...(credentialMs !== undefined && { endsAt: Date.now() + credentialMs }),
      }),
      log: () => undefined,
    })
    this.ledger = openLedger({ file: this.file })
    this.person = new Approvals({ ledger: this.ledger, describe: describeWith({ id: 'person', version: '0' }, 'full') })
  }

  static async before(upstream: URL | Command, settings?: Settings): Promise<Gate> {
    const gate = new Gate(upstream, settings)
    gate.#port = (await gate.#front.listen('127.0.0.1', 0)).port
    return gate
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}/mcp`)
  }

  async asked(count = 1): Promise<readonly string[]> {
    await until(() => this.ledger.approvals().length === count, `${count} requests`)
    return this.ledger.approvals().map(({ request }) => request.id)
  }

  /** What a client does to leave a call takes its time to arrive. */
  nobodyWaits(): Promise<void> {
    return until(() => this.answers.waiting === 0, 'nobody waits any more')
  }

  approve(id: string): void {
    this.person.approve(id, { by: { name: 'ada', known_by: 'os_user', os_user: 'ada' } })
  }

  state(): readonly string[] {
    return this.ledger.approvals().map(({ state }) => state)
  }

  async v1(): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(this.url) as never)
    return client
  }

  async post(message: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    const init = { method: 'POST', body: JSON.stringify(message), headers: { ...postFields, ...headers } }
    return fetch(this.url, { ...init, ...(signal && { signal }) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.answers.end()
    await this.#front.drain()
    this.gate.flush()
    this.#opened.ledger.close()
    this.ledger.close()
  }
}

const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text ?? ''

test('progress keeps the time-out of a client alive, until a person has approved', async () => {
  await using gate = await Gate.before(everything.url)
  const client = await gate.v1()
  const seen: number[] = []
  const onprogress = ({ progress }: { progress: number }) => void seen.push(progress)
  const options = { timeout: 2_500, resetTimeoutOnProgress: true, onprogress }
  const answer = client.callTool({ name: 'echo', arguments: { message: 'm' } }, undefined, options)
  const [id = ''] = await gate.asked()
  await sleep(4_000)
  gate.approve(id)
  assert.equal(textOf(await answer), 'Echo: m')
  assert.ok(seen.length > 4 && seen.every((one, index) => index === 0 || one > (seen[index - 1] as number)), `${seen}`)
  assert.deepEqual(gate.state(), ['consumed'])
  await client.close()
})

test('one who said no, a policy that denies by now: the answer comes on the stream that was opened', async () => {
  await using gate = await Gate.before(everything.url)
  const client = await gate.v1()
  const first = client.callTool({ name: 'echo', arguments: { message: '1' } })
  const [id = ''] = await gate.asked()
  gate.person.reject(id, { by: { name: 'ada', known_by: 'os_user', os_user: 'ada' }, reason: 'not today' })
  assert.match(textOf(await first), /a person said no to this call: not today/)
  const second = client.callTool({ name: 'echo', arguments: { message: '2' } })
  await gate.asked(2)
  gate.gate.activate(activePolicy(denying))
  await assert.rejects(second, /Unknown tool: echo/)
  await client.close()
})

test('a caller that left, cancelled or closed its session has no call run', async () => {
  await using gate = await Gate.before(everything.url)
  const client = await gate.v1()
  const cancel = new AbortController()
  const cancelled = client.callTool({ name: 'echo', arguments: { message: '1' } }, undefined, { signal: cancel.signal })
  const [one = ''] = await gate.asked()
  cancel.abort()
  await assert.rejects(cancelled)
  const opened = await gate.post(initialize)
  await opened.text()
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const leave = new AbortController()
  const left = await gate.post(toolCall(1, 'echo', { message: '2' }), session, leave.signal)
  const [, two = ''] = await gate.asked(2)
  leave.abort()
  await assert.rejects(left.text())
  const ended = await gate.post(toolCall(2, 'echo', { message: '3' }), session)
  const [, , three = ''] = await gate.asked(3)
  await fetch(gate.url, { method: 'DELETE', headers: session })
  await ended.text().catch(() => '')
  await gate.nobodyWaits()
  for (const id of [one, two, three]) gate.approve(id)
  await sleep(500)
  assert.deepEqual(gate.state(), ['approved', 'approved', 'approved'], 'nobody used the grants')
  await client.close()
})

test('a call waits no longer than its caller is known: the grant is for who comes back with a new credential', async () => {
  await using gate = await Gate.before(everything.url, { credentialMs: 1_000 })
  const opened = await gate.post(initialize)
  await opened.text()
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const kept = await gate.post(toolCall(1, 'echo', { message: 'm' }), session)
  const [id = ''] = await gate.asked()
  await Promise.race([gate.nobodyWaits(), sleep(3_000)])
  gate.approve(id)
  assert.match(await kept.text(), /"id":1,"error":.*the credential of the caller is over/)
  assert.deepEqual(gate.state(), ['approved'])
  const again = await gate.post(toolCall(2, 'echo', { message: 'm' }), session)
  assert.match(await again.text(), /Echo: m/)
  assert.deepEqual(gate.state(), ['consumed'])
})

test('before a server over stdio it is the same: approved it goes on, left it never runs', async () => {
  const [script = '', ...args] = everythingStdio
  await using gate = await Gate.before({ command: process.execPath, args: [script, ...args] })
  const client = await gate.v1()
  const seen: number[] = []
  const onprogress = ({ progress }: { progress: number }) => void seen.push(progress)
  const options = { timeout: 2_500, resetTimeoutOnProgress: true, onprogress }
  const answer = client.callTool({ name: 'echo', arguments: { message: 'm' } }, undefined, options)
  const [id = ''] = await gate.asked()
  await sleep(1_200)
  gate.approve(id)
  assert.equal(textOf(await answer), 'Echo: m')
  assert.ok(seen.length > 2)
  const cancel = new AbortController()
  const left = client.callTool({ name: 'echo', arguments: { message: '2' } }, undefined, { signal: cancel.signal })
  const [, other = ''] = await gate.asked(2)
  cancel.abort()
  await assert.rejects(left)
  await gate.nobodyWaits()
  gate.approve(other)
  await sleep(400)
  assert.deepEqual(gate.state(), ['consumed', 'approved'])
  await client.close()
})

test('a caller that lost its connection while a person was asked cannot come back for the call, and it never runs', async () => {
  const [script = '', ...args] = everythingStdio
  await using gate = await Gate.before({ command: process.execPath, args: [script, ...args] })
  const opened = await gate.post(initialize)
  await opened.text()
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const leave = new AbortController()
  const token = { _meta: { progressToken: 'p' } }
  const lost = await gate.post(toolCall(1, 'echo', { message: 'm' }, token), session, leave.signal)
  const reader = (lost.body as ReadableStream<Uint8Array>).getReader()
  const text = Buffer.from((await reader.read()).value ?? []).toString()
  assert.match(text, /Waiting for approval/)
  assert.doesNotMatch(text, /^id:/m)
  const [id = ''] = await gate.asked()
  leave.abort()
  await gate.nobodyWaits()
  gate.approve(id)
  const back = await fetch(gate.url, { headers: { ...session, accept: 'text/event-stream', 'last-event-id': '1' } })
  assert.equal(back.status, 400)
  assert.deepEqual(gate.state(), ['approved'], 'nobody used the grant')
})

test('so many are kept open, and no more: the others are refused with the id', async () => {
  await using gate = await Gate.before(everything.url, { max: 1 })
  const client = await gate.v1()
  const kept = client.callTool({ name: 'echo', arguments: { message: '1' } })
  const [id = ''] = await gate.asked()
  const refused = await client.callTool({ name: 'echo', arguments: { message: '2' } })
  assert.match(textOf(refused), /^Waiting for approval apr_/)
  gate.approve(id)
  assert.equal(textOf(await kept), 'Echo: 1')
  await client.close()
})

test('when the gate ends, whoever waits is refused at once', async () => {
  await using gate = await Gate.before(everything.url)
  const client = await gate.v1()
  const kept = client.callTool({ name: 'echo', arguments: { message: '1' } })
  await gate.asked()
  gate.answers.end()
  assert.match(textOf(await kept), /^Waiting for approval apr_.*make the same call again/)
  await client.close()
})

describe('the stateless revision', () => {
  let dual: ServerProcess
  before(async () => {
    dual = await ServerProcess.start([fixture('../../http/fixtures/dual-server.ts')], /dual is listening/)
  })
  after(() => dual[Symbol.asyncDispose]())

  async function connected(gate: Gate, capabilities: object = {}): Promise<ModernClient> {
    const client = new ModernClient(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: 'auto' }, capabilities },
    )
    await client.connect(new ModernHttp(gate.url))
    return client
  }

  /** A raw call, as the legs of one are looked at. */
  async function call(gate: Gate, message: string, params: object = {}) {
    const protocol = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' }
    const response = await gate.post(toolCall(1, 'echo', { message }, { _meta: protocol, ...params }), headers)
    const text = await response.text()
    return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text)
  }

  test('kept open, approved, answered', async () => {
    await using gate = await Gate.before(dual.url)
    const client = await connected(gate)
    const answer = client.callTool({ name: 'echo', arguments: { message: 'm' } })
    const [id = ''] = await gate.asked()
    gate.approve(id)
    assert.equal(textOf(await answer), 'modern:m')
    assert.deepEqual(gate.state(), ['consumed'])
    await client.close()
  })

  test('a server that has no sessions for earlier eras: who cancels has no call run, and one with the same id is refused', async () => {
    await using gate = await Gate.before(dual.url)
    const client = await gate.v1()
    const cancel = new AbortController()
    const left = client.callTool({ name: 'echo', arguments: { message: '1' } }, undefined, { signal: cancel.signal })
    const [one = ''] = await gate.asked()
    const fine = client.callTool({ name: 'echo', arguments: { message: '2' } })
    const [, two = ''] = await gate.asked(2)
    const other = await gate.v1()
    const same = other.callTool({ name: 'echo', arguments: { message: '3' } })
    const [, , three = ''] = await gate.asked(3)
    cancel.abort()
    await assert.rejects(left)
    assert.match(textOf(await same), /^Waiting for approval apr_/, 'nobody can tell which of them was meant')
    for (const id of [one, two, three]) gate.approve(id)
    assert.equal(textOf(await fine), 'legacy:2')
    await gate.nobodyWaits()
    assert.deepEqual(gate.state(), ['approved', 'consumed', 'approved'])
    await Promise.all([client.close(), other.close()])
  })

  test('in legs, it waits for longer than its client would', async () => {
    await using gate = await Gate.before(dual.url, { quietWaitMs: 800 })
    const client = await connected(gate)
    const answer = client.callTool({ name: 'echo', arguments: { message: 'm' } }, { timeout: 3_000 })
    const [id = ''] = await gate.asked()
    await sleep(4_500)
    gate.approve(id)
    assert.equal(textOf(await answer), 'modern:m')
    assert.deepEqual(gate.state(), ['consumed'], 'the legs are one request')
    await client.close()
  })

  test('a leg too many is a refusal with the id', async () => {
    await using gate = await Gate.before(dual.url, { quietWaitMs: 20 })
    const client = await connected(gate)
    const refused = await client.callTool({ name: 'echo', arguments: { message: 'm' } })
    assert.match(textOf(refused), /^Waiting for approval apr_.*make the same call again/)
    await client.close()
  })

  test('a client that opens pages is sent to the one of the request, and comes back', async () => {
    await using gate = await Gate.before(dual.url, { quietWaitMs: 400 })
    const client = await connected(gate, { elicitation: { url: {} } })
    const urls: string[] = []
    let says: 'accept' | 'decline' = 'accept'
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      urls.push((params as { url: string }).url)
      return { action: says }
    })
    const answer = client.callTool({ name: 'echo', arguments: { message: 'm' } })
    const [id = ''] = await gate.asked()
    await sleep(600)
    gate.approve(id)
    assert.equal(textOf(await answer), 'modern:m')
    assert.deepEqual(urls, [approvalPage(id)], 'asked once')
    says = 'decline'
    const refused = await client.callTool({ name: 'echo', arguments: { message: 'n' } })
    assert.match(textOf(refused), /^Waiting for approval apr_/)
    assert.deepEqual(gate.state(), ['consumed', 'pending'], 'who declines has said no to the page, and not to the call')
    await client.close()
  })

  test('the state of a leg is for its call alone, and what the call carried itself goes on', async () => {
    await using gate = await Gate.before(dual.url, { quietWaitMs: 50 })
    const { result } = await call(gate, 'm', {
      requestState: 'of the server',
      inputResponses: { a: { action: 'accept' } },
    })
    assert.equal(result.resultType, 'input_required')
    const { requestState } = result
    const odd = [
      await call(gate, 'other', { requestState }),
      await call(gate, 'm', { requestState: `${requestState}x` }),
      await call(gate, 'm', { requestState: requestState.replace(/^(tollgate-wait\.)..../, '$1abcd') }),
      await call(gate, 'm', { requestState: 'tollgate-wait.x' }),
    ]
    for (const answer of odd)
      assert.match(textOf(answer.result), /`requestState` is not one of this gate for this call/)
    assert.equal((await gate.asked()).length, 1)
    const [id = ''] = await gate.asked()
    gate.approve(id)
    assert.equal((await call(gate, 'm', { requestState })).error === undefined, true)
    assert.deepEqual(gate.state(), ['consumed'], 'approved with what it carried, and so it is the same call')
  })
})

test('a client of the earlier eras that opens pages is sent to the one of the request while it waits', async () => {
  await using gate = await Gate.before(everything.url)
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: { url: {} } } })
  const urls: string[] = []
  let says: 'accept' | 'cancel' | undefined = 'accept'
  let takenBack = false
  client.setRequestHandler(ElicitRequestSchema, ({ params }, { signal }) => {
    urls.push((params as { url: string }).url)
    signal.addEventListener('abort', () => {
      takenBack = true
    })
    return says === undefined ? new Promise<never>(() => {}) : { action: says }
  })
  await client.connect(new StreamableHTTPClientTransport(gate.url) as never)
  const answer = client.callTool({ name: 'echo', arguments: { message: 'm' } })
  const [id = ''] = await gate.asked()
  await until(() => urls.length === 1, 'the page')
  gate.approve(id)
  assert.equal(textOf(await answer), 'Echo: m')
  assert.deepEqual(urls, [approvalPage(id)])
  says = 'cancel'
  assert.match(
    textOf(await client.callTool({ name: 'echo', arguments: { message: 'n' } })),
    /^Waiting for approval apr_/,
  )
  says = undefined
  const unanswered = client.callTool({ name: 'echo', arguments: { message: 'o' } })
  await until(() => urls.length === 3, 'the question')
  gate.approve((await gate.asked(3))[2] ?? '')
  assert.equal(textOf(await unanswered), 'Echo: o')
  await until(() => takenBack, 'the question is taken back')
  await client.close()
})
