/** The run of a workflow that a program registers with its calls: what a policy pack judges by. */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { GateOptions, RunAttributes } from '../../src/index.ts'
import { opened, temporaryFolder } from './fixtures.ts'
import { decisionIn, sdks, type TestClient, text } from './sdks.ts'

const fixtures = fileURLToPath(new URL('../pack/fixtures', import.meta.url))

const run: RunAttributes = {
  workflow_id: 'sensitive-data-remediation',
  agent_id: 'codex',
  run_id: 'r1',
  gate_phase: 'tool_call',
}
const settings = `pack: mcp-gateway-policy.json
tools:
  git/push: { namespace: repo.contents, access: write_branch, branch: branch, paths: files.path, content: files.text }
  git/read: { namespace: findings.sde, access: read }
`
const files = [{ path: 'src/a.ts', text: 'a' }]
const push = { server: 'git', tool: 'push', arguments: { branch: 'sec-auto-remediation/1', files } }

async function packed(t: TestContext, options: Partial<GateOptions> = {}, more = '') {
  const folder = temporaryFolder(t)
  cpSync(fixtures, folder, { recursive: true })
  const policy = join(folder, 'gate.yaml')
  writeFileSync(policy, `${settings}${more}`)
  return opened(t, '', { policy, ...options })
}

test('a call belongs to the run that is registered with it, or with the gate', async (t) => {
  const { gate, records } = await packed(t, { run })
  assert.equal(gate.check(push).reason_code, 'ALLOW')
  assert.equal(gate.check({ ...push, run: { ...run, workflow_id: 'other' } }).reason_code, 'WORKFLOW_UNKNOWN')
  assert.equal(gate.check({ ...push, run: {} }).reason_code, 'WORKFLOW_ID_INVALID')
  const outcome = await gate.call({ ...push, run: { ...run, run_id: 'r2' } }, ({ branch }) => branch)
  assert.ok(outcome.allowed)
  assert.deepEqual([outcome.decision.variant, outcome.result], ['allow_scoped_branch', 'sec-auto-remediation/1'])
  const [{ input, result }] = records('decision') as readonly [{ input: { run: object }; result: object }]
  assert.deepEqual((input.run as RunAttributes).run_id, 'r2')
  assert.ok('pack_sha256' in result)
})

test('without a registration a call belongs to no run, whatever its arguments say', async (t) => {
  const { gate } = await packed(t)
  assert.equal(gate.check(push).reason_code, 'RUN_MISSING')
  assert.equal(gate.check({ ...push, run: () => undefined }).reason_code, 'RUN_MISSING')
  const claiming = {
    ...push,
    arguments: { ...push.arguments, workflow_id: 'sensitive-data-remediation', gate_phase: 'tool_call' },
  }
  assert.equal(gate.check(claiming).reason_code, 'RUN_MISSING')
})

test('a run that is a function is asked at each call, and is none when that fails', async (t) => {
  let now: RunAttributes = run
  const { gate } = await packed(t, { run: () => now })
  assert.equal(gate.check(push).reason_code, 'ALLOW')
  now = { ...run, kill_signal: 'scope creep' }
  assert.deepEqual([gate.check(push).decision, gate.check(push).reason_code], ['kill', 'KILL_SIGNAL'])
  const failing = () => {
    throw new Error('the control plane is away')
  }
  const { decision, reason_code, message } = gate.check({ ...push, run: failing })
  assert.deepEqual([decision, reason_code], ['deny', 'MALFORMED_CALL'])
  assert.match(message, /the run is not known: the control plane is away/)
})

test('a run is a copy, of known attributes, in plain JSON', async (t) => {
  const given = { ...run, changed_paths: ['src/b.ts'] }
  const { gate } = await packed(t, { run: given })
  given.changed_paths.push('README.md')
  assert.equal(gate.check(push).reason_code, 'ALLOW')
  for (const [wrong, says] of [
    [{ ...run, kil_signal: 'x' }, /unknown key `kil_signal` in `run`/],
    [{ ...run, run_id: undefined, diff_line_count: Number.NaN }, /`run\.diff_line_count` is NaN/],
    [{ ...run, agent_id: new Date(0) }, /`run\.agent_id`/],
    [[run], /unknown key `0` in `run`/],
    ['r1', /`run` must be an object/],
    [null, /`run` must be an object/],
  ] as const) {
    const { reason_code, message } = gate.check({ ...push, run: wrong as never })
    assert.equal(reason_code, 'MALFORMED_CALL')
    assert.match(message, says)
    await assert.rejects(
      packed(t, { run: wrong as never }),
      (error) => error instanceof TypeError && says.test(error.message),
    )
  }
})

test('who acts may be said by verified claims alone', async (t) => {
  const claims = 'claims: { workflow_id: run.workflow, agent_id: sub }\n'
  const principal = { user: 'ann', claims: { sub: 'codex', run: { workflow: 'sensitive-data-remediation' } } }
  const { workflow_id: _, agent_id: __, ...rest } = run
  const { gate } = await packed(t, { run: rest, principal }, claims)
  assert.equal(gate.check(push).reason_code, 'ALLOW')
  assert.equal(gate.check({ ...push, run: { ...rest, agent_id: 'claude' } }).reason_code, 'RUN_CONFLICT')
  assert.equal(gate.check({ ...push, run, principal: { user: 'ann' } }).reason_code, 'WORKFLOW_ID_INVALID')
  const impostor = { ...principal, claims: { ...principal.claims, sub: 'impostor' } }
  assert.equal(gate.check({ ...push, principal: impostor }).reason_code, 'AGENT_NOT_ALLOWED')
})

for (const sdk of sdks)
  test(`${sdk.name}: the calls of a wrapped client belong to the run as it is registered by then`, async (t) => {
    const { gate, reports } = await packed(t)
    let now: RunAttributes | undefined = run
    const server = sdk.server()
    for (const name of ['push', 'read']) sdk.tool(server, name, () => text('done'))
    const registered = () => {
      if (!now) throw new Error('it is over')
      return now
    }
    const options = { server: 'git', run: registered }
    const client = gate.wrapClient(sdk.client({}) as never, options) as TestClient
    const [near, far] = sdk.pair()
    await Promise.all([client.connect(near), server.connect(far)])
    t.after(() => client.close())
    const code = async () => decisionIn(await client.callTool({ name: 'read' }))?.reason_code
    assert.equal((await client.callTool({ name: 'read' })).isError ?? false, false)
    now = { ...run, gate_phase: null }
    assert.equal(await code(), 'GATE_PHASE_INVALID')
    now = undefined
    assert.equal(await code(), 'RUN_MISSING')
    assert.match(reports.at(-1)?.message ?? '', /the call belongs to no run: the run is not known: it is over/)
  })
