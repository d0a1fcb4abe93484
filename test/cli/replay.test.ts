/** `tollgate replay`: another policy, judged by the compiled one, over a ledger as a gate wrote it. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { Answer } from '../answer.ts'
import { artifact, crmRead, openTestGate, pay, policyText, startedAt, tamper, temporaryFolder } from '../log/ledgers.ts'
import { type Ran, tollgate } from './auditRun.ts'

const folder = temporaryFolder()
const ledger = join(folder, 'ledger.db')
const same = join(folder, 'same.yaml')
const next = join(folder, 'next.yaml')

/** Times of the shell would be those of the day. */
const later = new Date(startedAt + 4_500).toISOString()

before(() => {
  const { ledger: own, activate, admit, check, done } = openTestGate(ledger)
  activate(artifact)
  done(crmRead)
  done(pay(10))
  admit(pay(1_000))
  done(pay(60))
  admit({ ...crmRead, server: 'bank', name: 'close_account', session: 's-2', principal: { agent: 'a|b`@team' } })
  check(crmRead)
  own.close()
  writeFileSync(same, policyText)
  writeFileSync(
    next,
    policyText
      .replace('per_call: 500', 'per_call: 50')
      .replace('action: require_approval, ', '')
      .replace('mcp-guard-v1', 'mcp-guard-v2'),
  )
})

const replay = (...args: string[]): Ran => tollgate(['replay', '--from', ledger, ...args])

test('under the policy that decided nothing changes, and nothing fails', () => {
  const { status, stdout, stderr } = replay('--against', same, '--fail-on', 'any')
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^decisions {2}6, of which 6 stay as they are$/m)
  assert.match(stdout, /^changed {4}nothing$/m)
  assert.equal(stderr, '')
  const { last } = JSON.parse(replay('--against', same, '--json').stdout) as Answer
  const one = (...format: string[]) => replay('--against', same, '--since', last, ...format).stdout
  assert.match(one(), /^decisions {2}1, of which 1 stays as it is$/m)
  assert.match(one('--format', 'markdown'), /; 1 stays as it is\.$/m)
})

test('JSON has the numbers, by tool, agent and rule, and calls to look at', () => {
  const { status, stdout } = replay(
    '--against',
    next,
    '--json',
    '--fail-on',
    'newly-denied,newly-held',
    '--fail-on',
    'any',
  )
  assert.equal(status, 1)
  const report: Answer = JSON.parse(stdout)
  assert.deepEqual(report.changes, {
    newly_allowed: 1,
    newly_denied: 1,
    newly_held: 0,
    other_rule: 0,
    other_reason: 0,
    undecidable: 0,
  })
  assert.deepEqual([report.decisions, report.checks, report.unchanged], [6, 1, 4])
  assert.deepEqual(report.failed, ['newly-denied', 'any'])
  assert.deepEqual(report.against.policies, [{ policy_id: 'mcp-guard-v2', policy_version: '2026-01-16' }])
  assert.deepEqual(report.by_tool[0], {
    server: 'bank',
    method: 'tools/call',
    name: 'pay',
    decisions: 3,
    ...report.changes,
    newly_allowed: 0,
  })
  const agents = report.by_agent.map(({ agent, newly_allowed, newly_denied }: Answer) => [
    agent,
    newly_allowed,
    newly_denied,
  ])
  assert.deepEqual(agents, [
    ['bot', 0, 1],
    ['a|b`@team', 1, 0],
  ])
  const [allowed, denied] = report.by_rule
  assert.deepEqual([allowed.outcome, allowed.before.rule, allowed.after.decision], ['newly_allowed', 'ask', 'allow'])
  assert.deepEqual(denied.after, { decision: 'deny', reason_code: 'SPEND_PER_CALL_EXCEEDED', rule: 'cap' })
  const [example] = denied.examples
  assert.deepEqual([example.name, example.arguments, example.session_id], ['pay', { amount: 60 }, 's-1'])
  assert.match(example.decision_id, /^[0-9a-f-]{36}$/)
})

test('Markdown for a pull request mentions nobody, and goes into a file', () => {
  const file = join(folder, 'comment.md')
  const { status, stdout } = replay('--against', next, '--format', 'markdown', '-o', file, '--fail-on', 'undecidable')
  assert.deepEqual([status, stdout], [0, ''])
  const text = readFileSync(file, 'utf8')
  assert.match(text, /^### Replay: 2 of 6 recorded decisions change$/m)
  assert.match(
    text,
    /^\| newly denied \| 1 \| `allow by pay \(ALLOW\)` \| `deny by cap \(SPEND_PER_CALL_EXCEEDED\)` \| `pay \{"amount":60\}`/m,
  )
  assert.match(text, /^\| ``\sa\\\|b`@team\s`` \| 1 \|/m)
})

test('`--since` reports on what came later, and what came before counts', () => {
  const capped = join(folder, 'capped.yaml')
  writeFileSync(capped, policyText.replace('per_call: 500', 'per_call: 500, daily: 65'))
  const report: Answer = JSON.parse(replay('--against', capped, '--json', '--since', later).stdout)
  assert.deepEqual([report.since, report.decisions, report.changes.newly_denied], [later, 4, 1])
})

test('the text says what it fails on', () => {
  const { status, stdout } = replay('--against', next, '--fail-on', 'newly-held,newly-allowed')
  assert.equal(status, 1)
  assert.match(stdout, /^changed {4}1 newly allowed\n {11}1 newly denied$/m)
  assert.match(stdout, /^besides {4}1 were only asked about, and charge nothing$/m)
  assert.match(stdout, /^fails on {3}newly-allowed$/m)
})

test('layers and several files are taken as `eval` takes them', () => {
  const base = join(folder, 'base.yaml')
  writeFileSync(base, 'version: "1"\npolicy_id: base\ndefault: allow\ntools: { "*": { rules: [] } }\n')
  const report: Answer = JSON.parse(replay('--layer', `org=${base}`, '--layer', `team=${next}`, '--json').stdout)
  assert.deepEqual(
    report.against.policies.map(({ layer }: Answer) => layer),
    ['org', 'team'],
  )
  assert.equal(report.changes.newly_denied, 1)
  const merged: Answer = JSON.parse(replay('--against', base, '--against', next, '--json').stdout)
  assert.deepEqual(merged.against.policies, [{ policy_id: 'base', policy_version: '' }])
})

test('a bundle is taken where a policy is, and believed from whom it is said to be', () => {
  const bundle = join(folder, 'next.tar.gz')
  const built = tollgate(['build', next, '-o', bundle])
  assert.equal(built.status, 0, built.stderr)
  const report: Answer = JSON.parse(replay('--against', bundle, '--allow-unsigned', '--json').stdout)
  assert.deepEqual([report.changes.newly_allowed, report.changes.newly_denied], [1, 1])
  const refused = replay('--against', bundle)
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /bundle_trust_missing/)
})

test('what is missing or wrong is said', () => {
  const none = tollgate(['replay'])
  assert.equal(none.status, 2)
  assert.match(none.stderr, /name its file with `--against FILE`/)
  const nowhere = tollgate(['replay', '--against', same], { TOLLGATE_LEDGER: join(folder, 'none.db') })
  assert.match(nowhere.stderr, /there is no ledger at .*; name another with `--from FILE` \(ledger_unavailable\)/)
  const odd = replay('--against', same, '--fail-on', 'newly-allowed,newer')
  assert.equal(odd.status, 2)
  assert.match(odd.stderr, /`--fail-on` takes `newly-allowed`, .*, got `newer`/)
  const missing = tollgate(['replay', '--against', same, '--from', join(folder, 'no.db')])
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, /no\.db`: there is no such file \(decisions_unreadable\)/)
})

test('a record that is not what was recorded ends the replay', () => {
  tamper(ledger, (db) =>
    db.exec(`UPDATE records SET body = replace(body, '"amount":60', '"amount":6') WHERE kind = 'decision'`),
  )
  const { status, stdout, stderr } = replay('--against', same)
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /record \d+ is not what was recorded; `tollgate audit verify` says all .*\(ledger_corrupt\)/)
})
