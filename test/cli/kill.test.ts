/** `tollgate kill` as a person uses it: what it stops, what it says, and what it does not take. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { tollgate } from './auditRun.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-kill-'))
const ledger = join(folder, 'ledger.db')
const run = (...args: string[]) => tollgate(['kill', ...args], { TOLLGATE_LEDGER: ledger })

const artifact = await buildPolicy({ name: 'p.yaml', text: 'version: "1"\ndefault: deny\ntools: { pay: {} }\n' })

before(() => {
  const opened = openGateWith({ ledgerFile: ledger, report: (error) => assert.fail(error as Error) })
  opened.gate.activate(activePolicy(artifact))
  const principal = { agent: 'bot', user: 'eve' }
  opened.gate.admit([{ method: 'tools/call', server: '', name: 'pay', arguments: {}, principal, session: 's-1' }])
  opened.ledger.close()
})
after(() => rmSync(folder, { recursive: true }))

test('stopped, listed, stopped again, lifted, and proved', () => {
  const killed = run('--agent', 'bot', '--as', 'ada', '--reason', 'it \u001b[2Jempties accounts')
  const [, id = ''] = /^stopped the agent `bot` \((kill_\S+)\)\n$/.exec(killed.stdout) ?? []
  assert.deepEqual([killed.status, killed.stderr], [0, ''])
  const listed = run('list')
  assert.match(listed.stdout, new RegExp(`^${id}  agent bot +20\\S+Z  ada +it \\\\u001b\\[2Jempties accounts$`, 'm'))
  const again = run('--agent', 'bot')
  assert.equal(again.status, 0)
  assert.match(
    again.stdout,
    /^the agent `bot` was stopped before \(kill_\S+\), by ada at 20\S+Z: it \\u001b\[2Jempties/,
  )
  const [view] = JSON.parse(run('list', '--json').stdout)
  const { username } = userInfo()
  const { since, ...said } = view
  assert.ok(Date.parse(since) > 0)
  assert.deepEqual(said, {
    id,
    target: 'agent',
    principal: { agent: 'bot' },
    said_by: 'ada',
    said_by_known_by: 'command_line',
    said_by_os_user: username,
    reason: 'it \u001b[2Jempties accounts',
    decision_id: null,
  })
  assert.deepEqual(JSON.parse(run('lift', id, '--json').stdout), view)
  const none = run('list')
  assert.deepEqual([none.status, none.stdout, none.stderr], [0, '', 'nothing is stopped\n'])
  const audit = tollgate(['audit', '--all', '--agent', 'bot', '--ledger', ledger]).stdout
  assert.match(audit, /kill +- +agent bot .*ada: it \\u001b\[2Jempties/)
  assert.match(audit, new RegExp(`kill_lift +- +agent bot .*${username}`))
  assert.equal(tollgate(['audit', 'verify', '--ledger', ledger]).status, 0)
})

test('every kind is stopped and lifted by name, and what is refused for it is explained', () => {
  const opened = openGateWith({ ledgerFile: ledger, report: (error) => assert.fail(error as Error) })
  opened.gate.activate(activePolicy(artifact))
  const principal = { agent: 'bot', user: 'eve', project: 'p' }
  const call = { method: 'tools/call', server: 'bank', name: 'pay', arguments: {}, principal, session: 's-1' } as const
  const called = { ...call, run: { run_id: 'r-1' } }
  const named = [
    ['--session', 's-1'],
    ['--agent', 'bot'],
    ['--user', 'eve'],
    ['--project', 'p'],
    ['--run', 'r-1'],
    ['--server', 'bank'],
    ['--all'],
    ['--tool', 'p*'],
    ['--tool', 'pay'],
  ]
  for (const target of named) {
    assert.equal(run(...target, '--reason', 'drill').status, 0)
    const { decision, reason_code, message } = opened.gate.check(called)
    const tool = target[0] === '--tool'
    assert.deepEqual([decision, reason_code], tool ? ['deny', 'TOOL_KILLED'] : ['kill', 'KILLED'])
    assert.match(message, new RegExp(`^\`${userInfo().username}\` stopped .*: drill$`))
    if (tool) {
      const { seq } = opened.ledger.head()
      const { stdout } = tollgate(['explain', `${seq}`, '--ledger', ledger])
      assert.match(stdout, /stopped (?:the tool `pay`|all tools `p\*`): drill$/m)
      assert.match(stdout, /would do +`tollgate kill lift kill_\S+`, if it may go on/)
    }
    assert.equal(run('lift', ...target).status, 0)
    assert.equal(opened.gate.check(called).decision, 'allow')
  }
  opened.ledger.close()
  const audit = tollgate(['audit', '--all', '--ledger', ledger]).stdout
  for (const stopped of ['session s-1', 'agent bot', 'run r-1', 'server bank', 'all', 'tool p\\*'])
    assert.match(audit, new RegExp(` kill +- +${stopped} `), stopped)
  assert.equal(tollgate(['audit', 'verify', '--ledger', ledger]).status, 0)
})

test('a name that no record has is stopped all the same, and said to be new', () => {
  const { status, stdout, stderr } = run('--session', 'S-1')
  assert.deepEqual([status, stdout.slice(0, 25)], [0, 'stopped the session `S-1`'])
  assert.equal(
    stderr,
    'no record names the session `S-1` so far: it is stopped all the same; did you mean `s-1`? To the letter it is another name\n',
  )
  assert.match(
    run('--user', 'nobody like that').stderr,
    /^no record names the user `nobody like that` so far: [^;]*\n$/,
  )
  assert.equal(run('lift', '--session', 's-1').status, 1, 'another name')
  run('lift', '--session', 'S-1')
  run('lift', '--user', 'nobody like that')
})

const lastSeq = () => openLedger({ file: ledger, readOnly: true }).head().seq

test('what is not understood changes nothing, and says what to do', () => {
  const seq = lastSeq()
  const refused: readonly (readonly [readonly string[], number, RegExp])[] = [
    [
      [],
      2,
      /say what to stop: one of `--session`, `--agent`, `--user`, `--project`, `--run`, `--server`, `--all`, `--tool`/,
    ],
    [['--session', 'a', '--tool', 'b'], 2, /`--session` and `--tool` are two: stop one after the other/],
    [['lift', 'kill_1', '--all'], 2, /by its id or by what it stops, not both/],
    [['--session', 'a', 'list'], 2, /`--session` stands before the command/],
    [['lit'], 2, /unknown command 'lit'/],
    [['--session', ''], 1, /the name of the session is empty.*kill_invalid/],
    [['--agent', 'bot', '--reason', 'x'.repeat(1_001)], 1, /at most 1000 characters \(kill_invalid\)/],
    [['--agent', 'bot', '--as', ' ada'], 1, /is no name of a person.*kill_invalid/],
    [['lift'], 2, /say what to lift: one of .*`--tool`, or the id that `tollgate kill list` shows \(usage\)/],
    [
      ['lift', '--agent', 'bot'],
      1,
      /nothing to lift: the agent `bot` is not stopped: `tollgate kill list` shows what is \(kill_unknown\)/,
    ],
    [['--all', '--ledger', join(folder, 'none.db')], 1, /there is no ledger at/],
  ]
  for (const [args, status, message] of refused) {
    const ran = run(...args)
    assert.deepEqual([ran.status, ran.stdout], [status, ''], args.join(' '))
    assert.match(ran.stderr, message)
  }
  assert.equal(lastSeq(), seq)
})

test('a ledger that another process keeps locked, or that cannot be written, is said to be so', async () => {
  const other = openLedger({ file: ledger })
  other.transact((tx) => {
    assert.ok(tx.now)
    const { status, stdout, stderr } = run('--all')
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /was locked by another process for 2000 ms; .*\(ledger_busy\)/)
  })
  other.close()
  if (process.getuid?.() === 0) return // nothing is read-only for root
  chmodSync(ledger, 0o400)
  assert.match(run('--all').stderr, /ledger_read_only/)
  chmodSync(ledger, 0o600)
})
