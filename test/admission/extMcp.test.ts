/** agentgateway's ExtMcp: a real gRPC client over a Unix socket and over TLS, with the messages that the gateway sends. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ChannelCredentials, type Client, Metadata, type ServiceError } from '@grpc/grpc-js'
import { type ExtMcpOptions, ExtMcpServer, extMcpClient } from '../../src/admission/extMcpServer.ts'
import { Reservations } from '../../src/admission/reservations.ts'
import { admissionOf } from '../../src/cli/admission.ts'
import { bodyOf } from '../../src/log/body.ts'
import type { Call } from '../../src/model/call.ts'
import type { Json } from '../../src/model/canonical.ts'
import { callBytesMax } from '../../src/model/limits.ts'
import type { Answer } from '../answer.ts'
import { Authority } from '../identity/fixtures/certificates.ts'
import { Desk } from './fixtures/desk.ts'

let desk: Desk
let plain: Asker
before(async () => {
  desk = await Desk.open()
  plain = await Asker.of({})
})
after(async () => {
  await plain.end()
  await desk[Symbol.asyncDispose]()
})

/** A server of its own, and its client. */
class Asker {
  readonly server: ExtMcpServer
  readonly path = join(desk.folder, `ext-mcp-${Math.random()}.sock`)
  #client: Client | undefined

  private constructor(options: Partial<ExtMcpOptions>) {
    const gate = desk.metrics.counted(desk.opened.gate)
    const reservations = new Reservations(gate, desk.opened.ledger)
    const log = (sentence: string) => void desk.log.push(sentence)
    this.server = new ExtMcpServer({ gate, runs: desk.runs, reservations, log, ...options })
  }

  static async of(options: Partial<ExtMcpOptions>): Promise<Asker> {
    const asker = new Asker(options)
    await asker.server.listen({ path: asker.path })
    asker.connect(`unix:${asker.path}`, ChannelCredentials.createInsecure())
    return asker
  }

  static async overTls(options: Partial<ExtMcpOptions>, credentials: ChannelCredentials): Promise<Asker> {
    const asker = new Asker(options)
    const port = await asker.server.listen({ host: '127.0.0.1', port: 0 })
    asker.connect(`localhost:${port}`, credentials)
    return asker
  }

  connect(target: string, credentials: ChannelCredentials): void {
    this.#client?.close()
    this.#client = new (extMcpClient())(target, credentials)
  }

  async ask(rpc: 'CheckRequest' | 'CheckResponse', message: object, fields: Record<string, string> = {}) {
    const metadata = new Metadata()
    for (const [key, value] of Object.entries(fields)) metadata.set(key, value)
    return new Promise<Answer>((resolve, reject) => {
      const deadline = Date.now() + 10_000
      const done = (error: ServiceError | null, answer: unknown) => (error ? reject(error) : resolve(answer))
      ;(this.#client as unknown as Record<string, (...args: readonly unknown[]) => void>)[rpc]?.(
        message,
        metadata,
        { deadline },
        done,
      )
    })
  }

  async end(): Promise<void> {
    this.#client?.close()
    await this.server.close()
  }
}

/** As the gateway makes them of the values of its expressions. */
const struct = (said: { readonly [key: string]: Json | undefined }): object => ({
  fields: Object.fromEntries(Object.entries(said).map(([key, value]) => [key, asValue(value ?? null)])),
})

function asValue(value: Json): object {
  if (value === null) return { nullValue: 'NULL_VALUE' }
  if (isList(value)) return { listValue: { values: value.map(asValue) } }
  if (typeof value === 'object') return { structValue: struct(value) }
  if (typeof value === 'string') return { stringValue: value }
  return typeof value === 'number' ? { numberValue: value } : { boolValue: value }
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const call = (name: string, said: Readonly<Record<string, Json>> = { user: 'eve' }, args: Json = {}) => ({
  service_names: ['bank'],
  method: 'tools/call',
  metadata_context: struct(said),
  mcp_request: bytes({ name, arguments: args }),
})
const recordsOf = (id: string) => desk.opened.ledger.recordsOf(id)
const recordOf = (id: string) => bodyOf(recordsOf(id)[0] as never) as Answer
const statusOf = (id: string) => {
  desk.opened.gate.flush()
  return recordsOf(id).flatMap((record) => (record.kind === 'outcome' ? [(bodyOf(record) as Answer).status] : []))
}
const idIn = ({ metadata }: Answer): string => metadata.fields.decision_id.stringValue
const toldIn = ({ error }: Answer) => JSON.parse(error.mcp_error.toString())['dev.tollgate/decision']

test('a call is decided with who calls, recorded, and charged', async () => {
  const said = { agent: 'bot', user: 'mia', groups: ['staff', 'a'], project: '', claims: { tier: 1 }, session: 's-1' }
  const answer = await plain.ask('CheckRequest', call('free', said, { amount: 12.5 }))
  assert.ok(answer.pass)
  const record = recordOf(idIn(answer))
  assert.deepEqual(
    [record.server, record.principal, record.session_id, record.arguments],
    ['bank', { agent: 'bot', claims: { tier: 1 }, groups: ['a', 'staff'], user: 'mia' }, 's-1', { amount: 12.5 }],
  )
  assert.deepEqual(statusOf(idIn(answer)), ['unknown'])
})

test('what is over its limit, denied, held, or made up is refused in the words of the protocol', async () => {
  const paid = []
  for (let times = 0; times < 4; times++) paid.push(await plain.ask('CheckRequest', call('pay')))
  assert.deepEqual(
    paid.map(({ pass, error }) => (pass ? 'pass' : error.code)),
    ['pass', 'pass', 'pass', 'RESOURCE_EXHAUSTED'],
  )
  assert.match(paid[3]?.error.reason, /^Blocked by policy: .*Try again in/)
  assert.equal(toldIn(paid[3]).reason_code, 'RATE_LIMITED')
  const denied = await plain.ask('CheckRequest', call('none'))
  assert.deepEqual([denied.error.code, toldIn(denied).decision], ['PERMISSION_DENIED', 'deny'])
  const held = await plain.ask('CheckRequest', call('close', { user: 'eve' }, { account: 1 }))
  assert.match(toldIn(held).approval.id, /^apr_/)
  const unknown = await plain.ask('CheckRequest', { ...call('free'), method: 'tools/run' })
  assert.deepEqual([unknown.error.code, toldIn(unknown).reason_code], ['INVALID', 'UNKNOWN_METHOD'])
})

test('what no policy has a word about passes', async () => {
  const list = { service_names: ['bank', 'shop'], method: 'tools/list', metadata_context: null }
  assert.ok((await plain.ask('CheckRequest', list)).pass)
  assert.ok((await plain.ask('CheckRequest', { ...list, method: 'initialize', mcp_request: bytes({ a: 1 }) })).pass)
})

test('whatever is odd is an error of the protocol, and recorded', async () => {
  const free = call('free')
  const odd: readonly object[] = [
    { ...free, service_names: [] },
    { ...free, service_names: ['bank', 'shop'] },
    { ...free, metadata_context: struct({ usr: 'eve' }) },
    { ...free, metadata_context: struct({ groups: 'staff' }) },
    { ...free, metadata_context: struct({ user: 7 }) },
    { ...free, metadata_context: struct({ outcomes: 'yes' }) },
    { ...free, mcp_request: bytes('{"name":"pay","name":"free"}') },
    { ...free, mcp_request: bytes('{"name":"free"},"method":"tools/list"') },
    { ...free, mcp_request: bytes('[]') },
    { ...free, mcp_request: Buffer.from([0x7b, 0xff, 0x7d]) },
    { ...free, mcp_request: bytes({ name: 'free', pad: 'x'.repeat(callBytesMax) }) },
    { ...free, mcp_request: Buffer.alloc(0) },
    { ...free, mcp_request: undefined },
    { ...free, method: '' },
  ]
  const before = desk.opened.ledger.head().seq
  for (const [index, asked] of odd.entries()) {
    const answer = await plain.ask('CheckRequest', asked)
    assert.equal(answer.error?.code, 'INVALID', `${index}: ${JSON.stringify(answer).slice(0, 200)}`)
  }
  assert.equal(desk.opened.ledger.head().seq, before + odd.length)
})

test('a run is the one that is registered under the id, and the trace is the caller’s', async () => {
  desk.runs.register({ run_id: 'run-ext', attributes: { workflow_id: 'release' } }, 'host')
  const gate = desk.metrics.counted(desk.opened.gate)
  const seen: Call[] = []
  const admit: typeof gate.admit = (calls) => {
    seen.push(...calls)
    return gate.admit(calls)
  }
  const asker = await Asker.of({ gate: { ...gate, admit } })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  try {
    const headers = [{ key: 'traceparent', value: Buffer.from(traceparent) }]
    assert.ok((await asker.ask('CheckRequest', { ...call('free', { run_id: 'run-ext' }), headers })).pass)
    assert.ok((await asker.ask('CheckRequest', call('free', { run_id: 'run-none' }))).pass)
  } finally {
    await asker.end()
  }
  assert.deepEqual(
    seen.map(({ run }) => run),
    [{ run_id: 'run-ext', workflow_id: 'release' }, undefined],
  )
  assert.equal(seen[0]?.trace?.traceparent, traceparent)
})

describe('the answer on its way back', () => {
  const told = { user: 'zoe', outcomes: true }
  const back = (decision_id: string, result: unknown) => ({
    service_names: ['bank'],
    method: 'tools/call',
    metadata_context: struct({ ...told, decision_id }),
    mcp_response: bytes(result),
  })

  test('is the outcome of a call that is told of', async () => {
    const ids = []
    for (const result of [{ content: [] }, { content: [], isError: true }]) {
      const id = idIn(await plain.ask('CheckRequest', call('free', told)))
      assert.deepEqual(statusOf(id), [], 'it waits for its answer')
      assert.ok((await plain.ask('CheckResponse', back(id, result))).pass)
      ids.push(id)
    }
    assert.deepEqual(ids.map(statusOf), [['success'], ['error']])
    const twice = await plain.ask('CheckResponse', back(ids[0] ?? '', {}))
    assert.match(twice.error.reason, /has its outcome already/)
  })

  test('a list shows what the caller may use', async () => {
    const tools = ['free', 'none', 'pay'].map((name) => ({ name, inputSchema: { type: 'object' } }))
    const list = { service_names: ['bank'], method: 'tools/list', metadata_context: struct({ user: 'eve' }) }
    const { mutated } = await plain.ask('CheckResponse', { ...list, mcp_response: bytes({ tools, nextCursor: 'n' }) })
    const shown = JSON.parse(mutated.toString())
    assert.deepEqual([shown.tools.map(({ name }: Answer) => name), shown.nextCursor], [['free', 'pay'], 'n'])
    const whole = { ...list, mcp_response: bytes({ tools: tools.slice(0, 1) }) }
    assert.ok((await plain.ask('CheckResponse', whole)).pass)
    assert.equal(
      (await plain.ask('CheckResponse', { ...list, mcp_response: bytes('{"tools":') })).error.code,
      'INVALID',
    )
  })
})

describe('who may ask', () => {
  test('a socket file is its owner’s alone', () => {
    assert.equal(statSync(plain.path).mode & 0o777, 0o600)
  })

  test('with a key: no other, and none without the scope', async () => {
    const asker = await Asker.of({ keyHolderOf: (key) => desk.holderOf(key) })
    const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
    try {
      assert.ok((await asker.ask('CheckRequest', call('free'), bearer(desk.keys.gateway))).pass)
      for (const [fields, words] of [
        [{}, /a key is wanted/],
        [bearer('tgk_x'), /a key is wanted/],
        [bearer(desk.keys.reader), /lacks the scope `admission`/],
      ] as const) {
        const { error } = await asker.ask('CheckRequest', call('free'), fields)
        assert.equal(error.code, 'PERMISSION_DENIED')
        assert.match(error.reason, words)
      }
    } finally {
      await asker.end()
    }
  })

  test('with a certificate of the authority: others have no connection', async () => {
    const authority = new Authority()
    const server = authority.issue({ subject: [['CN', 'localhost']], alternatives: [['dns', 'localhost']] })
    const client = authority.issue({ subject: [['CN', 'gateway']] })
    const tls = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true }
    const ca = Buffer.from(authority.cert)
    const known = ChannelCredentials.createSsl(ca, Buffer.from(client.key), Buffer.from(client.cert))
    const asker = await Asker.overTls({ tls }, known)
    try {
      assert.ok((await asker.ask('CheckRequest', call('free'))).pass)
    } finally {
      await asker.end()
    }
    const other = new Authority().issue({ subject: [['CN', 'gateway']] })
    const stranger = ChannelCredentials.createSsl(ca, Buffer.from(other.key), Buffer.from(other.cert))
    for (const credentials of [ChannelCredentials.createSsl(ca), stranger]) {
      const refused = await Asker.overTls({ tls }, credentials)
      try {
        await assert.rejects(refused.ask('CheckRequest', call('free')), /UNAVAILABLE/)
      } finally {
        await refused.end()
      }
    }
  })

  test('beyond this machine something is shown, over TLS', () => {
    const admin = '127.0.0.1:0'
    const far = { admin, extMcp: '10.0.0.7:9000', approvers: 'a', adminTlsCert: 'c', adminTlsKey: 'k' }
    const of = (options: Parameters<typeof admissionOf>[0]) => () => admissionOf(options)
    assert.equal(of({ admin, extMcp: '9000' })()?.extMcp?.auth, 'none')
    assert.equal(of({ admin, extMcp: 'unix:x.sock' })()?.extMcp?.auth, 'none')
    assert.equal(of({ ...far, extMcpAuth: 'key' })()?.extMcp?.tls?.cert, 'c')
    assert.equal(of({ ...far, extMcpAuth: 'certificate', extMcpClientCa: 'ca' })()?.extMcp?.tls?.clientCa, 'ca')
    assert.throws(of(far), /say with `--ext-mcp-auth` what whoever asks there shows/)
    assert.throws(of({ ...far, extMcpAuth: 'none' }), /say with `--ext-mcp-auth`/)
    assert.throws(of({ admin, extMcp: '10.0.0.7:9000', approvers: 'a', extMcpAuth: 'key' }), /so it speaks TLS/)
    assert.throws(of({ admin, extMcp: '9000', extMcpAuth: 'key' }), /wants `--approvers`/)
    assert.throws(of({ ...far, extMcpAuth: 'certificate' }), /`--ext-mcp-client-ca` go together/)
    assert.throws(of({ ...far, extMcpAuth: 'key', extMcpClientCa: 'ca' }), /go together/)
    assert.throws(of({ admin, extMcpAuth: 'key' }), /open it with `--ext-mcp`/)
    assert.throws(of({ extMcp: '9000' }), /open it with `--admin`/)
    assert.throws(of({ admin, extMcp: 'nowhere' }), /`--ext-mcp` takes PORT/)
  })
})
