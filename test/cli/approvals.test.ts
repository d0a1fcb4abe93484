/** Persons at a terminal: what waits, what it is, and their answer. */
import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { approvalLines, approvalText } from '../../src/cli/approvalsText.ts'
import { approvalView } from '../../src/log/approvals.ts'
import { artifact, crmRead, openTestGate, rewriteChain, tamper, temporaryFolder } from '../log/ledgers.ts'
import { tollgate } from './auditRun.ts'

const held = {
  ...crmRead,
  server: 'bank',
  name: 'close_account',
  arguments: { account: 'a-1', note: 'x\u001b[2J\u202e\ny' },
}
const user = userInfo().username
const until = '2026-01-16T19:26:24.000Z'

/** A ledger in which a call waits; its clock stands in the past, but the request is given time. */
function waiting(): { file: string; id: string; run: (...args: string[]) => ReturnType<typeof tollgate> } {
  const file = join(temporaryFolder(), 'ledger.db')
  const { ledger, activate, admit } = openTestGate(file)
  activate(artifact)
  const { approval } = admit(held)
  ledger.close()
  const id = approval?.id ?? assert.fail()
  assert.equal(approval?.expires_at, until)
  return { file, id, run: (command, ...args) => tollgate(['approvals', command as string, '--ledger', file, ...args]) }
}

/** Now: the test gate lives in January 2026, where every request of it has expired by the clock of the command. */
function inTime(): ReturnType<typeof waiting> {
  const made = waiting()
  tamper(made.file, (db) => {
    const far = Date.parse('2126-01-01T00:00:00Z')
    db.prepare(`UPDATE approvals SET expires = ?, request = json_set(request, '$.expires_at', ?)`).run(far, far)
    db.prepare(
      `UPDATE records SET body = json_set(body, '$.expires_at', '2126-01-01T00:00:00.000Z') WHERE kind = 'hold'`,
    ).run()
    rewriteChain(db)
  })
  return made
}

test('what waits is listed, and an agent cannot steer the terminal of who looks', () => {
  const { id, run } = inTime()
  const { status, stdout, stderr } = run('list')
  assert.deepEqual([status, stderr], [0, ''])
  const [title, line = '', ...more] = stdout.trimEnd().split('\n')
  assert.match(title as string, /^ID +STATE +EXPIRES +TARGET +SERVER +RULE +RISK +FOR +ARGUMENTS$/)
  assert.ok(
    line.startsWith(`${id}  pending  2126-01-01T00:00:00Z  close_account  bank    ask   critical  user-12345`),
    line,
  )
  assert.deepEqual(more, [])
  assert.ok(line.includes('\\\\u001b[2J') || line.includes('\\u001b[2J'), line)
  const shown = run('show', id)
  assert.equal(shown.status, 0, shown.stderr)
  assert.match(shown.stdout, /^target {5}close_account$/m)
  assert.match(shown.stdout, /^wanted {5}one person$/m)
  for (const text of [stdout, shown.stdout]) assert.doesNotMatch(text, /[^\P{C}\n]/u)
})

test('json has the whole request', () => {
  const { id, run } = inTime()
  const [listed] = JSON.parse(run('list', '--json').stdout)
  assert.deepEqual(listed, JSON.parse(run('show', id, '--json').stdout))
  const { arguments: args, state, rule, policy_id, principal, quorum, answers } = listed
  assert.deepEqual(
    { args, state, rule, policy_id, principal, quorum, answers },
    {
      args: held.arguments,
      state: 'pending',
      rule: 'ask',
      policy_id: 'mcp-guard-v1',
      principal: held.principal,
      quorum: 1,
      answers: [],
    },
  )
})

test('who approves is the user of the system, and the record says so', () => {
  const { file, id, run } = inTime()
  const { status, stdout } = run('approve', id, '--reason', 'ticket 812')
  assert.deepEqual(
    [status, stdout],
    [0, `approved ${id}: the call runs once, when it is made again before 2126-01-01T00:00:00.000Z\n`],
  )
  const again = run('approve', id)
  assert.deepEqual([again.status, again.stdout], [1, ''])
  assert.match(again.stderr, /^tollgate: the request `apr_.*` is approved already \(approval_settled\)$/m)
  assert.equal(run('reject', id).status, 1)
  const audit = tollgate(['audit', '--ledger', file, '--kind', 'grant', '--format', 'jsonl'])
  const { approver, approver_known_by, approver_os_user, reason, event_type } = JSON.parse(audit.stdout)
  assert.deepEqual(
    [event_type, approver, approver_known_by, approver_os_user, reason],
    ['approval_grant', user, 'os_user', user, 'ticket 812'],
  )
  const table = tollgate(['audit', '--ledger', file, '--all']).stdout
  assert.match(table, new RegExp(`approval_grant +approved +close_account +bank +- +${user}: ticket 812`))
  assert.deepEqual(tollgate(['audit', 'verify', '--ledger', file]).stdout.match(/: (not )?proved/)?.[0], ': proved')
})

test('who rejects may say a name, and the record has both', () => {
  const { file, id, run } = inTime()
  assert.deepEqual(run('reject', id, '--as', 'ada', '--reason', 'not today').stdout, `rejected ${id}\n`)
  const [answer] = JSON.parse(run('show', id, '--json').stdout).answers
  assert.deepEqual(
    [answer.approver, answer.approver_known_by, answer.approver_os_user, answer.reason],
    ['ada', 'command_line', user, 'not today'],
  )
  const [decision] = JSON.parse(tollgate(['audit', '--ledger', file, '--format', 'json']).stdout)
  assert.deepEqual(
    [decision.human_decision, decision.result_status, decision.result_detail],
    ['denied', 'denied', 'not today'],
  )
  assert.match(
    run('show', id).stdout,
    new RegExp(`^rejected {3}.* by ada \\(said by the system's user ${user}\\): not today$`, 'm'),
  )
})

test('what has expired is not approved, and says so', () => {
  const { file, id, run } = waiting()
  assert.equal(run('list').stderr, 'no request is pending\n')
  assert.match(run('list', '--state', 'expired').stdout, /expired/)
  const { status, stderr } = run('approve', id)
  assert.equal(status, 1)
  assert.match(stderr, /is expired already \(approval_settled\)/)
  assert.equal(tollgate(['audit', 'verify', '--ledger', file]).status, 0)
})

test('what is not there, or cannot be, is said', () => {
  const { run } = waiting()
  assert.match(
    run('show', 'apr_none').stderr,
    /there is no request `apr_none` in this ledger: `tollgate approvals list --all` shows them \(approval_unknown\)/,
  )
  assert.match(run('approve', 'apr_\u001b[2J').stderr, /`apr_\\u001b\[2J`.*\(approval_unknown\)/)
  assert.match(run('approve', 'apr_none', '--as', '').stderr, /\(approver_invalid\)/)
  assert.equal(run('approve').status, 2)
  assert.equal(run('list', '--state', 'maybe').status, 2)
  assert.match(tollgate(['approvals', 'list', '--ledger', '/nowhere/ledger.db']).stderr, /\(ledger_unavailable\)/)
})

test('a table is as wide as the terminal, and arguments are shown line by line', () => {
  const { ledger, activate, admit } = openTestGate(':memory:')
  activate(artifact)
  admit(held)
  const views = ledger.approvals().map((approval) => approvalView(approval, 0))
  const [title] = [...approvalLines(views, 80, process.stdout)]
  assert.match(title as string, /^ID +STATE +TARGET/)
  const text = approvalText(views[0] ?? assert.fail(), 0)
  assert.match(text, /^ {4}"account": "a-1",$/m)
  assert.match(text, /"note": "x\\u001b\[2J\\u202e\\ny"$/m)
  ledger.close()
})

const forged: readonly (readonly [string, string])[] = [
  [`DELETE FROM records WHERE kind = 'grant'`, 'was not approved'],
  [`UPDATE records SET body = json_set(body, '$.quorum', 2) WHERE kind = 'hold'`, 'leaves the request approved'],
  [
    `UPDATE records SET body = json_set(body, '$.name', 'other') WHERE kind = 'hold'`,
    'another call than the one that was held',
  ],
  [
    `UPDATE records SET body = json_set(body, '$.holds[0]', 'x#1') WHERE kind = 'hold'`,
    'more or less than was approved',
  ],
  [
    `UPDATE records SET body = json_set(body, '$.expires_at', '2026-01-16T19:11:24.000Z') WHERE kind = 'hold'`,
    'time of the request was over',
  ],
  [`DELETE FROM records WHERE kind = 'consumption'`, 'does not use up'],
  [
    `UPDATE records SET body = json_set(body, '$.consumed_by', 'x') WHERE kind = 'consumption'`,
    'no decision lets the call through',
  ],
  [
    `UPDATE records SET kind = 'reject', body = json_set(body, '$.type', 'reject') WHERE kind = 'grant'`,
    'was over, by a record of the kind reject',
  ],
]

for (const [change, says] of forged)
  test(`a story that was made up is found: ${says}`, () => {
    const { file, id, run } = inTime()
    run('approve', id)
    const { ledger, admit, activate } = openTestGate(file)
    activate(artifact)
    assert.equal(admit(held).decision, 'allow')
    ledger.close()
    assert.equal(tollgate(['audit', 'verify', '--ledger', file]).status, 0)
    tamper(file, (db) => {
      db.exec(change)
      const rows = db.prepare<[], { seq: number }>('SELECT seq FROM records ORDER BY seq').all()
      for (const [index, { seq }] of rows.entries())
        db.prepare('UPDATE records SET seq = ? WHERE seq = ?').run(index + 1, seq)
      rewriteChain(db)
    })
    const { status, stdout } = tollgate(['audit', 'verify', '--ledger', file])
    assert.equal(status, 1)
    assert.ok(stdout.includes(says), stdout)
  })
