/** What servers are shown: each its own credential, from a file or the environment, and nothing without it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { initialize, postFields, type ScriptedServer } from '../http/fixtures/gate.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'
import { answerOf, Folder, recordingServer, Serving } from './fixtures/serving.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = new Folder()
const servers = {} as Record<'left' | 'right' | 'third', ScriptedServer>
let serving: Serving

before(async () => {
  for (const name of ['left', 'right', 'third'] as const) servers[name] = await recordingServer()
  folder.write('left.token', 'left-token')
  folder.write('right.headers', 'X-Api-Key: right-key\nCookie: a=b\n')
  process.env['THIRD_TOKEN'] = 'third-token'
  folder.write(
    'settings.yaml',
    'credentials:\n  left: { bearer_file: left.token }\n  right: { headers_file: right.headers }\n  third: { bearer_env: THIRD_TOKEN }\n',
  )
  folder.write('policy.yaml', 'version: "1"\ndefault: deny\ntools:\n  pay: {}\n')
  const upstreams = Object.entries(servers).flatMap(([name, { url }]) => ['--upstream', `${name}=${url.href}`])
  serving = await Serving.start(folder, '-c', 'policy.yaml', '--settings', 'settings.yaml', ...upstreams)
})
after(async () => {
  await serving[Symbol.asyncDispose]()
  for (const server of Object.values(servers)) await server[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const call = (name: string) =>
  answerOf(
    fetch(new URL(`/${name}/mcp`, serving.url), {
      method: 'POST',
      body: JSON.stringify(toolCall(1, 'pay')),
      headers: { ...postFields, authorization: 'Bearer of-the-caller', 'x-api-key': 'of-the-caller' },
    }),
  )

test('each server sees its own credential and no other, nor that of the caller', async () => {
  const shown = async (name: keyof typeof servers) => {
    assert.equal((await call(name)).status, 200)
    const { authorization, cookie, 'x-api-key': key } = servers[name].requests.at(-1)?.headers ?? {}
    return [authorization, key, cookie]
  }
  assert.deepEqual(await shown('left'), ['Bearer left-token', undefined, undefined])
  assert.deepEqual(await shown('right'), [undefined, 'right-key', 'a=b'])
  assert.deepEqual(await shown('third'), ['Bearer third-token', undefined, undefined])
})

test('without its credential a server is not asked, and what the call reserved is given back', async () => {
  const before = servers.left.requests.length
  folder.remove('left.token')
  const { status, says } = await call('left')
  assert.equal(status, 502)
  assert.match(says, /the credential of the gate for the MCP server is missing/)
  assert.equal(servers.left.requests.length, before)
  folder.write('left.token', 'two words')
  assert.equal((await call('left')).status, 502)
  folder.write('left.token', 'new-token')
  assert.equal((await call('left')).status, 200)
  assert.equal(servers.left.requests.at(-1)?.headers.authorization, 'Bearer new-token')
})

test('`run --upstream` shows its one server the credential as well, and the operator says the groups of the caller', async () => {
  const credential = ['--upstream', servers.right.url.href, '--upstream-bearer-file', 'run.token']
  folder.write('run.token', 'run-token')
  const args = [main, 'run', '-c', 'policy.yaml', '--ledger', 'ledger.db', '--user', 'ada', ...credential]
  const env = { ...process.env, TOLLGATE_GROUPS: 'b,a' }
  const child = spawn(process.execPath, args, { cwd: folder.path, env, stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  for (const message of [initialize, toolCall(1, 'pay')]) {
    child.stdin.write(`${JSON.stringify(message)}\n`)
    await lines.next()
  }
  const exited = once(child, 'exit')
  child.stdin.end()
  await exited
  assert.equal(
    servers.right.requests.findLast(({ method }) => method === 'POST')?.headers.authorization,
    'Bearer run-token',
  )
  assert.deepEqual(folder.lastDecision().principal, { groups: ['a', 'b'], user: 'ada' })
})
