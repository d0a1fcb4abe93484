/** Files that are no policy, through the whole command: one sentence with its place, exit code 1, soon and in little memory. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { badFiles } from '../policy/badFiles.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-bad-policies-'))
after(() => rmSync(folder, { recursive: true }))

/** Runs out of memory, and fails so, beyond what a small container has; and what hangs is ended. */
function tollgate(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--max-old-space-size=512', main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, stdout, stderr }
}

for (const { name, text, says } of badFiles)
  test(`${name} is refused at its place`, () => {
    writeFileSync(join(folder, 'policy.yaml'), text)
    const { code, stdout, stderr } = tollgate('check', 'policy.yaml')
    assert.ok(stdout.startsWith(`policy.yaml:${says}`), `${stdout.slice(0, 400)}${stderr}`)
    assert.deepEqual([code, stderr], [1, '1 file, 1 error, 0 warnings\n'])
    for (const line of stdout.split('\n')) assert.ok(line.length < 500, 'no line is as long as the file')
  })

const places: readonly (readonly [name: string, make: (path: string) => void, says: string])[] = [
  ['a missing file', () => undefined, '1:1: there is no such file'],
  ['a directory', (path) => mkdirSync(path), '1:1: it is a directory, name the files in it'],
  ['a link that leads nowhere', (path) => symlinkSync('nowhere', path), '1:1: there is no such file'],
  ['a link to itself', (path) => symlinkSync(path, path), '1:1: ELOOP: '],
  [
    'a device without an end',
    (path) => symlinkSync('/dev/zero', path),
    '1:1: it has more bytes, at most 4194304 are read',
  ],
]

for (const [index, [name, make, says]] of places.entries())
  test(`${name} is refused, by \`check\` and by what needs a policy`, () => {
    const path = join(folder, `place${index}.yaml`)
    make(path)
    const checked = tollgate('check', path)
    assert.ok(checked.stdout.startsWith(`${path}:${says}`), checked.stdout)
    assert.deepEqual([checked.code, checked.stderr], [1, '1 file, 1 error, 0 warnings\n'])
    const { code, stderr } = tollgate('eval', '-c', path)
    assert.match(stderr, /^tollgate: `.*`: .* \(policy_unreadable\)$/m)
    assert.equal(code, 1)
  })

test('a file that may not be read is refused', { skip: process.getuid?.() === 0 && 'root may read everything' }, () => {
  const path = join(folder, 'secret.yaml')
  writeFileSync(path, 'version: "1"\n')
  chmodSync(path, 0)
  assert.match(tollgate('check', path).stdout, /:1:1: EACCES/)
})

test('a policy through a pipe is read to its end', { skip: !existsSync('/bin/bash') }, () => {
  writeFileSync(join(folder, 'good.yaml'), 'version: "1"\ndefault: deny\ntools: { pay: {} }\n')
  const said = execFileSync(
    '/bin/bash',
    ['-c', `'${process.execPath}' '${main}' check <(sleep 0.2; cat good.yaml) 2>&1`],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  )
  assert.equal(said, '1 file, 0 errors, 0 warnings\n')
})

test('a tool named null in quotes, a key of `on` and other words of YAML 1.1 are names as they are written', () => {
  const calls = ['null', 'on', '18:00', '0777'].map((tool) => JSON.stringify({ tool })).join('\n')
  writeFileSync(
    join(folder, 'names.yaml'),
    'version: "1"\ndefault: deny\ntools: { "null": {}, on: {}, 18:00: {}, 0777: {} }\n',
  )
  writeFileSync(join(folder, 'calls.jsonl'), calls)
  assert.deepEqual(tollgate('check', '--strict', 'names.yaml').code, 0)
  const { stdout } = tollgate('eval', '-c', 'names.yaml', '--calls', 'calls.jsonl')
  const decisions = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    decisions.map(({ decision, rule }) => `${decision} ${rule}`),
    ['allow null', 'allow on', 'allow 18:00', 'allow 0777'],
  )
})

test('`yes` and `18:00` in an enum are text, and a warning', () => {
  writeFileSync(
    join(folder, 'enum.yaml'),
    'version: "1"\ndefault: deny\ntools:\n  pay: { rules: [{ arguments: { a: { enum: [yes, 18:00, "12:30", 1:99] } } }] }\n',
  )
  const { code, stdout } = tollgate('check', 'enum.yaml')
  assert.equal(code, 0)
  assert.deepEqual(
    stdout.split('\n').flatMap((line) => /^enum.*?warning: (.*)$/.exec(line)?.[1] ?? []),
    [
      'each of `enum`: `yes` is text in YAML 1.2; put it in quotes, or write `true` or `false`',
      'each of `enum`: `18:00` is text in YAML 1.2 and a number in older readers; put it in quotes',
    ],
  )
})
