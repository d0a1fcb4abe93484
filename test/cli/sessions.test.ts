/** `tollgate sessions` and `tollgate runs`: what is added up from the records is what the ledger has counted. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openLedger, type SqliteLedger } from '../../src/ledger/ledger.ts'
import type { Call } from '../../src/model/call.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { layered } from '../../src/runtime/policySet.ts'
import type { Answer } from '../answer.ts'
import { tollgate } from './auditRun.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-sessions-'))
const ledger = join(folder, 'ledger.db')
const report = (error: unknown) => assert.fail(error as Error)
const json = (...args: string[]): Answer => {
  const { status, stdout, stderr } = tollgate([...args, '--json', '--ledger', ledger])
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

const bank = `version: "1"
policy_id: bank
default: deny
tools:
  pay:
    rules:
      - { spend: { daily: 100000, monthly: 1000000, currency: cur, currencies: [EUR, USD] } }
      - { rate_limit: 100000/day, per: user }
  held: { rules: [{ action: require_approval }] }
  read: {}
`
const team = 'version: "1"\npolicy_id: team\ndefault: allow\ntools: { pay: { rules: [{ rate_limit: 100000/day }] } }\n'

const callOf = (session: string, name: string, args: object = {}, user = 'ada'): Call => ({
  method: 'tools/call',
  server: 'bank',
  name,
  arguments: args as Call['arguments'],
  principal: { agent: 'bot', user },
  session,
})

/** Calls that are open when a gate ends are closed by whoever opens the ledger next: it stays open here. */
let opened: SqliteLedger | undefined

/** Two policies after each other, then both as layers: calls of several sessions, which end in every way. */
before(async () => {
  const { gate, ledger: own } = openGateWith({ ledgerFile: ledger, report })
  const [one, other] = await Promise.all(
    [bank, team].map((text, index) => buildPolicy({ name: `${index}.yaml`, text })),
  )
  const layers = layered([
    { name: 'org', artifact: one as NonNullable<typeof one> },
    { name: 'team', artifact: other as NonNullable<typeof other> },
  ])
  for (const active of [activePolicy(one as NonNullable<typeof one>), layers.active()]) {
    gate.activate(active)
    for (let i = 0; i < 120; i++) {
      const args = { amount: (i % 7) + 0.25, cur: i % 2 ? 'EUR' : 'USD' }
      const [decision] = gate.admit([callOf(`s-${i % 3}`, 'pay', args, i % 5 ? 'ada' : 'bob')])
      const status = (['success', 'error', 'unknown', undefined] as const)[i % 4]
      if (decision?.decision === 'allow' && status) gate.settle([{ decisionId: decision.decision_id, status }])
    }
  }
  gate.admit([callOf('s-0', 'held'), callOf('s-0', 'nope'), callOf('s-0', 'read')])
  gate.check(callOf('s-0', 'read'))
  gate.refuse([{ reason: 'UNKNOWN_METHOD', message: '', server: 'bank', principal: {}, session: 's-0' }])
  opened = own
})
after(() => {
  opened?.close()
  rmSync(folder, { recursive: true })
})

test('what sessions spent is, counter by counter, what the ledger has counted', () => {
  const spent = new Map<string, number>()
  for (const session of json('sessions', 'list'))
    for (const { policy_id, counter, currency, unit, used } of session.spent) {
      const key = JSON.stringify([policy_id, counter, currency])
      const micro = unit === 'amount' ? Math.round(Number(used) * 1e6) : used
      spent.set(key, (spent.get(key) ?? 0) + micro)
    }
  const counted = new Map<string, number>()
  const db = new Database(ledger, { readonly: true })
  for (const { key, used } of db.prepare('SELECT key, used FROM counters').all() as { key: string; used: number }[]) {
    const [policy, counter, ...values] = JSON.parse(key)
    const currency = values.find((value: unknown) => value === 'EUR' || value === 'USD') ?? null
    const group = JSON.stringify([policy, counter, currency])
    counted.set(group, (counted.get(group) ?? 0) + used)
  }
  db.close()
  assert.ok(counted.size >= 6, `${counted.size} counters`)
  assert.deepEqual([...spent].sort(), [...counted].sort())
})

test('calls, outcomes, callers and times are those of the records; a check is no call', () => {
  const sessions = json('sessions', 'list')
  assert.deepEqual(sessions.map(({ session_id }: Answer) => session_id).toSorted(), ['s-0', 's-1', 's-2'])
  const one = json('sessions', 'show', 's-0')
  assert.deepEqual(
    one,
    sessions.find(({ session_id }: Answer) => session_id === 's-0'),
  )
  assert.deepEqual(one.calls, { allowed: 81, denied: 1, held: 1, killed: 0 })
  assert.equal(one.refused_messages, 1)
  const { success, error, unknown, open } = one.outcomes
  assert.equal(success + error + unknown + open, 81)
  assert.ok(success > 0 && error > 0 && unknown > 0 && open > 1)
  assert.deepEqual(
    one.principals.map(({ user = null }: Answer) => user),
    ['bob', 'ada', null],
  )
  assert.deepEqual([one.servers, one.stopped, one.runs, one.uncounted_calls], [['bank'], null, [], 0])
  const records = [...openLedger({ file: ledger, readOnly: true }).records()].filter(({ kind }) => kind === 'decision')
  const own = records.filter(({ body }) => JSON.parse(body).session_id === 's-0')
  assert.deepEqual(
    [one.first_at, one.last_at],
    [own[0], own.at(-1)].map((record) => new Date(record?.at ?? 0).toISOString()),
  )
  const { stdout } = tollgate(['sessions', 'show', 's-0', '--ledger', ledger])
  assert.match(stdout, /^calls {6}81 allowed, 1 denied, 1 held, 0 stopped$/m)
  assert.match(stdout, /^ {11}spend\(amount, cur\)\/day@pay: [\d.]+ (EUR|USD)$/m)
})

test('a session that is stopped says so, by itself or by who calls', () => {
  const run = (...args: string[]) => tollgate([...args, '--ledger', ledger])
  run('kill', '--session', 's-1', '--as', 'eve', '--reason', 'line\u0007')
  assert.deepEqual(json('sessions', 'show', 's-1').stopped.said_by, 'eve')
  assert.match(run('sessions', 'show', 's-1').stdout, /stopped \(session\) by eve at 20\S+: line\\u0007 \(kill_/)
  assert.match(run('sessions', 'list').stdout, /^s-1 +stopped /m)
  assert.equal(json('sessions', 'show', 's-2').stopped, null)
  run('kill', '--agent', 'bot')
  assert.equal(json('sessions', 'show', 's-2').stopped.target, 'agent')
  run('kill', 'lift', '--session', 's-1')
  run('kill', 'lift', '--agent', 'bot')
  assert.equal(json('sessions', 'show', 's-1').stopped, null)
})

test('only the last ones, only from a time on, and what is not there', () => {
  const limited = tollgate(['sessions', 'list', '--limit', '1', '--ledger', ledger])
  assert.match(limited.stdout, /^ID.*\ns-0 .*\n$/)
  assert.equal(limited.stderr, '1 sessions, and there are 2 older ones: see `--limit`\n')
  assert.deepEqual(json('sessions', 'list', '--since', '2100-01-01'), [])
  const refused: readonly (readonly [readonly string[], number, RegExp])[] = [
    [
      ['sessions', 'show', 'S-0'],
      1,
      /no record is of the session `S-0`: `tollgate sessions list` shows them \(activity_unknown\)/,
    ],
    [['runs', 'show', 'r'], 1, /no record is of the run `r`.*activity_unknown/],
    [['sessions', 'list', '--limit', '0'], 2, /`--limit` takes a whole number from 1 on/],
    [['sessions', 'list', '--since', 'soon'], 2, /`--since` takes a time/],
  ]
  for (const [args, status, message] of refused) {
    const ran = tollgate([...args, '--ledger', ledger])
    assert.deepEqual([ran.status, ran.stdout], [status, ''])
    assert.match(ran.stderr, message)
  }
  assert.deepEqual(
    [tollgate(['runs', 'list', '--ledger', ledger]).stderr, json('runs', 'list')],
    ['no record is of a run\n', []],
  )
})

test('runs are those that the policy pack saw', async () => {
  const file = join(folder, 'runs.db')
  const pack = fileURLToPath(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url))
  const artifact = await buildPolicy({ name: 'mcp-gateway-policy.json', text: readFileSync(pack, 'utf8') })
  const { gate, ledger: own } = openGateWith({ ledgerFile: file, report })
  gate.activate(activePolicy(artifact))
  const run = {
    workflow_id: 'sensitive-data-remediation',
    agent_id: 'codex',
    tool_namespace: 'findings.sde',
    tool_access_mode: 'read',
    gate_phase: 'tool_call',
  }
  for (const [session, run_id, signal] of [
    ['s-1', 'r-1'],
    ['s-2', 'r-1'],
    ['s-2', 'r-2', 'stop'],
  ] as const)
    gate.admit([{ ...callOf(session, 'use'), run: { ...run, run_id, ...(signal && { kill_signal: signal }) } }])
  own.close()
  const runs = JSON.parse(tollgate(['runs', 'list', '--json', '--ledger', file]).stdout)
  assert.deepEqual(
    runs.map(({ run_id, workflow_id, sessions, calls }: Answer) => [
      run_id,
      workflow_id,
      sessions,
      calls.allowed,
      calls.killed,
    ]),
    [
      ['r-1', 'sensitive-data-remediation', ['s-1', 's-2'], 2, 0],
      ['r-2', 'sensitive-data-remediation', ['s-2'], 0, 1],
    ],
  )
  const shown = tollgate(['runs', 'show', 'r-1', '--ledger', file]).stdout
  assert.match(shown, /^run {8}r-1\nworkflow {3}sensitive-data-remediation$/m)
  assert.match(shown, /^sessions {3}s-1, s-2$/m)
  const session = JSON.parse(tollgate(['sessions', 'show', 's-2', '--json', '--ledger', file]).stdout)
  assert.deepEqual([session.runs, session.stopped.said_by], [['r-1', 'r-2'], 'policy'])
})
