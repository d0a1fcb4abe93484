/** How the relay starts and ends, and what it does when one side stops reading. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { relayStdio } from '../../src/mcp/stdio.ts'
import { until } from '../until.ts'
import { everything, fixture, Gated } from './fixtures/gated.ts'
import { NamedGatekeeper } from './fixtures/gatekeeper.ts'
import { RawClient } from './fixtures/raw-client.ts'

const odd = fixture('odd-server.ts')

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('the end of the server', { concurrency: 3 }, () => {
  test('a crash in the middle of a call answers it, leaves it unknown, and passes the exit code on', async () => {
    using gated = new Gated({}, [odd])
    const client = new RawClient(gated)
    client.call(1, 'silent')
    client.send('{"jsonrpc":"2.0","id":"list","method":"tools/list"}')
    await client.answer('list')
    client.call(2, 'crash', { count: 7 })
    assert.equal((await client.answer(1)).error.code, -32603)
    assert.match((await client.answer(2)).error.message, /ended before it answered/)
    assert.equal(await client.ended, 7)
    assert.deepEqual(
      gated.outcomes.map(({ status }) => status),
      ['unknown', 'unknown'],
    )
  })

  test('a server that is killed gives the exit code that a shell would', async () => {
    using gated = new Gated({}, [odd])
    const client = new RawClient(gated)
    client.call(1, 'killed')
    assert.equal((await client.answer(1)).error.code, -32603)
    assert.equal(await client.ended, 137)
  })

  test('what the server wrote before its end arrives whole', async () => {
    using gated = new Gated({}, [odd])
    const client = new RawClient(gated)
    client.process.stdout.pause()
    client.call(1, 'last-words', { count: 5_000_000 })
    setTimeout(() => client.process.stdout.resume(), 1_200)
    assert.equal((await client.answer(1)).result.length, 5_000_000)
    assert.equal(await client.ended, 0)
    assert.equal(gated.outcomes[0]?.status, 'success')
  })

  test('a server that closes its output is ended, since nothing can come of it', async () => {
    using gated = new Gated({}, [odd, 'outlive'])
    const client = new RawClient(gated)
    client.call(1, 'mute')
    assert.equal((await client.answer(1)).error.code, -32603)
    assert.equal(await client.ended, 143)
  })

  test('a command that cannot be started is a clear error', async () => {
    using gated = new Gated({}, ['x'], '/no/such/command')
    const client = new RawClient(gated)
    assert.equal(await client.ended, 127)
    assert.match(client.stderr, /cannot start `\/no\/such\/command`: there is no such command/)
    assert.deepEqual(client.lines, [])
  })
})

describe('any pair of streams can be the client', () => {
  const options = (command: string) => ({
    command,
    args: [odd],
    gate: new NamedGatekeeper({ deny: ['no'] }, () => {}),
    server: 'srv',
    principal: {},
    session: 's1',
    log: () => {},
  })

  test('what is written to one is answered on the other', async () => {
    const clientIn = new PassThrough()
    const clientOut = new PassThrough()
    const relayed = relayStdio({ ...options(process.execPath), clientIn, clientOut })
    clientIn.end('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no"}}\n')
    assert.deepEqual(await relayed, { code: 0 })
    assert.match(String(clientOut.read()), /^\{"jsonrpc":"2.0","id":1,"result":\{"isError":true,.*\}\n$/)
  })

  test('a command that cannot be started rejects with a code', async () => {
    await assert.rejects(relayStdio(options('/no/such/command')), { code: 'spawn_failed' })
    await assert.rejects(relayStdio(options('a\0b')), { code: 'spawn_failed' })
    await assert.rejects(relayStdio({ ...options(process.execPath), cwd: '/no/such/folder' }), { code: 'spawn_failed' })
  })

  test('no signal handler stays behind', async () => {
    const clientIn = new PassThrough()
    clientIn.end()
    await relayStdio({ ...options(process.execPath), clientIn, clientOut: new PassThrough() })
    assert.equal(process.listenerCount('SIGTERM'), 0)
  })
})

describe('the end of the client', { concurrency: 3 }, () => {
  test('a server that ends with its input is waited for, and its answers arrive', async () => {
    using gated = new Gated({}, [odd])
    const client = new RawClient(gated)
    client.call(1, 'received')
    client.process.stdin.end('{"jsonrpc":"2.0","id":2,"method":"ping"}')
    await client.answer(1)
    await client.answer(2)
    assert.equal(await client.ended, 0)
  })

  test('a server that outlives its input is terminated', async () => {
    using gated = new Gated({}, everything)
    const client = new RawClient(gated)
    client.send('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    await client.answer(1)
    client.process.stdin.end()
    assert.equal(await client.ended, 0)
  })

  test('a server that outlives SIGTERM is killed', async () => {
    using gated = new Gated({}, [odd, 'stubborn'])
    const client = new RawClient(gated)
    client.call(1, 'received')
    await client.answer(1)
    client.process.stdin.end()
    assert.equal(await client.ended, 0)
    assert.match(client.stderr, /^no$/m)
  })

  test('a client that is gone in the middle of a call leaves it recorded and no process behind', async () => {
    using gated = new Gated({}, [odd, 'outlive'])
    const client = new RawClient(gated)
    client.call(1, 'silent')
    client.call(2, 'large', { count: 10 })
    await client.answer(2)
    client.process.stdout.destroy()
    client.process.stdin.destroy()
    await until(() => gated.outcomes.some(({ status }) => status === 'unknown'), 'the outcome of the call')
    await until(() => !processExists(client.process.pid ?? 0), 'the end of the relay')
  })

  test('a client that stops reading its answers but keeps its end open for writing ends the server too', async () => {
    using gated = new Gated({}, [odd, 'outlive'])
    const client = new RawClient(gated)
    client.call(1, 'received')
    await client.answer(1)
    client.process.stdout.destroy()
    client.call(2, 'received')
    await until(() => !processExists(client.process.pid ?? 0), 'the end of the relay')
    assert.deepEqual(
      gated.outcomes.map(({ status }) => status),
      ['success', 'success'],
    )
  })

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`${signal} is passed on to the server`, async () => {
      using gated = new Gated({}, [odd])
      const client = new RawClient(gated)
      client.call(1, 'silent')
      client.call(2, 'received')
      await client.answer(2)
      client.process.kill(signal)
      assert.equal((await client.answer(1)).error.code, -32603)
      const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }
      assert.equal(await client.ended, 128 + numbers[signal])
    })
  }
})

describe('when one side does not read', { concurrency: 3 }, () => {
  test('a client that does not read stops the server, not the memory of the gate', async () => {
    using gated = new Gated({}, [odd])
    const client = new RawClient(gated)
    client.process.stdout.pause()
    client.call(1, 'notify', { count: 60_000 })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    assert.ok(residentMegabytes(client.process.pid ?? 0) < 150)
    client.process.stdout.resume()
    await client.answer(1)
    assert.equal(client.lines.length, 60_000)
    assert.equal(
      client.lines.every((line, i) => line.includes(`"n":${i},`)),
      true,
    )
    await client[Symbol.asyncDispose]()
  })

  test('a server that does not read stops the client, and nothing is lost', async () => {
    using gated = new Gated({}, [odd])
    const client = new RawClient(gated)
    client.call('d', 'deaf', { count: 1_500 })
    await client.answer('d')
    const before = residentMegabytes(client.process.pid ?? 0)
    for (let id = 0; id < 3_000; id++) client.call(id, 'length', { x: 'x'.repeat(20_000) })
    await new Promise((resolve) => setTimeout(resolve, 700))
    assert.ok(residentMegabytes(client.process.pid ?? 0) - before < 40)
    await client.answer(2_999)
    assert.equal(client.lines.length, 2_999)
    await client[Symbol.asyncDispose]()
  })

  test('a client that writes before it reads is not blocked by what the server sends', async () => {
    using gated = new Gated({}, [odd])
    const client = new RawClient(gated)
    client.process.stdout.pause()
    client.call('n', 'notify', { count: 5_000 })
    let written = false
    await new Promise((resolve) => setTimeout(resolve, 500))
    client.process.stdin.write(
      `{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"name":"none","arguments":{"x":"${'x'.repeat(3_000_000)}"}}}\n`,
      () => {
        written = true
      },
    )
    client.process.stdout.resume()
    await client.answer('n')
    await client.answer('big')
    assert.equal(written, true)
    await client[Symbol.asyncDispose]()
  })

  test('refusals that nobody reads do not pile up', async () => {
    using gated = new Gated({}, [odd])
    const client = new RawClient(gated)
    client.process.stdout.pause()
    const line = `{"jsonrpc":"2.0","id":1,"method":"unknown/${'x'.repeat(100)}"}\n`.repeat(1_000)
    for (let i = 0; i < 100; i++) client.process.stdin.write(line)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    assert.ok(client.process.stdin.writableLength > 0)
    client.process.stdout.resume()
    await until(() => client.lines.length === 100_000, 'all refusals')
    await client[Symbol.asyncDispose]()
  })
})

/** Of a process on Linux; elsewhere nothing is measured. */
function residentMegabytes(pid: number): number {
  if (process.platform !== 'linux') return 0
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}
