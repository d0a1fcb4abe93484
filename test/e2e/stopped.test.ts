/** `tollgate run` and `tollgate kill` as two processes: what is stopped ends at once, its server too, and stays so after a restart. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Answer } from '../answer.ts'
import { tollgate } from '../cli/auditRun.ts'
import { until } from '../until.ts'
import { decisionIn, type Wrapped, wrap } from './wrapped.ts'

const policy = `version: "1"
default: deny
tools:
  pay: { rules: [{ spend: { daily: 100 } }] }
  free: {}
  held: { rules: [{ action: require_approval, approval_wait: 10m }] }
`
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const witness = fileURLToPath(new URL('witness.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-stopped-'))
after(() => rmSync(folder, { recursive: true }))

const kill = (ledgerFile: string, ...args: string[]) => {
  const { status, stdout, stderr } = tollgate(['kill', ...args, '--ledger', ledgerFile])
  assert.equal(status, 0, stderr)
  return stdout
}
const proved = (ledgerFile: string) => {
  const { status, stdout } = tollgate(['audit', 'verify', '--ledger', ledgerFile])
  assert.equal(status, 0, stdout)
}
const send = (gate: Wrapped, id: number, name: string, args: object) =>
  gate.write(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } }))

/** The call has reached the server, which says nothing. */
const arrived = (gate: Wrapped, args: object) =>
  until(() => gate.forwarded().some((line) => line.includes(JSON.stringify(args))), `${JSON.stringify(args)} arrives`)

/** Processes that the gate has started and that run still. */
function children({ child }: Wrapped): readonly string[] {
  const text = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ')
}

test('a session is stopped in a call: its caller is told, its server ends, and every further message is refused', async () => {
  await using gate = await wrap(policy, { flags: ['--session', 's-1', '--agent', 'bot'] })
  const { ledgerFile } = gate
  send(gate, 1, 'pay', { amount: 7, silent: true })
  await arrived(gate, { amount: 7, silent: true })
  kill(ledgerFile, '--session', 's-1', '--as', 'ada', '--reason', 'ticket 812')
  const { error } = await gate.answer(1)
  assert.deepEqual([error.code, decisionIn({ error }).reason_code], [-31403, 'KILLED'])
  assert.match(error.message, /`ada` stopped this session: ticket 812\. Whether it happened is not known\.$/)
  const lists = await gate.ask('tools/list', {})
  assert.equal(lists.error.code, -31403)
  const call = await gate.ask('tools/call', { name: 'free', arguments: {} })
  assert.match(
    call.result.content[0].text,
    /^Stopped: `ada` stopped this session: ticket 812\. Stop, and call no more tools\.$/,
  )
  assert.equal((await gate.ask('ping', {})).error.code, -31403)
  if (process.platform === 'linux') await until(() => children(gate).length === 0, 'the server ends')
  await until(() => /the MCP server ends, and every message is refused/.test(gate.stderr()), 'the operator is told')
  const outcome = gate.records().find(({ type }: Answer) => type === 'outcome')
  assert.deepEqual([outcome.status, outcome.detail], ['unknown', 'stopped: `ada` stopped this session: ticket 812'])
  const last = gate.forwarded().at(-1) ?? ''
  assert.match(last, /"silent":true|"notifications\/cancelled","params":\{"requestId":1,/, 'and nothing else came')
  kill(ledgerFile, 'lift', '--session', 's-1')
  const late = await gate.ask('tools/call', { name: 'free', arguments: {} })
  assert.match(late.result.content[0].text, /its server ended: start it again/)
  assert.ok(!gate.forwarded().some((line) => line.includes('"free"')))
  gate.child.stdin?.end()
  assert.deepEqual(await once(gate.child, 'exit'), [0, null])
  proved(ledgerFile)
})

test('what is stopped stays so after a kill -9 and a restart; what it reserved stays charged', async () => {
  const ledgerFile = join(folder, 'restart.db')
  const flags = ['--session', 's-1', '--agent', 'bot']
  {
    await using gate = await wrap(policy, { ledger: ledgerFile, flags })
    send(gate, 1, 'pay', { amount: 60, silent: true })
    await arrived(gate, { amount: 60, silent: true })
    kill(ledgerFile, '--agent', 'bot')
    gate.child.kill('SIGKILL')
    await once(gate.child, 'exit')
  }
  writeFileSync(join(folder, 'policy.yaml'), policy)
  const log = join(folder, 'restart.log')
  const lines = ['initialize', 'tools/list', 'tools/call'].map((method, id) =>
    JSON.stringify({ jsonrpc: '2.0', id, method, params: { name: 'free', arguments: {} } }),
  )
  const args = ['run', '-c', join(folder, 'policy.yaml'), '--ledger', ledgerFile, '--session', 's-2', '--agent', 'bot']
  const again = spawnSync(process.execPath, [main, ...args, '--', process.execPath, witness, log], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
  })
  const answers = again.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    answers.map((answer) => decisionIn(answer).reason_code),
    ['KILLED', 'KILLED', 'KILLED'],
  )
  assert.throws(() => readFileSync(log), 'nothing reached the server')
  kill(ledgerFile, 'lift', '--agent', 'bot')
  await using gate = await wrap(policy, { ledger: ledgerFile, flags })
  assert.equal(decisionIn(await gate.ask('tools/call', { name: 'pay', arguments: { amount: 50 } })).decision, 'deny')
  assert.equal((await gate.ask('tools/call', { name: 'pay', arguments: { amount: 40 } })).result.isError, undefined)
  proved(ledgerFile)
})

test('a tool is stopped: its calls under way end, others and the session go on; a call that waits for a person is refused', async () => {
  await using gate = await wrap(policy, { flags: ['--session', 's-1'] })
  send(gate, 1, 'pay', { amount: 1, silent: true })
  send(gate, 2, 'free', { silent: true })
  send(gate, 3, 'held', { account: 1 })
  await arrived(gate, { silent: true })
  await until(() => gate.records().some(({ type }: Answer) => type === 'hold'), 'somebody is asked')
  kill(gate.ledgerFile, '--tool', 'pay')
  assert.equal(decisionIn(await gate.answer(1)).reason_code, 'TOOL_KILLED')
  assert.equal(
    decisionIn(await gate.ask('tools/call', { name: 'pay', arguments: { amount: 1 } })).reason_code,
    'TOOL_KILLED',
  )
  assert.equal((await gate.ask('tools/call', { name: 'free', arguments: {} })).result.isError, undefined)
  const { result } = await gate.ask('tools/list', {})
  assert.ok(
    result.tools.some(({ name }: Answer) => name === 'pay'),
    'lists are those of the policy',
  )
  kill(gate.ledgerFile, '--tool', 'held', '--reason', 'not this one')
  const held = await gate.answer(3)
  assert.equal(decisionIn(held).reason_code, 'TOOL_KILLED')
  assert.match(held.result.content[0].text, /stopped the tool `held`: not this one/)
  kill(gate.ledgerFile, 'lift', '--tool', 'pay')
  assert.equal((await gate.ask('tools/call', { name: 'pay', arguments: { amount: 1 } })).result.isError, undefined)
  kill(gate.ledgerFile, '--all')
  assert.equal(decisionIn(await gate.answer(2)).reason_code, 'KILLED')
  proved(gate.ledgerFile)
})

test('two gates with one ledger: one session is stopped, the other goes on, until everything is stopped', async () => {
  const ledger = join(folder, 'two.db')
  await using one = await wrap(policy, { ledger, flags: ['--session', 's-1'] })
  await using two = await wrap(policy, { ledger, flags: ['--session', 's-2'] })
  kill(ledger, '--session', 's-1')
  assert.equal(decisionIn(await one.ask('tools/call', { name: 'free', arguments: {} })).reason_code, 'KILLED')
  assert.equal((await two.ask('tools/call', { name: 'free', arguments: {} })).result.isError, undefined)
  kill(ledger, '--all')
  assert.equal(decisionIn(await two.ask('tools/call', { name: 'free', arguments: {} })).reason_code, 'KILLED')
  proved(ledger)
})

test('a kill signal of a pack ends its session and its calls under way, and stays when the signal is gone', async () => {
  const pack = fileURLToPath(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url))
  const settings = `pack: ${JSON.stringify(pack)}\ntools:\n  pay: { namespace: findings.sde, access: read }\n`
  const file = join(folder, 'run.json')
  const run = { workflow_id: 'sensitive-data-remediation', agent_id: 'codex', run_id: 'r1', gate_phase: 'tool_call' }
  writeFileSync(file, JSON.stringify(run))
  await using gate = await wrap(settings, { flags: ['--run', file, '--session', 's-1'] })
  send(gate, 1, 'pay', { silent: true })
  await arrived(gate, { silent: true })
  writeFileSync(file, JSON.stringify({ ...run, kill_signal: 'scope creep' }))
  assert.equal(decisionIn(await gate.ask('tools/call', { name: 'pay', arguments: {} })).reason_code, 'KILL_SIGNAL')
  const ended = await gate.answer(1)
  assert.match(ended.error.message, /the policy stopped this session: a kill signal fired/)
  writeFileSync(file, JSON.stringify(run))
  assert.equal(decisionIn(await gate.ask('tools/call', { name: 'pay', arguments: {} })).reason_code, 'KILLED')
  if (process.platform === 'linux') await until(() => children(gate).length === 0, 'the server ends')
  const [listed] = JSON.parse(kill(gate.ledgerFile, 'list', '--json'))
  assert.deepEqual([listed.session_id, listed.said_by, listed.target], ['s-1', 'policy', 'session'])
  proved(gate.ledgerFile)
})
