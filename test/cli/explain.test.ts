/** `tollgate explain`: calls and decisions, layers, refusals of the gate, and what is no question. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { explainRecord } from '../../src/cli/explainRecord.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { bodyOf } from '../../src/log/body.ts'
import { artifact, everydayLedger } from '../log/ledgers.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-explain-'))
after(() => rmSync(folder, { recursive: true }))

const page = readFileSync(new URL('../../docs/explain.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
const block = (language: string) => blocks.find(([, of]) => of === language)?.[2] ?? ''
writeFileSync(join(folder, 'refunds.yaml'), block('yaml'))
writeFileSync(
  join(folder, 'org.yaml'),
  'version: "1"\ndefault: allow\ntools:\n  hidden: { rules: [{ name: gone, action: deny }] }\n',
)

function run(args: readonly string[], input = '') {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, 'explain', ...args], {
    cwd: folder,
    encoding: 'utf8',
    input,
    timeout: 60_000,
  })
  return { stdout, stderr, status }
}

const json = (args: readonly string[], input?: string) => {
  const { stdout, stderr, status } = run([...args, '--json'], input)
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

/** A revision changes with the compiler. */
const withoutRevision = (text: string) => text.replace(/revision [0-9a-f]{12}/, 'revision')

test('what docs/explain.md shows is what is printed', () => {
  const { stdout, status, stderr } = run(['-c', 'refunds.yaml', '-'], block('jsonl'))
  assert.equal(withoutRevision(stdout), withoutRevision(block('')), stderr)
  assert.equal(status, 0)
})

test('every member of the JSON is on its page', () => {
  const members = [
    ...Object.keys(json(['-c', 'refunds.yaml', '{"tool":"create_refund"}'])),
    ...Object.keys(json(['--layer', 'org=org.yaml', '{"tool":"x"}'])),
    ...Object.keys(json(['-c', 'refunds.yaml', '{"toool":"x"}'])),
    ...Object.keys(json(['--layer', 'org=org.yaml', '{"tool":"x"}']).policies[0]),
  ]
  for (const member of members) assert.ok(page.includes(`\`${member}\``), member)
})

const everyday = everydayLedger()
const records = () => {
  const ledger = openLedger({ file: everyday, readOnly: true })
  const all = [...ledger.records()]
  ledger.close()
  return all.filter(({ kind }) => kind === 'decision' || kind === 'check')
}

test('every decision of a ledger is explained, and agrees', () => {
  const reasons = records().map((record) => {
    const { agrees, decision, policies, gate } = explainRecord(bodyOf(record), [
      { revision: artifact.revision, policy: artifact.policy },
    ])
    assert.ok(agrees)
    assert.equal(policies.length, gate ? 0 : 1)
    return decision['reason_code']
  })
  assert.deepEqual([...new Set(reasons)].sort(), [
    'ALLOW',
    'APPROVAL_REQUIRED',
    'MALFORMED_CALL',
    'SPEND_PER_CALL_EXCEEDED',
  ])
})

test('a decision is found by its id, with the policy and the input that decided', () => {
  const refused = records().find(({ body }) => body.includes('SPEND_PER_CALL_EXCEEDED'))
  const found = json(['--ledger', everyday, refused?.decisionId ?? ''])
  const [policy] = found.policies
  assert.deepEqual(
    [found.decision_id, found.name, policy.policy_id, policy.revision],
    [refused?.decisionId, 'pay', 'mcp-guard-v1', artifact.revision],
  )
  const deciding = policy.steps.find(({ decides }: { decides: boolean }) => decides)
  assert.deepEqual(deciding.otherwise, ['argument `amount` is at most 500'])
  assert.deepEqual(deciding.saw, [{ name: 'argument `amount`', value: 1000 }])
})

test('a decision is found by the number of any of its records', () => {
  const ledger = openLedger({ file: everyday, readOnly: true })
  const all = [...ledger.records()]
  ledger.close()
  for (const { seq, kind, decisionId } of all) {
    if (decisionId === undefined) {
      const { stderr, status } = run(['--ledger', everyday, String(seq)])
      assert.match(stderr, /has the number `\d+`: .*\(decision_unknown\)/, kind)
      assert.equal(status, 1)
    } else assert.equal(json(['--ledger', everyday, String(seq)]).decision_id, decisionId, kind)
  }
})

test('what the gate refused by itself has no steps, and says so', () => {
  const malformed = records().find(({ body }) => body.includes('MALFORMED_CALL'))
  const { stdout, status } = run(['--ledger', everyday, malformed?.decisionId ?? ''])
  assert.match(stdout, /^deny MALFORMED_CALL by `gate`[\s\S]*No policy was asked[\s\S]*would do/)
  assert.equal(status, 0)
})

test('a decision that the policy would not make is told', () => {
  const record = records().find(({ body }) => body.includes('SPEND_PER_CALL_EXCEEDED'))
  const body = bodyOf(record as NonNullable<typeof record>)
  const result = { ...(body['result'] as object), decision: 'allow' }
  const { agrees, difference } = explainRecord({ ...body, result }, [{ revision: '', policy: artifact.policy }])
  assert.equal(agrees, false)
  assert.equal(difference, '`decision` is `allow`, the policy says `deny`')
})

test('each layer has its steps, and the one that decides is named', () => {
  const found = json(['--layer', 'org=org.yaml', '--layer', 'team=refunds.yaml', '{"tool":"hidden"}'])
  assert.deepEqual(
    [found.decided_by, found.visible, found.decision.layers.length, found.decision.rule],
    ['org', false, 2, 'gone'],
  )
  assert.deepEqual(
    found.policies.map(({ layer, verdict }: { layer: string; verdict: { decision: string } }) => [
      layer,
      verdict.decision,
    ]),
    [
      ['org', 'deny'],
      ['team', 'deny'],
    ],
  )
  const { stdout } = run(['--layer', 'org=org.yaml', '--layer', 'team=refunds.yaml', '{"tool":"hidden"}'])
  assert.match(
    stdout,
    /of layer org: [\s\S]*Lists do not show it[\s\S]*layer org: policy org[\s\S]*layer team: policy refunds/,
  )
})

test('a pack is explained by the run', () => {
  const pack = fileURLToPath(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url))
  const { policies, decision } = json(['-c', pack, '{"tool":"use"}'])
  assert.equal(decision.reason_code, 'RUN_MISSING')
  const deciding = policies[0].steps.find(({ decides }: { decides: boolean }) => decides)
  assert.deepEqual(deciding.otherwise, ['a run that the host of the agent registered with the call'])
  const { stdout } = run(['-c', pack, '{"tool":"use"}'])
  const shown = stdout.match(/^ {2}not asked .*$/gm) ?? []
  const notAsked = policies[0].steps.filter(({ result }: { result: string }) => result === 'not_reached').length
  assert.equal(shown.length, 4)
  assert.equal(shown[3], `  not asked  ${notAsked - 3} more: \`--json\` has them`)
})

test('nothing steers the terminal', () => {
  const { stdout } = run([
    '-c',
    'refunds.yaml',
    JSON.stringify({ tool: 'create_refund', arguments: { amount: 1, currency: '\u001b[31m' } }),
  ])
  assert.ok(!stdout.includes('\u001b'), stdout)
})

test('a call is explained with what a ledger knows, which is left as it is', () => {
  writeFileSync(
    join(folder, 'pay.yaml'),
    'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ name: cap, spend: { daily: 500 } }, { action: require_approval }] }\n  sync: { rules: [{ rate_limit: { limit: 2, window: 1h, sliding: true } }] }\n',
  )
  const cli = (args: readonly string[], input = '') => {
    const ended = spawnSync(process.execPath, [main, ...args], {
      cwd: folder,
      encoding: 'utf8',
      input,
      timeout: 60_000,
    })
    assert.equal(ended.status, 0, ended.stderr)
    return ended.stdout
  }
  const pay = '{"tool":"pay","arguments":{"amount":400}}'
  const sync = '{"tool":"sync"}'
  const said = cli(['eval', '-c', 'pay.yaml', '--ledger', 'known.db'], `${sync}\n${sync}\n${pay}\n`)
  const { id } = JSON.parse(said.trim().split('\n').at(-1) ?? '').approval
  cli(['approvals', 'approve', id, '--ledger', 'known.db'])
  const file = join(folder, 'known.db')
  const before = readFileSync(file)
  const codes = (...args: readonly string[]) =>
    [pay, sync].map((call) => json(['-c', 'pay.yaml', ...args, call]).decision.reason_code)
  assert.deepEqual(codes(), ['APPROVAL_REQUIRED', 'ALLOW'])
  assert.deepEqual(codes('--ledger', 'known.db'), ['ALLOW', 'RATE_LIMITED'])
  // The first of two uses the approval up, and the money: in memory alone.
  const twice = json(['-c', 'pay.yaml', '--ledger', 'known.db', '-'], `${pay}\n${pay}\n`)
  assert.deepEqual([twice.decision.reason_code, twice.known_from], ['SPEND_LIMIT_EXCEEDED', file])
  assert.deepEqual(readFileSync(file), before)
  const { stdout } = run(['-c', 'pay.yaml', '--ledger', 'known.db', sync])
  cli(['kill', '--tool', 'sync', '--ledger', 'known.db'])
  assert.deepEqual(codes('--ledger', 'known.db'), ['ALLOW', 'TOOL_KILLED'])
  assert.match(
    stdout,
    /^With what .*known\.db knows of what was spent, approved and stopped; nothing is written there\.$/m,
  )
})

const refused: readonly [readonly string[], string, number, RegExp][] = [
  [['--ledger', everyday, 'no-such-id'], '', 1, /no decision in .* has the id `no-such-id`: .* \(decision_unknown\)/],
  [['--ledger', everyday, '999'], '', 1, /no decision in .* has the number `999`: .* \(decision_unknown\)/],
  [['-c', 'refunds.yaml', 'create_refund'], '', 2, /a call is one line of JSON, like .* got `create_refund` \(usage\)/],
  [['--ledger', 'nowhere.db', 'x'], '', 1, /ledger_unavailable/],
  [['-c', 'nowhere.yaml', '{"tool":"x"}'], '', 1, /policy_unreadable/],
  [['-c', 'refunds.yaml', '-'], '\n', 2, /there is no call to explain/],
  [['-c', 'refunds.yaml', '--ledger', everyday, 'x'], '', 2, /a call is one line of JSON/],
  [['-c', 'refunds.yaml', '--ledger', 'nowhere.db', '{"tool":"x"}'], '', 1, /ledger_unavailable/],
  [['-c', 'refunds.yaml', '--ledger', 'refunds.yaml', '{"tool":"x"}'], '', 1, /ledger_corrupt/],
  [['-c', 'refunds.yaml', '--layer', 'org=org.yaml', 'x'], '', 2, /do not go together/],
  [['-c', 'refunds.yaml'], '', 2, /missing required argument 'what'/],
]

for (const [args, input, code, says] of refused) {
  test(`\`explain ${args.map((arg) => arg.replace(everyday, 'ledger.db')).join(' ')}\` ends with ${code}`, () => {
    const { stdout, stderr, status } = run(args, input)
    assert.match(stderr, says)
    assert.deepEqual([stdout, status], ['', code])
  })
}
