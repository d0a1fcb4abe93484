/** Runs that their host registers over HTTP, and that calls belong to by a claim of their caller's token, at a real `tollgate serve`. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newKey } from '../../src/admission/approvers.ts'
import { Issuer } from './fixtures/issuer.ts'
import { bearer, Folder, recordingServer, Serving } from './fixtures/serving.ts'

test('a call is of the run that its host registered under the claimed id, while it is registered', async () => {
  using folder = new Folder()
  await using issuer = await Issuer.start()
  await using upstream = await recordingServer()
  cpSync(
    fileURLToPath(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url)),
    join(folder.path, 'pack.json'),
  )
  folder.write(
    'gate.yaml',
    'pack: pack.json\nclaims: { run_id: run_id, agent_id: sub }\ntools: { srv/pay: { namespace: findings.sde, access: read } }\n',
  )
  folder.write(
    'settings.yaml',
    `identity:\n  jwt: { issuer: ${issuer.issuer}, audience: ${issuer.audience}, jwks: ${issuer.url}, keep: [run_id, sub] }\n`,
  )
  const { key, line } = newKey('host', ['runs', 'read'])
  folder.write('approvers', `${line}\n`)
  const args = ['-c', 'gate.yaml', '--settings', 'settings.yaml', '--server', 'srv', '--upstream', upstream.url.href]
  const started = async () => {
    const one = await Serving.start(folder, ...args, '--admin', '127.0.0.1:0', '--approvers', 'approvers')
    await one.says(/persons answer at/)
    return one
  }
  await using first = await started()
  let serving = first
  const ask = (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const admin = /persons answer at (\S+)/.exec(serving.stderr)?.[1] ?? assert.fail('no admission server')
    return fetch(new URL(path, admin), { ...init, headers })
  }
  const register = async (attributes: object) => {
    const { status } = await ask('/v1/runs', { method: 'POST', body: JSON.stringify({ run_id: 'r1', attributes }) })
    assert.ok(status === 200 || status === 201)
  }
  const coded = async (claims: object) => {
    await serving.call('pay', bearer(await issuer.token({ claims: { sub: 'codex', ...claims } })))
    return folder.lastDecision().reason_code
  }
  const before = await coded({ run_id: 'r1' })
  assert.notEqual(before, 'ALLOW')
  await register({ workflow_id: 'sensitive-data-remediation', gate_phase: 'tool_call' })
  assert.equal(await coded({ run_id: 'r1' }), 'ALLOW')
  assert.equal(await coded({ run_id: 'r2' }), before)
  assert.notEqual(await coded({}), 'ALLOW')
  await first.end()
  await using second = await started()
  serving = second
  assert.equal(await coded({ run_id: 'r1' }), 'ALLOW', 'it survives a restart')
  await register({ workflow_id: 'sensitive-data-remediation', gate_phase: 'tool_call', kill_signal: 'scope creep' })
  assert.equal(await coded({ run_id: 'r1' }), 'KILL_SIGNAL')
  assert.equal((await ask('/v1/runs/r1', { method: 'DELETE' })).status, 200)
  assert.notEqual(await coded({ run_id: 'r1' }), 'ALLOW')
  const metrics = await (await ask('/metrics')).text()
  assert.match(metrics, /tollgate_decisions_total\{kind="call",decision="allow",.*server="srv"\} 1\n/)
})
