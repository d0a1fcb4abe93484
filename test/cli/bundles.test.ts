/** `tollgate build`, `sign`, `verify`, `inspect`, and bundles where commands take a policy: as people use them, in processes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { signingOf } from '../../src/cli/signing.ts'
import { readBundle } from '../../src/opa/bundle.ts'
import { pack } from '../../src/opa/pack.ts'
import type { Answer } from '../answer.ts'
import { done, refused, tollgate } from './inProcess.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-bundles-'))
after(() => {
  process.chdir('/')
  rmSync(folder, { recursive: true })
})
const place = (name: string) => join(folder, name)

const policy = 'version: "1"\ndefault: deny\ntools:\n  pay:\n    rules: [{ rate_limit: 1/day }]\n'
/** It does not say what holds of other tools, which `check` warns of. */
const loose = 'version: "1"\ntools:\n  list: {}\n'
const more = 'version: "1"\ndefault: deny\ntools:\n  list: {}\n'

before(async () => {
  process.chdir(folder)
  for (const [name, { privateKey, publicKey }] of [
    ['release', generateKeyPairSync('ed25519')],
    ['security', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ] as const) {
    writeFileSync(place(`${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(place(`${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }))
  }
  mkdirSync(place('team'))
  writeFileSync(place('team/policy.yaml'), policy)
  writeFileSync(place('team/a-list.yml'), more)
  writeFileSync(place('team/policy_test.yaml'), 'this is no policy')
  await done(
    'build',
    '-o',
    'team.tar.gz',
    '--sign-key',
    'release.key',
    '--key-id',
    'release',
    '--sequence',
    '5',
    'team',
  )
})

/** As if the clock of the machine were another. */
const clockAt = (ms: number) =>
  `--import=data:text/javascript,${encodeURIComponent(`const N=Date.now;const at=${ms}-N();Date.now=()=>N()+at`)}`

test('the same files are the same bytes in another folder, under another clock, locale and umask, compiled again', async () => {
  const elsewhere = place('some/where else')
  mkdirSync(elsewhere, { recursive: true })
  for (const file of ['a-list.yml', 'policy.yaml']) {
    writeFileSync(join(elsewhere, file), readFileSync(place(`team/${file}`)))
    utimesSync(join(elsewhere, file), 1_000_000, 1_000_000)
  }
  const signing = ['--sign-key', place('release.key'), '--key-id', 'release', '--expires', '1d']
  process.env['SOURCE_DATE_EPOCH'] = '1700000000'
  await done('build', '-o', 'signed.tar.gz', ...signing, 'team')
  const env = {
    ...process.env,
    TZ: 'Pacific/Kiritimati',
    LANG: 'tr_TR.UTF-8',
    LC_ALL: 'tr_TR.UTF-8',
    NODE_OPTIONS: clockAt(Date.UTC(2041, 1, 1)),
    TOLLGATE_CACHE_DIR: place('another cache'),
  }
  const build = ['-c', 'umask 077; exec "$@"', 'sh', process.execPath, main, 'build', '-o', 'signed.tar.gz']
  execFileSync('sh', [...build, ...signing, '.'], { cwd: elsewhere, env, timeout: 120_000, stdio: 'pipe' })
  delete process.env['SOURCE_DATE_EPOCH']
  assert.ok(readFileSync(place('signed.tar.gz')).equals(readFileSync(join(elsewhere, 'signed.tar.gz'))))
})

test('of two that are signed within a second the later one has the higher sequence, and a time that is given gives it', (t) => {
  const signed = (issuedAt?: string) => {
    const { issuedAt: iat, sequence } =
      signingOf({ signKey: place('release.key'), keyId: 'release', ...(issuedAt && { issuedAt }) }) ?? {}
    return [iat, sequence]
  }
  t.mock.timers.enable({ apis: ['Date'], now: 1_790_000_000_998 })
  const first = signed()
  t.mock.timers.tick(1)
  assert.deepEqual(
    [first, signed()],
    [
      [1_790_000_000, 1_790_000_000_998],
      [1_790_000_000, 1_790_000_000_999],
    ],
  )
  assert.deepEqual(signed('2026-03-02T09:00:00Z'), [1_772_442_000, 1_772_442_000_000])
  process.env['SOURCE_DATE_EPOCH'] = '1700000000'
  try {
    assert.deepEqual(signed(), [1_700_000_000, 1_700_000_000_000])
    process.env['SOURCE_DATE_EPOCH'] = '999999999999'
    assert.ok(Number.isSafeInteger(signed()[1]))
  } finally {
    delete process.env['SOURCE_DATE_EPOCH']
  }
})

test('a folder is one policy: the base first, the others by name, without case files', async () => {
  const { files } = await readBundle(readFileSync(place('team.tar.gz')))
  const sources = files.map(({ path }) => path).filter((path) => path.startsWith('tollgate/'))
  assert.deepEqual(sources, ['tollgate/sources/policy.yaml', 'tollgate/sources/a-list.yml'])
  mkdirSync(place('several'))
  for (const name of ['a.yaml', 'b.yaml']) writeFileSync(place(`several/${name}`), more)
  await refused(['build', '-o', 'x.tar.gz', 'several'], 'policy_unreadable', /no `policy.yaml`/)
})

test('what was signed is proved, compiled again, and shown', async () => {
  const proved = JSON.parse(
    await done('verify', '--verify-key', 'release.pub', '--rebuild', '--json', 'team.tar.gz'),
  ) as Answer
  assert.deepEqual(proved.signed_by, [{ key_id: 'release', algorithm: 'EdDSA' }])
  assert.deepEqual([proved.sequence, proved.rebuilt, proved.expires_at], [5, true, null])
  const shown = JSON.parse(await done('inspect', '--json', 'team.tar.gz')) as Answer
  assert.equal(shown.sha256, proved.sha256)
  assert.deepEqual(shown.roots, ['tollgate'])
  assert.equal(shown.signatures[0].key_id, 'release')
  assert.equal(
    shown.metadata.tollgate.wasm.sha256,
    shown.files.find((file: Answer) => file.path === '/policy.wasm').sha256,
  )
  const { stdout, stderr } = await tollgate(['inspect', 'team.tar.gz'])
  assert.match(stdout, /SIGNED WITH.*\nrelease +EdDSA +5 /)
  assert.match(stderr, /nothing of this is verified/)
})

test('a module that is not what the compiler makes of the Rego is found, though it is signed', async () => {
  const { files } = await readBundle(readFileSync(place('team.tar.gz')))
  writeFileSync(place('one.yaml'), loose)
  await done('build', '-o', 'one.tar.gz', 'one.yaml')
  const other = await readBundle(readFileSync(place('one.tar.gz')))
  const wasmOf = (from: typeof files) => from.find(({ path }) => path === 'policy.wasm')?.bytes as Uint8Array
  const digestOf = (from: typeof other) => (from.manifest.metadata['tollgate'] as Answer).wasm.sha256 as string
  const swapped = files.map(({ path, bytes }) => {
    if (path === 'policy.wasm') return { path, bytes: wasmOf(other.files) }
    if (path !== '.manifest') return { path, bytes }
    const manifest = Buffer.from(bytes)
      .toString()
      .replace(/(?<="sha256":")[0-9a-f]{64}(?=","abi")/, digestOf(other))
    return { path, bytes: Buffer.from(manifest) }
  })
  writeFileSync(place('swapped.tar.gz'), pack(swapped))
  await done('sign', '--sign-key', 'release.key', '--key-id', 'release', 'swapped.tar.gz')
  await done('verify', '--verify-key', 'release.pub', 'swapped.tar.gz')
  await refused(['verify', '--verify-key', 'release.pub', '--rebuild', 'swapped.tar.gz'], 'bundle_rebuild_differs')
})

test('two sign, and both are asked for in a trust file', async () => {
  const trust =
    'keys:\n  release: { file: release.pub }\n  security: { file: security.pub, algorithm: PS256 }\nthreshold: 2\n'
  writeFileSync(place('trust.yaml'), trust)
  await refused(['verify', '--trust', 'trust.yaml', 'team.tar.gz'], 'bundle_threshold_missed')
  const second = ['--sign-key', 'security.key', '--key-id', 'security', '--algorithm', 'PS256']
  await done('sign', '--add', ...second, '-o', 'both.tar.gz', 'team.tar.gz')
  const proved = JSON.parse(await done('verify', '--trust', 'trust.yaml', '--json', 'both.tar.gz')) as Answer
  assert.deepEqual(
    proved.signed_by.map((one: Answer) => one.key_id),
    ['release', 'security'],
  )
  assert.equal(proved.sequence, 5)
})

test('a bundle is judged by as the policy in it, and by nobody who was not told whom to trust', async () => {
  const tools = ['pay', 'pay', 'list', 'other']
  const written = tools.map((tool) => JSON.stringify({ tool, time: '2026-03-02T09:00:00Z' }))
  writeFileSync(place('calls.jsonl'), written.join('\n'))
  const calls = ['--calls', 'calls.jsonl']
  const lines = await done('eval', '-c', 'team.tar.gz', '--verify-key', 'release.pub', ...calls)
  assert.equal(lines, await done('eval', '-c', 'team/policy.yaml', '-c', 'team/a-list.yml', ...calls))
  const codes = lines
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Answer).reason_code)
  assert.deepEqual(codes, ['ALLOW', 'RATE_LIMITED', 'ALLOW', 'TOOL_NOT_ALLOWED'])
  await refused(['eval', '-c', 'team.tar.gz'], 'bundle_trust_missing', /--verify-key/)
  await refused(
    ['eval', '--layer', 'org=team/policy.yaml', '--layer', 'team=team.tar.gz', '--verify-key', 'security.pub'],
    'bundle_algorithm_refused',
    /^tollgate: `team\.tar\.gz`: the signature /,
  )
  await refused(
    ['eval', '-c', 'team.tar.gz', '-c', 'team/policy.yaml', '--verify-key', 'release.pub'],
    'policy_unreadable',
    /not merged/,
  )
})

test('a bundle that nobody signed is taken when it is said so, and that is said aloud', async () => {
  writeFileSync(place('one.yaml'), loose)
  writeFileSync(place('list.jsonl'), '{"tool":"list"}\n')
  await done('build', '-o', 'unsigned.tar.gz', 'one.yaml')
  await refused(
    ['verify', '--verify-key', 'release.pub', 'unsigned.tar.gz'],
    'bundle_unsigned',
    /`unsigned\.tar\.gz`: /,
  )
  const layers = ['--layer', 'org=unsigned.tar.gz', '--layer', 'team=team/policy.yaml', '--allow-unsigned']
  const { status, stdout, stderr } = await tollgate(['eval', ...layers, '--calls', 'list.jsonl'])
  assert.equal(status, 0, stderr)
  assert.match(stderr, /warning: bundles that nobody signed are accepted/)
  assert.equal((JSON.parse(stdout) as Answer).decision, 'deny')
  assert.match(
    await done('verify', '--allow-unsigned', 'unsigned.tar.gz'),
    /^module +proved by no signature; `--rebuild`/m,
  )
})

test('`check` says of a bundle what it says of its sources, and why it is refused', async () => {
  writeFileSync(place('one.yaml'), loose)
  await done('build', '-o', 'loose.tar.gz', '--sign-key', 'release.key', '--key-id', 'release', 'one.yaml')
  const told = JSON.parse(await done('check', '--json', '--verify-key', 'release.pub', 'loose.tar.gz')) as Answer
  assert.deepEqual(
    told.map(({ file, code }: Answer) => [file, code]),
    [['loose.tar.gz:one.yaml', 'no_default']],
  )
  const { status, stdout } = await tollgate(['check', '--json', 'loose.tar.gz'])
  assert.equal(status, 1)
  const [refusal] = JSON.parse(stdout) as Answer
  assert.deepEqual([refusal.code, refusal.file], ['bundle_refused', 'loose.tar.gz'])
  assert.match(refusal.message, /^the bundle is refused: nobody said whom .* \(bundle_trust_missing\)$/)
  const other = await tollgate(['check', '--verify-key', 'security.pub', 'loose.tar.gz'])
  assert.match(other.stdout, /^loose\.tar\.gz:1:1: the bundle is refused: the signature says it is EdDSA/m)
})

test('what is no bundle, and what is no key, is told with what to do', async () => {
  writeFileSync(place('secret.txt'), 'a secret of some length, and more of it\n')
  await done('build', '-o', 's.tar.gz', '--sign-key', 'secret.txt', '--key-id', 's', '--algorithm', 'HS256', 'team')
  const verify = (key: string, file: string) => ['verify', '--verify-key', key, file]
  await refused(verify('secret.txt', 's.tar.gz'), 'bundle_key_invalid', /trust file, with `algorithm: HS256` \(/)
  await refused(
    verify('release.pub', 's.tar.gz'),
    'bundle_algorithm_refused',
    /a secret is named in a trust file alone/,
  )
  await refused(verify('release.pub', 'team/policy.yaml'), 'bundle_unreadable', /`tollgate build` makes a bundle/)
  writeFileSync(place('secret.yaml'), 'keys: { s: { file: secret.txt, algorithm: HS256 } }\n')
  await done('verify', '--trust', 'secret.yaml', 's.tar.gz')
})

test('of a bundle of other Rego the signatures are proved, also where it is no policy', async () => {
  const rego = { path: 'a.rego', bytes: Buffer.from('package a\n\nallow := true\n') }
  writeFileSync(place('other.tar.gz'), pack([rego]))
  await done('sign', '--sign-key', 'release.key', '--key-id', 'release', 'other.tar.gz')
  const proved = JSON.parse(
    await done('verify', '--signatures', '--verify-key', 'release.pub', '--json', 'other.tar.gz'),
  )
  assert.deepEqual([proved.signed_by[0].key_id, proved.policy], ['release', null])
  await refused(['verify', '--verify-key', 'release.pub', 'other.tar.gz'], 'bundle_entrypoint_missing')
  await refused(
    ['verify', '--signatures', '--verify-key', 'security.pub', 'other.tar.gz'],
    'bundle_algorithm_refused',
    /`other\.tar\.gz`: /,
  )
  for (const command of [['inspect'], ['sign', '--sign-key', 'release.key', '--key-id', 'release']])
    await refused([...command, 'team/policy.yaml'], 'bundle_unreadable', /`team\/policy\.yaml`: .* gzip/)
  await refused(
    ['sign', '--sign-key', 'release.pub', '--key-id', 'release', 'other.tar.gz'],
    'bundle_key_invalid',
    /the key `release\.pub` is a public key/,
  )
})

test('case files are played against a bundle', async () => {
  const cases =
    'policy: team.tar.gz\ncases:\n  - { name: once, calls: [{ tool: pay, expect: allow }, { tool: pay, expect: deny }] }\n'
  writeFileSync(place('bundle_test.yaml'), cases)
  assert.match(await done('test', '--verify-key', 'release.pub', 'bundle_test.yaml'), /1 passed/)
  const { status, stdout } = await tollgate(['test', 'bundle_test.yaml'])
  assert.equal(status, 1)
  assert.match(stdout, /bundle_trust_missing|nobody said whom/)
})

test('a trust file is read whole, and every mistake is told with its place', async () => {
  const wrong =
    'keys:\n  a: { file: nowhere.pub }\n  b: { file: release.key }\n  c: {}\n  d: { file: release.pub, algoritm: EdDSA }\nthresold: 2\n'
  writeFileSync(place('wrong.yaml'), wrong)
  const { stderr } = await tollgate(['verify', '--trust', 'wrong.yaml', 'team.tar.gz'])
  for (const said of [
    /:2:14: .*no such file/,
    /:3:3: .*private key/,
    /:4:3: .*one of them/,
    /:5:\d+: unknown key `algoritm`/,
    /:6:1: .*`threshold`/,
  ])
    assert.match(stderr, said)
  assert.match(stderr, /\(trust_invalid\)/)
  writeFileSync(place('misplaced.yaml'), 'keys:\n  a: supersecret\n  b: { key: 31337 }\n')
  const misplaced = await tollgate(['verify', '--trust', 'misplaced.yaml', 'team.tar.gz'])
  assert.match(misplaced.stderr, /:2:6: [\s\S]*:3:13: /)
  assert.doesNotMatch(misplaced.stderr, /supersecret|31337/)
  writeFileSync(place('none.yaml'), 'keys: {}\n')
  await refused(['verify', '--trust', 'none.yaml', 'team.tar.gz'], 'trust_invalid', /names no key/)
  writeFileSync(place('both.yaml'), 'keys: { release: { file: release.pub } }\nallow_unsigned: true\n')
  await refused(['verify', '--trust', 'both.yaml', 'team.tar.gz'], 'trust_invalid', /:2:1: there are keys/)
})

test('what cannot be signed so is refused before anything is written', async () => {
  const usage = async (args: readonly string[], message: RegExp) => {
    const { status, stderr } = await tollgate(['build', '-o', 'never.tar.gz', ...args, 'team'])
    assert.equal(status, 2, stderr)
    assert.match(stderr, message)
  }
  await usage(['--sign-key', 'release.key'], /--key-id/)
  await usage(['--key-id', 'release'], /--sign-key/)
  await usage(['--sign-key', 'release.key', '--key-id', 'r', '--expires', 'soon'], /--expires/)
  const secret = ['--sign-key', 'team/policy.yaml', '--key-id', 's', '--algorithm', 'HS256']
  const warned = await tollgate(['build', '-o', 'secret.tar.gz', ...secret, 'team'])
  assert.match(warned.stderr, /warning: .*can sign with it/)
  assert.throws(() => readFileSync(place('never.tar.gz')), { code: 'ENOENT' })
})
