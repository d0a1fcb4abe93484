import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TollgateError } from '../../src/model/errors.ts'
import type { ActivationFailure } from '../../src/model/event.ts'
import { isLayered } from '../../src/model/layers.ts'
import type { PolicySet } from '../../src/model/policy.ts'
import type { ActiveLayers, ActivePolicy } from '../../src/pep/gate.ts'
import { watchPolicy } from '../../src/runtime/watch.ts'
import { badFiles } from '../policy/badFiles.ts'
import { ofAll } from '../policy/strategies.ts'
import { Volume } from '../volume.ts'

const policy = (...tools: readonly string[]) =>
  `version: "1"\ndefault: deny\ntools:\n${tools.map((tool) => `  ${tool}: {}\n`).join('')}`

function toolsOf(policy: PolicySet): readonly string[] {
  const policies = isLayered(policy) ? policy.layers.map((layer) => layer.policy) : [policy]
  return policies.flatMap((one) => ofAll(one).entries.map(({ key }) => key))
}

/** Watches a file of its own, or those that `laid` makes; `active` is what became active, the newest last. */
function watched(
  t: TestContext,
  { accept, laid }: { accept?: (policy: PolicySet) => void; laid?: (folder: string) => readonly string[] } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-watch-'))
  const file = join(folder, 'policy.yaml')
  if (!laid) writeFileSync(file, policy('first'))
  const active: (readonly string[])[] = []
  const said: string[] = []
  const failed: ActivationFailure[] = []
  let revision = ''
  let busy = 0
  const gate = {
    get revision() {
      return revision
    },
    activate(next: ActivePolicy | ActiveLayers) {
      if (busy-- > 0) throw new TollgateError('ledger_busy', 'the ledger is busy')
      revision = next.revision
      active.push(toolsOf(next.policy))
    },
    deactivate() {
      revision = ''
      active.push([])
    },
    notActivated(failure: ActivationFailure) {
      failed.push(failure)
    },
  }
  const { stop } = watchPolicy(
    { files: laid?.(folder) ?? [file] },
    { gate, say: (sentence) => said.push(sentence), ...(accept && { accept }) },
  )
  // The watcher keeps no process alive, and a test has nothing else to wait for.
  const alive = setInterval(() => {}, 1_000)
  t.after(() => {
    stop()
    clearInterval(alive)
    rmSync(folder, { recursive: true })
  })
  const until = async (tool: string | undefined) => {
    const deadline = Date.now() + 30_000
    while (active.at(-1)?.at(-1) !== tool || active.length === 0) {
      assert.ok(Date.now() < deadline, `${tool} never became active: ${JSON.stringify(active)} ${said.join()}`)
      await sleep(20)
    }
  }
  return { file, active, said, failed, until, failNext: (times: number) => (busy = times) }
}

test('a file that changed before it was watched is loaded', async (t) => {
  const { until } = watched(t)
  await until('first')
})

test('a file that is still being written is not loaded in parts', async (t) => {
  const { file, active, until } = watched(t)
  await until('first')
  const tools = Array.from({ length: 12 }, (_, index) => `tool${index}`)
  for (const [index] of tools.entries()) {
    writeFileSync(file, policy(...tools.slice(0, index + 1)))
    await sleep(60)
  }
  await until('tool11')
  assert.deepEqual(active, [['first'], tools])
})

test('an edit that is wrong is handed to the record, with its places', async (t) => {
  const { file, failed, until } = watched(t)
  await until('first')
  writeFileSync(file, policy('second').replace('{}', '{ rulez: [] }'))
  while (failed.length === 0) await sleep(20)
  assert.deepEqual([failed[0]?.sources, failed[0]?.code], [[file], 'policy_invalid'])
  assert.match(failed[0]?.detail ?? '', /policy\.yaml:4:\d+:? .*`rulez`/)
})

test('a policy that could not be recorded is tried again', async (t) => {
  const { file, said, failed, until, failNext } = watched(t)
  await until('first')
  failNext(1)
  writeFileSync(file, policy('second'))
  await until('second')
  assert.match(said.join(), /the ledger is busy/)
  assert.deepEqual(failed, [], 'what could not be recorded has no record of its own')
})

test('a policy that is not accepted leaves the one before', async (t) => {
  const refuse = (next: PolicySet) => {
    if (toolsOf(next).includes('a/b')) throw new Error('which server is this?')
  }
  const { file, active, said, until } = watched(t, { accept: refuse })
  await until('first')
  writeFileSync(file, policy('a/b'))
  while (!said.join().includes('which server is this?')) await sleep(20)
  assert.deepEqual(active, [['first']])
})

test('an update of a ConfigMap, which swaps one link below all files, becomes active as a whole', async (t) => {
  const both = (one: string, other: string) => ({ 'policy.yaml': policy(one), 'more.yaml': policy(other) })
  let volume: Volume | undefined
  const { active, said, until } = watched(t, {
    laid(folder) {
      volume = new Volume(join(folder, 'mounted'), both('first', 'second'))
      return ['policy.yaml', 'more.yaml'].map((name) => volume?.file(name) ?? '')
    },
  })
  await until('second')
  volume?.update(both('third', 'fourth'))
  await until('fourth')
  volume?.update({ ...both('third', 'fourth'), 'policy.yaml': 'version: "1"\ndefault: allways\n' })
  while (!said.at(-1)?.includes('allways')) await sleep(20)
  volume?.update(both('fifth', 'sixth'))
  await until('sixth')
  assert.deepEqual(active, [
    ['first', 'second'],
    ['third', 'fourth'],
    ['fifth', 'sixth'],
  ])
})

test('a pipe is not read a second time, and that is said', { skip: process.platform === 'win32' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-watch-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const pipe = join(folder, 'policy.yaml')
  execFileSync('mkfifo', [pipe])
  const script = `
    const { watchPolicy } = await import(${JSON.stringify(new URL('../../src/runtime/watch.ts', import.meta.url).href)})
    watchPolicy({ files: [process.argv[1]] }, { gate: { revision: 'r' }, say: (sentence) => console.log(sentence) })
    setTimeout(() => console.log('still there'), 1_000)`
  // In a process of its own: to open a pipe without a writer would block this one.
  const args = ['--input-type=module', '-e', script, pipe]
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 15_000 })
  assert.equal(stdout, `\`${pipe}\` is no regular file: it was read once, and is not followed\nstill there\n`)
})

test('a file that becomes a pipe is not opened, and the policy stays until it is a file again', {
  skip: process.platform === 'win32',
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-watch-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'policy.yaml')
  writeFileSync(file, policy('first'))
  const script = `
    import { execFileSync } from 'node:child_process'
    import { renameSync, writeFileSync } from 'node:fs'
    import { watchPolicy } from ${JSON.stringify(new URL('../../src/runtime/watch.ts', import.meta.url).href)}
    const [file, other] = process.argv.slice(1)
    const gate = { revision: 'r', activate() { gate.activated() }, notActivated: ({ detail }) => { console.log(detail); gate.refused() } }
    const next = (name) => new Promise((resolve) => { gate[name] = resolve })
    const first = next('activated')
    const { stop } = watchPolicy({ files: [file] }, { gate, say: () => {} })
    setInterval(() => {}, 1_000)
    await first
    execFileSync('mkfifo', [other])
    renameSync(other, file)
    await next('refused')
    writeFileSync(other, ${JSON.stringify(policy('second'))})
    renameSync(other, file)
    await next('activated')
    console.log('followed again')
    process.exit()`
  // In a process of its own: whoever opens it does nothing else any more.
  const args = ['--input-type=module', '-e', script, file, `${file}.new`]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
  assert.equal(stdout, `\`${file}\`: it is no regular file: what is read again has to be one\nfollowed again\n`, stderr)
})

test('a file that cannot be looked at is a file that is gone', async (t) => {
  const { file, until } = watched(t)
  await until('first')
  rmSync(file)
  symlinkSync(file, file)
  await until(undefined)
})

test('a running gate keeps its policy, whatever its file becomes', async (t) => {
  const { file, active, said, until } = watched(t)
  await until('first')
  for (const { name, text, says } of badFiles) {
    writeFileSync(file, text)
    const before = said.length
    const deadline = Date.now() + 15_000
    while (said.length === before) {
      assert.ok(Date.now() < deadline, `nothing was said of ${name}`)
      await sleep(20)
    }
    assert.match(said.at(-1) ?? '', /was not loaded: revision [0-9a-f]{12} stays active$/, name)
    // A file that is too large is not even read, so there is no place in it.
    assert.ok(said.at(-1)?.includes(says.replace(/^1:1: (?=it has)/, '')), `${name}: ${said.at(-1)}`)
  }
  rmSync(file)
  mkdirSync(file)
  while (!said.at(-1)?.includes('it is a directory')) await sleep(20)
  assert.deepEqual(active, [['first']])
  rmSync(file, { recursive: true })
  writeFileSync(file, policy('second'))
  await until('second')
  assert.deepEqual(active, [['first'], ['second']])
})
