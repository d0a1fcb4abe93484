/** Bundles of Rego by others wherever commands take a policy: eval, check, verify, audit, explain, replay, test, and what needs a file of ours. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { policyFeed } from '../../src/cli/policyFeed.ts'
import { requireAnswers } from '../../src/cli/required.ts'
import { readCallObject } from '../../src/model/callObject.ts'
import type { Decision } from '../../src/model/decision.ts'
import { pack } from '../../src/opa/pack.ts'
import { Approvals } from '../../src/pep/approvals.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy, loadPolicyFiles } from '../../src/runtime/policyFile.ts'
import type { Answer } from '../answer.ts'
import { data, foreignFiles } from '../bundle/foreign.ts'
import { done, refused, tollgate } from './inProcess.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-rego-'))
after(() => {
  process.chdir('/')
  rmSync(folder, { recursive: true })
})

const trusted = ['--verify-key', 'release.pub']
const signing = ['--sign-key', 'release.key', '--key-id', 'release']
const authz = ['-c', 'authz.tar.gz', ...trusted]
const native = 'version: "1"\ndefault: deny\ntools:\n  pay: {}\n  get_balance: {}\n'

const at = (minute: number) => `2026-03-02T09:${String(minute).padStart(2, '0')}:00Z`
const calls = [
  { tool: 'get_balance', time: at(0) },
  { tool: 'pay', arguments: { amount: 5 }, time: at(1) },
  { tool: 'pay', arguments: { amount: 500 }, time: at(2) },
  { tool: 'deploy', server: 'prod', principal: { agent: 'releaser' }, time: at(3) },
  { tool: 'deploy', server: 'test', principal: { agent: 'releaser' }, time: at(4) },
  { tool: 'deploy', server: 'prod', principal: { agent: 'releaser' }, time: '2026-03-02T21:00:00Z' },
  { tool: 'pay', arguments: { amount: 5, Amount: 5000 }, time: '2026-03-02T21:01:00Z' },
]

before(async () => {
  process.chdir(folder)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  writeFileSync('release.key', privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync('release.pub', publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync('native.yaml', native)
  writeFileSync('calls.jsonl', calls.map((call) => JSON.stringify(call)).join('\n'))
  writeFileSync('authz.tar.gz', pack(await foreignFiles()))
  writeFileSync('alone.tar.gz', pack(await foreignFiles({ entrypoints: [] })))
  const stricter = { ...data, tools: ['get_balance'] }
  writeFileSync('stricter.tar.gz', pack(await foreignFiles({ data: stricter })))
  for (const name of ['authz', 'alone', 'stricter']) await done('sign', ...signing, `${name}.tar.gz`)
})

const decided = (lines: string) =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer)
    .map(({ decision, reason_code, rule }) => [decision, reason_code, rule])

const expected = [
  ['allow', 'ALLOW', 'authz/decision'],
  ['allow', 'ALLOW', 'authz/decision'],
  ['hold', 'LARGE', 'large'],
  ['allow', 'ALLOW', 'authz/decision'],
  ['deny', 'REGO_UNDEFINED', 'authz/decision'],
  ['deny', 'REGO_DENIED', 'night'],
  ['deny', 'MALFORMED_CALL', 'gate'],
]

test('its Rego decides each call, and what was decided is proved again from the record', async () => {
  const lines = await done('eval', ...authz, '--calls', 'calls.jsonl', '--ledger', 'ledger.db')
  assert.deepEqual(decided(lines), expected)
  const alone = ['-c', 'alone.tar.gz', ...trusted, '--entrypoint', 'authz/decision']
  assert.deepEqual(decided(await done('eval', ...alone, '--calls', 'calls.jsonl')), expected)
  const proof = JSON.parse(await done('audit', 'verify', '--ledger', 'ledger.db', '--json')) as Answer
  assert.deepEqual([proof.ok, proof.evaluated, proof.by_gate], [true, 6, { MALFORMED_CALL: 1 }])
  const records = await done('audit', '--ledger', 'ledger.db', '--format', 'jsonl')
  const [first] = records.split('\n').filter((line) => line.includes('"amount":500}')) as [string]
  const { input } = JSON.parse(first) as Answer
  // The document that `docs/rego.md` shows.
  assert.deepEqual(input, {
    amounts: {},
    arguments: { amount: 500 },
    facts: {},
    method: 'tools/call',
    principal: {},
    server: '',
    session: '',
    time: '2026-03-02T09:02:00.000Z',
    tool: 'pay',
    v: 1,
  })
})

test('what was decided in time is proved and explained where that takes longer', async (t) => {
  await done('eval', ...authz, '--calls', 'calls.jsonl', '--ledger', 'slow.db')
  const records = await done('audit', '--ledger', 'slow.db', '--format', 'jsonl')
  const { decision_id: id } = JSON.parse(records.split('\n')[0] as string) as Answer
  const { now } = performance
  let looks = 0
  // Whoever looks at the clock twice finds that seconds went by.
  t.mock.method(performance, 'now', () => now.call(performance) + 2_000 * ++looks)
  const proof = JSON.parse(await done('audit', 'verify', '--ledger', 'slow.db', '--json')) as Answer
  assert.deepEqual([proof.ok, proof.evaluated], [true, 6])
  const told = JSON.parse(await done('explain', id, '--ledger', 'slow.db', '--json')) as Answer
  assert.equal(told.agrees, true)
  assert.ok(looks > 12)
})

test('`explain` says what the module says, of a record and of a call that is made up', async () => {
  await done('eval', ...authz, '--calls', 'calls.jsonl', '--ledger', 'explained.db')
  const { stdout } = await tollgate(['audit', '--ledger', 'explained.db', '--format', 'jsonl'])
  const record = stdout.split('\n').filter((line) => line.includes('"rule":"night"'))[0] as string
  const { decision_id: id } = JSON.parse(record) as Answer
  const told = JSON.parse(await done('explain', id, '--ledger', 'explained.db', '--json')) as Answer
  assert.deepEqual([told.agrees, told.visible, told.policies[0].strategy], [true, null, 'rego'])
  assert.deepEqual(
    told.policies[0].steps.map(({ rule, result, decides }: Answer) => [rule, result, decides]),
    [['night', 'failed', true]],
  )
  assert.match(await done('explain', ...authz, '{"tool":"get_balance"}'), /authz\/decision/)
})

test('`check`, `verify` and `inspect` take it', async () => {
  assert.deepEqual(JSON.parse(await done('check', '--json', ...trusted, 'authz.tar.gz')), [])
  assert.match(
    await done('verify', ...trusted, 'authz.tar.gz'),
    /^decides +authz\/decision\n[\s\S]*^module +as the signature binds it\n/m,
  )
  const proved = JSON.parse(await done('verify', ...trusted, '--json', 'authz.tar.gz')) as Answer
  assert.deepEqual([proved.entrypoint, proved.revision, proved.rebuilt], ['authz/decision', '7', false])
  await refused(['verify', ...trusted, '--rebuild', 'authz.tar.gz'], 'bundle_foreign', /opa build/)
  const alone = ['verify', ...trusted, '--entrypoint', 'authz/decision', 'alone.tar.gz']
  assert.match(await done(...alone), /^module +compiled here: the bundle has none$/m)
  await refused([...alone, '--rebuild'], 'bundle_foreign', /no module in the bundle/)
  assert.deepEqual(
    [proved.compiled_here, (JSON.parse(await done(...alone, '--json')) as Answer).compiled_here],
    [false, true],
  )
  const shown = JSON.parse(await done('inspect', '--json', 'authz.tar.gz')) as Answer
  assert.match(await done('inspect', 'authz.tar.gz'), /^entry +authz\/decision \(\/policy\.wasm\)$/m)
  assert.deepEqual(shown.wasm, [{ entrypoint: 'authz/decision', module: '/policy.wasm' }])
})

test('the entrypoint is named as OPA spells it, and is one that the bundle has', async () => {
  const asked = (path: string) => ['eval', ...authz, '--entrypoint', path, '--calls', 'calls.jsonl']
  await refused(asked('authz/allow'), 'bundle_entrypoint_missing', /it has `authz\/decision`/)
  for (const path of ['data.authz.allow', '../authz/decision', 'authz//decision', '/authz/decision', '']) {
    const { status, stderr } = await tollgate(asked(path))
    assert.equal(status, 2, stderr)
    assert.match(stderr, /--entrypoint/)
  }
  await refused(
    ['eval', '-c', 'alone.tar.gz', ...trusted, '--calls', 'calls.jsonl'],
    'bundle_entrypoint_missing',
    /nobody says/,
  )
})

test('case files are played against it: calls, approvals, lists', async () => {
  writeFileSync(
    'authz_test.yaml',
    `policy: authz.tar.gz
server: prod
cases:
  - name: what is large waits for a person, and runs once
    calls:
      - { tool: pay, arguments: { amount: 500 }, expect: { decision: hold, reason_code: LARGE, rule: large, message: a large payment } }
      - { approve: ada }
      - { tool: pay, arguments: { amount: 500 }, expect: { decision: allow, rule: large } }
      - { tool: pay, arguments: { amount: 500 }, expect: hold }
      - { tool: pay, arguments: { amount: 501 }, expect: hold }
  - name: lists show what is not refused without arguments
    calls:
      - { list: tools, of: [get_balance, pay, deploy, other], expect: { shows: [get_balance, pay] } }
      - { list: tools, of: [get_balance, deploy], principal: { agent: releaser }, expect: { shows: [get_balance, deploy] } }
      - { list: tools, of: [get_balance, deploy], principal: { agent: releaser }, time: +9h, expect: { shows: [get_balance] } }
  - name: the kill switch comes first
    calls:
      - { tool: get_balance, session: s, expect: allow }
      - { kill: { session: s } }
      - { tool: get_balance, session: s, expect: { decision: kill, reason_code: KILLED } }
`,
  )
  const played = await tollgate(['test', ...trusted, 'authz_test.yaml'])
  assert.match(played.stdout, /3 passed/, played.stdout)
  for (const measure of ['--coverage', '--mutate']) {
    const { status, stdout, stderr } = await tollgate(['test', ...trusted, measure, 'authz_test.yaml'])
    assert.equal(status, 1)
    assert.match(`${stdout}${stderr}`, /is a rule in Rego that others wrote.*a policy file of Tollgate/)
  }
})

test('what looks into rules needs a policy file of ours, and says so', async () => {
  await refused(['diff', ...trusted, 'authz.tar.gz', 'stricter.tar.gz'], 'policy_is_rego', /`diff` needs a policy file/)
  await refused(['diff', ...trusted, 'native.yaml', 'authz.tar.gz'], 'policy_is_rego')
  assert.match(await done('diff', ...trusted, 'authz.tar.gz', 'authz.tar.gz'), /./)
  await refused(['test', '--generate', ...authz], 'policy_is_rego', /`--generate` without `--from`/)
})

test('recorded calls are judged again by it, and those that it judged by others', async () => {
  await done('eval', ...authz, '--calls', 'calls.jsonl', '--ledger', 'replayed.db')
  const replayed = async (against: string, from: string, ...more: readonly string[]) =>
    JSON.parse(await done('replay', '--against', against, '--from', from, '--json', ...trusted, ...more)) as Answer
  const { decisions, unchanged } = await replayed('authz.tar.gz', 'replayed.db')
  assert.deepEqual([decisions, unchanged], [6, 6])
  const stricter = await replayed('stricter.tar.gz', 'replayed.db')
  assert.deepEqual([stricter.changes.newly_denied, stricter.unchanged], [1, 5], JSON.stringify(stricter))
  await done('eval', '-c', 'native.yaml', '--calls', 'calls.jsonl', '--ledger', 'native.db')
  const { changes } = await replayed('authz.tar.gz', 'native.db')
  assert.deepEqual([changes.newly_held, changes.newly_allowed, changes.other_rule], [1, 1, 4], JSON.stringify(changes))
  assert.equal((await replayed('native.yaml', 'replayed.db')).changes.undecidable, 0)
})

test('it knows the id of the run of a call, and so does a replay of it', async () => {
  const rego = 'package authz\n\ndecision if {\n\tinput.run == {"run_id": "r1"}\n\tinput.session == "s"\n}\n'
  writeFileSync('runs.tar.gz', pack(await foreignFiles({ rego })))
  await done('sign', ...signing, 'runs.tar.gz')
  const runs = [{ run: { run_id: 'r1', workflow_id: 'w' } }, { run: { run_id: 'r2' } }, {}]
  writeFileSync('runs.jsonl', runs.map((run) => JSON.stringify({ tool: 't', session: 's', ...run })).join('\n'))
  writeFileSync('loose.yaml', native.replace('deny', 'allow'))
  for (const policy of [
    ['-c', 'runs.tar.gz'],
    ['--layer', 'org=runs.tar.gz', '--layer', 'team=loose.yaml'],
  ]) {
    const ledger = `runs${policy.length}.db`
    const lines = await done('eval', ...policy, ...trusted, '--calls', 'runs.jsonl', '--ledger', ledger)
    assert.deepEqual(
      decided(lines).map(([decision]) => decision),
      ['allow', 'deny', 'deny'],
    )
    const same = await done('replay', '--against', 'runs.tar.gz', ...trusted, '--from', ledger, '--json')
    const { unchanged, changes } = JSON.parse(same) as Answer
    assert.equal(unchanged + changes.other_rule, 3, same)
  }
})

test('what persons approved of it is proved from the record, and is good for that bundle alone', async () => {
  const trust = async () => ({ keys: [], threshold: 1, allowUnsigned: true })
  const load = async (file: string) => activePolicy(await loadPolicyFiles([file], { trust }))
  const report = (error: unknown) => assert.fail(String(error))
  const { gate, ledger, describe } = openGateWith({ ledgerFile: 'approved.db', report, listless: true })
  const approvals = new Approvals({ ledger, describe })
  const call = readCallObject({ tool: 'pay', arguments: { amount: 500 } }, [])
  const decide = () => {
    const [decision] = gate.admit([call]) as [Decision]
    if (decision.decision === 'allow') gate.settle([{ decisionId: decision.decision_id, status: 'success' }])
    return decision
  }
  gate.activate(await load('authz.tar.gz'))
  const ada = { by: { name: 'ada', known_by: 'command_line' } } as const
  approvals.approve(decide().approval?.id ?? '', ada)
  assert.deepEqual(
    [decide(), decide()].map(({ decision, rule }) => [decision, rule]),
    [
      ['allow', 'large'],
      ['hold', 'large'],
    ],
  )
  approvals.approve(decide().approval?.id ?? '', ada)
  writeFileSync('other.tar.gz', pack(await foreignFiles({ data: { ...data, tools: [] } })))
  gate.activate(await load('other.tar.gz'))
  assert.equal(decide().decision, 'hold')
  gate.activate(await load('authz.tar.gz'))
  assert.equal(decide().decision, 'allow')
  ledger.close()
  const proof = JSON.parse(await done('audit', 'verify', '--ledger', 'approved.db', '--json')) as Answer
  assert.deepEqual(
    [proof.ok, proof.evaluated, Object.keys(proof.revisions).length],
    [true, 6, 2],
    JSON.stringify(proof),
  )
})

test('it is a layer beside others, and the strictest decides', async () => {
  const layers = ['--layer', 'org=authz.tar.gz', '--layer', 'team=native.yaml', ...trusted]
  const lines = await done('eval', ...layers, '--calls', 'calls.jsonl', '--ledger', 'layers.db')
  assert.deepEqual(
    decided(lines).map(([decision, code]) => [decision, code]),
    [
      ['allow', 'ALLOW'],
      ['allow', 'ALLOW'],
      ['hold', 'LARGE'],
      ['deny', 'TOOL_NOT_ALLOWED'],
      ['deny', 'REGO_UNDEFINED'],
      ['deny', 'REGO_DENIED'],
      ['deny', 'MALFORMED_CALL'],
    ],
  )
  const proof = JSON.parse(await done('audit', 'verify', '--ledger', 'layers.db', '--json')) as Answer
  assert.equal(proof.ok, true)
})

test('a gate that asks for it where it is served decides by it, and wants to know which server it guards', async () => {
  const usual = { bundlePoll: '1m', bundleWait: '1s', bundleStore: join(folder, 'store') }
  const feed = await policyFeed({
    ...usual,
    verifyKey: ['release.pub'],
    bundle: [join(folder, 'authz.tar.gz')],
  } as Answer)
  const active = feed.loaded.active()
  assert.equal(active.evaluate('{"tool":"get_balance"}').decision, 'allow')
  assert.throws(() => requireAnswers(feed.loaded.policy, {}), /say which one this is with `--server NAME`/)
  requireAnswers(feed.loaded.policy, { server: 'prod' })
  // Beside one of ours, which owns `tollgate`.
  await done('build', '-o', 'native.tar.gz', ...signing, 'native.yaml')
  const both = (name: string) => [`org=${join(folder, name)}`, `team=${join(folder, 'native.tar.gz')}`]
  const layered = (name: string) => policyFeed({ ...usual, verifyKey: ['release.pub'], bundle: both(name) } as Answer)
  await assert.rejects(layered('authz.tar.gz'), { code: 'bundle_roots_overlap' })
  const roots = { manifest: { roots: ['authz', 'limits', 'tools'] } }
  writeFileSync('rooted.tar.gz', pack(await foreignFiles(roots)))
  await done('sign', ...signing, 'rooted.tar.gz')
  const { loaded } = await layered('rooted.tar.gz')
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', report: (error) => assert.fail(String(error)) })
  gate.activate(loaded.active())
  const decided = ['get_balance', 'deploy'].map((tool) => gate.check(readCallObject({ tool, server: 'prod' }, [])))
  ledger.close()
  assert.deepEqual(
    decided.map(({ decision, layers }) => [decision, layers?.map(({ reason_code }) => reason_code)]),
    [
      ['allow', ['ALLOW', 'ALLOW']],
      ['deny', ['REGO_UNDEFINED', 'TOOL_NOT_ALLOWED']],
    ],
  )
})
