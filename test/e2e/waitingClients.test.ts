/**
 * Held calls that wait over stdio, with the real clients of both eras: before a server over stdio and before one over HTTP
 * the same happens as to callers over HTTP (`test/http/waiting.test.ts`).
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, afterEach, before, describe, test } from 'node:test'
import { Client as ModernClient } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioServerTransport as Lines } from '@modelcontextprotocol/sdk/server/stdio.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { StdioServerTransport as ModernLines } from '@modelcontextprotocol/server/stdio'
import { buildPolicy } from '../../src/bundle/build.ts'
import { Remote } from '../../src/http/remote.ts'
import { StdioFront } from '../../src/http/stdioFront.ts'
import { relayStdio } from '../../src/mcp/stdio.ts'
import { Answers, type Woken } from '../../src/pep/answers.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import { Kills } from '../../src/pep/kills.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { everythingOverHttp, ServerProcess } from '../http/fixtures/gate.ts'
import { fixture } from '../mcp/fixtures/gated.ts'
import { until } from '../until.ts'

const tools = (rules: string) => ({
  name: 'policy.yaml',
  text: `version: "1"\npolicy_id: bank\ndefault: deny\ntools:\n${rules}`,
})
const [waiting, denying] = await Promise.all([
  buildPolicy(tools('  echo: { rules: [{ action: require_approval, approval_wait: 1m }] }\n')),
  buildPolicy(tools('  plain: {}\n')),
])
const folder = mkdtempSync(join(tmpdir(), 'tollgate-waiting-'))
const report = (error: unknown) => assert.fail(error as Error)
const { gate, ledger, describe: describeEvent } = openGateWith({ ledgerFile: join(folder, 'ledger.db'), report })
const onPolicyChange = (listener: () => void) => {
  gate.onPolicyChange(listener)
  gate.onKill(listener)
}

/** Wakes early, as if the time between two signs of life were short. */
class Hurried extends Answers {
  override wait(id: string, untilMs: number, signal: AbortSignal, judgedIn?: number): Promise<Woken> {
    return super.wait(id, Math.min(untilMs, Date.now() + 100), signal, judgedIn)
  }
}

const answers = new Hurried({ ledger, onPolicyChange, report, pollMs: 20 })
const person = new Approvals({ ledger, describe: describeEvent })
let ids = 0
const kills = new Kills({
  ledger,
  describe: describeEvent,
  newId: () => `k${++ids}`,
  changed: () => gate.killsChanged(),
})
const ada = { by: { name: 'ada', known_by: 'os_user', os_user: 'ada' } } as const
const approvalPage = (id: string) => `https://approvals.example/approvals/${id}`

/** What the user of the client does when it is asked: answers, or looks at the question until it is taken back. */
type Says = object | 'nothing'

interface Question {
  readonly params: { readonly mode?: string; readonly url?: string }
  readonly signal: AbortSignal
}

abstract class Caller implements AsyncDisposable {
  readonly toGate = new PassThrough()
  readonly fromGate = new PassThrough()
  readonly questions: Question[] = []
  says: Says = { action: 'accept' }
  readonly session = `s${++ids}`
  readonly #known = new Set(states().keys())
  #running: Promise<unknown> | undefined

  abstract open(): Promise<unknown>
  abstract echo(message: string, signal?: AbortSignal): Promise<unknown>
  abstract leave(): Promise<void>

  async start(server: Server): Promise<this> {
    const { toGate: clientIn, fromGate: clientOut, session } = this
    const principal = { agent: 'bot', user: session }
    const log = () => undefined
    const common = { gate, server: 'srv', session, answers, quietWaitMs: 300, approvalPage, log }
    if (server instanceof URL) {
      const endpoint = new Remote({ ...common, url: server, silenceMs: 10_000, newSession: () => session })
      this.#running = new StdioFront({ endpoint, principal, log, clientIn, clientOut }).run()
    } else
      this.#running = relayStdio({ ...common, principal, command: process.execPath, args: server, clientIn, clientOut })
    await this.open()
    return this
  }

  protected asked(params: Question['params'], signal: AbortSignal): Promise<object> {
    this.questions.push({ params, signal })
    return this.says === 'nothing' ? new Promise(() => {}) : Promise.resolve(this.says)
  }

  /** The text of the answer, or of the error. */
  call(message: string, signal?: AbortSignal): Promise<string> {
    return this.echo(message, signal).then(
      (result) => (result as { content: { text: string }[] }).content[0]?.text ?? '',
      (error: Error) => error.message,
    )
  }

  /** The requests that persons were asked about this caller's calls, in order. */
  get requests(): readonly string[] {
    return [...states().keys()].filter((id) => !this.#known.has(id))
  }

  get states(): readonly string[] {
    return this.requests.map((id) => states().get(id) ?? '')
  }

  async request(number = 1): Promise<string> {
    await until(() => this.requests.length === number, `${number} requests`)
    return this.requests.at(-1) ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave()
    this.toGate.end()
    await this.#running
  }
}

class Earlier extends Caller {
  readonly client: Client

  constructor(capabilities: object) {
    super()
    this.client = new Client({ name: 'test', version: '1' }, { capabilities })
    if ('elicitation' in capabilities)
      this.client.setRequestHandler(
        ElicitRequestSchema,
        ({ params }, { signal }) => this.asked(params as never, signal) as never,
      )
  }

  open = () => this.client.connect(new Lines(this.fromGate, this.toGate))
  leave = () => this.client.close()
  echo(message: string, signal?: AbortSignal): Promise<unknown> {
    const onprogress = () => undefined
    const options = { onprogress, ...(signal && { signal }) }
    return this.client.callTool({ name: 'echo', arguments: { message } }, undefined, options)
  }
}

class Stateless extends Caller {
  readonly client: ModernClient

  constructor(capabilities: object) {
    super()
    const versionNegotiation = { mode: 'auto' } as const
    this.client = new ModernClient({ name: 'test', version: '1' }, { capabilities, versionNegotiation })
    if ('elicitation' in capabilities)
      this.client.setRequestHandler(
        'elicitation/create',
        ({ params }, { mcpReq }) => this.asked(params as never, mcpReq?.signal) as never,
      )
  }

  open = () => this.client.connect(new ModernLines(this.fromGate, this.toGate))
  leave = () => this.client.close()
  echo(message: string, signal?: AbortSignal): Promise<unknown> {
    return this.client.callTool({ name: 'echo', arguments: { message } }, { timeout: 5_000, ...(signal && { signal }) })
  }
}

const states = () => new Map(ledger.approvals().map(({ request, state }) => [request.id, state]))
const nobodyWaits = () => until(() => answers.waiting === 0, 'nobody waits any more')
const refused = /^Waiting for approval apr_.*make the same call again/

type Server = URL | string[]

const dualStdio = [fixture('dual-server.ts')]
const processes: ServerProcess[] = []
const servers: { readonly [name: string]: { earlier: () => Server; stateless?: () => Server } } = {
  'a server over stdio': { earlier: () => dualStdio, stateless: () => dualStdio },
  'a server over HTTP': {
    earlier: () => processes[0]?.url as URL,
    stateless: () => processes[1]?.url as URL,
  },
  'a server over HTTP that has no sessions': { earlier: () => processes[1]?.url as URL },
}
before(async () => {
  const dual = ServerProcess.start([fixture('../../http/fixtures/dual-server.ts')], /dual is listening/)
  processes.push(...(await Promise.all([everythingOverHttp(), dual])))
})
after(async () => {
  for (const one of processes) await one[Symbol.asyncDispose]()
  answers.end()
  gate.flush()
  ledger.close()
  rmSync(folder, { recursive: true })
})
gate.activate(activePolicy(waiting))
afterEach(() => gate.activate(activePolicy(waiting)))

for (const [name, { earlier, stateless }] of Object.entries(servers)) {
  describe(`before ${name}`, () => {
    test('a client that opens pages is sent to the one of the request, and that opens nothing', async () => {
      await using caller = await new Earlier({ elicitation: { url: {} } }).start(earlier())
      const answer = caller.call('m')
      const id = await caller.request()
      await until(() => caller.questions.length === 1, 'the question')
      assert.deepEqual(
        caller.questions.map(({ params: { mode, url } }) => [mode, url]),
        [['url', approvalPage(id)]],
      )
      assert.deepEqual(caller.states, ['pending'], 'that it was opened is no approval')
      person.approve(id, ada)
      assert.match(await answer, /: ?m$/)
      const again = caller.call('m')
      await caller.request(2)
      assert.deepEqual(caller.states, ['consumed', 'pending'], 'the grant was for one call')
      person.reject(await caller.request(2), { ...ada, reason: 'not today' })
      assert.match(await again, /a person said no to this call: not today/)
    })

    test('a user who declines, cancels or says what is none has the call refused with its id', async () => {
      await using caller = await new Earlier({ elicitation: { url: {} } }).start(earlier())
      const odd = [{ action: 'decline' }, { action: 'cancel' }, { action: 'approve' }, { action: ['accept'] }, {}]
      for (const [index, says] of odd.entries()) {
        caller.says = says
        assert.match(await caller.call(`${index}`), refused)
      }
      assert.deepEqual(
        caller.states,
        odd.map(() => 'pending'),
      )
      person.approve(caller.requests[0] ?? '', ada)
      assert.match(await caller.call('0'), /: ?0$/, 'the same call made again is the approved one')
      assert.equal(caller.questions.length, odd.length, 'and nobody is asked')
    })

    test('a question that nobody needs answered any more is taken back', async () => {
      await using caller = await new Earlier({ elicitation: { url: {} } }).start(earlier())
      caller.says = 'nothing'
      const shown = async (count: number) => {
        await until(() => caller.questions.length === count, 'the question')
        return caller.questions[count - 1]?.signal as AbortSignal
      }
      const takenBack = (signal: AbortSignal) => until(() => signal.aborted, 'it is taken back')
      const answer = caller.call('approved')
      const first = await shown(1)
      person.approve(await caller.request(), ada)
      assert.match(await answer, /approved/)
      await takenBack(first)
      const leave = new AbortController()
      const left = caller.call('cancelled', leave.signal)
      const second = await shown(2)
      const id = await caller.request(2)
      leave.abort()
      await left
      await Promise.all([takenBack(second), nobodyWaits()])
      person.approve(id, ada)
      const denied = caller.call('denied')
      const third = await shown(3)
      gate.activate(activePolicy(denying))
      assert.match(await denied, /Unknown tool: echo/)
      await takenBack(third)
      assert.deepEqual(caller.states, ['consumed', 'approved', 'pending'], 'what was cancelled never runs')
    })

    test('a client that can fill in forms alone is not asked, and waits', async () => {
      await using caller = await new Earlier({ elicitation: { form: {} } }).start(earlier())
      const answer = caller.call('m')
      person.approve(await caller.request(), ada)
      assert.match(await answer, /: ?m$/)
      assert.deepEqual([caller.questions, caller.states], [[], ['consumed']])
    })

    test('who leaves or is stopped while it is asked has no call run', async () => {
      const caller = await new Earlier({ elicitation: { url: {} } }).start(earlier())
      caller.says = 'nothing'
      void caller.call('left')
      await until(() => caller.questions.length === 1, 'the question')
      await caller[Symbol.asyncDispose]()
      await nobodyWaits()
      person.approve(await caller.request(), ada)
      await using stopped = await new Earlier({ elicitation: { url: {} } }).start(earlier())
      const answer = stopped.call('stopped')
      const id = await stopped.request()
      kills.kill({ kind: 'session', name: stopped.session }, { ...ada, reason: 'enough' })
      assert.match(await answer, /enough/)
      person.approve(id, ada)
      await nobodyWaits()
      assert.deepEqual([...caller.states.slice(0, 1), ...stopped.states], ['approved', 'approved'])
    })

    if (stateless === undefined) return
    test('in the stateless revision it waits in legs, for longer than one', async () => {
      await using caller = await new Stateless({ elicitation: { form: {} } }).start(stateless())
      const legs: unknown[] = []
      caller.fromGate.on('data', (chunk) => legs.push(...String(chunk).split('"input_required"').slice(1)))
      const answer = caller.call('m')
      const id = await caller.request()
      await until(() => legs.length >= 2, 'two legs')
      person.approve(id, ada)
      assert.equal(await answer, 'modern:m')
      assert.deepEqual([caller.states, caller.questions], [['consumed'], []], 'the legs are one request')
      const leave = new AbortController()
      const left = caller.call('n', leave.signal)
      const other = await caller.request(2)
      leave.abort()
      await left
      await nobodyWaits()
      person.approve(other, ada)
      const denied = caller.call('o')
      await caller.request(3)
      gate.activate(activePolicy(denying))
      assert.match(await denied, /Unknown tool: echo/)
      assert.deepEqual(caller.states, ['consumed', 'approved', 'pending'])
    })

    test('in the stateless revision a client that opens pages is sent to the one of the request, and comes back', async () => {
      await using caller = await new Stateless({ elicitation: { url: {} } }).start(stateless())
      const answer = caller.call('m')
      const id = await caller.request()
      await until(() => caller.questions.length === 1 && answers.waiting === 1, 'it comes back')
      assert.deepEqual(caller.states, ['pending'])
      person.approve(id, ada)
      assert.equal(await answer, 'modern:m')
      assert.deepEqual(
        caller.questions.map(({ params: { mode, url } }) => [mode, url]),
        [['url', approvalPage(id)]],
      )
      for (const action of ['decline', 'cancel']) {
        caller.says = { action }
        assert.match(await caller.call(action), refused)
      }
      caller.says = { action: 'accept' }
      const stopped = caller.call('stopped')
      await caller.request(4)
      await until(() => answers.waiting === 1, 'it comes back')
      kills.kill({ kind: 'tool', name: 'echo' }, { ...ada, reason: 'enough' })
      assert.match(await stopped, /enough/)
      kills.lift({ kind: 'tool', name: 'echo' }, ada)
      assert.deepEqual(caller.states, ['consumed', 'pending', 'pending', 'pending'])
    })
  })
}
