/**
 * The image, built and used as its readers use it: locked down, with an MCP client at its standard input and output.
 * `make image-test` runs it. Needs a Docker engine, so it is no part of `make test`.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

const image = 'tollgate:image-test'
const volume = `tollgate-image-test-${process.pid}`

/** What a careful operator gives away: no root, no network, no capability, nothing to write but the one folder. */
const lockedDown = [
  ...['--rm', '--read-only', '--network', 'none', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  ...['-v', `${volume}:/var/lib/tollgate`],
  ...['-v', `${fixture('policy.yaml')}:/policy.yaml:ro`, '-v', `${fixture('server.mjs')}:/server.mjs:ro`],
]

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function docker(args: readonly string[], input = ''): Ran {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { cwd: root, input, encoding: 'utf8' })
  return { code: status, stdout: stdout ?? '', stderr: error?.message ?? stderr }
}

/** Why nothing here can run; false where it can. */
function missing(): string | false {
  const { code, stderr } = docker(['version', '--format', '{{.Server.Version}}'])
  return code === 0 ? false : `no Docker engine answers: ${stderr.trim()}`
}

async function connect(): Promise<Client> {
  const run = ['run', '-i', ...lockedDown, image, 'run', '-c', '/policy.yaml', '--user', 'ada']
  const transport = new StdioClientTransport({ command: 'docker', args: [...run, '--', 'node', '/server.mjs'] })
  const client = new Client({ name: 'image-test', version: '1' })
  await client.connect(transport)
  return client
}

const textOf = (result: object) => (result as { content: readonly { text: string }[] }).content[0]?.text ?? ''

describe('the container image', { skip: missing() }, () => {
  before(() => {
    const { status } = spawnSync('make', ['image', `IMAGE=${image}`], { cwd: root, stdio: ['ignore', 2, 2] })
    assert.equal(status, 0, '`make image` failed')
  })

  after(() => {
    docker(['volume', 'rm', '--force', volume])
  })

  test('an MCP client sees one call allowed, one denied, and only what the policy lists', async () => {
    const client = await connect()
    try {
      const { tools } = await client.listTools()
      assert.deepEqual(
        tools.map(({ name }) => name),
        ['refund'],
      )
      const allowed = await client.callTool({ name: 'refund', arguments: { amount: 100 } })
      assert.equal(textOf(allowed), 'call 1 reached the server')
      const denied = await client.callTool({ name: 'refund', arguments: { amount: 101 } })
      assert.equal(denied.isError, true)
      const decision = denied._meta?.['dev.tollgate/decision'] as { decision: string; reason_code: string }
      assert.deepEqual([decision.decision, decision.reason_code], ['deny', 'SPEND_PER_CALL_EXCEEDED'])
      await assert.rejects(client.callTool({ name: 'forget', arguments: {} }), /Unknown tool: forget/)
      const last = await client.callTool({ name: 'refund', arguments: { amount: 1 } })
      assert.equal(textOf(last), 'call 2 reached the server')
    } finally {
      await client.close()
    }
  })

  test('what was spent is still spent in the next container, as long as the volume is the same', async () => {
    const client = await connect()
    try {
      const denied = await client.callTool({ name: 'refund', arguments: { amount: 50 } })
      assert.match(textOf(denied), /the cap of 150 would be exceeded/)
    } finally {
      await client.close()
    }
  })

  test('`eval` judges without a network, a capability or a writable root', () => {
    const line = '{"tool":"refund","arguments":{"amount":101},"time":"2026-01-16T10:00:00Z"}\n'
    const { code, stdout } = docker(['run', '-i', ...lockedDown, image, 'eval', '-c', '/policy.yaml'], line)
    assert.equal(code, 0)
    assert.equal(JSON.parse(stdout).reason_code, 'SPEND_PER_CALL_EXCEEDED')
  })

  test('a mistake in the policy is told with its place and the exit code is 1', () => {
    const mistaken = ['-v', `${fixture('mistaken.yaml')}:/mistaken.yaml:ro`]
    const { code, stdout } = docker(['run', ...lockedDown, ...mistaken, image, 'check', '/mistaken.yaml'])
    assert.equal(code, 1)
    assert.match(stdout, /^\/mistaken\.yaml:4:13: unknown key `rulez`, did you mean `rules`\?/)
  })

  test('a command line without a policy ends with 2 and says what is missing', () => {
    const { code, stderr } = docker(['run', ...lockedDown, image, 'run', '--', 'node', '/server.mjs'])
    assert.equal(code, 2)
    assert.match(stderr, /the policy is missing: name its file with `-c FILE`/)
  })

  test('it does not run as root, and what it is made of is not its own to change', () => {
    const script = 'id -u; test -w /opt/tollgate/dist/cli/main.js || echo kept; test -w /var/lib/tollgate && echo open'
    const { stdout } = docker(['run', '--rm', '--entrypoint', 'sh', image, '-c', script])
    assert.deepEqual(stdout.trim().split('\n'), ['65532', 'kept', 'open'])
  })

  test('SIGTERM ends it and the server within it', async () => {
    const name = `${volume}-stop`
    const run = ['run', '-d', '-i', '--name', name, ...lockedDown, image, 'run', '-c', '/policy.yaml']
    assert.equal(docker([...run, '--', 'node', '/server.mjs']).code, 0)
    const deadline = performance.now() + 30_000
    while (!docker(['logs', name]).stderr.includes('counter: started')) {
      assert.ok(performance.now() < deadline, 'the server was never started')
      await sleep(100)
    }
    const started = performance.now()
    assert.equal(docker(['stop', '--time', '30', name]).code, 0)
    const tookMs = performance.now() - started
    assert.ok(tookMs < 15_000, `it took ${Math.round(tookMs)} ms`)
  })

  test('what only building needs is not in it', (t) => {
    const script = 'cd /opt/tollgate && ls && ls node_modules node_modules/better-sqlite3/prebuilds'
    const { stdout } = docker(['run', '--rm', '--entrypoint', 'sh', image, '-c', script])
    const found = stdout.split('\n')
    for (const name of ['typescript', 'fast-check', 'node', 'src', 'test']) assert.ok(!found.includes(name), name)
    assert.equal(found.filter((name) => name.endsWith('.node')).length, 1)
    const bytes = Number(docker(['image', 'inspect', '--format', '{{.Size}}', image]).stdout)
    t.diagnostic(`the image has ${Math.round(bytes / 1e6)} MB`)
  })
})
