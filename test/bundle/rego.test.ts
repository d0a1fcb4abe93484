/** Bundles of Rego by others become policies as OPA would evaluate them; what cannot be asked so is refused before it decides. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { openBundle } from '../../src/bundle/open.ts'
import { policyCapabilities } from '../../src/compile/capabilities.ts'
import { canonical } from '../../src/model/canonical.ts'
import { dataIn } from '../../src/opa/data.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { pack } from '../../src/opa/pack.ts'
import type { Trust } from '../../src/opa/trust.ts'
import { engineOf } from '../../src/pdp/ask.ts'
import { tryModule } from '../../src/pdp/trial.ts'
import { newPair, now, signedBytes, text, trusting } from '../opa/signer.ts'
import { oddModules } from '../opa/wasm.ts'
import { data, foreignFiles } from './foreign.ts'

const pair = newPair('ES256', 'release')
let files: readonly BundleFile[]

before(async () => {
  files = await foreignFiles()
})

const open = async (given: readonly BundleFile[], trust: Partial<Trust> = {}) =>
  openBundle(await signedBytes(given, pair), { ...trusting(pair), ...trust }, { now })

const inputs = [
  { tool: 'get_balance', arguments: {} },
  { tool: 'pay', arguments: { amount: 5 } },
  { tool: 'pay', arguments: { amount: 500 } },
  { tool: 'pay', arguments: { amount: 5_000 } },
  { tool: 'deploy', arguments: {}, time: '2026-03-02T21:00:00.000Z', principal: { agent: 'releaser' }, server: 'prod' },
  { tool: 'deploy', arguments: {}, time: '2026-03-02T09:00:00.000Z', principal: { agent: 'releaser' }, server: 'prod' },
  { tool: 'deploy', arguments: {}, time: '2026-03-02T09:00:00.000Z', principal: {}, server: 'prod' },
  { tool: 'other', arguments: {} },
]

const answers = [
  ['allow', 'ALLOW', 'authz/decision'],
  ['allow', 'ALLOW', 'authz/decision'],
  ['hold', 'LARGE', 'large'],
  ['allow', 'ALLOW', 'authz/decision'],
  ['deny', 'REGO_DENIED', 'night'],
  ['allow', 'ALLOW', 'authz/decision'],
  ['deny', 'REGO_UNDEFINED', 'authz/decision'],
  ['deny', 'REGO_UNDEFINED', 'authz/decision'],
]

test('the module that the manifest lists decides, and its data is what it reads', async () => {
  const opened = await open(files)
  assert.deepEqual([opened.revision, opened.roots, opened.metadata], ['7', [''], undefined])
  const { artifact } = opened
  const { digest, ...policy } = artifact.policy as typeof artifact.policy & { digest: string }
  assert.deepEqual(policy, {
    strategy: 'rego',
    language: 'rego',
    id: 'authz/decision',
    version: '7',
    entrypoint: 'authz/decision',
  })
  assert.match(digest, /^[0-9a-f]{64}$/)
  tryModule(artifact)
  const engine = engineOf(artifact)
  const asked = inputs.map((input) => engine.evaluate(canonical(input)))
  assert.deepEqual(
    asked.map(({ decision, reason_code, rule }) => [decision, reason_code, rule]),
    answers,
  )
})

test('Rego alone is compiled, and decides the same; the module and the data make it another policy', async () => {
  const alone = await open(await foreignFiles({ entrypoints: [] }), { entrypoints: ['authz/decision'] })
  const engine = engineOf(alone.artifact)
  assert.deepEqual(
    inputs.map((input) => engine.evaluate(canonical(input))).map(({ decision }) => decision),
    answers.map(([decision]) => decision),
  )
  const same = await open(await foreignFiles({ entrypoints: [] }), { entrypoints: ['authz/decision'] })
  const less = { ...data, limits: { large: 1, most: 2 } }
  const other = await open(await foreignFiles({ entrypoints: [], data: less }), { entrypoints: ['authz/decision'] })
  assert.equal(same.artifact.revision, alone.artifact.revision)
  assert.notEqual(other.artifact.revision, alone.artifact.revision)
  const wasm = await open(files)
  assert.notEqual(wasm.artifact.revision, alone.artifact.revision)
})

test('a module that the manifest does not list is passed over, as OPA does: its Rego decides', async () => {
  const denying = await foreignFiles({ rego: 'package authz\n\ndecision := false\n', entrypoints: [] })
  const given = [...denying, ...files.filter(({ path }) => path === 'policy.wasm')]
  const { artifact } = await open(given, { entrypoints: ['authz/decision'] })
  assert.equal(engineOf(artifact).evaluate(canonical(inputs[0] ?? {})).decision, 'deny')
})

test('several entrypoints: the option says which, or the manifest does, or it is refused with the list', async () => {
  const several = await foreignFiles({ entrypoints: ['authz/decision', 'authz/allow'] })
  const missing = { code: 'bundle_entrypoint_missing' }
  await assert.rejects(open(several), { ...missing, message: /--entrypoint.*`authz\/decision`, `authz\/allow`/ })
  for (const entrypoint of ['authz/allow', 'authz/decision']) {
    const { artifact } = await open(several, { entrypoints: [entrypoint, 'team/allow'] })
    assert.equal(artifact.entrypoint, entrypoint)
  }
  await assert.rejects(open(several, { entrypoints: ['authz/allow', 'authz/decision'] }), missing)
  const named = await foreignFiles({
    entrypoints: ['authz/decision', 'authz/allow'],
    manifest: { metadata: { tollgate: { entrypoint: 'authz/allow' } } },
  })
  assert.equal((await open(named)).artifact.entrypoint, 'authz/allow')
  assert.equal((await open(named, { entrypoints: ['authz/decision'] })).artifact.entrypoint, 'authz/decision')
})

test('what was signed for something else is no policy by standing in the place of one', async () => {
  const other = await foreignFiles({
    rego: 'package kubernetes\n\ndefault allow := true\n',
    entrypoints: ['kubernetes/allow'],
    manifest: { metadata: {} },
  })
  const message = /nobody says which rule of the bundle decides.*it has `kubernetes\/allow`/
  await assert.rejects(open(other), { code: 'bundle_entrypoint_missing', message })
  await assert.rejects(open(other, { entrypoints: ['authz/allow'] }), { code: 'bundle_entrypoint_missing' })
})

test('an entrypoint that is none of the bundle is refused, whoever names it', async () => {
  for (const entrypoint of ['authz/deny', '../authz/decision', 'authz/../authz/decision', '/authz/decision', ''])
    await assert.rejects(open(files, { entrypoints: [entrypoint] }), { code: 'bundle_entrypoint_missing' }, entrypoint)
  const alone = await foreignFiles({ entrypoints: [], manifest: { roots: ['authz', 'limits', 'tools'] } })
  await assert.rejects(open(alone), { code: 'bundle_entrypoint_missing', message: /nobody says/ })
  await assert.rejects(open(alone, { entrypoints: ['system/main'] }), { code: 'bundle_entrypoint_missing' })
  await assert.rejects(open(alone, { entrypoints: ['authz/../authz/allow'] }), { code: 'bundle_entrypoint_missing' })
  await assert.rejects(open(alone, { entrypoints: ['authz/deny'] }), {
    code: 'bundle_entrypoint_missing',
    message: /no rule `authz\/deny`/,
  })
  const lying = await foreignFiles({ manifest: { wasm: [{ entrypoint: 'authz/allow', module: '/policy.wasm' }] } })
  const { artifact } = await open(lying, { entrypoints: ['authz/allow'] })
  assert.throws(() => tryModule(artifact), { code: 'engine_unloadable', message: /no entrypoint `authz\/allow`/ })
})

const withBuiltins = (...names: readonly string[]) => ({
  ...policyCapabilities,
  builtins: [...policyCapabilities.builtins, ...names.map((name) => ({ name }))],
})

test('functions that a decision must not depend on are refused by name, in a module and in Rego', async () => {
  const written = `package authz

decision if {
	time.now_ns() > 0
	sprintf("%v", [rand.intn("x", 5)]) != ""
	http.send({"method": "get", "url": "http://127.0.0.1:9/"}).status_code == 200
	opa.runtime().env.HOME != ""
}
`
  const names = ['http.send', 'opa.runtime', 'rand.intn', 'sprintf', 'time.now_ns']
  const capabilities = { ...withBuiltins(...names), allow_net: ['127.0.0.1'] }
  const { artifact } = await open(await foreignFiles({ rego: written, capabilities }))
  const refused = {
    code: 'engine_builtin_missing',
    message: new RegExp(names.map((name) => `(?=.*\`${name}\`)`).join('')),
  }
  assert.throws(() => tryModule(artifact), refused)
  assert.throws(() => engineOf(artifact), refused)
  const alone = await foreignFiles({ rego: written, entrypoints: [] })
  const trust = { entrypoints: ['authz/decision'] }
  await assert.rejects(open(alone, trust), { code: 'bundle_rego_refused', message: /time\.now_ns/ })
})

test('an error of a function that depends on the input is no answer, and not a yes', async () => {
  const written = 'package authz\n\ndecision if 10 / input.arguments.amount > 1\n'
  const engine = engineOf((await open(await foreignFiles({ rego: written }))).artifact)
  const ask = (amount: unknown) => engine.evaluate(JSON.stringify({ arguments: { amount } })).reason_code
  assert.deepEqual([5, 0, 'x', null, []].map(ask), ['ALLOW', ...Array(4).fill('REGO_UNDEFINED')])
  // Here OPA's module traps where OPA's evaluator has no answer, either.
  const zero = engineOf(
    (await open(await foreignFiles({ rego: written.replace('10 /', 'input.arguments.amount /') }))).artifact,
  )
  assert.throws(() => zero.evaluate('{"arguments":{"amount":0}}'), {
    code: 'engine_failed',
    message: /opa_arith_divide/,
  })
  assert.equal(zero.evaluate('{"arguments":{"amount":1}}').decision, 'deny')
})

test('Rego that takes long on what an agent writes is ended, and the next question is answered', async () => {
  const written = 'package authz\n\ndecision := contains(input.arguments.text, input.arguments.word)\n'
  const engine = engineOf((await open(await foreignFiles({ rego: written }))).artifact)
  const ask = (text: string, word: string) => engine.evaluate(JSON.stringify({ arguments: { text, word } })).decision
  const { log } = console
  assert.throws(() => ask('a'.repeat(2_000_000), `${'a'.repeat(1_000_000)}b`), {
    code: 'engine_failed',
    message: /does not come to an end/,
  })
  assert.deepEqual([ask('abc', 'b'), ask('abc', 'd')], ['allow', 'deny'])
  assert.equal(console.log, log)
})

test('modules that are none of OPA, or of another ABI, are refused', async () => {
  for (const [what, [wasm, message]] of Object.entries(oddModules)) {
    if (what === 'never ends') continue // `test/pdp/trial.test.ts`
    const given = files.map((file) => (file.path === 'policy.wasm' ? { path: file.path, bytes: wasm } : file))
    const { artifact } = await open(given)
    assert.throws(() => tryModule({ ...artifact }), { code: 'engine_unloadable', message }, what)
  }
})

const changed = (path: string, content: string) =>
  files.map((file) => (file.path === path ? text(path, content) : file))

const wrong: Readonly<Record<string, readonly [() => readonly BundleFile[], string, RegExp]>> = {
  'data that is no object': [() => changed('data.json', '[1]'), 'bundle_json_refused', /no object/],
  'data that is null': [() => changed('data.json', 'null'), 'bundle_json_refused', /no object/],
  'data of a folder that is no object': [
    () => [...files, text('more/data.json', '5')],
    'bundle_json_refused',
    /more\/data\.json/,
  ],
  'data that two files say': [
    () => [...files, text('limits/data.json', '{"large":1}')],
    'bundle_json_refused',
    /another file/,
  ],
  'data below what is a number': [
    () => [...files, text('limits/large/data.json', '{"x":1}')],
    'bundle_json_refused',
    /another file/,
  ],
  'a number that is no double': [
    () => changed('data.json', '{"limits":{"large":12345678901234567890123}}'),
    'bundle_json_refused',
    /does not fit a double/,
  ],
  'data outside of its roots': [
    () => changed('.manifest', '{"roots":["authz"],"metadata":{"tollgate":{"entrypoint":"authz/decision"}}}'),
    'bundle_manifest_invalid',
    /outside of its roots/,
  ],
  'an entrypoint outside of its roots': [
    () =>
      changed(
        '.manifest',
        '{"roots":["limits","tools"],"wasm":[{"entrypoint":"authz/decision","module":"/policy.wasm"}]}',
      ),
    'bundle_manifest_invalid',
    /outside of its roots/,
  ],
  'a module that is not there': [
    () => files.filter(({ path }) => path !== 'policy.wasm'),
    'bundle_manifest_invalid',
    /does not have/,
  ],
  'an entrypoint of the manifest that is no text': [
    () => changed('.manifest', '{"metadata":{"tollgate":{"entrypoint":5}}}'),
    'bundle_manifest_invalid',
    /entrypoint/,
  ],
  'neither Rego nor a module': [() => [text('data.json', '{}')], 'bundle_foreign', /holds no policy/],
  'our metadata, and nothing that it speaks of': [
    () => changed('.manifest', '{"metadata":{"tollgate":{"format":1}}}'),
    'bundle_manifest_invalid',
    /lacks a part/,
  ],
  'metadata of another version of ours': [
    () => changed('.manifest', '{"metadata":{"tollgate":{"format":2,"entrypoint":"authz/decision"}}}'),
    'bundle_foreign',
    /another version/,
  ],
}

for (const [what, [given, code, message]] of Object.entries(wrong)) {
  test(`refused, though it is signed: ${what}`, async () => {
    await assert.rejects(open(given()), { code, message })
  })
}

test('Rego that does not compile, or is of another version of the language, is refused with what to do', async () => {
  const trust = { entrypoints: ['authz/allow'] }
  const alone = (content: string, manifest: object = {}) =>
    [text('authz.rego', content), text('.manifest', JSON.stringify({ roots: [''], ...manifest }))] as const
  await assert.rejects(open(alone('package authz\n\nallow if {'), trust), {
    code: 'bundle_rego_refused',
    message: /authz\.rego/,
  })
  const old = 'package authz\n\nallow { input.x == 1 }\n'
  for (const manifest of [{ rego_version: 0 }, { rego_version: 1, file_rego_versions: { '/authz.rego': 0 } }])
    await assert.rejects(open(alone(old, manifest), trust), {
      code: 'bundle_rego_refused',
      message: /opa build -t wasm/,
    })
  const bytes = Buffer.concat([Buffer.from('package authz\n\nallow := "'), Buffer.from([0xff]), Buffer.from('"\n')])
  await assert.rejects(open([{ path: 'authz.rego', bytes }], trust), { code: 'bundle_rego_refused', message: /UTF-8/ })
})

test('data stands where its folder is, and a name is only a name', async () => {
  const written = `package authz

decision if {
	data.limits.eu.large == 5
	data["__proto__"].x == 1
	data.limits.large == 100
}
`
  const given = [
    ...(await foreignFiles({ rego: written, data: { limits: { large: 100 } } })),
    text('limits/eu/data.json', '{"large":5}'),
    text('__proto__/data.json', '{"x":1}'),
  ]
  const { artifact } = await open(given)
  assert.equal(engineOf(artifact).evaluate('{}').decision, 'allow')
})

test('a text as long as data may be is data like all else', () => {
  const long = `"${'a'.repeat(20_000_000)}"`
  assert.equal(Object.hasOwn(dataIn([text('data.json', `{"a":${long},"b":1}`)], ['']) as object, 'b'), true)
  assert.throws(() => dataIn([text('data.json', `{"a":${long},"b":1e999}`)], ['']), { code: 'bundle_json_refused' })
  assert.deepEqual(dataIn([text('data.json', '{"1e999":"\\"1e999","b":"\\\\"}')], ['']), { '1e999': '"1e999', b: '\\' })
})

test('nobody is believed by who is not signed for, and nothing by what was changed', async () => {
  await assert.rejects(openBundle(pack(files), trusting(pair), { now }), { code: 'bundle_unsigned' })
  const other = trusting(newPair('ES256', 'release'))
  await assert.rejects(openBundle(await signedBytes(files, pair), other, { now }), { code: 'bundle_signature_wrong' })
})

/** The Rego of the page, in its order: a rule that is true or not, a document, what lists are asked. */
const page = readFileSync(new URL('../../docs/rego.md', import.meta.url), 'utf8')
const shown = [...page.matchAll(/```rego\n([\s\S]*?)```/g)].map(([, block = '']) => block)

test('the Rego of the page does what the page says', async () => {
  const [plain = '', documents = '', lists = ''] = shown
  assert.equal(shown.length, 3)
  const readers = { readers: ['get_balance'] }
  const allow = await open(await foreignFiles({ rego: plain + lists, data: readers, entrypoints: ['authz/allow'] }))
  const engine = engineOf(allow.artifact)
  const example = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '') as object
  const ask = (more: object) => engine.evaluate(canonical({ ...example, ...more })).decision
  const paying = [500, 500.01, 0, null, 'x'].map((amount) => ask({ arguments: { amount } }))
  assert.deepEqual(paying, ['allow', 'deny', 'deny', 'deny', 'deny'])
  assert.deepEqual([ask({ arguments: {} }), ask({ arguments: {}, list: true })], ['deny', 'allow'])
  assert.deepEqual([ask({ tool: 'get_balance' }), ask({ principal: {} })], ['allow', 'deny'])
  const held = await open(await foreignFiles({ rego: `package authz\n\n${documents}`, data: readers }))
  const documented = engineOf(held.artifact)
  const verdict = (tool: string) => documented.evaluate(canonical({ ...example, tool }))
  assert.equal(verdict('get_balance').decision, 'allow')
  const { decision, rule, approval_quorum, approval_timeout_ms } = verdict('create_payment')
  assert.deepEqual([decision, rule, approval_quorum, approval_timeout_ms], ['hold', 'large-payment', 2, 3_600_000])
  assert.deepEqual([verdict('x').decision, verdict('x').message], ['deny', 'only payments may be made here'])
  const template = 'package authz\n\ndecision := {"allow": false, "message": $"over {data.limit}"}\n'
  const text = await open(await foreignFiles({ rego: template, data: { limit: 5 } }))
  assert.equal(engineOf(text.artifact).evaluate('{}').message, 'over 5')
})
