/** `tollgate diff` as a person runs it; its examples are lines that `eval` takes. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Answer } from '../answer.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-diff-'))
after(() => rmSync(folder, { recursive: true }))
const put = (name: string, written: string) => writeFileSync(join(folder, name), written)

function tollgate(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, 'src/cli/main.ts'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    input,
  })
  return { status, stdout, stderr }
}

const policy = (cap: number, rate: number, currencies: string, more = '') => `version: "1"
default: deny
tools:
  pay:
    rules:
      - name: cap
        spend: { per_call: ${cap} }
      - name: currency
        arguments: { currency: { enum: [${currencies}] } }
  read:
    rules:
      - rate_limit: ${rate}/hour
${more}`
put('old.yaml', policy(500, 2, 'GBP, USD'))
put('new.yaml', policy(600, 3, 'GBP'))
put('same.yaml', policy(500, 2, 'USD, GBP', '        on_deny: Slow down.\n'))
put('stop.yaml', 'version: "1"\ndefault: allow\ntools: { pay: { rules: [{ action: deny }] } }\n')

test('of two policy packs is told where they differ, and no call', () => {
  const pack: Answer = JSON.parse(readFileSync(join(project, 'test/pack/fixtures/mcp-gateway-policy.json'), 'utf8'))
  put('old.json', JSON.stringify(pack))
  const [workflow] = pack.workflow_policies
  workflow.change_scope.max_diff_lines = 9
  put('new.json', JSON.stringify(pack))
  const { status, stdout } = tollgate(['diff', 'old.json', 'new.json'])
  assert.equal(status, 1)
  const said = `workflow ${workflow.workflow_id}\n  max_diff_lines: 250, now 9\n\nnot proved, there may be changes\n`
  assert.ok(stdout.startsWith(said), stdout)
  assert.match(tollgate(['diff', 'old.json', 'old.yaml']).stderr, /another pack is .* \(diff_unsupported\)/)
})

test('what changes is told by tool, each with a call that `eval` decides so', () => {
  const { status, stdout, stderr } = tollgate(['diff', 'old.yaml', 'new.yaml'])
  assert.equal(stderr, '')
  assert.equal(
    stdout,
    `pay
  newly allowed: was refused by \`cap\` (SPEND_PER_CALL_EXCEEDED)
    {"tool":"pay","arguments":{"amount":501,"currency":"GBP"}}
  newly denied: refused by \`currency\` (ARGUMENT_REJECTED), was allowed
    {"tool":"pay","arguments":{"amount":1,"currency":"USD"}}

read
  newly allowed: was refused by \`read.rules[0]\` (RATE_LIMITED)
    the 3rd of these:
    {"tool":"read"}

2 newly allowed; 1 newly denied; no call of 3 other kinds changes
`,
  )
  assert.equal(status, 1)
  const lines = stdout.split('\n').filter((line) => line.startsWith('    {'))
  const pasted = [...lines, lines.at(-1), lines.at(-1)].join('\n')
  const decisions = (file: string) =>
    tollgate(['eval', '-c', file], pasted)
      .stdout.trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Answer).decision)
  assert.deepEqual(decisions('old.yaml'), ['deny', 'allow', 'allow', 'allow', 'deny'])
  assert.deepEqual(decisions('new.yaml'), ['allow', 'deny', 'allow', 'allow', 'allow'])
})

test('what its page shows is what happens', () => {
  const page = readFileSync(join(project, 'docs/diff.md'), 'utf8')
  const [old = '', now = ''] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text)
  put('payments.yaml', old)
  put('changed.yaml', now)
  const [, command = '', shown] = /\$ tollgate (.*?)\n(.*?)```/s.exec(page) ?? []
  assert.equal(tollgate(command.split(' ')).stdout, shown)
})

test('a change of words alone changes no call, which is a proof with its bounds', () => {
  const { status, stdout } = tollgate(['diff', 'old.yaml', 'same.yaml'])
  assert.match(stdout, /^no call changes, proved for\n {2}- calls that the gate hands to the policy/)
  assert.equal(status, 0)
})

test('as JSON; layers; the exit code counts the kinds that are asked for', () => {
  const layers = ['--old-layer', 'a=old.yaml', '--new-layer', 'a=old.yaml', '--new-layer', 'b=stop.yaml']
  const { status, stdout } = tollgate(['diff', ...layers, '--json', '--fail-on', 'newly-allowed'])
  const said = JSON.parse(stdout) as Answer
  assert.deepEqual(said.old, ['old.yaml'])
  assert.deepEqual(said.new, ['old.yaml', 'stop.yaml'])
  assert.equal(said.result, 'changed')
  assert.deepEqual(
    said.changes.map(({ kind, names, call, old, new: now }: Answer) => [
      kind,
      names,
      call.tool,
      old.decision,
      now.rule,
    ]),
    [['newly-denied', ['pay'], 'pay', 'allow', 'pay.rules[0]']],
  )
  assert.equal(status, 0)
})

test('`--fail-on` takes several kinds, and may stand before the policies', () => {
  put('less.yaml', 'version: "1"\ndefault: deny\ntools: {}\n')
  const failing = (kinds: string) => tollgate(['diff', '--fail-on', kinds, 'old.yaml', 'less.yaml'])
  assert.equal(failing('newly-allowed').status, 0)
  assert.equal(failing('newly-allowed,newly-denied').status, 1)
  const odd = failing('newly-allowed,newer')
  assert.equal(odd.status, 2)
  assert.match(odd.stderr, /`--fail-on` takes `newly-allowed`, .*, got `newer`/)
})

test('what is not proved is told by its reason, and is not fine', () => {
  put('two.yaml', held(2))
  put('one.yaml', held(1))
  const { status, stdout } = tollgate(['diff', 'two.yaml', 'one.yaml', '--fail-on', 'newly-denied'])
  assert.match(stdout, /^not proved, there may be changes\n {2}what an approval of held calls needs .*: a, b\n/)
  assert.equal(status, 1)
})

const held = (quorum: number) => {
  const rules = `{ rules: [{ action: require_approval, approval_quorum: ${quorum} }] }`
  return `version: "1"\ndefault: deny\ntools: { a: ${rules}, b: ${rules} }\n`
}

test('what is not two policies is a mistake of the command line', () => {
  for (const [args, words] of [
    [['old.yaml'], /two policies are compared/],
    [['old.yaml', 'new.yaml', '--new', 'x.yaml'], /two policies are compared/],
    [['--old', 'old.yaml'], /the new policy is missing/],
    [['old.yaml', 'new.yaml', '--timeout', 'soon'], /`--timeout` is a number of seconds, got `soon`/],
  ] as const) {
    const { status, stdout, stderr } = tollgate(['diff', ...args])
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, words)
  }
})
