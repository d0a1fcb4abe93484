/** `tollgate run` under a policy pack: the run is registered in a file that its host keeps up to date. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { decisionKey } from '../../src/mcp/refusal.ts'
import type { Answer } from '../answer.ts'
import { wrap } from './wrapped.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-pack-run-'))
after(() => rmSync(folder, { recursive: true }))

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const pack = fileURLToPath(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url))
const settings = `pack: ${JSON.stringify(pack)}
tools:
  pay: { namespace: findings.sde, access: read }
`
const run = { workflow_id: 'sensitive-data-remediation', agent_id: 'codex', run_id: 'r1', gate_phase: 'tool_call' }

test('calls are judged by the run as it is registered at that moment, and each record has the hash of the pack', async () => {
  const file = join(folder, 'run.json')
  writeFileSync(file, JSON.stringify(run))
  await using gate = await wrap(settings, { flags: ['--run', file] })
  const call = async (name: string) => {
    const { result, error } = await gate.ask('tools/call', { name, arguments: { workflow_id: 'what the agent says' } })
    return result?._meta?.[decisionKey]?.reason_code ?? error?.message ?? 'ALLOW'
  }
  assert.equal(await call('pay'), 'ALLOW')
  assert.equal(await call('other'), 'Unknown tool: other')
  writeFileSync(file, JSON.stringify({ ...run, agent_id: 'windsurf' }))
  assert.equal(await call('pay'), 'AGENT_NOT_ALLOWED')
  rmSync(file)
  assert.equal(await call('pay'), 'RUN_MISSING')
  writeFileSync(file, JSON.stringify({ ...run, kill_signal: 'scope creep' }))
  const { result } = await gate.ask('tools/call', { name: 'pay', arguments: {} })
  assert.equal(result._meta[decisionKey].decision, 'kill')
  assert.match(result.content[0].text, /^Session ended by policy: /)
  writeFileSync(file, JSON.stringify(run))
  assert.equal(await call('pay'), 'KILLED', 'the session stays ended')
  const decisions = gate.records().filter(({ kill_id, result }: Answer) => result && kill_id === undefined)
  assert.equal(decisions.length, 6)
  for (const { result } of decisions) assert.match(result.pack_sha256, /^[0-9a-f]{64}$/)
  gate.child.stdin?.end()
  await once(gate.child, 'exit')
  const verified = spawnSync(process.execPath, [main, 'audit', 'verify', '--ledger', gate.ledgerFile], {
    encoding: 'utf8',
  })
  assert.equal(verified.status, 0, verified.stdout + verified.stderr)
})

for (const [what, policy, flags, says] of [
  ['without a run', settings, [], /say where it is registered with `--run FILE` \(usage\)/],
  [
    'without knowing its tools',
    `pack: ${JSON.stringify(pack)}\n`,
    ['--run', 'run.json'],
    /in a settings file that has `tools` \(usage\)/,
  ],
] as const) {
  test(`a pack ${what} is not run`, () => {
    const file = join(folder, 'gate.yaml')
    writeFileSync(file, policy)
    const ended = spawnSync(process.execPath, [main, 'run', '-c', file, ...flags, '--', 'cat'], { encoding: 'utf8' })
    assert.match(ended.stderr, says)
    assert.equal(ended.status, 2)
  })
}
