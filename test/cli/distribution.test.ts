/** Gates as processes whose policy comes in bundles: from a service that does all kinds of things, from our own server, from a file. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { newKey } from '../../src/admission/approvers.ts'
import { buildMerged, buildPolicy } from '../../src/bundle/build.ts'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import { policyFeed } from '../../src/cli/policyFeed.ts'
import { bundleType } from '../../src/distribution/service.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { pack } from '../../src/opa/pack.ts'
import type { Answer } from '../answer.ts'
import { type Wrapped, wrap } from '../e2e/wrapped.ts'
import { postFields, ScriptedServer } from '../http/fixtures/gate.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'
import { newPair, signedBytes } from '../opa/signer.ts'
import { until } from '../until.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-bundles-'))
const pair = newPair('EdDSA', 'release')
const stranger = newPair('EdDSA', 'stranger')
const { key, line } = newKey('ada')
writeFileSync(join(folder, 'approvers'), `${line}\n`)
writeFileSync(join(folder, 'release.pem'), pair.public)
after(() => rmSync(folder, { recursive: true }))

const upstream = await ScriptedServer.start((body, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, result: { content: [{ type: 'text', text: 'done' }] } }),
  )
})
after(() => upstream[Symbol.asyncDispose]())

/** The files of a bundle whose policy knows this tool alone. */
const files = new Map<string, readonly BundleFile[]>()
before(async () => {
  for (const tool of ['pay', 'refund']) {
    const text = `version: "1"\ndefault: deny\ntools: { ${tool}: { rules: [{ rate_limit: 1000/day }] } }\n`
    files.set(
      tool,
      bundleFiles(await buildPolicy({ name: 'policy.yaml', text }), { version: '0.1.0', revision: `${tool}-1` }),
    )
  }
})
const filesOf = (tool: string) => files.get(tool) as readonly BundleFile[]
const issuedAt = Math.floor(Date.now() / 1000) - 60
const bundleOf = (tool: string, sequence: number, more: object = {}) =>
  signedBytes(filesOf(tool), pair, { sequence, issuedAt, ...more })

/** What a bundle service answers, until it is told otherwise; it hears status messages, too. */
class Service {
  readonly statuses: Answer[] = []
  readonly asked: { etag: string | undefined; prefer: string | undefined }[] = []
  readonly open = new Set<ServerResponse>()
  #answer: RequestListener = (_, response) => response.writeHead(503).end()
  #server: ScriptedServer | undefined

  async start(): Promise<string> {
    this.#server = await ScriptedServer.start((body, response, request) => {
      if (request.method === 'POST') {
        this.statuses.push(JSON.parse(body))
        response.end()
        return
      }
      this.asked.push({
        etag: request.headers['if-none-match'],
        prefer: request.headers['prefer'] as string | undefined,
      })
      this.open.add(response)
      response.once('close', () => this.open.delete(response))
      this.#answer(request, response)
    })
    return this.#server.url.origin
  }

  does(answer: RequestListener): void {
    this.#answer = answer
  }

  gives(bytes: Uint8Array, etag: string): void {
    this.does((request, response) => {
      if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end()
      else response.writeHead(200, { etag, 'content-type': 'application/gzip' }).end(bytes)
    })
  }

  async end(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
  }
}

class Gate implements AsyncDisposable {
  readonly child: ChildProcess
  said = ''
  mcp = ''
  api = ''

  private constructor(args: readonly string[]) {
    const fixed = [
      'serve',
      '--listen',
      '0',
      '--admin',
      '127.0.0.1:0',
      '--approvers',
      'approvers',
      '--upstream',
      upstream.url.href,
    ]
    this.child = spawn(process.execPath, [main, ...fixed, '--verify-key', 'release.pem', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  static async start(...args: readonly string[]): Promise<Gate> {
    const gate = new Gate(args)
    await new Promise<void>((resolve, reject) => {
      createInterface(gate.child.stderr as NodeJS.ReadableStream).on('line', (text) => {
        gate.said += `${text}\n`
        gate.mcp ||= /listening on (\S+)/.exec(text)?.[1] ?? ''
        gate.api ||= /persons answer at (\S+)\//.exec(text)?.[1] ?? ''
        if (gate.mcp !== '' && gate.api !== '') resolve()
      })
      gate.child.once('exit', () => reject(new Error(gate.said)))
    })
    return gate
  }

  /** What a call of the tool comes to. */
  async call(tool: string): Promise<'done' | 'refused'> {
    const body = JSON.stringify(toolCall(1, tool))
    const text = await (await fetch(this.mcp, { method: 'POST', headers: postFields, body })).text()
    return /"text":"done"/.test(text) ? 'done' : 'refused'
  }

  async status(): Promise<Answer> {
    return (await fetch(`${this.api}/v1/status`, { headers: { authorization: `Bearer ${key}` } })).json()
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.api}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text()
  }

  /** The status of the bundle once it is so. */
  async until(what: string, isSo: (bundle: Answer) => boolean, name = 'bundle'): Promise<Answer> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(100)) {
      const { bundles } = await this.status()
      if (isSo(bundles[name])) return bundles[name]
    }
    return assert.fail(`${what} did not happen: ${JSON.stringify(await this.status())}\n${this.said}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    await exited
  }
}

function recordsOf(ledger: string): readonly Answer[] {
  const opened = openLedger({ file: join(folder, ledger), readOnly: true } as never)
  try {
    return [...opened.records()].map(({ body }) => JSON.parse(body))
  } finally {
    opened.close()
  }
}

test('whatever a service sends that is no good, the old revision decides, and everybody is told why', async () => {
  const service = new Service()
  const origin = await service.start()
  const store = ['--bundle-store', 'store', '--ledger', 'service.db']
  const url = `${origin}/bundles/org`
  const flags = ['--bundle', url, '--bundle-poll', '1s', '--bundle-wait', '0s', ...store]
  service.gives(await bundleOf('pay', 5), '"5"')
  {
    await using gate = await Gate.start(...flags, '--status-url', `${origin}/status`)
    assert.equal(await gate.call('pay'), 'done')
    const first = await gate.until('the start', ({ active_revision }) => active_revision === 'pay-1')
    assert.deepEqual([first.sequence, first.kept, first.place, first.code], [5, false, url, undefined])

    const other = await ScriptedServer.start((_, response) => void response.end('never asked'))
    const unsigned = pack(filesOf('refund'))
    const tampered = Buffer.from(await bundleOf('refund', 6))
    tampered[tampered.length >> 1] = (tampered[tampered.length >> 1] as number) ^ 1
    /** As OPA tells it. */
    const told = () =>
      service.statuses.map(({ labels, bundles, plugins }) => {
        assert.match(labels.id, /^[0-9a-f-]{36}$/)
        assert.deepEqual(plugins, { bundle: { state: 'OK' } })
        return `${bundles.bundle.active_revision} ${bundles.bundle.code ?? 'fine'}`
      })
    const html = '<!doctype html><title>Sign in to the Wi-Fi</title>'
    const gives =
      (bytes: Uint8Array | string, etag = '"x"', type = 'application/gzip'): RequestListener =>
      (_, response) =>
        response.writeHead(200, { etag, 'content-type': type }).end(bytes)
    const bad: readonly (readonly [string, RequestListener])[] = [
      ['bundle_content_wrong', gives(html, '"x"', 'text/html')],
      ['bundle_redirected', (_, response) => response.writeHead(302, { location: other.url.href }).end()],
      ['bundle_older', gives(await bundleOf('refund', 4))],
      ['bundle_status_wrong', (_, response) => response.writeHead(500).end()],
      ['bundle_sequence_reused', gives(await bundleOf('refund', 5))],
      ['bundle_expired', gives(await bundleOf('refund', 6, { expiresAt: issuedAt + 1 }))],
      ['bundle_unsigned', gives(unsigned)],
      ['bundle_signature_wrong', gives(await signedBytes(filesOf('refund'), stranger, { sequence: 6, issuedAt }))],
      ['bundle_etag_wrong', gives(await bundleOf('refund', 6), '"5"')],
      ['bundle_unreadable', gives(tampered)],
      ['bundle_unreachable', (request) => request.socket.destroy()],
    ]
    for (const [code, answer] of bad) {
      service.does(answer)
      const bundle = await gate.until(code, (one) => one.code === code)
      assert.equal(bundle.active_revision, 'pay-1', code)
      assert.ok(bundle.message.length > 20, code)
      await until(() => told().includes(`pay-1 ${code}`), `the status of ${code}`)
      assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['done', 'refused'], code)
    }
    assert.equal(other.requests.length, 0, 'the other host was not asked')
    await other[Symbol.asyncDispose]()

    service.does(() => undefined)
    await until(() => service.open.size === 1, 'a question')
    assert.equal(await gate.call('pay'), 'done', 'nobody waits for a service that hangs')
    for (const response of service.open) response.destroy()

    const metrics = await gate.metrics()
    for (const [code] of bad)
      assert.match(metrics, new RegExp(`tollgate_bundle_failures_total\\{bundle="bundle",code="${code}"\\} \\d`))
    assert.match(metrics, /tollgate_bundle_failing\{bundle="bundle"\} 1/)

    service.gives(await bundleOf('refund', 6), '"6"')
    const next = await gate.until('the next revision', ({ active_revision }) => active_revision === 'refund-1')
    assert.deepEqual([next.sequence, next.code], [6, undefined])
    assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['refused', 'done'])
    assert.match(await gate.metrics(), /tollgate_bundle_info\{bundle="bundle",revision="refund-1"\} 1/)

    await until(() => told().at(-1) === 'refund-1 fine', 'the status of the next revision')

    const records = recordsOf('service.db')
    const failures = records.filter(({ type }) => type === 'activation_failure')
    for (const [code] of bad) {
      const failure = failures.find(({ error_code }) => error_code === code)
      assert.deepEqual([failure?.sources, typeof failure?.detail], [[url], 'string'], code)
    }
    assert.deepEqual(
      records.filter(({ type }) => type === 'activation').map(({ bundle }) => bundle),
      [
        { name: 'bundle', revision: 'pay-1', sequence: 5 },
        { name: 'bundle', revision: 'refund-1', sequence: 6 },
      ],
    )
  }
  await service.end()
  {
    await using gate = await Gate.start(...flags)
    assert.match(gate.said, /bundle `bundle` is as it was kept, revision `refund-1`: its place is asked now/)
    assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['refused', 'done'], 'without a network')
    const { kept } = await gate.until('the failure', ({ code }) => code === 'bundle_unreachable')
    assert.equal(kept, true)
  }
})

test('our own server holds its answers, so that a gate has the next bundle at once; a token opens it', async () => {
  const place = join(folder, 'org.tar.gz')
  const put = (bytes: Uint8Array) => {
    writeFileSync(`${place}.new`, bytes)
    renameSync(`${place}.new`, place)
  }
  put(await bundleOf('pay', 1))
  writeFileSync(join(folder, 'token'), 's3cret\n')
  const server = spawn(process.execPath, [main, 'bundles', 'serve', '--listen', '0', '--token-file', 'token', '.'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const statuses: Answer[] = []
  createInterface(server.stdout).on('line', (text) => statuses.push(JSON.parse(text)))
  try {
    const [said] = (await once(createInterface(server.stderr), 'line')) as [string]
    const origin = /bundles are at (\S+)\/bundles\/NAME/.exec(said)?.[1] ?? assert.fail(said)
    assert.equal((await fetch(`${origin}/bundles/org`)).status, 401)
    const headers = { authorization: 'Bearer s3cret' }
    const answer = await fetch(`${origin}/bundles/org`, { headers })
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, bundleType])
    const etag = answer.headers.get('etag') ?? ''
    assert.equal((await fetch(`${origin}/bundles/org`, { headers: { ...headers, 'if-none-match': etag } })).status, 304)
    for (const path of ['/bundles/none', '/bundles/..%2Ftoken', '/bundles/../token', '/token', '/'])
      assert.equal((await fetch(`${origin}${path}`, { headers })).status, 404, path)

    const flags = ['--bundle', `${origin}/bundles/org`, '--bundle-token-file', 'token', '--bundle-poll', '1h']
    const status = ['--status-url', `${origin}/status`, '--status-token-file', 'token']
    await using gate = await Gate.start(...flags, ...status, '--bundle-store', 'held', '--ledger', 'held.db')
    assert.equal(await gate.call('pay'), 'done')
    put(await bundleOf('refund', 2))
    await gate.until('the next revision', ({ active_revision }) => active_revision === 'refund-1')
    assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['refused', 'done'])
    await until(() => statuses.at(-1)?.bundles.bundle.active_revision === 'refund-1', 'the status')
  } finally {
    server.kill('SIGTERM')
    const [code] = await once(server, 'exit')
    assert.equal(code, 0)
  }
})

function tollgate(...args: readonly string[]) {
  return spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
}

test('bundles of org and team come from places of their own and judge together; what both own is refused', async () => {
  const layer = async (name: string, revision: string, tools: readonly string[]) => {
    const rules = tools.map((tool) => `  ${tool}: { rules: [{ rate_limit: 1000/day }] }`).join('\n')
    const text = `version: "1"\npolicy_id: ${name}\ndefault: deny\ntools:\n${rules}\n`
    return bundleFiles(await buildMerged([{ name: 'policy.yaml', text }], name), { version: '0.1.0', revision })
  }
  const sign = (layerFiles: readonly BundleFile[], sequence: number) =>
    signedBytes(layerFiles, pair, { sequence, issuedAt })
  const org = await layer('org', 'org-1', ['pay', 'refund'])
  const service = new Service()
  const origin = await service.start()
  service.gives(await sign(org, 1), '"1"')
  writeFileSync(join(folder, 'team.tar.gz'), await sign(await layer('team', 'team-1', ['pay']), 1))
  const places = ['--bundle', `org=${origin}/bundles/org`, '--bundle', 'team=team.tar.gz']
  await using gate = await Gate.start(
    ...places,
    '--bundle-poll',
    '1s',
    '--bundle-store',
    'layers',
    '--ledger',
    'layers.db',
  )
  assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['done', 'refused'])

  writeFileSync(join(folder, 'team.tar.gz'), await sign(org, 2))
  const refused = await gate.until('the refusal', ({ code }) => code !== undefined, 'team')
  assert.equal(refused.code, 'bundle_roots_overlap')
  assert.match(refused.message, /^bundles `org` and `team` both own `tollgate\/org`/)
  assert.equal(await gate.call('refund'), 'refused')

  writeFileSync(join(folder, 'team.tar.gz'), await sign(await layer('team', 'team-3', ['pay', 'refund']), 3))
  await gate.until('the next team', ({ active_revision }) => active_revision === 'team-3', 'team')
  assert.equal(await gate.call('refund'), 'done')
  service.gives(await sign(await layer('org', 'org-2', ['refund']), 2), '"2"')
  await gate.until('the next org', ({ active_revision }) => active_revision === 'org-2', 'org')
  assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['refused', 'done'])
  const activations = recordsOf('layers.db').filter(({ type }) => type === 'activation')
  assert.deepEqual(
    activations.map(({ layers }) => layers.map(({ bundle }: Answer) => `${bundle.name} ${bundle.revision}`)),
    [
      ['org org-1', 'team team-1'],
      ['org org-1', 'team team-3'],
      ['org org-2', 'team team-3'],
    ],
  )
  await service.end()
})

async function isAllowed(gate: Wrapped, name: string): Promise<boolean> {
  const { result } = await gate.ask('tools/call', { name })
  return result !== undefined && result.isError !== true
}

test('`run` follows a bundle in a file, and is not rolled back, also not by a start', async () => {
  const place = join(folder, 'run.tar.gz')
  const flags = [
    '--bundle',
    place,
    '--verify-key',
    join(folder, 'release.pem'),
    '--bundle-store',
    join(folder, 'run-store'),
  ]
  writeFileSync(place, await bundleOf('pay', 3))
  {
    await using gate = await wrap('', { choose: () => flags })
    assert.deepEqual([await isAllowed(gate, 'pay'), await isAllowed(gate, 'refund')], [true, false])
    writeFileSync(place, await bundleOf('refund', 4))
    await gate.notification('notifications/tools/list_changed')
    assert.deepEqual([await isAllowed(gate, 'pay'), await isAllowed(gate, 'refund')], [false, true])
  }
  writeFileSync(place, await bundleOf('pay', 3))
  await using gate = await wrap('', { choose: () => flags })
  assert.equal(await isAllowed(gate, 'refund'), true)
  assert.match(
    gate.stderr(),
    /bundle `bundle` is as it was kept, revision `refund-1`: the bundle has the sequence 3, and 4 was reached/,
  )
})

test('a discovery bundle names the bundles; another one takes their place in one step, a bad one does not', async () => {
  const service = new Service()
  const origin = await service.start()
  const given = new Map<string, Uint8Array>()
  service.does((request, response) => {
    const bytes = given.get(request.url ?? '')
    if (bytes) response.writeHead(200, { 'content-type': 'application/gzip' }).end(bytes)
    else response.writeHead(404).end()
  })
  given.set('/bundles/pay', await bundleOf('pay', 1))
  given.set('/bundles/refund', await bundleOf('refund', 1))
  const names = (sequence: number, config: object) => {
    const data = JSON.stringify({ services: { ours: { url: origin } }, status: {}, ...config })
    const file = { path: 'data.json', bytes: Buffer.from(data) }
    return signedBytes([file], pair, { sequence, issuedAt })
  }
  given.set('/discovery', await names(1, { bundles: { pay: {} } }))
  const flags = ['--discovery', `${origin}/discovery`, '--bundle-poll', '1s', '--bundle-wait', '0s']
  await using gate = await Gate.start(...flags, '--bundle-store', 'found', '--ledger', 'found.db')
  assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['done', 'refused'])

  const untilStatus = async (what: string, isSo: (status: Answer) => boolean) => {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(100))
      if (isSo(await gate.status())) return
    assert.fail(`${what} did not happen: ${JSON.stringify(await gate.status())}\n${gate.said}`)
  }
  given.set('/discovery', await names(2, { bundles: { none: {} } }))
  await untilStatus('the refusal', ({ discovery }) => discovery.code === 'bundle_status_wrong')
  given.set('/discovery', await names(2, { bundles: {} }))
  await untilStatus('the refusal', ({ discovery }) => discovery.code === 'discovery_invalid')
  assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['done', 'refused'])

  given.set('/discovery', await names(3, { bundles: { refund: {} } }))
  await untilStatus('the change', ({ bundles }) => bundles.refund?.active_revision === 'refund-1')
  const { bundles, discovery } = await gate.status()
  assert.deepEqual([Object.keys(bundles), discovery.sequence, discovery.code], [['refund'], 3, undefined])
  assert.deepEqual([await gate.call('pay'), await gate.call('refund')], ['refused', 'done'])
  await until(() => service.statuses.at(-1)?.bundles.refund !== undefined, 'the status')
  const { bundles: last, discovery: found } = service.statuses.at(-1)
  assert.deepEqual([Object.keys(last), found.name], [['refund'], 'discovery'])
  await service.end()
})

test('a server that a discovery bundle names is shown a token that was given for it, and no other', async () => {
  const given = new Map<string, Uint8Array>()
  const shown: string[] = []
  const serving = (name: string) =>
    ScriptedServer.start((_, response, { url = '', headers }) => {
      shown.push(`${name} ${headers.authorization ?? 'nothing'}`)
      const bytes = given.get(url)
      if (bytes) response.writeHead(200, { 'content-type': 'application/gzip' }).end(bytes)
      else response.writeHead(404).end()
    })
  await using near = await serving('near')
  await using far = await serving('far')
  given.set('/bundles/pay', await bundleOf('pay', 1))
  writeFileSync(join(folder, 'near.token'), 'for-near\n')
  writeFileSync(join(folder, 'far.token'), 'for-far\n')
  let sequence = 0
  /** What each server is shown when a discovery bundle at the one names a bundle there, or at the other. */
  const shownWith = async (name: string, at: ScriptedServer, ...tokens: readonly string[]) => {
    shown.length = 0
    const data = { services: { it: { url: at.url.origin } }, bundles: { [name]: { resource: 'bundles/pay' } } }
    const file = { path: 'data.json', bytes: Buffer.from(JSON.stringify(data)) }
    given.set('/discovery', await signedBytes([file], pair, { sequence: ++sequence, issuedAt }))
    await policyFeed({
      discovery: new URL('/discovery', near.url).href,
      verifyKey: [join(folder, 'release.pem')],
      bundleTokenFile: tokens.map((token) => token.replace(/[^=]*$/, (file) => join(folder, file))),
      bundlePoll: '1h',
      bundleWait: '0s',
      bundleStore: join(folder, `shown-${sequence}`),
    })
    return [...shown]
  }
  const unnamed = 'near.token'
  assert.deepEqual(await shownWith('org', near, unnamed), ['near Bearer for-near', 'near Bearer for-near'])
  assert.deepEqual(await shownWith('org', far, unnamed), ['near Bearer for-near', 'far nothing'])
  assert.deepEqual(await shownWith('org', far, unnamed, 'org=far.token'), [
    'near Bearer for-near',
    'far Bearer for-far',
  ])
  const own = 'discovery=near.token'
  assert.deepEqual(await shownWith('discovery', far, own), ['near Bearer for-near', 'far nothing'], 'a name of its own')
})

test('a gate does not start with a bundle that is no good, and says why', async () => {
  writeFileSync(join(folder, 'strange.tar.gz'), await signedBytes(filesOf('pay'), stranger, { sequence: 1, issuedAt }))
  const { status, stderr } = tollgate(
    ...['run', '--bundle', 'strange.tar.gz', '--verify-key', 'release.pem', '--bundle-store', 'none', '--', 'true'],
  )
  assert.equal(status, 1)
  assert.match(stderr, /\(bundle_signature_wrong\)$/m)
})
