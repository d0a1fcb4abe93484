/** Who acts in which run, from the token of the caller: a policy pack at a real `tollgate serve`. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ScriptedServer } from '../http/fixtures/gate.ts'
import { Issuer } from './fixtures/issuer.ts'
import { bearer, Folder, recordingServer, Serving } from './fixtures/serving.ts'

const folder = new Folder()
let issuer: Issuer
let upstream: ScriptedServer
let serving: Serving

before(async () => {
  issuer = await Issuer.start()
  upstream = await recordingServer()
  cpSync(
    fileURLToPath(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url)),
    join(folder.path, 'pack.json'),
  )
  folder.write(
    'gate.yaml',
    'pack: pack.json\nclaims: { workflow_id: run.workflow, run_id: run.id, agent_id: sub }\ntools: { srv/pay: { namespace: findings.sde, access: read } }\n',
  )
  folder.write(
    'settings.yaml',
    `identity:\n  jwt: { issuer: ${issuer.issuer}, audience: ${issuer.audience}, jwks: ${issuer.url}, keep: [run, sub] }\n`,
  )
  folder.write('run.json', '{ "gate_phase": "tool_call" }')
  const args = ['-c', 'gate.yaml', '--settings', 'settings.yaml', '--server', 'srv', '--run', 'run.json']
  serving = await Serving.start(folder, ...args, '--upstream', upstream.url.href)
})
after(async () => {
  await serving[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const run = { workflow: 'sensitive-data-remediation', id: 'r1' }

async function coded(claims: Readonly<Record<string, unknown>>): Promise<string> {
  const { status } = await serving.call('pay', bearer(await issuer.token({ claims })))
  assert.equal(status, 200)
  return folder.lastDecision().reason_code
}

test('the run that a call belongs to is the one that the token of its caller claims', async () => {
  assert.equal(await coded({ sub: 'codex', run }), 'ALLOW')
  const { input } = folder.lastDecision() as unknown as { input: { run: object } }
  assert.deepEqual(input.run, {
    agent_class: 'codex',
    agent_id: 'codex',
    gate_phase: 'tool_call',
    kill_signals: [],
    run_id: 'r1',
    tool_access_mode: 'read',
    tool_namespace: 'findings.sde',
    workflow_id: 'sensitive-data-remediation',
  })
  assert.equal(await coded({ sub: 'impostor', run }), 'AGENT_NOT_ALLOWED')
  assert.equal(await coded({ sub: 'codex', run: { ...run, workflow: 'other' } }), 'WORKFLOW_UNKNOWN')
  assert.equal(await coded({ sub: 'codex', run: { id: 'r1' } }), 'WORKFLOW_ID_INVALID')
  assert.equal(await coded({ sub: 'codex' }), 'WORKFLOW_ID_INVALID')
  assert.equal(folder.tollgate('audit', 'verify', '--ledger', 'ledger.db').status, 0)
})

test('a registration that says another run is a conflict, and a signal in it ends the session', async () => {
  folder.write('run.json', '{ "gate_phase": "tool_call", "workflow_id": "base-image-remediation" }')
  assert.equal(await coded({ sub: 'codex', run }), 'RUN_CONFLICT')
  folder.write('run.json', '{ "gate_phase": "tool_call", "kill_signal": "scope creep" }')
  assert.equal(await coded({ sub: 'codex', run }), 'KILL_SIGNAL')
})
