/**
 * Bundles both ways with a real `opa`: what we sign it accepts and decides as we do, what it signs we accept, and what was
 * tampered with both refuse. `make opa-test` installs it; $TOLLGATE_OPA names another.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Artifact } from '../../src/bundle/artifact.ts'
import { buildMerged, buildPolicy } from '../../src/bundle/build.ts'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import { openBundle } from '../../src/bundle/open.ts'
import { bodyOf } from '../../src/log/body.ts'
import { readCallObject } from '../../src/model/callObject.ts'
import { canonical, type Json } from '../../src/model/canonical.ts'
import type { Algorithm } from '../../src/opa/algorithms.ts'
import { readBundle } from '../../src/opa/bundle.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { fileHash } from '../../src/opa/hashing.ts'
import { pack, writeTar } from '../../src/opa/pack.ts'
import { countersigned, signed } from '../../src/opa/sign.ts'
import { claimsOf, readTokens } from '../../src/opa/signatures.ts'
import { verifyBundle } from '../../src/opa/verify.ts'
import { Engine } from '../../src/pdp/engine.ts'
import { openGateWith } from '../../src/runtime/open.ts'
import { activePolicy } from '../../src/runtime/policyFile.ts'
import type { Answer } from '../answer.ts'
import { fc, seed } from '../random.ts'
import { newPair, now, type Pair, signing, text, trusting } from './signer.ts'

const opa = process.env['TOLLGATE_OPA'] ?? fileURLToPath(new URL('../../.cache/opa/opa', import.meta.url))
const payments = readFileSync(new URL('../policy/fixtures/payments.yaml', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-opa-'))
after(() => rmSync(folder, { recursive: true }))
const place = (name: string) => join(folder, name)

let artifact: Artifact
let files: readonly BundleFile[]

before(async () => {
  artifact = await buildPolicy({ name: 'payments.yaml', text: payments })
  files = bundleFiles(artifact, { version: '0.1.0', revision: 'r1' })
})

/** Writes keys where `opa` reads them. */
function keysOf(pair: Pair): { readonly key: string; readonly pub: string } {
  const [key, pub] = [place(`${pair.id}.key`), place(`${pair.id}.pub`)]
  writeFileSync(key, pair.private)
  writeFileSync(pub, pair.public)
  return { key, pub }
}

function verifying(pair: Pair): readonly string[] {
  const { pub } = keysOf(pair)
  return ['--verification-key', pub, '--verification-key-id', pair.id, '--signing-alg', pair.signing.algorithm]
}

/** `opa build` of a bundle verifies it first. */
function loadedByOpa(
  bytes: Uint8Array,
  pair: Pair,
  ...more: readonly string[]
): { readonly status: number | null; readonly said: string } {
  const file = place('given.tar.gz')
  writeFileSync(file, bytes)
  const args = ['build', '-b', file, ...verifying(pair), ...more, '-o', place('again.tar.gz')]
  const { status, stdout, stderr } = spawnSync(opa, args, { encoding: 'utf8', timeout: 60_000 })
  return { status, said: `${stdout}${stderr}`.trim() }
}

const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] as const satisfies readonly Algorithm[]

for (const algorithm of algorithms) {
  test(`${algorithm}: opa accepts what we sign, with one signature and with two`, async () => {
    const pair = newPair(algorithm, 'release')
    const one = await signed(files, signing(pair, { expiresAt: now / 1000 + 60 }))
    const two = await countersigned(one, signing(newPair('ES256', 'second')))
    for (const bundle of [one, two]) {
      const { status, said } = loadedByOpa(pack(bundle), pair)
      assert.equal(status, 0, said)
    }
    const other = loadedByOpa(pack(one), newPair(algorithm === 'HS256' ? 'RS256' : algorithm, 'release'))
    assert.notEqual(other.status, 0)
  })

  test(`${algorithm}: we accept what \`opa sign\` signs, and a sequence among its claims`, async () => {
    const pair = newPair(algorithm, 'release')
    const { key } = keysOf(pair)
    const bundle = place(`signed-${algorithm}`)
    for (const { path, bytes } of files) {
      mkdirSync(dirname(join(bundle, path)), { recursive: true })
      writeFileSync(join(bundle, path), bytes)
    }
    const claims = place('claims.json')
    writeFileSync(claims, JSON.stringify({ sequence: 12, iat: now / 1000, scope: 'write', keyid: 'release' }))
    for (const more of [[], ['--claims-file', claims]]) {
      execFileSync(opa, ['sign', '--signing-key', key, '--signing-alg', algorithm, ...more, '-b', '.'], {
        cwd: bundle,
      })
      const signatures = { path: '.signatures.json', bytes: readFileSync(join(bundle, '.signatures.json')) }
      const scope = more.length > 0 ? { scope: 'write' } : {}
      const opened = await openBundle(pack([...files, signatures]), { ...trusting(pair), ...scope }, { now })
      assert.equal(opened.artifact.revision, artifact.revision)
      assert.equal(opened.sequence, more.length > 0 ? 12 : undefined)
      rmSync(join(bundle, '.signatures.json'))
    }
  })
}

test('what `opa build` made and signed of any Rego and data is verified here as there', async () => {
  const pair = newPair('RS256', 'release')
  const { key } = keysOf(pair)
  const source = place('rego')
  mkdirSync(join(source, 'sub'), { recursive: true })
  writeFileSync(join(source, 'a.rego'), 'package a\n\nallow if input.n == data.sub.n\n')
  writeFileSync(
    join(source, 'sub/data.json'),
    '{"n":1.0,"\u{10000}":"\u2028<&>","\ufffd":12345678901234567890123,"e":1e3}',
  )
  writeFileSync(join(source, '.manifest'), '{"revision":"7","roots":["a","sub"],"metadata":{"x":[1.50]}}')
  const built = place('built.tar.gz')
  const signingKey = ['--signing-key', key, '--verification-key-id', 'release']
  execFileSync(opa, ['build', '-b', source, '-o', built, ...signingKey], { timeout: 60_000 })
  const bundle = await readBundle(readFileSync(built))
  assert.equal(bundle.manifest.revision, '7')
  assert.deepEqual((await verifyBundle(bundle, trusting(pair), { now })).signers, [
    { keyId: 'release', algorithm: 'RS256' },
  ])
  // With the module in it, listed in the manifest.
  execFileSync(opa, ['build', '-t', 'wasm', '-e', 'a/allow', '-b', source, '-o', built, ...signingKey], {
    timeout: 60_000,
  })
  const compiled = await readBundle(readFileSync(built))
  assert.deepEqual(compiled.manifest.wasm, [{ entrypoint: 'a/allow', module: '/policy.wasm' }])
  await verifyBundle(compiled, trusting(pair), { now })
})

/** JSON as people and programs write it: numbers in every spelling, keys in no order, any character, white space. */
const written: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})([.][0-9]{1,8})?([eE][+-]?[0-9]{1,2})?$/),
    fc.constantFrom('true', 'false', 'null', '{}', '[]', '"\\u2028\\/\\b\\u0001\\ud83d\\ude00\\u007f"'),
    fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(' ,\n')}]`),
    fc
      .uniqueArray(fc.tuple(fc.string({ unit: 'binary', maxLength: 4 }), tie('value')), {
        selector: ([key]) => key,
        maxLength: 5,
      })
      .map((members) => `{ ${members.map(([key, value]) => `${JSON.stringify(key)}:\t${value}`).join(',')} }`),
  ),
})).value

test('a scope is asked for by both', async () => {
  const pair = newPair('ES256', 'release')
  const bundle = pack(await signed(files, signing(pair, { scope: 'write' })))
  assert.equal(loadedByOpa(bundle, pair, '--scope', 'write').status, 0)
  assert.match(loadedByOpa(bundle, pair, '--scope', 'read').said, /scope mismatch/)
  await openBundle(bundle, { ...trusting(pair), scope: 'write' }, { now })
  await assert.rejects(openBundle(bundle, { ...trusting(pair), scope: 'read' }, { now }), {
    code: 'bundle_scope_wrong',
  })
})

test('random JSON is hashed as opa hashes it', () => {
  const folder = place('random')
  const samples = fc.sample(written, { numRuns: 400, seed }).map((value, index) => ({
    path: `d${index}/data.json`,
    bytes: Buffer.from(`{"v": ${value}}`),
  }))
  for (const { path, bytes } of samples) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
  const { key } = keysOf(newPair('EdDSA', 'random'))
  execFileSync(opa, ['sign', '--signing-key', key, '--signing-alg', 'EdDSA', '-b', '.'], { cwd: folder })
  const [token] = readTokens(readFileSync(join(folder, '.signatures.json')))
  const listed = new Map(claimsOf(token).files.map(({ name, hash }) => [name, hash]))
  for (const file of samples) assert.equal(fileHash(file, 'SHA-256'), listed.get(file.path), file.bytes.toString())
})

test('one opa loads bundles of two roots together, and asks each', async () => {
  const policies = { org: 'get_balance', team: 'create_payment' }
  for (const [root, tool] of Object.entries(policies)) {
    const text = `version: "1"\ndefault: deny\ntools:\n  ${tool}: {}\n`
    const built = await buildMerged([{ name: `${root}.yaml`, text }], root)
    writeFileSync(place(`${root}.tar.gz`), pack(bundleFiles(built, { version: '0.1.0' })))
  }
  const input = place('input.json')
  writeFileSync(input, '{"method":"tools/call","server":"bank","tool":"get_balance","arguments":{},"facts":{}}')
  const query = '[data.tollgate.org.decision.decision, data.tollgate.team.decision.decision]'
  const both = ['-b', place('org.tar.gz'), '-b', place('team.tar.gz')]
  const answer = execFileSync(opa, ['eval', ...both, '-i', input, '-f', 'json', query], { encoding: 'utf8' })
  assert.deepEqual((JSON.parse(answer) as Answer).result[0].expressions[0].value, ['allow', 'deny'])
})

test('what `opa build` signs of a bundle of ours leaves the module out: neither opa nor we believe it', async () => {
  const pair = newPair('RS256', 'release')
  const { key } = keysOf(pair)
  writeFileSync(place('ours.tar.gz'), pack(files))
  const signed = ['--signing-key', key, '--verification-key-id', 'release']
  execFileSync(opa, ['build', '-b', place('ours.tar.gz'), '-o', place('theirs.tar.gz'), ...signed], { timeout: 60_000 })
  const theirs = readFileSync(place('theirs.tar.gz'))
  await assert.rejects(openBundle(theirs, trusting(pair), { now }), {
    code: 'bundle_file_unsigned',
    message: /policy\.wasm/,
  })
  assert.match(loadedByOpa(theirs, pair).said, /policy\.wasm not included/)
})

type Change = (files: readonly BundleFile[]) => readonly BundleFile[]
const edited =
  (path: string, change: (text: string) => string): Change =>
  (given) => {
    assert.ok(
      given.some((file) => file.path === path),
      path,
    )
    return given.map((file) =>
      file.path === path ? text(path, change(Buffer.from(file.bytes).toString('latin1'))) : file,
    )
  }
const flipped =
  (path: string): Change =>
  (given) =>
    given.map((file) => {
      const bytes = Buffer.from(file.bytes)
      if (file.path === path) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
      return { path: file.path, bytes }
    })

/** Of a bundle that was signed well. */
const tampered: Readonly<Record<string, Change>> = {
  'a byte of the Rego': edited('dispatch.rego', (rego) => rego.replace('tools/call', 'tools/cull')),
  'white space in the Rego': edited('dispatch.rego', (rego) => `${rego}\n`),
  'a value of the data': edited('data.json', (data) => data.replace(/true|"deny"|"allow"/, '1')),
  'a byte of the module': flipped('policy.wasm'),
  'the revision of the manifest': edited('.manifest', (manifest) => manifest.replace('"r1"', '"r2"')),
  'a byte of a source': edited('tollgate/sources/payments.yaml', (yaml) => yaml.replace('500', '900')),
  'a byte of the signature': edited('.signatures.json', (json) => {
    const [token] = (JSON.parse(json) as { signatures: [string] }).signatures
    const at = token.length - 20
    return JSON.stringify({
      signatures: [`${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`],
    })
  }),
  'the signature taken away': (given) => given.filter(({ path }) => path !== '.signatures.json'),
  'a second token': edited('.signatures.json', (json) => {
    const { signatures } = JSON.parse(json) as Answer
    return JSON.stringify({ signatures: [...signatures, ...signatures] })
  }),
  'a file added': (given) => [...given, text('more.rego', 'package tollgate.more\n')],
  'a file added that nothing reads': (given) => [...given, text('._dispatch.rego.txt', 'x')],
  'a file removed': (given) => given.filter(({ path }) => path !== 'dispatch.rego'),
  'a file renamed': (given) =>
    given.map((file) => (file.path === 'dispatch.rego' ? { ...file, path: 'renamed.rego' } : file)),
  'a file twice': (given) => [...given, given.find(({ path }) => path === 'dispatch.rego') as BundleFile],
  'a patch': (given) => [...given, text('patch.json', '{"data":[{"op":"upsert","path":"/tollgate/x","value":1}]}')],
}

test('the bundle that is tampered with below is accepted by both as it is', async () => {
  const pair = newPair('RS256', 'release')
  const bundle = pack(await signed(files, signing(pair)))
  await openBundle(bundle, trusting(pair), { now })
  assert.equal(loadedByOpa(bundle, pair).status, 0)
})

for (const [what, change] of Object.entries(tampered)) {
  test(`refused by both: ${what}`, async (context) => {
    const pair = newPair('RS256', 'release')
    const bundle = pack(change(await signed(files, signing(pair))))
    await assert.rejects(openBundle(bundle, trusting(pair), { now }), (error: Answer) => {
      context.diagnostic(`ours: ${error.message} (${error.code})`)
      return /^bundle_/.test(error.code)
    })
    const { status, said } = loadedByOpa(bundle, pair)
    assert.notEqual(status, 0)
    context.diagnostic(`opa: ${said}`)
  })
}

test('our archives are read by tar and gzip, and by opa without a manifest of modules', () => {
  const archive = gzipSync(writeTar(files))
  writeFileSync(place('plain.tar.gz'), archive)
  const listed = execFileSync('tar', ['tzf', place('plain.tar.gz')], { encoding: 'utf8', stdio: 'pipe' })
    .trim()
    .split('\n')
  assert.deepEqual(
    listed.map((name) => name.replace(/^\//, '')),
    files.map(({ path }) => path),
  )
  const inspected = JSON.parse(
    execFileSync(opa, ['inspect', '-f', 'json', place('plain.tar.gz')], { encoding: 'utf8' }),
  ) as Answer
  assert.equal(inspected.manifest.revision, 'r1')
})

/** Input documents as the gate made them, of calls that are decided in every way that the policy has. */
function inputsOf(): readonly Json[] {
  const inputs: Json[] = []
  const at = Date.UTC(2026, 0, 5, 12)
  const report = (error: unknown) => {
    throw error
  }
  const { gate, ledger } = openGateWith({ ledgerFile: ':memory:', clock: () => at, report, listless: true })
  try {
    gate.activate(activePolicy(artifact))
    for (const [tool, args] of calls) {
      const call = readCallObject({ server: 'bank', tool, arguments: args }, [])
      const [decision] = gate.admit([call])
      if (decision?.decision === 'allow') gate.settle([{ decisionId: decision.decision_id, status: 'success' }])
    }
    for (const record of ledger.records()) {
      const { input } = bodyOf(record) as Answer
      if (record.kind === 'decision' && input !== undefined) inputs.push(input as Json)
    }
  } finally {
    ledger.close()
  }
  return inputs
}

const calls: readonly (readonly [string, Json])[] = [
  ['get_balance', {}],
  ['create_payment', { amount: 500, currency: 'GBP' }],
  ['create_payment', { amount: 500.01, currency: 'GBP' }],
  ['create_payment', { amount: 5, currency: 'JPY' }],
  ['create_payment', { currency: 'GBP' }],
  ['create_payment', { amount: '5', currency: 'GBP' }],
  ...Array.from({ length: 11 }, (): [string, Json] => ['create_refund', { amount: 1 }]),
  ['create_refund', { amount: 100.01 }],
  ['delete_all_records', {}],
  ['transfer_to_external', { amount: 1 }],
  ['no_such_tool', {}],
]

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('`opa run` and `opa eval` decide as we do, on every input that the gate asked', async () => {
  const inputs = inputsOf()
  assert.ok(inputs.length >= calls.length - 2, String(inputs.length))
  const engine = new Engine(artifact.wasm, artifact.data, artifact.entrypoint)
  const expected = inputs.map((input) => JSON.parse(JSON.stringify(engine.evaluate(canonical(input)))))
  assert.ok(new Set(expected.map(({ reason_code: code }: Answer) => code)).size >= 5)

  const pair = newPair('ES256', 'release')
  const bundle = place('run.tar.gz')
  writeFileSync(bundle, pack(await signed(files, signing(pair))))
  const address = `127.0.0.1:${await freePort()}`
  const server = spawn(opa, ['run', '-s', '-a', address, '-b', bundle, ...verifying(pair), '-l', 'error'], {
    stdio: 'pipe',
  })
  try {
    const asked = []
    for (const input of inputs) asked.push(await decisionOf(address, input))
    assert.deepEqual(asked, expected)
  } finally {
    server.kill('SIGKILL')
  }

  writeFileSync(place('inputs.json'), JSON.stringify(inputs))
  const query = '[decision | some one in input; decision := data.tollgate.decision with input as one]'
  const args = ['eval', '-b', bundle, '-i', place('inputs.json'), '-f', 'json', query]
  const evaluated = spawnSync(opa, args, { encoding: 'utf8', timeout: 60_000 })
  assert.equal(evaluated.status, 0, `${evaluated.stdout}${evaluated.stderr}`)
  assert.deepEqual((JSON.parse(evaluated.stdout) as Answer).result[0].expressions[0].value, expected)
})

/** Asked again until the server listens. */
async function decisionOf(address: string, input: Json): Promise<unknown> {
  const init = { method: 'POST', body: JSON.stringify({ input }), headers: { 'content-type': 'application/json' } }
  for (let tries = 0; ; tries++) {
    const response = await fetch(`http://${address}/v1/data/tollgate/decision`, init).catch(async (error: unknown) => {
      if (tries > 300) throw error
      await sleep(100)
      return undefined
    })
    if (response) return ((await response.json()) as Answer).result
  }
}

test('names of keys and random bytes in every file are no reason to fail: whatever we sign, opa verifies', async () => {
  const pair = newPair('EdDSA', 'a key/with "odd" characters')
  const odd = [
    ...files,
    { path: 'tollgate/x/random', bytes: randomBytes(1_000) },
    text(`tollgate/${'long/'.repeat(60)}name`, 'x'),
    text('tollgate/ünïcödé 退款', 'x'),
  ]
  const bundle = pack(await signed(odd, signing(pair)))
  const { pub } = { pub: place('odd.pub') }
  writeFileSync(pub, pair.public)
  const file = place('odd.tar.gz')
  writeFileSync(file, bundle)
  const key = ['--verification-key', pub, '--verification-key-id', pair.id, '--signing-alg', 'EdDSA']
  const { status, stderr } = spawnSync(opa, ['build', '-b', file, ...key, '-o', place('again.tar.gz')], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})
