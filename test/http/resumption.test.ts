/** Streams of the gate's own that lost their connection: what was told meanwhile is told to who comes back, once and in bounds. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Backlogs } from '../../src/http/backlog.ts'
import { keptAllBytesMax, keptBytesMax, keptMessagesMax, keptStreamsMax, resumeMsMax } from '../../src/http/limits.ts'
import type { Reply } from '../../src/http/reply.ts'
import type { Track } from '../../src/http/track.ts'
import { request, toolCall } from '../mcp/fixtures/scope.ts'
import { until } from '../until.ts'
import { HttpGate } from './fixtures/gate.ts'
import { Session, scripted } from './fixtures/stdio.ts'

/**
 * `start` is answered when `finish` is called; `more` says progress of it until then, `note` what belongs to no call. `quiet`
 * is like `start` and says nothing at first, and a list is like `start` and answered when `show` is called.
 */
const server = scripted(`
  const { name, arguments: given = {}, _meta: { progressToken } = {} } = message.params ?? {}
  const state = globalThis.state ??= { progress: 0 }
  const progress = (text) => say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: state.token, progress: ++state.progress, message: text } })
  const isList = message.method === 'tools/list'
  if (name === 'start' || name === 'quiet' || isList) {
    Object.assign(state, { id: message.id, token: progressToken, progress: 0 })
    if (name !== 'quiet') progress('begun')
    return
  }
  for (let n = 0; name === 'more' && n < (given.times ?? 1); n++) progress('x'.repeat(given.length ?? 1))
  if (name === 'note') setImmediate(() => say({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: given.data } }))
  if (name === 'show') answer(state.id, { tools: [{ name: 'secret', inputSchema: { type: 'object' } }] })
  if (name === 'finish') answer(state.id, { content: [{ type: 'text', text: 'done ' + 'x'.repeat(given.length ?? 1) }] })
  answer(message.id, { content: [] })
`)

let gate: HttpGate
before(async () => {
  gate = await HttpGate.before(
    server,
    {},
    { principalOf: ({ headers }) => ({ agent: String(headers['x-agent'] ?? 'a1') }) },
  )
})
after(() => gate[Symbol.asyncDispose]())

interface ServerEvent {
  readonly id: string
  readonly retry: string | undefined
  readonly message:
    | { id?: unknown; method?: string; params?: { progress?: number; data?: unknown }; error?: object }
    | undefined
}

/** Events of a response as they come. */
class Events {
  readonly status: number
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #text = ''

  constructor(response: Response) {
    this.status = response.status
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader()
  }

  /** Undefined at the end. */
  async next(): Promise<ServerEvent | undefined> {
    while (!this.#text.includes('\n\n')) {
      const { value, done } = await this.#reader.read()
      if (done) return undefined
      this.#text += Buffer.from(value).toString()
    }
    const end = this.#text.indexOf('\n\n')
    const event = this.#text.slice(0, end)
    this.#text = this.#text.slice(end + 2)
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1]
    const data = field('data')
    return { id: field('id') ?? '', retry: field('retry'), message: data ? JSON.parse(data) : undefined }
  }

  async rest(): Promise<readonly ServerEvent[]> {
    const all: ServerEvent[] = []
    for (let event = await this.next(); event !== undefined; event = await this.next()) all.push(event)
    return all
  }

  leave(): Promise<void> {
    return this.#reader.cancel()
  }
}

const token = { _meta: { progressToken: 'p' } }
const resumed = async (session: Session, id: string) => new Events(await session.ask('GET', { 'last-event-id': id }))
const told = (events: readonly ServerEvent[]) =>
  events.map(({ message }) => (message?.method === undefined ? message?.id : message.params?.progress))

async function tool(session: Session, name: string, args: object = {}): Promise<void> {
  const answer = await session.post(toolCall(`${name}-${Math.random()}`, name, args))
  assert.equal(answer.status, 200)
  await answer.text()
}

/** The status alone: its connection is lost again. */
async function comesBack(session: Session, id: string): Promise<number> {
  const { status, body } = await session.ask('GET', { 'last-event-id': id })
  await body?.cancel()
  return status
}

/** A call under way that has told its first progress, and the last event that its caller has. */
async function started(session: Session, id = 7) {
  const events = new Events(await session.post(toolCall(id, 'start', {}, token)))
  const primed = await events.next()
  const first = await events.next()
  assert.deepEqual([primed?.message, first?.message?.params?.progress], [undefined, 1])
  return { events, primed: primed as ServerEvent, first: first as ServerEvent }
}

/** A way to the gate that can be cut. */
class Wire implements AsyncDisposable {
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => {
    const other = connect(gate.port, '127.0.0.1')
    for (const one of [socket, other]) {
      this.#sockets.add(one)
      one.on('error', () => undefined).once('close', () => this.#sockets.delete(one))
    }
    socket.pipe(other).pipe(socket)
  })

  async open(): Promise<URL> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`)
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
  }
}

interface Watched {
  readonly onprogress: (progress: { progress: number }) => void
  readonly onresumptiontoken: (id: string) => void
}

/** A client that is connected, and a call of it. */
const clients = {
  async v1(url: URL) {
    const transport = new StreamableHTTPClientTransport(url)
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(transport as never)
    const call = (watched: Watched): Promise<unknown> => client.callTool({ name: 'start' }, undefined, watched)
    return { client, session: transport.sessionId, call }
  },
  async v2(url: URL) {
    const transport = new ModernHttp(url)
    const client = new ModernClient({ name: 'test', version: '1' })
    await client.connect(transport)
    const call = (watched: Watched): Promise<unknown> => client.callTool({ name: 'start' }, watched)
    return { client, session: transport.sessionId, call }
  },
}

for (const [name, connected] of Object.entries(clients))
  test(`the ${name} client loses its connections in the middle of a call, and misses nothing of it`, async () => {
    await using wire = new Wire()
    const { client, session, call } = await connected(await wire.open())
    const beside = new Session(gate, session ?? '')
    const seen: number[] = []
    const tokens: string[] = []
    const onprogress = ({ progress }: { progress: number }) => void seen.push(progress)
    const answer = call({ onprogress, onresumptiontoken: (id) => void tokens.push(id) })
    await until(() => seen.length === 1, 'the first progress')
    wire.cut()
    await tool(beside, 'more', { times: 2 })
    await until(() => seen.length === 3, 'what was told meanwhile')
    await tool(beside, 'more')
    await tool(beside, 'finish')
    assert.match(JSON.stringify(await answer), /done x/)
    assert.deepEqual(seen, [1, 2, 3, 4])
    assert.equal(new Set(tokens).size, tokens.length, 'no event came twice')
    await client.close()
  })

describe('the stream of an answer', () => {
  test('is told from the event on that its caller has, and goes on live', async () => {
    const session = await Session.open(gate)
    const { events, primed, first } = await started(session)
    assert.equal(primed.retry, '1000')
    await events.leave()
    await tool(session, 'more', { times: 2 })
    const back = await resumed(session, first.id)
    assert.deepEqual(told([(await back.next()) as ServerEvent, (await back.next()) as ServerEvent]), [2, 3])
    await tool(session, 'more')
    assert.deepEqual(told([(await back.next()) as ServerEvent]), [4])
    await tool(session, 'finish')
    assert.deepEqual(told(await back.rest()), [7])
    const all = await (await resumed(session, primed.id)).rest()
    assert.deepEqual(told(all), [1, 2, 3, 4, 7], 'who has none of it gets all')
    assert.equal(new Set(all.map(({ id }) => id)).size, 5)
    const last = all.at(-1)?.id ?? ''
    const over = await session.ask('GET', { 'last-event-id': last })
    assert.equal(over.status, 400)
    assert.match(await over.text(), /this stream is over/)
  })

  test('of a call that takes its time is opened before there is anything to tell', async () => {
    const session = await Session.open(gate)
    const events = new Events(await session.post(toolCall(7, 'quiet')))
    const primed = await events.next()
    assert.equal(primed?.message, undefined)
    await events.leave()
    await tool(session, 'finish')
    assert.deepEqual(told(await (await resumed(session, primed?.id ?? '')).rest()), [7])
  })

  test('says nothing empty to clients of older revisions, which have its ids all the same', async () => {
    const session = await Session.open(gate, '2025-06-18')
    const events = new Events(await session.post(toolCall(7, 'start', {}, token)))
    const first = await events.next()
    assert.deepEqual([first?.message?.params?.progress, first?.retry], [1, '1000'])
    await events.leave()
    await tool(session, 'finish')
    assert.deepEqual(told(await (await resumed(session, first?.id ?? '')).rest()), [7])
  })

  test('goes to one connection: that of who asked last', async () => {
    const session = await Session.open(gate)
    const { events, first } = await started(session)
    const second = await resumed(session, first.id)
    assert.deepEqual(await events.rest(), [])
    const third = await resumed(session, first.id)
    assert.deepEqual(await second.rest(), [])
    await tool(session, 'finish')
    assert.deepEqual(told(await third.rest()), [7])
  })

  test('waits for a connection that takes nothing any more, until another takes its place', async () => {
    const track = new Backlogs().of({}).open(7) as Track
    const reply = (flush: () => Promise<void>): Reply =>
      ({ stopped: new AbortController().signal, event() {}, end() {}, breakOff() {}, flush }) as unknown as Reply
    void track.connect(reply(() => new Promise(() => {})))
    let isTold = false
    const told = track.flush().then(() => {
      isTold = true
    })
    await Promise.race([told, nextTurn()])
    assert.equal(isTold, false)
    void track.connect(reply(async () => {}))
    await told
  })

  test('that nobody takes up again ends, and the record has how the call ended', async () => {
    const session = await Session.open(gate)
    const { events, first } = await started(session)
    await events.leave()
    const before = gate.outcomes.length
    gate.endpoint.sweep(Date.now() + 1_000)
    assert.equal(await comesBack(session, first.id), 200)
    const late = Date.now() + resumeMsMax + 60_000
    await until(async () => {
      gate.endpoint.sweep(late)
      return (await comesBack(session, first.id)) === 400
    }, 'the end of the stream')
    await tool(session, 'finish')
    await until(() => gate.outcomes.length === before + 2, 'the outcomes')
    assert.deepEqual(gate.outcomes.slice(before), ['success', 'success'])
  })

  test('of which too much was told meanwhile is an error for who waits, and no gap', async () => {
    const session = await Session.open(gate)
    const { events, first } = await started(session)
    await events.leave()
    await tool(session, 'more', { times: keptMessagesMax + 1 })
    const [lost, ...others] = await (await resumed(session, first.id)).rest()
    assert.deepEqual([lost?.message?.id, others], [7, []])
    assert.match(JSON.stringify(lost?.message?.error), /not kept any more/)
    assert.equal((await resumed(session, lost?.id ?? '')).status, 400)
  })

  test('shows no list of before a change of policy', async () => {
    await using own = await HttpGate.before(server)
    const session = await Session.open(own)
    const events = new Events(await session.post(request(7, 'tools/list', token)))
    const primed = await events.next()
    await events.leave()
    await tool(session, 'show')
    const same = await (await resumed(session, primed?.id ?? '')).rest()
    assert.match(JSON.stringify(same), /secret/)
    own.gate.change({ hide: ['secret'] })
    const now = JSON.stringify(await (await resumed(session, primed?.id ?? '')).rest())
    assert.doesNotMatch(now, /secret/)
    assert.match(now, /"id":7,"error":/)
  })

  test('of an answer larger than what is kept is an error too', async () => {
    const session = await Session.open(gate)
    const { events, first } = await started(session)
    await events.leave()
    await tool(session, 'finish', { length: keptBytesMax })
    const [lost] = await (await resumed(session, first.id)).rest()
    assert.match(JSON.stringify(lost?.message?.error), /not kept any more/)
  })
})

describe('the stream beside the calls', () => {
  const opened = async (session: Session) => {
    const events = new Events(await session.ask('GET'))
    const primed = await events.next()
    assert.deepEqual([primed?.message, primed?.retry], [undefined, '1000'])
    return { events, primed: primed as ServerEvent }
  }
  const data = (event: ServerEvent | undefined) => event?.message?.params?.data

  test('is told from the event on that its client has, and each message goes to one stream', async () => {
    const session = await Session.open(gate)
    const { events, primed } = await opened(session)
    await tool(session, 'note', { data: 1 })
    const first = await events.next()
    assert.equal(data(first), 1)
    await events.leave()
    await tool(session, 'note', { data: 2 })
    const back = await resumed(session, first?.id ?? '')
    assert.equal(data(await back.next()), 2)
    await back.leave()
    const again = await resumed(session, primed.id)
    assert.deepEqual([data(await again.next()), data(await again.next())], [1, 2])
    await tool(session, 'note', { data: 3 })
    assert.equal(data(await again.next()), 3)
    await again.leave()
  })

  test('of which something is gone is not taken up again with a gap', async () => {
    const session = await Session.open(gate)
    const { events, primed } = await opened(session)
    for (let n = 0; n < 3; n++) {
      await tool(session, 'note', { data: 'x'.repeat(keptBytesMax / 5) })
      await events.next()
    }
    const gone = await session.ask('GET', { 'last-event-id': primed.id })
    assert.equal(gone.status, 410)
    assert.match(await gone.text(), /not kept any more/)
    await tool(session, 'note', { data: 'still here' })
    assert.equal(data(await events.next()), 'still here')
    await events.leave()
  })
})

test('ids that were made up, or are of another session, are refused and change nothing', async () => {
  const session = await Session.open(gate)
  const other = await Session.open(gate)
  const { events, first } = await started(session)
  const ofOther = await started(other)
  const [mark = '', stream = '', number = ''] = first.id.split('.')
  const hostile = [
    ofOther.first.id,
    '1',
    'x'.repeat(8_000),
    `${mark}.${stream}`,
    `${mark}.${stream}.${number}.0`,
    `${mark}.${stream}.0${number}`,
    `${mark}.${stream}.-1`,
    `${mark}.${stream}.1e3`,
    `${mark}.${stream}.99`,
    `${mark}.99.1`,
    `${mark}.__proto__.1`,
    `${mark}.${stream}.${number}, ${first.id}`,
    `${'A'.repeat(12)}.${stream}.${number}`,
    `${first.id}\u00e9`,
  ]
  for (const id of hostile) {
    const refused = await session.ask('GET', { 'last-event-id': id })
    assert.equal(refused.status, 400, id.slice(0, 60))
    assert.match(await refused.text(), /"error":/)
  }
  assert.equal((await session.ask('GET', { 'last-event-id': first.id, 'x-agent': 'mallory' })).status, 404)
  assert.equal((await fetch(gate.url, { headers: { 'last-event-id': first.id } })).status, 405)
  await tool(session, 'finish')
  assert.deepEqual(told(await events.rest()), [7], 'its caller never noticed')
  await ofOther.events.leave()
})

describe('who is stopped, or ended, comes back for nothing', () => {
  test('the client ends the session', async () => {
    const session = await Session.open(gate)
    const { events, first } = await started(session)
    await events.leave()
    assert.equal((await session.ask('DELETE')).status, 200)
    assert.equal((await session.ask('GET', { 'last-event-id': first.id })).status, 404)
  })

  test('the kill switch stops the agent', async () => {
    await using own = await HttpGate.before(server)
    const session = await Session.open(own)
    const { events, first } = await started(session)
    await events.leave()
    own.gate.kill('a1')
    assert.ok([403, 404].includes((await session.ask('GET', { 'last-event-id': first.id })).status))
    await until(() => own.outcomes.length === 1, 'the outcome')
  })

  test('the kill switch stops the tool: its caller reads so when it comes back', async () => {
    await using own = await HttpGate.before(server)
    const session = await Session.open(own)
    const { events, first } = await started(session)
    await events.leave()
    own.gate.kill('start')
    const rest = await (await resumed(session, first.id)).rest()
    assert.deepEqual(told(rest), [7])
    assert.match(JSON.stringify(rest), /stopped/)
  })

  test('the gate ends: it does not wait for who has left', async () => {
    const own = await HttpGate.before(server)
    const session = await Session.open(own)
    const { events } = await started(session)
    await events.leave()
    const begun = performance.now()
    await own[Symbol.asyncDispose]()
    assert.ok(performance.now() - begun < 7_000)
  })
})

describe('what is kept has bounds', () => {
  const bytes = (all: Backlogs) => all.bytes
  const opened = (all: Backlogs<object>, session: object) => all.of(session).open(1) as Track

  test('in a session', () => {
    const all = new Backlogs()
    const track = opened(all, {})
    for (let n = 0; n < 10_000; n++) track.say('x'.repeat(10_000))
    assert.ok(bytes(all) <= keptBytesMax && bytes(all) > keptBytesMax / 2, `${bytes(all)}`)
    for (let n = 0; n < 1_000; n++) track.say('x')
    assert.ok(bytes(all) < keptMessagesMax * 300, `${bytes(all)}`)
  })

  test('over all sessions: the one that keeps most gives up its oldest', () => {
    const all = new Backlogs()
    const modest = {}
    const little = opened(all, modest)
    little.say('a word')
    for (let n = 0; n < 1_000; n++)
      for (let m = 0; m < 3; m++) opened(all, greedyOf(n)).say('x'.repeat(keptBytesMax / 8))
    assert.ok(bytes(all) <= keptAllBytesMax && bytes(all) > keptAllBytesMax / 2, `${bytes(all)}`)
    assert.ok(little.has(0), 'it is still there')
  })

  const greedy = new Map<number, object>()
  function greedyOf(n: number): object {
    const session = greedy.get(n) ?? {}
    greedy.set(n, session)
    return session
  }

  test('in streams: one that is over makes room, one under way does not', () => {
    const backlog = new Backlogs().of({})
    const tracks = Array.from({ length: keptStreamsMax }, () => backlog.open(1) as Track)
    assert.equal(backlog.open(1), undefined)
    tracks[3]?.end()
    assert.notEqual(backlog.open(1), undefined)
    assert.equal(backlog.open(1), undefined)
  })

  test('in time, and with the session', () => {
    const all = new Backlogs()
    const [one, two] = [{}, {}]
    for (const session of [one, two]) opened(all, session).say('x'.repeat(1_000))
    all.sweep(Date.now())
    assert.ok(bytes(all) > 4_000)
    all.end(one)
    assert.ok(bytes(all) < 4_000 && bytes(all) > 0)
    all.sweep(Date.now() + resumeMsMax + 60_000)
    assert.equal(bytes(all), 0)
  })
})
