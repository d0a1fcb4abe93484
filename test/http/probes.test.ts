/** What a kubelet asks a gate, by an address that the gate does not know as its own. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { HttpGate } from './fixtures/gate.ts'

const nowhere = new URL('http://127.0.0.1:1/mcp')

async function ask(gate: HttpGate, path: string, method = 'GET'): Promise<readonly [number | undefined, string]> {
  const headers = { host: '10.244.0.7:8717' }
  const asked = request({ host: '127.0.0.1', port: gate.port, path, method, headers, agent: false }).end()
  const [answer] = await once(asked, 'response')
  return [answer.statusCode, (JSON.parse(await text(answer)) as { status: string }).status]
}

test('a gate that lives says so, and whether it can decide calls', async () => {
  let missing: string | undefined = 'no policy is active'
  await using gate = await HttpGate.before(nowhere, {}, { notReady: () => missing })
  assert.deepEqual(await ask(gate, '/healthz'), [200, 'ok'])
  assert.deepEqual(await ask(gate, '/readyz'), [503, 'no policy is active'])
  missing = undefined
  assert.deepEqual(await ask(gate, '/readyz?verbose'), [200, 'ok'])
})

test('by the same name nothing else is answered', async () => {
  await using gate = await HttpGate.before(nowhere)
  for (const [path, method] of [
    ['/mcp', 'GET'],
    ['/healthz', 'POST'],
    ['/readyz/', 'GET'],
    ['/HEALTHZ', 'GET'],
  ] as const)
    assert.equal((await ask(gate, path, method))[0], 403, `${method} ${path}`)
})
