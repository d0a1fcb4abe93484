/** `tollgate serve --admin` and `tollgate approvals serve` as processes, and what is said of a wrong command line. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ChannelCredentials } from '@grpc/grpc-js'
import { newKey } from '../../src/admission/approvers.ts'
import { extMcpClient } from '../../src/admission/extMcpServer.ts'
import { readNotifyFile } from '../../src/admission/notifySettings.ts'
import { admissionOf } from '../../src/cli/admission.ts'
import type { Answer } from '../answer.ts'
import { postFields, ScriptedServer } from '../http/fixtures/gate.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-admission-'))
const ledger = join(folder, 'ledger.db')
const { key, line } = newKey('ada')
writeFileSync(join(folder, 'approvers'), `${line}\n`)
writeFileSync(
  join(folder, 'policy.yaml'),
  'version: "1"\ndefault: deny\ntools: { pay: { rules: [{ action: require_approval }] } }\n',
)
after(() => rmSync(folder, { recursive: true }))

/** Gives the process and what it said once it has said all of that. */
async function started(args: readonly string[], ...wanted: readonly RegExp[]) {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stderr).on('line', (text) => {
      said.push(text)
      if (wanted.every((one) => one.test(said.join('\n')))) resolve()
    })
    child.once('exit', () => reject(new Error(said.join('\n'))))
  })
  return { child, said: said.join('\n'), [Symbol.asyncDispose]: () => ended(child) }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

test('a call that the gate keeps open is approved over its own API, and goes on', async () => {
  await using upstream = await ScriptedServer.start((body, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, result: { content: [] } }))
  })
  const admin = ['--admin', '127.0.0.1:0', '--approvers', 'approvers', '--ext-mcp', 'unix:ext.sock']
  const gate = ['serve', '-c', 'policy.yaml', '--upstream', upstream.url.href, '--listen', '0', '--ledger', ledger]
  await using serving = await started([...gate, '--approval-wait', '1m', ...admin], /listening on/, /ExtMcp/)
  const mcp = /listening on (\S+)/.exec(serving.said)?.[1] ?? ''
  const api = /persons answer at (\S+)\//.exec(serving.said)?.[1] ?? ''
  const headers = { authorization: `Bearer ${key}` }
  const body = JSON.stringify(toolCall(1, 'pay', { amount: 5 }))
  const answer = fetch(mcp, { method: 'POST', headers: postFields, body }).then((response) => response.text())
  let id = ''
  for (const deadline = Date.now() + 15_000; id === '' && Date.now() < deadline; await sleep(20)) {
    const { approvals } = (await (await fetch(`${api}/v1/approvals`, { headers })).json()) as {
      approvals: readonly { id: string }[]
    }
    id = approvals[0]?.id ?? ''
  }
  assert.equal(upstream.requests.length, 0)
  const status = (await (await fetch(`${api}/v1/status`, { headers })).json()) as Record<string, unknown>
  assert.deepEqual([status['kept_open'], status['approvals_pending'], status['servers']], [1, 1, ['']])
  assert.equal((await fetch(`${api}/readyz`)).status, 200)
  assert.equal((await fetch(`${api}/v1/approvals/${id}/approve`, { method: 'POST', headers })).status, 200)
  assert.match(await answer, /data: \{"jsonrpc":"2.0","id":1,"result":\{"content":\[\]\}\}/)

  const client = new (extMcpClient())(`unix:${join(folder, 'ext.sock')}`, ChannelCredentials.createInsecure())
  const asked = { service_names: ['a'], method: 'tools/call', mcp_request: Buffer.from('{"name":"none"}') }
  const refused = await new Promise((resolve, reject) => {
    client['CheckRequest']?.(asked, (error: unknown, said: unknown) => (error ? reject(error) : resolve(said)))
  })
  client.close()
  assert.equal((refused as Answer).error.code, 'PERMISSION_DENIED', 'agentgateway is answered by the same gate')
})

test('a server of approvals alone, on a Unix socket that a dead one left', async () => {
  const socketPath = join(folder, 'admin.sock')
  const args = ['approvals', 'serve', '--admin', `unix:${socketPath}`, '--approvers', 'approvers', '--ledger', ledger]
  const first = await started(args, /persons answer at unix:/)
  const again = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
  assert.deepEqual([again.status, /it is in use \(listen_failed\)/.test(again.stderr)], [1, true], again.stderr)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  await using second = await started(args, /persons answer at unix:/)
  assert.equal(statSync(socketPath).mode & 0o777, 0o600)
  const status = await new Promise((resolve) => {
    const headers = { host: 'localhost', authorization: `Bearer ${key}` }
    request({ socketPath, path: '/v1/approvals?state=consumed', headers }, (response) => {
      resolve(response.resume().statusCode)
    }).end()
  })
  assert.deepEqual([status, second.child.exitCode], [200, null])
})

test('a file that is no socket stays, whatever stands in it', () => {
  const file = join(folder, 'notes.txt')
  writeFileSync(file, 'kept')
  const args = ['approvals', 'serve', '--admin', `unix:${file}`, '--approvers', 'approvers', '--ledger', ledger]
  const refused = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8', timeout: 20_000 })
  assert.deepEqual([refused.status, readFileSync(file, 'utf8')], [1, 'kept'], refused.stderr)
  assert.match(refused.stderr, /it is in use \(listen_failed\)/)
})

test('a key goes to its person, and its line to the file', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [main, 'approvals', 'key', 'Ada Lovelace'], {
    encoding: 'utf8',
  })
  assert.match(stdout, /^Ada Lovelace sha256:[0-9a-f]{64}\n$/)
  assert.match(stderr, /: tgk_[\w-]{43}\n$/)
})

test('an address that cannot be one, or that others reach by a name that nobody said, is refused', () => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ admin: 'nowhere' }, /`--admin` takes PORT, HOST:PORT or unix:PATH/],
    [{ admin: '127.0.0.1:70000' }, /`--admin` takes/],
    [{ admin: 'unix:' }, /`--admin` takes/],
    [{ admin: '0.0.0.0:8718' }, /`0\.0\.0\.0` is reached from other machines: .* `--admin-url`/],
    [{ admin: '8718', adminUrl: 'https://gate.example/page' }, /`--admin-url` takes/],
    [{ admin: '8718', adminUrl: 'ftp://gate.example/' }, /`--admin-url` takes/],
    [{ approvers: 'approvers' }, /`--approvers` says something of the admission server/],
  ]
  for (const [options, message] of wrong) assert.throws(() => admissionOf(options), { code: 'usage', message })
  const named = admissionOf({ admin: '[::]:8718', adminUrl: 'https://gate.example:8443/' })
  assert.deepEqual([...(named?.names.hosts ?? [])], ['localhost', '127.0.0.1', '[::1]', '[::]', 'gate.example'])
  assert.deepEqual([...(named?.names.origins ?? [])], ['https://gate.example:8443'])
  assert.deepEqual(admissionOf({ admin: '8718' })?.address, { host: '127.0.0.1', port: 8718 })
})

test('a file of who is told says every mistake at once, with its place', () => {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  file('short.secret', 'whsec_c2hvcnQ=')
  file('slack.url', 'http://slack.example/hook')
  file('slack.secret', '\n')
  const bad = file(
    'bad.yaml',
    'webhook:\n  url: ftp://hooks.example/\n  secret: short.secret\n  more: 1\nslack:\n  url: slack.url\n  signing_secret: slack.secret\n  users: { U1: " " }\n',
  )
  assert.throws(
    () => readNotifyFile(bad),
    ({ code, message }: { code: string; message: string }) => {
      assert.equal(code, 'notify_invalid')
      assert.match(message, /bad\.yaml:2:8: .*an `https` URL/)
      assert.match(message, /bad\.yaml:3:11: .*24 to 64 bytes/)
      assert.match(message, /bad\.yaml:4:3: .*`more`/)
      assert.match(message, /bad\.yaml:6:8: .*an `https` URL/)
      assert.match(message, /bad\.yaml:7:19: .*empty/)
      assert.match(message, /bad\.yaml:8:16: /)
      return true
    },
  )
  assert.throws(() => readNotifyFile(file('none.yaml', 'webhook: { url: "https://a.example/", secret: nowhere }')), {
    message: /none\.yaml:1:\d+: there is no file/,
  })
  file('good.secret', `whsec_${Buffer.alloc(32, 7).toString('base64')}\n`)
  const { webhook } = readNotifyFile(file('good.yaml', 'webhook: { url: "https://a.example/", secret: good.secret }'))
  assert.deepEqual([webhook?.url.href, webhook?.key.length], ['https://a.example/', 32])
})
