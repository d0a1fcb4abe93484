/** A gate of the library decides by a bundle as the commands do: by keys that it was given, and by nothing that is older or unsigned. */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import { type Gate, type GateOptions, openGate } from '../../src/index.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { pack } from '../../src/opa/pack.ts'
import { foreignFiles } from '../bundle/foreign.ts'
import { newPair, signedBytes } from '../opa/signer.ts'
import { until } from '../until.ts'
import { opened, recordsOf, temporaryFolder } from './fixtures.ts'

const pair = newPair('EdDSA', 'release')
const stranger = newPair('EdDSA', 'stranger')
const textOf = (tool: string) => `version: "1"\ndefault: deny\ntools: { ${tool}: {} }\n`

/** The files of a bundle whose policy knows this tool alone. */
const files = new Map<string, readonly BundleFile[]>()
before(async () => {
  for (const tool of ['pay', 'refund'])
    files.set(
      tool,
      bundleFiles(await buildPolicy({ name: 'policy.yaml', text: textOf(tool) }), { version: '0.1.0', revision: tool }),
    )
})
const filesOf = (tool: string) => files.get(tool) as readonly BundleFile[]
const bundleOf = (tool: string, sequence: number) => signedBytes(filesOf(tool), pair, { sequence })
const allowed = (gate: Gate) =>
  ['pay', 'refund'].filter((tool) => gate.check({ server: 'shop', tool }).decision === 'allow')

test('a bundle decides that is signed by a key that was named, in any of the ways', async (t) => {
  const folder = temporaryFolder(t)
  const at = (name: string) => join(folder, name)
  writeFileSync(at('release.pub'), pair.public)
  writeFileSync(at('trust.yaml'), 'keys: { release: { file: release.pub } }\nmin_sequence: 3\n')
  writeFileSync(at('policy.tar.gz'), await bundleOf('pay', 3))
  const named = { name: 'policy.tar.gz', text: await bundleOf('pay', 3) }
  for (const options of [
    { policy: at('policy.tar.gz'), verifyKeys: [at('release.pub')] },
    { policy: at('policy.tar.gz'), verifyKeys: [stranger.public, pair.public] },
    { policy: at('policy.tar.gz'), verifyKeys: [`\n${pair.public}`] },
    { policy: at('policy.tar.gz'), trust: at('trust.yaml') },
    { policy: named, trust: at('trust.yaml') },
  ]) {
    const { gate } = await opened(t, '', options)
    assert.deepEqual(allowed(gate), ['pay'])
  }
})

test('Rego of others decides, by the rule that is named', async (t) => {
  const text = await signedBytes(await foreignFiles({ entrypoints: ['authz/allow', 'authz/decision'] }), pair)
  const policy = { name: 'authz.tar.gz', text }
  const said = { policy, verifyKeys: [pair.public] }
  const { gate } = await opened(t, '', { ...said, entrypoint: 'authz/allow' })
  const decided = (amount: number) => gate.check({ server: 'shop', tool: 'pay', arguments: { amount } }).decision
  assert.deepEqual([decided(5), decided(500)], ['allow', 'allow'])
  const other = await opened(t, '', { ...said, entrypoint: 'authz/decision' })
  assert.equal(other.gate.check({ tool: 'pay', arguments: { amount: 500 } }).decision, 'hold')
  const ledger = join(temporaryFolder(t), 'ledger.db')
  await assert.rejects(openGate({ ...said, ledger }), { code: 'bundle_entrypoint_missing' })
  await assert.rejects(openGate({ ...said, ledger, entrypoint: '' }), TypeError)
})

test('one that is not believed is refused with a code, in the record too', async (t) => {
  const folder = temporaryFolder(t)
  const at = (name: string) => join(folder, name)
  writeFileSync(at('policy.yaml'), textOf('pay'))
  writeFileSync(at('unsigned.tar.gz'), pack(filesOf('pay')))
  writeFileSync(at('policy.tar.gz'), await bundleOf('pay', 2))
  writeFileSync(at('trust.yaml'), `keys: { release: { key: ${JSON.stringify(pair.public)} } }\nmin_sequence: 3\n`)
  const keys = { verifyKeys: [pair.public] }
  const cases: readonly (readonly [string, Partial<GateOptions>])[] = [
    ['bundle_trust_missing', { policy: at('policy.tar.gz') }],
    ['bundle_trust_missing', { policy: { name: 'b', text: await bundleOf('pay', 2) } }],
    ['bundle_signature_wrong', { policy: at('policy.tar.gz'), verifyKeys: [stranger.public] }],
    ['bundle_older', { policy: at('policy.tar.gz'), trust: at('trust.yaml') }],
    ['bundle_unsigned', { policy: at('unsigned.tar.gz'), ...keys }],
    ['bundle_unsigned', { policy: at('policy.yaml'), ...keys }],
    ['bundle_unsigned', { policy: { name: 'policy.yaml', text: textOf('pay') }, ...keys }],
    ['secret_unreadable', { policy: at('policy.tar.gz'), verifyKeys: [at('none.pub')] }],
    ['trust_invalid', { policy: at('policy.tar.gz'), trust: at('policy.yaml') }],
    ['bundle_key_invalid', { policy: at('policy.tar.gz'), verifyKeys: [pair.private] }],
    ['bundle_key_invalid', { policy: at('policy.tar.gz'), verifyKeys: [`\n${pair.private}`] }],
  ]
  for (const [code, options] of cases) {
    const ledger = at(`${cases.findIndex((one) => one[1] === options)}.db`)
    await assert.rejects(openGate({ policy: '', ledger, ...options }), { code }, code)
    assert.equal(recordsOf(ledger).find(({ type }) => type === 'activation_failure')?.error_code, code)
  }
})

test('what is unsigned decides where it is said so, and that is reported once', async (t) => {
  const unsigned = { name: 'unsigned.tar.gz', text: pack(filesOf('pay')) }
  const { gate, reports } = await opened(t, '', { policy: unsigned, allowUnsigned: true })
  assert.deepEqual(allowed(gate), ['pay'])
  await gate.activate({ name: 'policy.yaml', text: textOf('refund') })
  assert.deepEqual(allowed(gate), ['refund'])
  assert.deepEqual(
    reports.filter(({ message }) => /nobody signed/.test(message)),
    [{ message: 'bundles that nobody signed are accepted' }],
  )
})

test('a gate is not rolled back, and the next gate knows nothing of it', async (t) => {
  const named = async (tool: string, sequence: number) => ({ name: 'bundle', text: await bundleOf(tool, sequence) })
  const options = { policy: await named('pay', 5), verifyKeys: [pair.public] }
  const { gate } = await opened(t, '', options)
  await gate.activate(await named('refund', 6))
  await assert.rejects(gate.activate(await named('pay', 5)), { code: 'bundle_older' })
  await assert.rejects(gate.activate(await named('pay', 6)), { code: 'bundle_sequence_reused' })
  await assert.rejects(gate.activate({ name: 'bundle', text: textOf('pay') }), { code: 'bundle_unsigned' })
  assert.deepEqual(allowed(gate), ['refund'])
  assert.deepEqual(allowed((await opened(t, '', options)).gate), ['pay'])
})

test('a bundle in a file is followed, and nothing else in its place', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'policy.tar.gz')
  const put = (bytes: string | Uint8Array) => {
    writeFileSync(`${file}.new`, bytes)
    renameSync(`${file}.new`, file)
  }
  put(await bundleOf('pay', 1))
  const { gate, reports } = await opened(t, '', { policy: file, watch: true, verifyKeys: [pair.public] })
  put(await bundleOf('refund', 2))
  await until(() => allowed(gate).includes('refund'), 'the next bundle')
  put(textOf('pay'))
  await until(() => reports.some(({ message }) => /is no bundle, so nobody signed it/.test(message)), 'the refusal')
  assert.deepEqual(allowed(gate), ['refund'])
})

test('options that say two things, or nothing, are mistakes of the program', async () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ trust: '' }, /^`trust` must be the path/],
    [{ trust: { keys: {} } }, /^`trust` must be the path/],
    [{ verifyKeys: 'release.pub' }, /^`verifyKeys` must be a list/],
    [{ verifyKeys: [] }, /^`verifyKeys` must be a list/],
    [{ allowUnsigned: 'yes' }, /^`allowUnsigned` must be a boolean$/],
    [{ trust: 't', verifyKeys: ['k'] }, /do not go together/],
    [{ trust: 't', allowUnsigned: true }, /does not go together with keys/],
    [{ verifyKeys: ['k'], allowUnsigned: true }, /does not go together with keys/],
    [{ verifyKey: ['k'] }, /has no option `verifyKey`$/],
  ]
  for (const [options, message] of cases)
    await assert.rejects(openGate({ policy: 'p', ledger: ':memory:', ...options }), { name: 'TypeError', message })
})
