/** `tollgate pack generate` as a person runs it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-pack-'))
after(() => rmSync(folder, { recursive: true }))
cpSync(join(project, 'test/pack/fixtures'), folder, { recursive: true })
const text = (name: string) => readFileSync(join(folder, name), 'utf8')

function generate(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(project, 'src/cli/main.ts'), 'pack', 'generate', ...args],
    { cwd: folder, encoding: 'utf8' },
  )
  return { code: status, stdout, stderr }
}

test('a pack is written, and is the same bytes again, wherever it goes', () => {
  const first = generate('--manifest', 'workflow-manifests.json', '-o', 'pack.json')
  assert.deepEqual(first, { code: 0, stdout: '', stderr: '' })
  const printed = generate('--manifest', join(folder, 'workflow-manifests.json'))
  assert.equal(printed.stdout, text('pack.json'))
  assert.equal(generate('--manifest', 'workflow-manifests.json', '-o', 'pack.json').code, 0)
  assert.equal(text('pack.json'), printed.stdout)
})

test('`--check` is fine with a pack of the manifest, also one that another generator wrote', () => {
  generate('--manifest', 'workflow-manifests.json', '-o', 'checked.json')
  for (const args of [
    ['--check', 'checked.json'],
    ['-o', 'checked.json', '--check'],
    ['--check', 'mcp-gateway-policy.json'],
  ]) {
    const { code, stdout, stderr } = generate('--manifest', 'workflow-manifests.json', ...args)
    assert.deepEqual([code, stdout], [0, ''], stderr)
  }
})

test('`--check` ends with 1 and says what has drifted, and writes nothing', () => {
  const drifted = text('mcp-gateway-policy.json').replace('"max_diff_lines": 250', '"max_diff_lines": 500')
  writeFileSync(join(folder, 'drifted.json'), drifted)
  const { code, stdout, stderr } = generate('--manifest', 'workflow-manifests.json', '--check', 'drifted.json')
  assert.equal(code, 1)
  assert.equal(
    stdout,
    'workflow_policies[sensitive-data-remediation].change_scope.max_diff_lines: the pack has 500, the manifest gives 250\n',
  )
  assert.match(stderr, /\(pack_stale\)\n$/)
  assert.equal(text('drifted.json'), drifted)
})

test('a manifest that changed makes its pack stale', () => {
  writeFileSync(
    join(folder, 'changed.json'),
    text('workflow-manifests.json').replace('"paused"', '"retired"').replace('400d', '30d'),
  )
  const { code, stdout } = generate('--manifest', 'changed.json', '--check', 'mcp-gateway-policy.json')
  assert.equal(code, 1)
  assert.match(stdout, /^source_manifest\.sha256: the pack has /m)
  assert.match(stdout, /evidence_contract\.required_records\[sde-scanner-before-after\]\.retention: /m)
})

test('a manifest with mistakes is told with each place, and gives no pack', () => {
  writeFileSync(
    join(folder, 'bad.json'),
    text('workflow-manifests.json').replace('"active"', '"on"').replace('"walk"', '"ran"'),
  )
  const { code, stdout, stderr } = generate('--manifest', 'bad.json', '-o', 'none.json')
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^bad\.json:\d+:\d+: `status` must be /m)
  assert.match(stderr, /^bad\.json:\d+:\d+: `maturity_stage` must be /m)
  assert.match(stderr, /\(manifest_invalid\)\n$/)
  assert.throws(() => text('none.json'))
})

test('a file that is no pack is not replaced', () => {
  const before = text('workflow-manifests.json')
  const { code, stderr } = generate('--manifest', 'workflow-manifests.json', '-o', 'workflow-manifests.json')
  assert.equal(code, 1)
  assert.match(stderr, /\(output_exists\)\n$/)
  assert.equal(text('workflow-manifests.json'), before)
})

for (const [what, args, code, says] of [
  [
    'a manifest that is not there',
    ['--manifest', 'nowhere.json'],
    1,
    /nowhere\.json`: there is no such file \(manifest_unreadable\)/,
  ],
  [
    'a pack that is not there',
    ['--manifest', 'workflow-manifests.json', '--check', 'no.json'],
    1,
    /\(manifest_unreadable\)/,
  ],
  ['a pack that is none', ['--manifest', 'workflow-manifests.json', '--check', 'LICENSE'], 1, /\(pack_stale\)/],
  [
    '`--check` without a pack',
    ['--manifest', 'workflow-manifests.json', '--check'],
    2,
    /name the pack to compare with/,
  ],
  ['no manifest', [], 2, /required option '--manifest <file>' not specified/],
] as const) {
  test(`${what} ends with ${code}`, () => {
    const ran = generate(...args)
    assert.match(ran.stderr, says)
    assert.equal(ran.code, code)
  })
}
