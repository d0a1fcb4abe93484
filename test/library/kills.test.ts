/** The kill switch in a program: what it stops itself, and what another process stops while calls are under way. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openGate } from '../../src/index.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { describeWith } from '../../src/log/describe.ts'
import type { KillTarget } from '../../src/model/kill.ts'
import { Kills } from '../../src/pep/kills.ts'
import { until } from '../until.ts'
import { opened } from './fixtures.ts'
import { type Sdk, sdks, type TestClient, text } from './sdks.ts'

const policy = 'version: "1"\ndefault: deny\ntools: { pay: {}, slow: {} }\n'

test('a program stops and lifts, and gates that share the ledger hear of it with their next call', async (t) => {
  const { gate, ledger, records } = await opened(t, policy, { session: 's-1', principal: { agent: 'bot' } })
  const other = await openGate({ policy: { name: 'p.yaml', text: policy }, ledger, server: 'shop' })
  const kill = gate.kill({ agent: 'bot' }, { by: 'ada', reason: 'ticket 812' })
  assert.deepEqual(
    [kill.target, kill.principal, kill.said_by, kill.said_by_known_by],
    ['agent', { agent: 'bot' }, 'ada', 'program'],
  )
  let ran = 0
  const refused = await other.call({ tool: 'pay', principal: { agent: 'bot' } }, () => ran++)
  assert.deepEqual([refused.allowed, refused.decision.kill_id, ran], [false, kill.id, 0])
  assert.equal(gate.check({ tool: 'pay' }).reason_code, 'KILLED')
  assert.equal(other.check({ tool: 'pay' }).decision, 'allow')
  assert.deepEqual(other.kills(), [kill])
  assert.deepEqual(gate.kill({ agent: 'bot' }, { by: 'bob' }), kill, 'it stays as it was')
  assert.deepEqual(other.lift({ id: kill.id }, { by: 'bob', reason: 'mended' }), kill)
  assert.equal(gate.check({ tool: 'pay' }).decision, 'allow')
  for (const target of [{ session: 's-1' }, { tool: 'p*' }, { server: 'shop' }, { all: true }] as const) {
    gate.kill(target, { by: 'ada' })
    assert.notEqual(gate.check({ tool: 'pay' }).decision, 'allow')
    gate.lift(target, { by: 'ada' })
  }
  assert.deepEqual([gate.kills(), records('kill').length, records('lift').length], [[], 6, 5])
  other.close()
})

test('what names nothing, or more than one thing, stops nothing', async (t) => {
  const { gate } = await opened(t, policy)
  const by = { by: 'ada' }
  const odd = [
    {},
    { session: '' },
    { session: 1 },
    { Session: 's' },
    { session: 's', agent: 'a' },
    { all: false },
    null,
  ]
  for (const target of odd)
    assert.throws(() => gate.kill(target as never, by), { code: 'kill_invalid' }, JSON.stringify(target))
  for (const said of [{}, { by: '' }, { by: 'ada', reason: 1 }, null])
    assert.throws(() => gate.kill({ all: true }, said as never), { code: 'kill_invalid' }, JSON.stringify(said))
  assert.throws(() => gate.lift({ session: 's' }, by), { code: 'kill_unknown' })
  assert.deepEqual(gate.kills(), [])
  gate.close()
  assert.throws(() => gate.kill({ all: true }, by), { code: 'ledger_unavailable' })
})

/** As another process does it. */
function elsewhere(file: string, target: KillTarget): void {
  const ledger = openLedger({ file })
  const kills = new Kills({
    ledger,
    describe: describeWith({ id: 'other', version: '0' }, 'full'),
    newId: () => target.name,
  })
  kills.kill(target, { by: { name: 'ada', known_by: 'os_user', os_user: 'ada' } })
  ledger.close()
}

test('a function that a call runs is broken off by its signal when the call is stopped, here or elsewhere', async (t) => {
  const { gate, ledger, records } = await opened(t, policy, { session: 's-1', run: { run_id: 'r1' } })
  const running = (tool: string) => {
    const ended = Promise.withResolvers<void>()
    const call = gate.call({ tool }, (_, __, signal) => {
      signal.addEventListener('abort', () => ended.resolve())
      return ended.promise.then(() => signal.throwIfAborted())
    })
    return { call, end: ended.resolve }
  }
  const [slow, pay] = [running('slow'), running('pay')]
  gate.kill({ tool: 'sl*' }, { by: 'ada', reason: 'drill' })
  await assert.rejects(slow.call, { message: 'stopped: `ada` stopped all tools `sl*`: drill' })
  pay.end()
  assert.equal((await pay.call).allowed, true, 'others go on')
  const run = running('pay')
  elsewhere(ledger, { kind: 'run', name: 'r1' })
  await assert.rejects(run.call, { message: 'stopped: `ada` stopped the run `r1`' })
  assert.deepEqual(
    records('outcome').map(({ status }) => status),
    ['unknown', 'success', 'unknown'],
  )
})

async function staged(t: TestContext, sdk: Sdk, side: 'client' | 'server') {
  const { gate, ledger, records } = await opened(t, policy, { session: 's-1' })
  const seen = { ran: 0, aborted: 0 }
  const server = sdk.server()
  sdk.tool(server, 'slow', async (_, { signal }) => {
    seen.ran++
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    seen.aborted++
    return text('done')
  })
  const client = sdk.client({}) as TestClient
  if (side === 'client') gate.wrapClient(client as never, { server: 'shop' })
  else gate.guardServer(server as never, { server: 'shop' })
  const [near, far] = sdk.pair()
  await Promise.all([client.connect(near), server.connect(far)])
  t.after(() => client.close())
  return { client, seen, ledger, records }
}

for (const sdk of sdks)
  for (const side of ['client', 'server'] as const)
    test(`${sdk.name}: a guarded ${side} ends its call when another process stops its session, and lists nothing then`, async (t) => {
      const { client, seen, ledger, records } = await staged(t, sdk, side)
      const call = client.callTool({ name: 'slow', arguments: {} })
      const ended = assert.rejects(call, { code: -31403, message: /`ada` stopped this session/ })
      await until(() => seen.ran === 1, 'the call is under way')
      elsewhere(ledger, { kind: 'session', name: 's-1' })
      await ended
      await until(() => seen.aborted === 1, 'the tool hears that nobody waits')
      await assert.rejects(client.listTools() as Promise<unknown>, { code: -31403 })
      const [outcome] = records('outcome')
      assert.equal(outcome.status, 'unknown')
    })
