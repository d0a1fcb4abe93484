/** What an operator says beside a pack: settings, pins, and what tools are. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Call } from '../../src/model/call.ts'
import type { Decision } from '../../src/model/decision.ts'
import { planFor } from '../../src/model/strategy.ts'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy, loadPolicyFile, namedFiles } from '../../src/runtime/policyFile.ts'
import { followRun } from '../../src/runtime/runFile.ts'
import { ofPack } from '../policy/strategies.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-pack-settings-'))
after(() => rmSync(folder, { recursive: true }))
cpSync(fileURLToPath(new URL('fixtures', import.meta.url)), folder, { recursive: true })
const place = (name: string) => join(folder, name)
const beside = (name: string) => readFileSync(place(name))
const digest = '22f45f06fee190b602ac27f300c94d72ab38646f76a1ad2e4f80923a3a444ceb'
const pack = 'pack: mcp-gateway-policy.json\n'

function parsed(text: string) {
  const { policy, diagnostics } = parsePolicy({ file: 'gate.yaml', text, beside })
  return { policy, told: diagnostics.map(formatDiagnostic) }
}

test('settings name a pack, and narrow it', () => {
  const { policy, told } = parsed(
    `${pack}statuses: [active, pilot]\nmaturity: [walk]\nevidence:\n  base-image-remediation:\n    pre_merge: [base-image-sbom-signature]\n`,
  )
  assert.deepEqual(told, [])
  const { statuses, stages, workflows } = ofPack(policy)
  assert.deepEqual([statuses, stages], [['active', 'pilot'], ['walk']])
  const phases = workflows.find(({ id }) => id === 'base-image-remediation')?.phases
  assert.deepEqual(phases?.find(({ phase }) => phase === 'pre_merge')?.evidence, ['base-image-sbom-signature'])
  assert.equal(phases?.find(({ phase }) => phase === 'post_merge')?.evidence.length, 3)
})

test('a pack of the manifest that is pinned loads, by digest and by file', () => {
  assert.deepEqual(parsed(`${pack}manifest_sha256: ${digest}\nmanifest: workflow-manifests.json\n`).told, [])
})

test('a pack whose manifest changed is refused', async () => {
  writeFileSync(place('changed.json'), beside('workflow-manifests.json').toString().replace('400d', '30d'))
  for (const pin of ['manifest: changed.json', `manifest_sha256: ${'0'.repeat(64)}`]) {
    const { policy, told } = parsed(`${pack}${pin}\n`)
    assert.equal(policy, undefined)
    assert.match(told.join('\n'), /^gate\.yaml:2:\d+: the pack is of another manifest: it names `22f45f/m)
    writeFileSync(place('pinned.yaml'), `${pack}${pin}\n`)
    await assert.rejects(loadPolicyFile(place('pinned.yaml')), { code: 'policy_invalid' })
  }
})

for (const [text, says] of [
  ['pack: nowhere.json\n', /^gate\.yaml:1:7: `nowhere\.json` cannot be read: /],
  ['pack: workflow-manifests.json\n', /^gate\.yaml:1:7: workflow-manifests\.json:1:1: this is no policy/],
  [`${pack}maturity: [wlk]\n`, /did you mean `walk`\?/],
  [`${pack}maturty: [walk]\n`, /unknown key `maturty`, did you mean `maturity`\?/],
  [
    `${pack}tools:\n  push: { namespace: repo.content, access: write_branch, branch: b, paths: p }\n`,
    /no workflow of the pack has the namespace `repo\.content`, did you mean `repo\.contents`\?/,
  ],
  [`${pack}tools:\n  push: { namespace: repo.contents, access: write }\n`, /`access` must be `read`, `write_branch`/],
  [
    `${pack}tools:\n  push: { namespace: repo.contents, access: write_branch }\n`,
    /`push` writes to a branch: say which arguments name the branch and the files/,
  ],
  [`${pack}evidence:\n  base-image: { pre_merge: [] }\n`, /the pack has no workflow `base-image`/],
  [
    `${pack}change_classes: [Documentation, database-migrations]\n`,
    /^gate\.yaml:2:33: a person has to approve `database migrations`: the pack says so$/,
  ],
  [`${pack}change_classes: ["--"]\n`, /a class of changes has letters or digits, got `--`/],
  [`${pack}claims: { workflow: sub }\n`, /unknown key `workflow`, did you mean `workflow_id`\?/],
  [`${pack}claims: { gate_phase: phase }\n`, /unknown key `gate_phase`, `claims` has `workflow_id`, `agent_id`/],
  [`${pack}claims: { agent_id: a..b }\n`, /a dot in a path stands between two names/],
  [`${pack}manifest_sha256: abc\n`, /`manifest_sha256` must be a SHA-256 digest/],
] as const) {
  test(`a mistake leaves no policy: ${text.split('\n').slice(0, 3).join(' ')}`, () => {
    const { policy, told } = parsed(text)
    assert.equal(policy, undefined)
    assert.ok(
      told.some((line) => says.test(line)),
      told.join('\n'),
    )
  })
}

test('the files that settings name are found without parsing them', () => {
  const named = (text: string) => namedFiles(place('gate.yaml'), Buffer.from(text))
  assert.deepEqual(named(`${pack}manifest: "workflow-manifests.json" # pinned\n`), [
    place('mcp-gateway-policy.json'),
    place('workflow-manifests.json'),
  ])
  assert.deepEqual(named('{"pack": "mcp-gateway-policy.json"}'), [place('mcp-gateway-policy.json')])
  assert.deepEqual(named('version: "1"\ndefault: deny\n'), [])
})

const tools = `tools:
  git/push: { namespace: repo.contents, access: write_branch, branch: branch, paths: files.path, content: files.text }
  git/*: { namespace: findings.sde, access: read }
`
const run = { workflow_id: 'sensitive-data-remediation', agent_id: 'codex', run_id: 'r1', gate_phase: 'tool_call' }
const push = {
  branch: 'sec-auto-remediation/1',
  files: [
    { path: 'src/a.ts', text: 'a\nb' },
    { path: 'src/b.ts', text: '' },
  ],
}

async function judged(name: string, args: Call['arguments'], registered: NonNullable<Call['run']> = run) {
  writeFileSync(place('tools.yaml'), `${pack}${tools}`)
  const artifact = await loadPolicyFile(place('tools.yaml'))
  const report = (error: unknown) => assert.fail(error as Error)
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', report })
  gate.activate(activePolicy(artifact))
  const call: Call = {
    method: 'tools/call',
    server: 'git',
    name,
    arguments: args,
    principal: {},
    session: 's',
    run: registered,
  }
  const { reason_code, pack_sha256 } = gate.admit([call])[0] as Decision
  const record = JSON.parse([...ledger.records()].at(-1)?.body ?? '')
  ledger.close()
  assert.equal(record.result.pack_sha256, pack_sha256)
  return { reason_code, input: record.input?.run }
}

test('what a tool is stands in the settings, what it is used on in its arguments', async () => {
  const { reason_code, input } = await judged('push', push)
  assert.equal(reason_code, 'ALLOW')
  assert.deepEqual(input.changed_paths, ['src/a.ts', 'src/b.ts'])
  assert.deepEqual(
    [input.branch_name, input.diff_line_count, input.tool_namespace],
    ['sec-auto-remediation/1', 2, 'repo.contents'],
  )
  assert.equal((await judged('get_finding', {})).reason_code, 'ALLOW')
})

for (const [what, args, registered, code] of [
  ['a branch that is not there', { ...push, branch: 7 }, run, 'BRANCH_NAME_INVALID'],
  ['another branch than the registered one', push, { ...run, branch_name: 'sec-auto-remediation/2' }, 'RUN_CONFLICT'],
  ['a file without a path', { ...push, files: [{ text: '' }] }, run, 'CHANGED_PATHS_INVALID'],
  [
    'lines that end as on an old Macintosh',
    { ...push, files: [{ path: 'src/a.ts', text: 'x\r'.repeat(251) }] },
    run,
    'DIFF_TOO_LARGE',
  ],
  ['a file outside', { ...push, files: [{ path: 'README.md', text: '' }] }, run, 'PATH_NOT_ALLOWED'],
  [
    'a registered path outside, though the arguments name none',
    push,
    { ...run, changed_paths: ['README.md'] },
    'PATH_NOT_ALLOWED',
  ],
  [
    'more lines than allowed',
    { ...push, files: [{ path: 'src/a.ts', text: '\n'.repeat(250) }] },
    run,
    'DIFF_TOO_LARGE',
  ],
  ['more lines by the registration', push, { ...run, diff_line_count: 251 }, 'DIFF_TOO_LARGE'],
  ['a member in another case', { ...push, Branch: 'main' }, run, 'MALFORMED_CALL'],
  [
    'a member of a file in another case',
    { ...push, files: [{ path: 'src/a.ts', text: '', Path: 'README.md' }] },
    run,
    'MALFORMED_CALL',
  ],
  ['another access than the registered one', push, { ...run, tool_access_mode: 'read' }, 'RUN_CONFLICT'],
  ['what the agent says of itself', { ...push, workflow_id: 'other', human_approval_record: true }, run, 'ALLOW'],
] as const) {
  test(`a push with ${what}: ${code}`, async () => {
    assert.equal((await judged('push', args as Call['arguments'], registered)).reason_code, code)
  })
}

test('a tool of a server is what is said of it there, wherever that stands', async () => {
  const named = `${pack}tools:
  push: { namespace: findings.sde, access: read }
  git/push: { namespace: repo.contents, access: write_branch, branch: branch, paths: files.path, content: files.text }
`
  const { policy, told } = parsed(named)
  assert.deepEqual(told, [])
  const accessOf = (server: string) => {
    const call: Call = { method: 'tools/call', server, name: 'push', arguments: {}, principal: {}, session: '', run }
    return planFor(ofPack(policy), call).run?.(call) as { tool_access_mode?: string }
  }
  assert.equal(accessOf('git').tool_access_mode, 'write_branch')
  assert.equal(accessOf('other').tool_access_mode, 'read')
})

test('a run is registered in a file, and counts as it is written now', () => {
  const file = place('run.json')
  const said: string[] = []
  writeFileSync(file, JSON.stringify(run))
  const registered = followRun(file, (sentence) => said.push(sentence))
  assert.deepEqual(registered(), run)
  writeFileSync(file, JSON.stringify({ ...run, kill_signal: 'scope creep' }))
  assert.equal(registered()?.['kill_signal'], 'scope creep')
  writeFileSync(file, JSON.stringify({ ...run, kil_signal: 'scope creep' }))
  assert.equal(registered(), undefined)
  assert.match(said.join('\n'), /run\.json:1:\d+: unknown attribute `kil_signal`, did you mean `kill_signal`\?/)
  writeFileSync(file, '[]')
  assert.equal(registered(), undefined)
  rmSync(file)
  assert.equal(registered(), undefined)
  assert.match(said.join('\n'), /registers no run: calls that are judged by one are denied/)
  if (process.platform === 'win32') return
  // To open it would wait for a writer, with the call and with all others.
  execFileSync('mkfifo', [file])
  assert.equal(registered(), undefined)
  assert.match(said.join('\n'), /run\.json`: it is no regular file: what is read again has to be one/)
})
