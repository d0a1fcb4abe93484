/** `tollgate tools` as a person uses it: what it shows of what servers say, what it accepts, and what it does not take. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import { tollgate } from './auditRun.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-tools-'))
const ledger = join(folder, 'ledger.db')
const run = (...args: string[]) => tollgate(['tools', ...args], { TOLLGATE_LEDGER: ledger })
const unseen = /[^\P{C}\n]|\p{Default_Ignorable_Code_Point}/u

const schema = (type: string) => ({ type: 'object', properties: { amount: { type, description: 'How much.' } } })
const lists: Readonly<Record<string, readonly (readonly object[])[]>> = {
  bank: [
    [{ name: 'pay', description: 'Pays.\nOnce.', inputSchema: schema('number') }, { name: 'read' }, { name: 'old' }],
    [
      {
        name: 'pay',
        description: 'Pays.\u001b[8m\nTwice.\u202e\r\n',
        inputSchema: schema('string'),
        annotations: { readOnlyHint: true },
      },
      { name: 'read' },
      { name: 'n\u200bew', title: '\u{e0061}\u{e0062}\u{e0063}' },
    ],
    [{ name: 'old', description: 'one' }],
    [{ name: 'old', description: 'two' }],
  ],
  shop: [[{ name: 'buy' }], [{ name: 'buy', title: 'Buy' }]],
}

const text = 'version: "1"\npinning: first_use\ndefault: allow\ntools: { pay: {} }\n'
const artifact = await buildPolicy({ name: 'p.yaml', text })

before(() => {
  const opened = openGateWith({ ledgerFile: ledger, report: (error) => assert.fail(error as Error) })
  opened.gate.activate(activePolicy(artifact))
  for (const [server, all] of Object.entries(lists))
    for (const tools of all) opened.gate.listed({ server, tools, isLast: true, principal: {}, session: 's' })
  opened.ledger.close()
})
after(() => rmSync(folder, { recursive: true }))

test('the list has every tool with its state, and nothing in it steers a terminal', () => {
  const { status, stdout, stderr } = run('list')
  assert.deepEqual([status, stderr], [0, ''])
  assert.doesNotMatch(stdout, unseen)
  const rows = stdout.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3).join(' '))
  assert.deepEqual(rows.slice(1, -1), [
    'bank n\\u200bew new',
    'bank old changed',
    'bank pay changed',
    'bank read pinned',
    'shop buy changed',
  ])
  assert.match(stdout, /pay .*terminal_escape direction/)
  const [one] = JSON.parse(run('list', '--server', 'shop', '--json').stdout)
  const digest = /^[0-9a-f]{64}$/
  assert.deepEqual([one.server, one.tool, one.state], ['shop', 'buy', 'changed'])
  assert.deepEqual(one.held[0].definition, { name: 'buy', title: 'Buy' })
  assert.match(one.pinned[0].sha256, digest)
  assert.ok(Date.parse(one.since) > 0)
})

test('the difference is told member by member, with what hides in it', () => {
  const { status, stdout } = run('diff', 'pay')
  assert.equal(status, 1)
  assert.doesNotMatch(stdout, unseen)
  const [head, ...lines] = stdout.trimEnd().split('\n')
  assert.match(head ?? '', /^`pay` of `bank`: changed, [0-9a-f]{12}, accepted is [0-9a-f]{12}$/)
  assert.deepEqual(lines, [
    '  warning: 1 terminal escape (U+001B ESCAPE) in `description`, from character 6 on',
    '  warning: 1 direction control (U+202E RIGHT-TO-LEFT OVERRIDE) in `description`, from character 17 on',
    '  description',
    '    - Pays.',
    '    - Once.',
    '    + Pays.\\u{1b}[8m',
    '    + Twice.\\u{202e}\\r',
    '    +',
    '  inputSchema.properties.amount.type',
    '    - number',
    '    + string',
    '  annotations',
    '    + {',
    '    +   "readOnlyHint": true',
    '    + }',
  ])
  const hidden = run('diff', 'n\u200bew')
  assert.match(hidden.stdout, /^`n\\u\{200b\}ew` of `bank`: new, /)
  assert.match(hidden.stdout, /3 tag characters \(U\+E0061 TAG a, .*\) in `title`, from character 1 on: `abc`/)
  const all = JSON.parse(run('diff', '--json').stdout)
  assert.deepEqual(
    all.map(({ tool, state }: { tool: string; state: string }) => `${tool} ${state}`),
    ['n\u200bew new', 'old changed', 'old changed', 'pay changed', 'buy changed'],
  )
  assert.deepEqual(all.at(-1).changes, [{ path: 'title', after: 'Buy' }])
})

test('what is accepted is said by whom and why, and only what is meant', () => {
  const several = run('accept', 'old', '--server', 'bank')
  assert.equal(several.status, 1)
  assert.match(
    several.stderr,
    /shown with 2 definitions: say which one with `--digest`: `[0-9a-f]{12}`, `[0-9a-f]{12}` \(tool_ambiguous\)/,
  )
  const whose = run('accept', '--all')
  assert.deepEqual([whose.status, /`--server`: `bank`, `shop`/.test(whose.stderr)], [2, true])
  assert.equal(run('accept', '--all', '--server', 'bank').status, 1, 'one of them has two definitions')
  assert.equal(run('diff', 'pay').status, 1, 'so none of them is accepted')
  const [, two] = JSON.parse(run('diff', 'old', '--json').stdout)
  const one = run('accept', 'old', '--server', 'bank', '--digest', two.sha256.slice(0, 8), '--json')
  assert.deepEqual(JSON.parse(one.stdout), [
    { server: 'bank', tool: 'old', sha256: two.sha256, pinned: [two.sha256], held: [] },
  ])
  const rest = run('accept', '--all', '--server', 'bank', '--as', 'ada', '--reason', 'looked \u001b[2J')
  assert.equal(rest.status, 0)
  assert.match(rest.stdout, /^accepted `n\\u\{200b\}ew` \([0-9a-f]{12}\)\naccepted `pay` \([0-9a-f]{12}\)\n$/)
  assert.deepEqual(run('diff', '--server', 'bank'), { status: 0, stdout: '', stderr: 'nothing is held back\n' })
  assert.equal(run('diff').status, 1, 'the other server has something')
  const audit = tollgate(['audit', '--all', '--ledger', ledger]).stdout
  assert.match(audit, /tool_accept +- +n\\u200bew pay +bank .*ada: looked \\u001b\[2J/)
  assert.match(audit, /tool_drift +- +old +bank/)
  assert.deepEqual(tollgate(['audit', 'verify', '--ledger', ledger]).status, 0)
})

const mistakes: readonly (readonly [what: string, args: string[], status: number, says: RegExp])[] = [
  ['nothing to accept', ['accept'], 2, /name the tools to accept, or the `--instructions`, or all that is held back/],
  ['a tool and all', ['accept', 'buy', '--all'], 2, /name the tools to accept/],
  ['a digest of several tools', ['accept', 'buy', 'pay', '--digest', 'abcdef01'], 2, /which definition of one tool/],
  ['a digest that is too short', ['accept', 'buy', '--digest', 'abc'], 2, /8 to 64 digits/],
  [
    'a digest that nobody has',
    ['accept', 'buy', '--server', 'shop', '--digest', '00000000'],
    1,
    /no definition of the tool `buy` begins with `00000000` \(tool_unknown\)/,
  ],
  [
    'a tool that is misspelt',
    ['diff', 'payy'],
    1,
    /no list has shown the tool `payy`; did you mean `pay`\? \(tool_unknown\)/,
  ],
  [
    'a server that is misspelt',
    ['list', '--server', 'bnk'],
    1,
    /no server `bnk` has shown its tools; did you mean `bank`\?/,
  ],
  [
    'a name that hides',
    ['accept', 'buy', '--server', 'shop', '--as', 'a\u0007'],
    1,
    /no name of a person.*\(tool_invalid\)/,
  ],
  [
    'a ledger that is not there',
    ['list', '--ledger', '/nowhere/ledger.db'],
    1,
    /there is no ledger.*\(ledger_unavailable\)/,
  ],
]
for (const [what, args, status, says] of mistakes)
  test(`${what} is told`, () => {
    const ran = run(...args)
    assert.deepEqual([ran.status, ran.stdout], [status, ''])
    assert.match(ran.stderr, says)
  })

test('the instructions of a server are listed, compared and accepted beside its tools', () => {
  const own = join(folder, 'instructions.db')
  const tools = (...args: string[]) => tollgate(['tools', ...args], { TOLLGATE_LEDGER: own })
  const opened = openGateWith({ ledgerFile: own, report: (error) => assert.fail(error as Error) })
  opened.gate.activate(activePolicy(artifact))
  for (const description of ['Be kind.', 'Be quick.'])
    opened.gate.listed({
      server: 'bank',
      tools: [{ name: '', description }],
      isLast: false,
      principal: {},
      session: 's',
    })
  opened.ledger.close()
  assert.match(tools('list').stdout, /^bank +\(instructions\) +changed/m)
  const { status, stdout } = tools('diff')
  assert.equal(status, 1)
  assert.match(
    stdout,
    /^the instructions of `bank`: changed, .*\n {2}description\n {4}- Be kind\.\n {4}\+ Be quick\.\n/,
  )
  assert.match(tools('accept', '--instructions').stdout, /^accepted the instructions \([0-9a-f]{12}\)\n$/)
  assert.match(tollgate(['audit', '--all', '--ledger', own]).stdout, /tool_accept +- +\(instructions\)/)
  assert.equal(tollgate(['audit', 'verify', '--ledger', own]).status, 0)
  const none = run('accept', '--instructions', '--server', 'shop')
  assert.match(none.stderr, /no server has shown instructions/)
})
