/**
 * Bundles that a real `opa` built and signed decide here as `opa eval` decides by the same Rego, and those that were tampered
 * with are refused by both. `make opa-test` installs it; $TOLLGATE_OPA names another.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBundle } from '../../src/bundle/open.ts'
import { canonical, type Json } from '../../src/model/canonical.ts'
import type { RegoPolicy } from '../../src/model/rego.ts'
import { readBundle } from '../../src/opa/bundle.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { pack } from '../../src/opa/pack.ts'
import { engineOf } from '../../src/pdp/ask.ts'
import { Engine } from '../../src/pdp/engine.ts'
import { readRegoVerdict } from '../../src/pdp/regoVerdict.ts'
import { tryModule } from '../../src/pdp/trial.ts'
import type { Answer } from '../answer.ts'
import { fc } from '../random.ts'
import { newPair, now, type Pair, text, trusting } from './signer.ts'

const opa = process.env['TOLLGATE_OPA'] ?? fileURLToPath(new URL('../../.cache/opa/opa', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-opa-rego-'))
after(() => rmSync(folder, { recursive: true }))
const place = (name: string) => join(folder, name)

/** Of everything that people write some: documents, plain rules, functions, sets, comprehensions, what fails on odd input. */
const files: Readonly<Record<string, string>> = {
  'authz/authz.rego': `package authz

import data.authz.amounts

default allow := false

allow if {
	some role in data.roles[input.principal.agent]
	glob.match(role.tools, [], input.tool)
	not amounts.too_large
}

decision := {"allow": false, "rule": "blocked", "message": concat(", ", sort(reasons))} if count(reasons) > 0

else := {"decision": "require_approval", "rule": "ask", "approval": {"quorum": data.limits.quorum}} if amounts.large

else := {"allow": true, "risk_level": data.risks[input.tool]} if allow

else := input.arguments.verdict

reasons contains $"{input.tool} is not for {input.principal.agent}" if {
	some pattern in data.blocked
	regex.match(pattern, input.tool)
}

reasons contains "the text has a secret" if contains(lower(input.arguments.text), "secret")

reasons contains "not so late" if {
	to_number(substring(input.time, 11, 2)) >= 22
}
`,
  'authz/amounts.rego': `package authz.amounts

total := sum([item.amount | some item in input.arguments.items])

large if total > data.limits.large

large if input.arguments.amount > data.limits.large

too_large if total / (1 + count(input.arguments.items)) > data.limits.large * 10
`,
  'data.json': '{"blocked":["^drop_","^\\\\p{Lu}"],"risks":{"read_file":"low","pay":"high"}}',
  'limits/data.json': '{"large":99.5,"quorum":2}',
  'roles/data.json': '{"ana":[{"tools":"read_*"},{"tools":"pay"}],"ünï":[{"tools":"*"}]}',
  '.manifest':
    '{"revision":"r7","roots":["authz","limits","roles","blocked","risks"],"metadata":{"tollgate":{"entrypoint":"authz/decision"}}}',
}

const pair = newPair('ES256', 'release')

before(() => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(place('policy'), path)), { recursive: true })
    writeFileSync(join(place('policy'), path), content)
  }
  writeFileSync(place('release.key'), pair.private)
  writeFileSync(place('release.pub'), pair.public)
})

function run(...args: readonly string[]): string {
  return execFileSync(opa, args, { encoding: 'utf8', timeout: 120_000, cwd: folder })
}

const signed = ['--signing-key', 'release.key', '--signing-alg', 'ES256', '--verification-key-id', 'release']
const wasm = ['-t', 'wasm', '-e', 'authz/decision', '-e', 'authz/allow']

/** As it came from `opa build`, with a module or without one, or from `opa sign`. */
const made: Readonly<Record<string, () => Uint8Array>> = {
  '`opa build -t wasm`': () => {
    run('build', ...wasm, '-b', 'policy', ...signed, '-o', 'wasm.tar.gz')
    return readFileSync(place('wasm.tar.gz'))
  },
  '`opa build`': () => {
    run('build', '-b', 'policy', ...signed, '-o', 'rego.tar.gz')
    return readFileSync(place('rego.tar.gz'))
  },
  '`opa sign`, of a folder as it is': () => {
    const inside = { cwd: place('policy') }
    execFileSync(opa, ['sign', '--signing-key', '../release.key', '--signing-alg', 'ES256', '-b', '.'], inside)
    const all = [...Object.keys(files), '.signatures.json']
    const bytes = pack(all.map((path) => ({ path, bytes: readFileSync(join(place('policy'), path)) })))
    rmSync(join(place('policy'), '.signatures.json'))
    return bytes
  },
}

const odd = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 'x', '', [], {}, -1, 0, 1e-7, 1e21, 0.1),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
)
const names = (...usual: readonly string[]) =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...usual), weight: 5 },
    { arbitrary: fc.string({ unit: 'grapheme' }), weight: 1 },
  )
const mostly = (usual: readonly Json[]) =>
  fc.oneof({ arbitrary: fc.constantFrom(...usual), weight: 5 }, { arbitrary: odd, weight: 1 })
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 })
const said = [true, { allow: true }, { allow: 'true' }, { decision: 'allow', message: 'ünï' }, { decision: 'deny' }, 7]
const input = fc.record({
  tool: names('read_file', 'read_dir', 'pay', 'drop_table', 'Über', 'other', 'another', 'one'),
  principal: fc.record({ agent: names('ana', 'ünï', 'eve') }),
  time: fc.constantFrom(...Array<string>(8).fill('2026-03-02T09:00:00.000Z'), '2026-03-02T22:00:00.000Z'),
  arguments: fc.record(
    {
      amount: mostly([1, 5, 99.5, 99.6]),
      text: mostly(['a Secret', 'plain', 'plain too', 'ünï', 'x']),
      items: fc.oneof(
        fc.array(fc.record({ amount: mostly([1, 5, 9.25, 99, 1e6]) }), { maxLength: 3 }) as fc.Arbitrary<Json>,
        odd,
      ),
      verdict: mostly(said),
    },
    { requiredKeys: [] },
  ),
  more: some(odd),
})
const inputs = fc.sample(input, 2_000).map((one) => JSON.parse(JSON.stringify(one)) as Json)

/** What `opa` says of each, or undefined: in one process, which costs more than all of the evaluations. */
function answersOfOpa(rule: string): readonly unknown[] {
  writeFileSync(place('inputs.json'), JSON.stringify(inputs))
  const query = `[said | some one in input; said := [answer | answer := data.${rule} with input as one]]`
  const answer = run('eval', '-b', 'policy', '-i', 'inputs.json', '-f', 'json', query)
  return (JSON.parse(answer) as Answer).result[0].expressions[0].value as readonly unknown[]
}

for (const [what, make] of Object.entries(made)) {
  test(`${what}: loads, and decides as \`opa eval\` does`, async (t) => {
    const bytes = make()
    for (const entrypoint of ['authz/decision', 'authz/allow']) {
      const trust = { ...trusting(pair), ...(entrypoint === 'authz/allow' && { entrypoints: [entrypoint] }) }
      const { artifact, revision, signers } = await openBundle(bytes, trust, { now })
      assert.deepEqual([revision, artifact.entrypoint, signers.length], ['r7', entrypoint, 1])
      tryModule(artifact)
      const raw: unknown[] = []
      const read = (results: unknown) => {
        raw.push((results as readonly { result: unknown }[]).map(({ result }) => result))
        return { decision: 'deny', reason_code: '', rule: '', message: '' } as const
      }
      const bare = new Engine(artifact.wasm, artifact.data, entrypoint, { read })
      for (const one of inputs) bare.evaluate(canonical(one))
      const expected = answersOfOpa(entrypoint.replace('/', '.'))
      for (const [index, one] of inputs.entries()) assert.deepEqual(raw[index], expected[index], canonical(one))
      const engine = engineOf(artifact)
      const seen = new Map<string, number>()
      for (const [index, one] of inputs.entries()) {
        const verdict = engine.evaluate(canonical(one))
        const results = (expected[index] as readonly unknown[]).map((result) => ({ result }))
        assert.deepEqual(verdict, readRegoVerdict(artifact.policy as RegoPolicy, results, canonical(one)))
        seen.set(verdict.reason_code, (seen.get(verdict.reason_code) ?? 0) + 1)
      }
      t.diagnostic(`${entrypoint}: ${JSON.stringify(Object.fromEntries(seen))}`)
      const wanted =
        entrypoint === 'authz/allow'
          ? ['ALLOW', 'REGO_DENIED']
          : ['ALLOW', 'REGO_DENIED', 'APPROVAL_REQUIRED', 'REGO_UNDEFINED', 'REGO_RESULT_ODD']
      for (const code of wanted) assert.ok((seen.get(code) ?? 0) >= 50, `${code}: ${seen.get(code)}`)
    }
  })
}

/** `opa build` of a bundle verifies it first. */
function loadedByOpa(bytes: Uint8Array, { id }: Pair): { readonly status: number | null; readonly said: string } {
  writeFileSync(place('given.tar.gz'), bytes)
  const key = ['--verification-key', 'release.pub', '--verification-key-id', id, '--signing-alg', 'ES256']
  const args = ['build', '-b', 'given.tar.gz', ...key, '-o', 'again.tar.gz']
  const { status, stdout, stderr } = spawnSync(opa, args, { encoding: 'utf8', timeout: 60_000, cwd: folder })
  return { status, said: `${stdout}${stderr}`.trim() }
}

type Change = (files: readonly BundleFile[]) => readonly BundleFile[]
const changed =
  (end: string, change: (bytes: Buffer) => Buffer): Change =>
  (given) => {
    const found = given.find(({ path }) => path.endsWith(end)) as BundleFile
    return given.map((file) => (file === found ? { path: file.path, bytes: change(Buffer.from(file.bytes)) } : file))
  }
const replaced = (end: string, from: string, to: string) =>
  changed(end, (bytes) => {
    assert.ok(bytes.includes(from), `${end} has ${from}`)
    return Buffer.from(bytes.toString().replace(from, to))
  })

const tampered: Readonly<Record<string, Change>> = {
  'a byte of the Rego': replaced('amounts.rego', 'total >', 'total <'),
  'a value of the data': replaced('data.json', '99.5', '995'),
  'a number of the data written otherwise': replaced('data.json', '"quorum":2', '"quorum":2.0'),
  'a byte of the module': changed('policy.wasm', (bytes) => {
    const at = bytes.length >> 1
    bytes[at] = (bytes[at] as number) ^ 1
    return bytes
  }),
  'the entrypoint in the manifest': replaced(
    '.manifest',
    '"metadata":{"tollgate":{"entrypoint":"authz/decision"',
    '"metadata":{"tollgate":{"entrypoint":"authz/allow"',
  ),
  'the signature': changed('.signatures.json', (bytes) => {
    const [token = ''] = (JSON.parse(bytes.toString()) as { signatures: string[] }).signatures
    const at = token.length - 20
    return Buffer.from(
      JSON.stringify({ signatures: [`${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`] }),
    )
  }),
  'the signature taken away': (given) => given.filter(({ path }) => path !== '.signatures.json'),
  'a file added': (given) => [...given, text('authz/more.rego', 'package authz\n\nallow := true\n')],
  'a file removed': (given) => given.filter(({ path }) => !path.endsWith('amounts.rego')),
  'a file renamed': (given) =>
    given.map((file) => (file.path.endsWith('amounts.rego') ? { ...file, path: 'x.rego' } : file)),
  'a file twice': (given) => [...given, given.find(({ path }) => path.endsWith('amounts.rego')) as BundleFile],
}

test('what opa signed is accepted by both as it is', async () => {
  const { files: whole } = await readBundle((made['`opa build -t wasm`'] as () => Uint8Array)())
  await openBundle(pack(whole), trusting(pair), { now })
  assert.equal(loadedByOpa(pack(whole), pair).status, 0)
})

for (const [what, change] of Object.entries(tampered)) {
  test(`refused by both: ${what}`, async (t) => {
    const { files: whole } = await readBundle(readFileSync(place('wasm.tar.gz')))
    const bytes = pack(change(whole))
    await assert.rejects(openBundle(bytes, trusting(pair), { now }), (error: Answer) => {
      t.diagnostic(`ours: ${error.message} (${error.code})`)
      return /^bundle_/.test(error.code)
    })
    const { status, said } = loadedByOpa(bytes, pair)
    assert.notEqual(status, 0)
    t.diagnostic(`opa: ${said}`)
  })
}

test('without claims opa signs no sequence: such a bundle is none to go back to, and with them it counts', async () => {
  const plain = (made['`opa build`'] as () => Uint8Array)()
  const seen = { sequence: 4, content: '' }
  assert.equal((await openBundle(plain, trusting(pair), { now })).sequence, undefined)
  await assert.rejects(openBundle(plain, trusting(pair), { now, seen }), { code: 'bundle_sequence_missing' })
  await assert.rejects(openBundle(plain, { ...trusting(pair), sequenceMin: 1 }, { now }), {
    code: 'bundle_sequence_missing',
  })
  await assert.rejects(openBundle(plain, { ...trusting(pair), ageMsMax: 1000 }, { now }), { code: 'bundle_undated' })
  const claims = { keyid: 'release', iat: now / 1000, exp: now / 1000 + 60, sequence: 5 }
  writeFileSync(place('claims.json'), JSON.stringify(claims))
  run('build', '-b', 'policy', ...signed, '--claims-file', 'claims.json', '-o', 'claimed.tar.gz')
  const claimed = readFileSync(place('claimed.tar.gz'))
  const opened = await openBundle(claimed, { ...trusting(pair), ageMsMax: 1000 }, { now, seen })
  assert.deepEqual([opened.sequence, opened.expiresAt], [5, now + 60_000])
  await assert.rejects(openBundle(claimed, trusting(pair), { now: now + 60_000 }), { code: 'bundle_expired' })
  await assert.rejects(openBundle(claimed, trusting(pair), { now, seen: { ...seen, sequence: 6 } }), {
    code: 'bundle_older',
  })
})

test('functions that are refused here are those that opa leaves to the host', async () => {
  const rego = `package clock

now := {"allow": time.now_ns() > 0, "message": sprintf("%d", [1])}
`
  mkdirSync(place('clock'), { recursive: true })
  writeFileSync(place('clock/clock.rego'), rego)
  for (const target of [['-t', 'wasm', '-e', 'clock/now'], []]) {
    run('build', ...target, '-b', 'clock', ...signed, '-o', 'clock.tar.gz')
    const opened = openBundle(
      readFileSync(place('clock.tar.gz')),
      { ...trusting(pair), entrypoints: ['clock/now'] },
      { now },
    )
    if (target.length === 0) await assert.rejects(opened, { code: 'bundle_rego_refused', message: /time\.now_ns/ })
    else {
      const { artifact } = await opened
      assert.throws(() => tryModule(artifact), { code: 'engine_builtin_missing', message: /`sprintf`, `time\.now_ns`/ })
    }
  }
})
