import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { widthOf } from '../../src/cli/auditColumns.ts'
import { recordLines } from '../../src/cli/auditTable.ts'
import { instantOf } from '../../src/cli/auditTime.ts'
import type { RecordView } from '../../src/log/view.ts'
import { artifact, crmRead, everydayLedger, openTestGate, temporaryFolder } from '../log/ledgers.ts'
import { tollgate } from './auditRun.ts'

const ledger = everydayLedger()

function shown(...args: string[]): RecordView[] {
  const { status, stdout, stderr } = tollgate(['audit', '--ledger', ledger, '--format', 'json', ...args])
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as RecordView[]
}

const seqs = (views: readonly RecordView[]) => views.map(({ seq }) => seq)

test('the table has one line for each decision, the newest last, and says how each call ended', () => {
  const { status, stdout, stderr } = tollgate(['audit', '--ledger', ledger])
  assert.equal(status, 0, stderr)
  const [title, ...lines] = stdout.trimEnd().split('\n')
  assert.match(title as string, /^SEQ +TIME +DECISION +RESULT +TARGET +SERVER +RULE +REASON +LEVEL +USER +SESSION$/)
  assert.deepEqual(
    lines.map((line) => line.split(/ {2,}/).slice(0, 5)),
    [
      ['2', '2026-01-16T19:11:24Z', 'allow', 'success', 'crm.read'],
      ['4', '2026-01-16T19:11:26Z', 'allow', 'error', 'pay'],
      ['6', '2026-01-16T19:11:28Z', 'deny', 'blocked', 'pay'],
      ['7', '2026-01-16T19:11:29Z', 'hold', 'pending', 'close_account'],
      ['9', '2026-01-16T19:11:30Z', 'allow', 'success', 'crm://1'],
      ['12', '2026-01-16T19:11:33Z', 'deny', 'blocked', 'pay'],
      ['13', '2026-01-16T19:11:34Z', 'allow', 'unknown', 'pay'],
    ],
  )
  assert.equal(stderr, '')
})

test('the table says which policy became active, and of bundles which revision and sequence', () => {
  const { stdout } = tollgate(['audit', '--ledger', ledger, '--kind', 'activation'])
  assert.match(stdout.split('\n')[1] as string, new RegExp(` revision ${artifact.revision.slice(0, 12)}( |$)`))
  const [activation] = shown('--kind', 'activation') as [RecordView]
  const rowOf = (more: object) => [...recordLines([{ ...activation, ...more }], Infinity, undefined)][1]
  const bundle = { name: 'org', revision: 'r7', sequence: 41 }
  assert.match(rowOf({ bundle }) as string, / {2}bundle org: r7, sequence 41( |$)/)
  const layer = (name: string, more: object) => ({
    name,
    policy_id: name,
    policy_version: '',
    wasm_sha256: '0',
    ...more,
  })
  const layered = {
    layers: [layer('org', { bundle }), layer('team', {})],
    bundles: { org: { revision: 'a'.repeat(64) }, team: { revision: 'b'.repeat(64) } },
  }
  assert.match(rowOf(layered) as string, / {2}bundle org: r7, sequence 41; revision b{12}( |$)/)
  assert.doesNotMatch(rowOf({ layers: [null] }) as string, /bundle|revision/)
})

test('json is one array, jsonl an object a line, and both hold the same', () => {
  const { stdout } = tollgate(['audit', '--ledger', ledger, '--format', 'jsonl'])
  const lines = stdout.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    shown(),
  )
  assert.deepEqual(seqs(shown()), [2, 4, 6, 7, 9, 12, 13])
})

test('records are chosen by session, tool, server, decision and kind', () => {
  assert.deepEqual(seqs(shown('--session', 's-2')), [7])
  assert.deepEqual(seqs(shown('--tool', 'pay', '--decision', 'allow')), [4, 13])
  assert.deepEqual(seqs(shown('--server', 'crm', '--kind', 'decision', 'check')), [2, 9, 11])
  assert.equal(shown('--all').length, 14)
})

test('records are chosen by time: since is among them, until is not', () => {
  const [since, until] = ['2026-01-16T19:11:26Z', '2026-01-16T20:11:29+01:00']
  assert.deepEqual(seqs(shown('--since', since, '--until', until)), [4, 6])
  assert.deepEqual(shown('--since', '1m'), [])
  assert.deepEqual(shown('--until', '2026-01-16'), [])
})

test('the last ones are shown, and it is said that there are more', () => {
  const limited = tollgate(['audit', '--ledger', ledger, '--limit', '2'])
  assert.equal(limited.stdout.split('\n').length, 4)
  assert.equal(limited.stderr, '2 records, and there are older ones\n')
  assert.deepEqual(seqs(shown('--limit', '2')), [12, 13])
  assert.deepEqual(seqs(shown('--limit', '1', '--tool', 'crm.read')), [2])
  assert.equal(tollgate(['audit', '--ledger', ledger, '--limit', '7']).stderr, '')
})

test('a table has fifty lines unless more are asked for, and finds them far back', () => {
  const file = join(temporaryFolder(), 'ledger.db')
  const { ledger: open, activate, admit, done } = openTestGate(file)
  activate(artifact)
  for (let index = 0; index < 60; index++) done({ ...crmRead, session: 'old' })
  for (let index = 0; index < 600; index++) admit({ ...crmRead, name: 'other', session: 'new' })
  open.close()
  const { stdout, stderr } = tollgate(['audit', '--ledger', file, '--session', 'old'])
  assert.equal(stdout.trimEnd().split('\n').length, 51)
  assert.equal(stderr, '50 records, and there are older ones: see `--limit`\n')
  assert.match(stdout.trimEnd().split('\n').at(-1) as string, /^120 /)
})

test('an output file is whole, readable by its owner alone, and leaves nothing beside it', () => {
  const folder = temporaryFolder()
  const [file, link] = [join(folder, 'out.jsonl'), join(folder, 'link')]
  writeFileSync(file, 'what was there', { mode: 0o644 })
  symlinkSync(file, link)
  const { status, stdout, stderr } = tollgate(['audit', '--ledger', ledger, '--format', 'jsonl', '-o', link])
  assert.deepEqual([status, stdout, stderr], [0, '', `7 records in ${link}\n`])
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(readFileSync(file, 'utf8').trimEnd().split('\n').length, 7)
  assert.deepEqual(readdirSync(folder).sort(), ['link', 'out.jsonl'])
})

test('`-o -` is standard output', () => {
  const folder = temporaryFolder()
  const { stdout, stderr } = tollgate(['audit', '--ledger', ledger, '--format', 'jsonl', '-o', '-'], {}, folder)
  assert.equal(stdout, tollgate(['audit', '--ledger', ledger, '--format', 'jsonl']).stdout)
  assert.equal(stderr, '')
  assert.deepEqual(readdirSync(folder), [])
})

test('decisions are selected by who called and why', () => {
  const calls = [2, 4, 6, 7, 9, 13]
  assert.deepEqual(seqs(shown('--agent', 'bot')), calls)
  assert.deepEqual(seqs(shown('--project', 'support-bot', '--user', 'user-12345')), calls)
  assert.deepEqual(seqs(shown('--user', 'user-12345', '--reason', 'MALFORMED_CALL')), [12])
  assert.deepEqual(shown('--user', 'nobody'), [])
})

test('an output that cannot be a file is refused and left as it is', () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'dir'))
  for (const output of ['/dev/null', join(folder, 'dir'), join(folder, 'none', 'out')]) {
    const { status, stderr } = tollgate(['audit', '--ledger', ledger, '-o', output])
    assert.equal(status, 1)
    assert.match(stderr, /cannot be written.*\(output_unwritable\)/)
  }
  assert.deepEqual(readdirSync(folder), ['dir'])
  assert.equal(statSync('/dev/null').isCharacterDevice(), true)
})

test('a ledger that is not there is an error that says where it looked', () => {
  const folder = temporaryFolder()
  const expectation = (place: string, file: string) =>
    new RegExp(`there is no ledger at \`${file}\` \\(${place}\\).*\\(ledger_unavailable\\)`)
  const missing = join(folder, 'none.db')
  for (const command of [['audit'], ['audit', 'verify']]) {
    const named = tollgate([...command, '--ledger', missing])
    assert.equal(named.status, 1)
    assert.match(named.stderr, expectation('--ledger', missing))
    assert.match(tollgate(command, { TOLLGATE_LEDGER: missing }).stderr, expectation('\\$TOLLGATE_LEDGER', missing))
    const byDefault = tollgate(command, { XDG_STATE_HOME: folder, HOME: folder, LOCALAPPDATA: folder })
    assert.match(byDefault.stderr, expectation('the default', '.*ledger.db'))
  }
  assert.deepEqual(readdirSync(folder), [])
})

test('a command that makes no sense ends with 2 and a sentence', () => {
  const usage = (...args: string[]) => {
    const { status, stderr } = tollgate(['audit', '--ledger', ledger, ...args])
    assert.equal(status, 2, stderr)
    return stderr
  }
  assert.match(usage('--since', 'yesterday'), /`--since` takes a time like .*, got `yesterday`/)
  assert.match(usage('--since', '1h', '--until', '2h'), /`--until` must be later than `--since`/)
  assert.match(usage('--limit', '0'), /`--limit` takes a whole number from 1 on, got `0`/)
  assert.match(usage('--decision', 'maybe'), /Allowed choices are allow, deny, hold, kill/)
  assert.match(usage('--all', '--kind', 'start'), /cannot be used with/)
  assert.match(usage('verify'), /`--ledger` stands before `verify`/)
})

test('nothing that is selected is an empty array, and no line', () => {
  const none = ['audit', '--ledger', ledger, '--session', 'none']
  assert.deepEqual(tollgate(none), { status: 0, stdout: '', stderr: 'no record is selected\n' })
  assert.deepEqual(tollgate([...none, '--format', 'json']), { status: 0, stdout: '[]\n', stderr: '' })
  assert.deepEqual(tollgate([...none, '--json']), { status: 0, stdout: '[]\n', stderr: '' })
  assert.equal(tollgate([...none, '--json', '--format', 'jsonl']).status, 2)
  assert.deepEqual(tollgate([...none, '--format', 'jsonl']), { status: 0, stdout: '', stderr: '' })
})

test('times are RFC 3339, or how long ago', () => {
  const now = Date.parse('2026-01-16T12:00:00Z')
  const at = (text: string) => new Date(instantOf('--since', text, now)).toISOString()
  assert.equal(at('15m'), '2026-01-16T11:45:00.000Z')
  assert.equal(at('1h30m'), '2026-01-16T10:30:00.000Z')
  assert.equal(at('7d'), '2026-01-09T12:00:00.000Z')
  assert.equal(at('2026-01-16'), '2026-01-16T00:00:00.000Z')
  assert.equal(at('2026-01-16t10:00:00.5+02:00'), '2026-01-16T08:00:00.500Z')
  assert.equal(at('2028-02-29'), '2028-02-29T00:00:00.000Z')
  for (const text of [
    '',
    '15',
    '2026-02-30',
    '2026-13-01',
    '2026-01-16T25:00:00Z',
    '2026-01-16T10:00',
    '-5m',
    '16.1.2026',
  ])
    assert.throws(() => instantOf('--since', text, now), { code: 'usage' }, text)
})

const view: RecordView = {
  seq: 1,
  event_type: 'tool_invocation',
  timestamp: '2026-01-16T19:11:24.000Z',
  created_at: '2026-01-16T19:11:24.000Z',
  decision_id: 'd',
  hash: '',
  previous_hash: '',
  decision: 'deny',
  name: 'a\u001b[31m\u202e\nname',
  server: '数据库',
  matched_rule: 'default',
  reason_code: 'TOOL_NOT_ALLOWED',
}
const terminal = { isTTY: true } as NodeJS.WriteStream
const notDumb = process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb'

test('what an agent named cannot steer the terminal', () => {
  const text = [...recordLines([view], Number.POSITIVE_INFINITY, undefined)].join('')
  assert.match(text, /a\\u001b\[31m\\u202e\\u000aname/)
  assert.equal(text.includes('\u001b'), false)
})

test('decisions have colours on a terminal and nowhere else', { skip: !notDumb }, () => {
  const [, line] = [...recordLines([view], 200, terminal)]
  assert.ok(line?.includes('\u001b[31mdeny    \u001b[0m'), line)
})

test('a table is as wide as the terminal, also with wide characters in it', () => {
  const views = [view, { ...view, name: '漢字'.repeat(40), matched_rule: 'r'.repeat(80) }]
  for (const width of [40, 79, 80, 81, 120]) {
    const lines = [...recordLines(views, width, undefined)].map((line) => line.trimEnd())
    const widest = Math.max(...lines.map(widthOf))
    assert.ok(width < 60 || widest <= width, `${widest} cells in ${width}`)
    assert.ok(lines.every((line) => line.includes('…') || !line.includes('漢')))
  }
  const [title] = [...recordLines(views, 80, undefined)] as [string]
  assert.match(title, /^TIME +DECISION +RESULT +TARGET/)
})

test('characters are counted by the cells that they take', () => {
  const widths = { abc: 3, 漢字: 4, ｶﾅ: 2, カナ: 4, 한글: 4, é: 1, '🚀': 2, '（': 2, '': 0 }
  for (const [text, width] of Object.entries(widths)) assert.equal(widthOf(text), width, text)
})
