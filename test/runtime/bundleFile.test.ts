/** A gate that follows a bundle takes the next one, and stays with the last one when that is refused. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildPolicy } from '../../src/bundle/build.ts'
import { bundleFiles } from '../../src/bundle/bundled.ts'
import type { ActivationFailure } from '../../src/model/event.ts'
import type { BundleFile } from '../../src/opa/files.ts'
import { pack } from '../../src/opa/pack.ts'
import { signed } from '../../src/opa/sign.ts'
import type { ActiveLayers, ActivePolicy } from '../../src/pep/active.ts'
import { openBundleFile } from '../../src/runtime/bundleFile.ts'
import { loadPolicySet } from '../../src/runtime/policySet.ts'
import { watchPolicy } from '../../src/runtime/watch.ts'
import { newPair, signing, text, trusting } from '../opa/signer.ts'
import { oddModules } from '../opa/wasm.ts'
import { until } from '../until.ts'

const pair = newPair('EdDSA', 'release')
const trust = async () => trusting(pair)
const folder = mkdtempSync(join(tmpdir(), 'tollgate-bundle-'))

async function filesOf(...tools: readonly string[]): Promise<readonly BundleFile[]> {
  const written = `version: "1"\ndefault: deny\ntools:\n${tools.map((tool) => `  ${tool}: {}\n`).join('')}`
  return bundleFiles(await buildPolicy({ name: 'policy.yaml', text: written }), { version: '0.1.0' })
}

async function put(file: string, files: readonly BundleFile[]): Promise<void> {
  writeFileSync(`${file}.new`, pack(files))
  renameSync(`${file}.new`, file)
}

const sealed = (files: readonly BundleFile[], sequence: number) => signed(files, signing(pair, { sequence }))

test('rolled back, changed, unsigned or no bundle at all: the last good one stays, and the next one is taken', async (t) => {
  const file = join(folder, 'policy.tar.gz')
  const [one, two] = [await filesOf('first'), await filesOf('second')]
  await put(file, await sealed(one, 5))
  const choice = { files: [file], trust, bundlesOnly: true }
  const loaded = await loadPolicySet(choice)
  const active: string[] = [loaded.revision]
  const failed: ActivationFailure[] = []
  const gate = {
    get revision() {
      return active.at(-1) ?? ''
    },
    activate: (next: ActivePolicy | ActiveLayers) => void active.push(next.revision),
    deactivate: () => assert.fail('it is there all the time'),
    notActivated: (failure: ActivationFailure) => void failed.push(failure),
  }
  const watching = watchPolicy(choice, { gate, say: () => {} })
  const alive = setInterval(() => {}, 1_000)
  t.after(() => {
    watching.stop()
    clearInterval(alive)
    rmSync(folder, { recursive: true })
  })
  const bad: readonly (readonly [string, readonly BundleFile[]])[] = [
    ['bundle_older', await sealed(two, 4)],
    ['bundle_sequence_reused', await sealed(two, 5)],
    ['bundle_file_unsigned', [...(await sealed(two, 6)), text('more.rego', 'package more\n')]],
    ['bundle_unsigned', two],
  ]
  for (const [code, files] of bad) {
    const before = failed.length
    await put(file, files)
    await until(() => failed.length > before, 'a refusal')
    assert.equal(failed.at(-1)?.code, code)
  }
  // A policy file that decides all by itself, in the place of the bundle: nobody signed it.
  writeFileSync(file, 'version: "1"\ndefault: deny\ntools: { pay: {} }\n')
  await until(() => failed.length > bad.length, 'a refusal')
  assert.equal(failed.at(-1)?.code, 'bundle_unsigned')
  assert.equal(active.length, 1)
  await put(file, await sealed(two, 6))
  await until(() => active.length > 1, 'the next one is active')
  assert.equal((await loadPolicySet(choice)).revision, active.at(-1))
})

test('a module that wants more than it is given is refused, though it is signed', async () => {
  const files = await filesOf('first')
  const [wasm] = oddModules['has 4 GB of its own'] as (typeof oddModules)[string]
  const swapped = files.map((one) => (one.path === 'policy.wasm' ? { ...one, bytes: wasm } : one))
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  const before = digest(files.find(({ path }) => path === 'policy.wasm')?.bytes as Uint8Array)
  const bound = swapped.map((one) =>
    one.path === '.manifest' ? text(one.path, Buffer.from(one.bytes).toString().replace(before, digest(wasm))) : one,
  )
  const opened = openBundleFile('large.tar.gz', pack(await sealed(bound, 1)), trust)
  await assert.rejects(opened, { code: 'engine_unloadable', message: /memory of its own/ })
})
