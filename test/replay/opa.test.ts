/** The decision log of a real OPA, as it prints it and as it uploads it, masked by its own policy. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readDecisionEvents } from '../../src/cli/replaySource.ts'
import { changeOf } from '../../src/replay/change.ts'
import type { RecordedEvent } from '../../src/replay/event.ts'
import { reached, until } from '../until.ts'
import { policyOf } from './arbitrary.ts'
import { activeOf, replayed } from './recording.ts'

const opa = process.env['TOLLGATE_OPA']

const allow = 'package mcp\n\nallow if input.arguments.amount <= 10\n\nallow if input.tool == "read"\n'
const mask =
  'package system.log\n\nmask contains "/input/arguments/card"\n\nmask contains "/input/arguments/amount" if input.input.user == "secret"\n'

const upTo5 = activeOf(
  policyOf(
    'version: "1"\npolicy_id: p\ndefault: allow\ntools: { pay: { rules: [{ name: cap, arguments: { amount: { max: 5 } } }] } }\n',
  ),
)

const inputs = [
  { tool: 'pay', arguments: { amount: 3, card: '4242' }, user: 'ada' },
  { tool: 'pay', arguments: { amount: 7, card: '4242' }, user: 'ada' },
  { tool: 'pay', arguments: { amount: 70 } },
  { tool: 'pay', arguments: { amount: 3 }, user: 'secret' },
  { tool: 'read' },
  { tool: 'write' },
  { user: 'ada' },
]

async function changesIn(file: string): Promise<unknown[]> {
  const events: RecordedEvent[] = []
  await readDecisionEvents(file, (event) => events.push(event), { show: () => {}, clear: () => {} })
  return replayed(upTo5, events).map((one) =>
    'decision' in one
      ? `${one.recorded.call.name} ${changeOf(one.recorded.decided, one.decision) ?? 'same'}`
      : 'lack' in one
        ? one.lack
        : 'repeats',
  )
}

test('what a real opa logs is replayed', {
  skip: opa === undefined && 'TOLLGATE_OPA names no opa',
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-replay-opa-'))
  const uploaded = join(folder, 'decisions.json.gz')
  let receive = () => {}
  const received = new Promise<void>((resolve) => {
    receive = resolve
  })
  const sink = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    assert.equal(request.headers['content-encoding'], 'gzip')
    writeFileSync(uploaded, Buffer.concat(chunks))
    response.end()
    receive()
  })
  const portOf = async (server: typeof sink) => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const free = createServer()
  const [sinkPort, port] = [await portOf(sink), await portOf(free)]
  free.close()
  writeFileSync(join(folder, 'allow.rego'), allow)
  writeFileSync(join(folder, 'mask.rego'), mask)
  const config = {
    services: { sink: { url: `http://127.0.0.1:${sinkPort}` } },
    decision_logs: { console: true, service: 'sink', reporting: { min_delay_seconds: 2, max_delay_seconds: 2 } },
  }
  writeFileSync(join(folder, 'opa.json'), JSON.stringify(config))
  const server = spawn(opa as string, [
    'run',
    '--server',
    '-a',
    `127.0.0.1:${port}`,
    '-c',
    join(folder, 'opa.json'),
    join(folder, 'allow.rego'),
    join(folder, 'mask.rego'),
  ])
  let printed = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (printed += chunk))
  try {
    await until(async () => (await reached(`http://127.0.0.1:${port}/health`))?.ok, 'opa answers')
    for (const input of inputs)
      await (
        await fetch(`http://127.0.0.1:${port}/v1/data/mcp/allow`, { method: 'POST', body: JSON.stringify({ input }) })
      ).text()
    const wanted = [
      'pay same',
      'pay newly_denied',
      'pay same',
      { cause: 'masked', needs: ['arguments.amount'] },
      'read same',
      'write newly_allowed',
    ]
    await received
    assert.deepEqual(await changesIn(uploaded), wanted)
    const file = join(folder, 'console.log')
    writeFileSync(file, printed)
    assert.deepEqual(await changesIn(file), wanted)
  } finally {
    server.kill()
    sink.close()
    rmSync(folder, { recursive: true })
  }
})
