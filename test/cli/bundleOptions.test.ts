/** What the flags about bundles say together, and what is told of those that say nothing sensible. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  type BundleOptions,
  discoveryBundle,
  statusUrlOf,
  wantedBundles,
  wantedOf,
} from '../../src/cli/bundleOptions.ts'
import { policyFeed, requirePolicy } from '../../src/cli/policyFeed.ts'
import { readSettings } from '../../src/cli/settingsFile.ts'
import { type Place, placeIn } from '../../src/distribution/places.ts'
import { newPair, signedBytes } from '../opa/signer.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollgate-bundle-options-'))
after(() => rmSync(folder, { recursive: true }))

const usual = { bundlePoll: '2m', bundleWait: '30s' }
const wanted = (options: Partial<BundleOptions>) => wantedBundles({ ...usual, ...options })

test('one bundle is a policy, bundles with names are layers in their order', () => {
  const one = wanted({ bundle: ['policy.tar.gz'], bundleTokenFile: ['token'] })
  assert.equal(one.isLayered, false)
  const [{ rhythm, waitMs } = assert.fail()] = one.bundles
  assert.deepEqual([rhythm, waitMs], [{ minMs: 60_000, maxMs: 120_000 }, 30_000])
  assert.deepEqual(
    one.bundles.map(({ name, secrets }) => [name, secrets.token]),
    [['bundle', 'token']],
  )
  const several = wanted({
    bundle: ['org=https://bundles.example.com/org?a=b', 'team=oci://registry.example.com/team:1'],
    bundleTokenFile: ['team=team.token'],
    bundleWait: '0s',
  })
  assert.deepEqual([several.isLayered, several.bundles[0]?.waitMs], [true, 0])
  assert.deepEqual(
    several.bundles.map(({ name, place, secrets }) => [name, place.kind, secrets.token]),
    [
      ['org', 'http', undefined],
      ['team', 'oci', 'team.token'],
    ],
  )
  assert.equal(wanted({ bundle: ['org=org.tar.gz'] }).isLayered, true)
})

test('what is no place, or does not go together, is told', () => {
  const cases: readonly (readonly [Partial<BundleOptions>, RegExp])[] = [
    [{ bundle: ['ftp://example.com/b'] }, /^`--bundle` takes a file, a folder, .* got `ftp:\/\/example\.com\/b`$/],
    [{ bundle: ['org='] }, /^`--bundle` takes a file/],
    [{ bundle: ['a.tar.gz', 'org=b.tar.gz'] }, /^several bundles need a name each/],
    [{ bundle: ['org=a', 'org=b'] }, /^two bundles are named `org`$/],
    [{ bundle: Array.from({ length: 17 }, (_, index) => `b${index}=x`) }, /^there are 17 bundles, and 16 are allowed$/],
    [{ bundle: ['org=a', 'team=b'], bundleTokenFile: ['token'] }, /say whose token it is/],
    [{ bundle: ['org=a'], bundleTokenFile: ['other=token'] }, /^no bundle is named `other`, and it has a token$/],
    [{ bundle: ['http://bundles.example.com/b'], bundleTokenFile: ['token'] }, /in the open: use `https:`$/],
    [{ bundle: ['a'], bundleCert: 'cert' }, /^`--bundle-cert` and `--bundle-cert-key` go together$/],
    [{ bundle: ['a'], bundlePoll: '0s' }, /^`--bundle-poll` must be a duration from 1s to 1d, got `0s`$/],
    [{ bundle: ['a'], bundleWait: '1h' }, /^`--bundle-wait` must be a duration from 1s to 10m, got `1h`$/],
  ]
  for (const [options, message] of cases) assert.throws(() => wanted(options), { code: 'usage', message })
  assert.throws(() => requirePolicy({ ...usual, bundle: ['a'], config: ['b'] }), /do not go together with `-c`/)
  assert.throws(() => statusUrlOf('status', undefined), /`--status-url` takes a URL/)
  assert.throws(() => statusUrlOf('http://status.example.com/', 'token'), /in the open: use `https:`$/)
})

test('a certificate is for the server of the discovery bundle, as a token without a name is', () => {
  const options = { ...usual, bundleTokenFile: ['token'], bundleCert: 'cert', bundleCertKey: 'key', bundleCa: 'ca' }
  const { place: finder, secrets } = discoveryBundle('https://control.example.com/discovery', options)
  const all = { token: 'token', cert: 'cert', key: 'key', ca: 'ca' }
  assert.deepEqual(secrets, all)
  const shown = (text: string) =>
    wantedOf([{ name: 'org', place: placeIn(text) as Place }], options, finder).bundles[0]?.secrets
  for (const same of ['https://control.example.com:443/org', 'oci://control.example.com/org:1'])
    assert.deepEqual(shown(same), all, same)
  for (const other of ['https://control.example.com:8443/org', 'http://control.example.com/org', 'oci://a.example/o:1'])
    assert.deepEqual(shown(other), { token: undefined, ca: 'ca' }, other)
  assert.throws(() => discoveryBundle('discovery.tar.gz', options), {
    code: 'usage',
    message: /^the discovery bundle is a file: say whose token it is/,
  })
})

test('the file of settings says the same, and finds files beside itself', () => {
  const file = join(folder, 'gate.yaml')
  writeFileSync(
    file,
    [
      'bundles: { org: bundles/org.tar.gz, team: "https://bundles.example.com/team", image: "oci://r.example/a:1" }',
      'bundle_token_file: { team: team.token }',
      'bundle_poll: 5m',
      'bundle_wait: 0s',
      'bundle_store: kept',
      'status_url: https://status.example.com/status',
      '',
    ].join('\n'),
  )
  const { options, mistakes } = readSettings(file)
  assert.deepEqual(mistakes, [])
  assert.deepEqual(Object.fromEntries(options), {
    bundle: [`org=${folder}/bundles/org.tar.gz`, 'team=https://bundles.example.com/team', 'image=oci://r.example/a:1'],
    bundleTokenFile: [`team=${folder}/team.token`],
    bundlePoll: ['5m'],
    bundleWait: ['0s'],
    bundleStore: [`${folder}/kept`],
    statusUrl: ['https://status.example.com/status'],
  })
  writeFileSync(file, 'bundles: https://bundles.example.com/one\n')
  assert.deepEqual(readSettings(file).options.get('bundle'), ['https://bundles.example.com/one'])
})

test('mistakes of the file are told with their places', () => {
  const file = join(folder, 'wrong.yaml')
  writeFileSync(file, 'trust: t.yaml\nallow_unsigned: true\n')
  assert.deepEqual(
    readSettings(file).mistakes.map(({ line, code }) => `${line} ${code}`),
    ['2 contradiction'],
  )
  writeFileSync(file, 'policy: a.yaml\nbundles: { "1st": a, b: "ftp://x/" }\nbundle_poll: 10ms\nstatus_url: here\n')
  const told = readSettings(file).mistakes.map(({ line, code }) => `${line} ${code}`)
  assert.deepEqual(told.sort(), ['2 bad_name', '2 contradiction', '2 wrong_value', '3 wrong_value', '4 wrong_value'])
})

const pair = newPair('EdDSA', 'release')
const place = (name: string) => join(folder, name)
const believing = { ...usual, verifyKey: [place('release.pem')], bundleStore: place('store') }

test('a gate that is told whose bundles it believes takes no policy file, by whatever flag', async () => {
  writeFileSync(place('release.pem'), pair.public)
  writeFileSync(place('policy.tar.gz'), 'version: "1"\ndefault: deny\ntools: { pay: {} }\n')
  const file = place('policy.tar.gz')
  const code = 'bundle_unsigned'
  await assert.rejects(policyFeed({ ...believing, config: [file] }), {
    code,
    message: /is no bundle, so nobody signed/,
  })
  await assert.rejects(policyFeed({ ...believing, layer: [`org=${file}`] }), { code })
  await assert.rejects(policyFeed({ ...believing, bundle: [file] }), { code: 'bundle_content_wrong' })
  await assert.rejects(policyFeed({ ...believing, discovery: file }), { code: 'bundle_content_wrong' })
  const { verifyKey, ...nobody } = believing
  assert.ok((await policyFeed({ ...nobody, config: [file], allowUnsigned: true })).loaded.revision)
  for (const keys of [{ verifyKey }, { trust: 'trust.yaml' }])
    await assert.rejects(policyFeed({ ...nobody, ...keys, config: [file], allowUnsigned: true }), {
      code: 'usage',
      message: /^`--allow-unsigned` does not go together with keys/,
    })
})

test('the token of the status goes nowhere in the open, also where a discovery bundle says so', async () => {
  const services = { far: { url: 'http://status.example.com' }, near: { url: 'http://127.0.0.1:1' } }
  const data = { services, bundles: { org: { service: 'near', resource: '../none' } }, status: { service: 'far' } }
  const file = { path: 'data.json', bytes: Buffer.from(JSON.stringify(data)) }
  writeFileSync(place('discovery.tar.gz'), await signedBytes([file], pair, { sequence: 1 }))
  await assert.rejects(
    policyFeed({ ...believing, discovery: place('discovery.tar.gz'), statusTokenFile: place('status.token') }),
    { code: 'discovery_invalid', message: /would go to `http:\/\/status\.example\.com` over the network in the open/ },
  )
})

test('a password that was written by mistake is not told', () => {
  const text = 'https://ada:hunter2@bundles.example.com/org?sig=s3cret'
  for (const wrong of [() => wanted({ bundle: [text] }), () => statusUrlOf(text, undefined)])
    assert.throws(wrong, ({ message }: Error) => /…@bundles/.test(message) && !/ada|hunter2|s3cret/.test(message))
})
