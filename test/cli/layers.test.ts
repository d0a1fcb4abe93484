/** `-c` several times and `--layer`: what is merged, what stays apart, and what is no way to say it. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { tollgate } from './auditRun.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-layers-'))
after(() => rmSync(folder, { recursive: true }))
const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const policy = (tools: string, fallback = 'deny') => `version: "1"\ndefault: ${fallback}\ntools:\n${tools}`

mkdirSync(join(folder, 'other'))
write('base.yaml', policy('  list: {}\n'))
write('files.yaml', policy('  write: { rules: [{ arguments: { path: { prefix: /tmp/ } } }] }\n'))
write('other/base.yaml', policy('  search: {}\n', 'allow'))
write('clash.yaml', policy('  list: {}\n'))
write('broken.yaml', policy('  list: { rulez: [] }\n'))
write('wrong.yaml', policy('  list: {}\n', 'maybe'))
write('calls.jsonl', ['list', 'write', 'search', 'none'].map((tool) => JSON.stringify({ tool })).join('\n'))

function evaluate(...args: readonly string[]) {
  const { stdout, stderr, status } = tollgate(['eval', ...args, '--calls', 'calls.jsonl'], {}, folder)
  const decisions = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return { decisions, said: decisions.map(({ decision }) => decision).join(' '), stderr, status }
}

test('files that are named one after the other are one policy', () => {
  const { said, status, decisions } = evaluate('-c', 'base.yaml', '-c', 'files.yaml', '-c', 'other/base.yaml')
  assert.deepEqual([said, status], ['allow deny allow deny', 0])
  assert.ok(decisions.every((decision) => !('layers' in decision)))
})

test('layers are asked each, in the order in which they are first named', () => {
  const layers = ['--layer', 'org=other/base.yaml', '--layer', 'team=base.yaml', '--layer', 'org=files.yaml']
  const { said, decisions } = evaluate(...layers)
  assert.equal(said, 'allow deny deny deny')
  assert.deepEqual(decisions[2], {
    decision: 'deny',
    reason_code: 'TOOL_NOT_ALLOWED',
    rule: 'default',
    message: 'this tool is not on the list of what may be used',
    layers: [
      { name: 'org', decision: 'allow', reason_code: 'ALLOW', rule: 'search' },
      { name: 'team', decision: 'deny', reason_code: 'TOOL_NOT_ALLOWED', rule: 'default' },
    ],
    conflicts: [{ layer: 'org', decision: 'allow', overruled_by: 'team' }],
  })
})

const refused: readonly [readonly string[], number, RegExp][] = [
  [[], 2, /the policy is missing: name its file with `-c FILE`, or layers with `--layer NAME=FILE` \(usage\)/],
  [['-c', 'base.yaml', '--layer', 'org=base.yaml'], 2, /`-c` and `--layer` do not go together/],
  [['--layer', 'base.yaml'], 2, /`--layer` takes NAME=FILE.*got `base\.yaml`/],
  [['--layer', '1=base.yaml'], 2, /a letter first/],
  [['--layer', 'org='], 2, /NAME=FILE/],
  [['-c', 'base.yaml', '-c', './base.yaml'], 1, /`\.\/base\.yaml`: it is named twice \(policy_unreadable\)/],
  [
    ['-c', 'base.yaml', '-c', 'clash.yaml'],
    1,
    /clash\.yaml:4:3: `list` stands in `base\.yaml:4` too[\s\S]*`clash\.yaml` has mistakes/,
  ],
  [
    ['--layer', 'org=broken.yaml', '--layer', 'team=wrong.yaml'],
    1,
    /^broken\.yaml:4:\d+: .*`rulez`.*\nwrong\.yaml:2:\d+: .*\n.*`broken\.yaml`, `wrong\.yaml` have mistakes/,
  ],
  [['--layer', 'org=base.yaml', '--layer', 'team=nowhere.yaml'], 1, /nowhere\.yaml.*policy_unreadable/],
]

for (const [args, code, says] of refused) {
  test(`\`eval ${args.join(' ')}\` ends with ${code} and says why`, () => {
    const { stderr, status, decisions } = evaluate(...args)
    assert.match(stderr, says)
    assert.deepEqual([status, decisions], [code, []])
  })
}

test('what is compiled of several files has all of them, and one revision', () => {
  const compile = (...args: readonly string[]) => {
    const { status, stderr } = tollgate(['compile', ...args, '-o', 'out'], {}, folder)
    assert.equal(status, 0, stderr)
    return JSON.parse(readFileSync(join(folder, 'out/tollgate.json'), 'utf8')).revision
  }
  const one = compile('base.yaml', 'files.yaml')
  assert.equal(compile('base.yaml', 'files.yaml'), one)
  assert.notEqual(compile('files.yaml', 'base.yaml'), one)
  assert.match(readFileSync(join(folder, 'out/tools/0000-write.rego'), 'utf8'), /files\.yaml:4/)
})

test('the decision that docs/policies/layers.md shows is the one that is made', () => {
  write('org.yaml', policy('  drop_table: { rules: [{ name: no-drops, action: deny }] }\n', 'allow'))
  write('team.yaml', policy('  drop_table: { risk_level: high }\n'))
  write('calls.jsonl', '{"tool":"drop_table"}')
  const page = readFileSync(new URL('../../docs/policies/layers.md', import.meta.url), 'utf8')
  const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '')
  assert.deepEqual(evaluate('--layer', 'org=org.yaml', '--layer', 'team=team.yaml').decisions, [shown])
})
