/** Servers that fail, behind a gate with a real policy and a real ledger: what each way of failing leaves of a budget. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openLedger } from '../../src/ledger/ledger.ts'
import { initialize, postFields, ScriptedServer } from '../http/fixtures/gate.ts'
import { toolCall } from '../mcp/fixtures/scope.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-upstreams-'))
const policy = join(folder, 'policy.yaml')

before(() =>
  writeFileSync(policy, 'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ spend: { daily: 10 } }] }\n'),
)
after(() => rmSync(folder, { recursive: true }))

/** A gate in a process of its own. */
class Served implements AsyncDisposable {
  readonly ledger = join(folder, `${Math.random()}.db`)
  readonly #child: ChildProcess
  #url = ''
  #session: Readonly<Record<string, string>> = {}
  #lastId = 0

  private constructor(upstream: readonly string[]) {
    const options = ['-c', policy, '--ledger', this.ledger, '--listen', '127.0.0.1:0', '--timeout', '1s']
    const args = [main, 'serve', ...options, ...upstream]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  }

  static async start(...upstream: readonly string[]): Promise<Served> {
    const served = new Served(upstream)
    served.#url = await new Promise((resolve, reject) => {
      createInterface(served.#child.stderr as NodeJS.ReadableStream).on('line', (line) => {
        const url = /listening on (\S+)/.exec(line)?.[1]
        if (url !== undefined) resolve(url)
      })
      served.#child.once('exit', () => reject(new Error('the gate ended')))
    })
    return served
  }

  async initialize(): Promise<void> {
    this.#session = {}
    const answer = await this.#post(initialize)
    await answer.text()
    this.#session = { 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' }
  }

  async pay(amount: number, how: string): Promise<string> {
    const answer = await this.#post(toolCall(++this.#lastId, 'pay', { amount, how }))
    return `${answer.status} ${await answer.text()}`
  }

  #post(message: object): Promise<Response> {
    const headers = { ...postFields, ...this.#session }
    return fetch(this.#url, { method: 'POST', headers, body: JSON.stringify(message) })
  }

  /** Ends the gate. Gives how its calls ended, by what was asked. */
  async outcomes(): Promise<readonly string[]> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exited
    const ledger = openLedger({ file: this.ledger, readOnly: true })
    const bodies = [...ledger.records()].map(({ body }) => JSON.parse(body))
    ledger.close()
    const asked = new Map(bodies.flatMap((body) => (body.arguments ? [[body.decision_id, body.arguments.how]] : [])))
    return bodies.filter(({ type }) => type === 'outcome').map((one) => `${asked.get(one.decision_id)}: ${one.status}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}

test('over HTTP: only the word that nothing happened gives back what a call reserved', async () => {
  await using server = await ScriptedServer.start((body, response) => {
    const { id, params } = JSON.parse(body)
    const answer = (result: object, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
    }
    const stream = (text: string) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text)
    const how: Readonly<Record<string, () => unknown>> = {
      refuses: () => answer({ isError: true, content: [] }),
      breaks: () => response.destroy(),
      babbles: () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"json'),
      'ends its stream': () => {
        stream('data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n')
        response.end()
      },
      stalls: () => undefined,
      answers: () => answer({ content: [] }),
    }
    how[params.arguments.how]?.()
  })
  await using gate = await Served.start('--upstream', server.url.href)
  assert.match(await gate.pay(10, 'refuses'), /^200 .*"isError":true/)
  assert.match(await gate.pay(2, 'breaks'), /^502 .*the connection to the MCP server broke/)
  assert.match(await gate.pay(9, 'answers'), /^200 .*Blocked by policy/)
  assert.match(await gate.pay(2, 'babbles'), /^502 .*no answer that could be used/)
  assert.match(await gate.pay(2, 'ends its stream'), /^200 [\s\S]*"error".*no answer that could be used/)
  assert.match(await gate.pay(2, 'stalls'), /^504 .*did not answer in time/)
  assert.match(await gate.pay(3, 'answers'), /^200 .*Blocked by policy/)
  assert.match(await gate.pay(2, 'answers'), /^200 .*"content":\[\]/)
  assert.match(await gate.pay(1, 'answers'), /^200 .*Blocked by policy/)
  assert.deepEqual([...(await gate.outcomes())].sort(), [
    'answers: success',
    'babbles: unknown',
    'breaks: unknown',
    'ends its stream: unknown',
    'refuses: error',
    'stalls: unknown',
  ])
})

test('a server that is not there takes nothing from a budget, and is found again when it is back', async () => {
  const first = await ScriptedServer.start(() => {})
  const { url } = first
  await first[Symbol.asyncDispose]()
  await using gate = await Served.start('--upstream', url.href)
  for (let n = 0; n < 3; n++) assert.match(await gate.pay(10, 'not there'), /^502 .*cannot be reached/)
  await using _back = await ScriptedServer.start((body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, result: { content: [] } }))
  }, Number(url.port))
  assert.match(await gate.pay(10, 'back'), /"content":\[\]/)
  assert.deepEqual(await gate.outcomes(), [...Array.from({ length: 3 }, () => 'not there: error'), 'back: success'])
})

test('over stdio: the same, and a process that ended is followed by another', async () => {
  const script = `
    const answer = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n')
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method, params } = JSON.parse(line)
      if (method === 'initialize') return answer(id, { protocolVersion: '2025-11-25', capabilities: {} })
      const { how } = params?.arguments ?? {}
      if (how === 'refuses') answer(id, { isError: true, content: [] })
      if (how === 'answers') answer(id, { content: [] })
      if (how === 'dies') process.kill(process.pid, 'SIGKILL')
      if (how === 'babbles') process.stdout.write('{"json\\n')
    })`
  await using gate = await Served.start('--', process.execPath, '-e', script)
  await gate.initialize()
  assert.match(await gate.pay(10, 'refuses'), /^200 .*"isError":true/)
  assert.match(await gate.pay(4, 'dies'), /^502 .*ended before it answered/)
  assert.match(await gate.pay(1, 'answers'), /^404 /)
  await gate.initialize()
  assert.match(await gate.pay(7, 'answers'), /Blocked by policy/)
  // The stream of a call opens after a second of silence, and this server may be silent for as long: whichever comes first.
  assert.match(await gate.pay(4, 'babbles'), /^(504|200) .*did not answer in time/s)
  assert.match(await gate.pay(2, 'answers'), /"content":\[\]/)
  assert.match(await gate.pay(1, 'answers'), /Blocked by policy/)
  const outcomes = ['refuses: error', 'dies: unknown', 'babbles: unknown', 'answers: success']
  assert.deepEqual(await gate.outcomes(), outcomes)
})
