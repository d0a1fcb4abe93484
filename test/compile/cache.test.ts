import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { cacheKey, compileCached, readCached, writeCached } from '../../src/compile/cache.ts'
import { policyCapabilities } from '../../src/compile/capabilities.ts'
import type { Compiler } from '../../src/compile/compiler.ts'
import { openCompiler } from '../../src/compile/compiler.ts'
import { cacheFolder } from '../../src/compile/folder.ts'
import { cacheEntriesMax } from '../../src/compile/limits.ts'
import { evaluate, refunds } from './evaluate.ts'

const scratch = mkdtempSync(join(tmpdir(), 'tollgate-cache-'))
const compiler = await openCompiler()
after(async () => {
  await compiler.close()
  rmSync(scratch, { recursive: true, force: true })
})

const request = { modules: { 'refunds.rego': refunds }, entrypoints: ['refunds/allow'] }
const key = cacheKey(request)
const isRoot = process.getuid?.() === 0

let folders = 0
function freshFolder(): string {
  folders += 1
  return join(scratch, `cache-${folders}`)
}

test('the second compile of the same policy comes from the cache and is the same', async () => {
  const folder = freshFolder()
  const first = await compileCached(request, { folder, compiler })
  const second = await compileCached(request, { folder, compiler: neverAsked() })
  assert.deepEqual([first.fromCache, second.fromCache], [false, true])
  assert.deepEqual(first.wasm, second.wasm)
  assert.deepEqual(await evaluate(second.wasm, { amount: 1 }), [true])
})

test('entries are private', async () => {
  const folder = freshFolder()
  await compileCached(request, { folder, compiler })
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.equal(statSync(join(folder, `${key}.wasm`)).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder), [`${key}.wasm`])
})

test('what is compiled together shares one compiler, which ends soon after', {
  skip: !existsSync('/proc/self/task') && 'needs /proc',
}, async () => {
  const before = children()
  const texts = [1, 2, 3].map((n) => ({ ...request, modules: { 'refunds.rego': `${refunds}\n# ${n}\n` } }))
  const folder = freshFolder()
  const found = await Promise.all(texts.map((text) => compileCached(text, { folder })))
  assert.deepEqual(
    found.map(({ fromCache }) => fromCache),
    [false, false, false],
  )
  const [own, ...others] = children().filter((pid) => !before.includes(pid))
  assert.ok(own !== undefined && others.length === 0)
  for (let waited = 0; waited < 20_000 && children().includes(own); waited += 50) await sleep(50)
  assert.ok(!children().includes(own))
})

function children(): readonly string[] {
  const { pid } = process
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
}

test('without an open compiler one is started for a miss', async () => {
  const found = await compileCached(request, { folder: freshFolder() })
  assert.equal(found.fromCache, false)
  assert.deepEqual(await evaluate(found.wasm, { amount: 501 }), [false])
})

test('whatever goes into a module is part of its key, and order is not', () => {
  const keys = [
    request,
    { ...request, modules: { 'refunds.rego': `${refunds}\n` } },
    { ...request, modules: { 'refund.rego': refunds } },
    { ...request, modules: { 'refunds.rego': refunds, 'b.rego': 'package b' } },
    {
      ...request,
      modules: Object.fromEntries([
        ['refunds.rego', refunds],
        ['__proto__', 'package b'],
      ]),
    },
    { ...request, entrypoints: ['refunds'] },
    { ...request, entrypoints: ['refunds', 'refunds/allow'] },
    { ...request, data: { limits: 1 } },
    { ...request, capabilities: { ...policyCapabilities, features: [] } },
  ].map((one) => cacheKey(one))
  assert.equal(new Set(keys).size, keys.length)
  const modules = { 'b.rego': 'package b', 'refunds.rego': refunds }
  const turned = { 'refunds.rego': refunds, 'b.rego': 'package b' }
  assert.equal(cacheKey({ ...request, modules }), cacheKey({ ...request, modules: turned }))
  assert.equal(cacheKey({ ...request, data: {}, capabilities: policyCapabilities }), key)
})

test('a damaged entry is never trusted: it is compiled again and replaced', async () => {
  const damages: Record<string, (path: string) => void> = {
    'a flipped byte in the module': (path) => flip(path, 5_000),
    'a flipped byte in the digest': (path) => flip(path, 100),
    'a flipped byte at the end': (path) => flip(path, statSync(path).size - 1),
    'a missing byte': (path) => truncateSync(path, statSync(path).size - 1),
    'an empty file': (path) => truncateSync(path, 0),
    'a header alone': (path) => writeFileSync(path, readFileSync(path).subarray(0, 157)),
    'text without a line end': (path) => writeFileSync(path, 'nothing'),
    'more bytes than were written': (path) =>
      writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('x')])),
  }
  for (const [damage, apply] of Object.entries(damages)) {
    const folder = freshFolder()
    const path = join(folder, `${key}.wasm`)
    const { wasm } = await compileCached(request, { folder, compiler })
    apply(path)
    assert.equal(readCached(key, folder), undefined, damage)
    const again = await compileCached(request, { folder, compiler })
    assert.deepEqual([again.fromCache, again.wasm], [false, wasm], damage)
    assert.deepEqual(readCached(key, folder), wasm, damage)
  }
})

test('an entry that stands under another key is not taken for it', () => {
  const folder = freshFolder()
  const other = '0'.repeat(64)
  writeCached(other, Buffer.from('another policy'), folder)
  assert.deepEqual(readCached(other, folder), new Uint8Array(Buffer.from('another policy')))
  renameSync(join(folder, `${other}.wasm`), join(folder, `${key}.wasm`))
  assert.equal(readCached(key, folder), undefined)
})

test('a folder in the place of an entry, or a file in the place of the cache, costs the cache and nothing else', async () => {
  const folder = freshFolder()
  mkdirSync(join(folder, `${key}.wasm`), { recursive: true, mode: 0o700 })
  const one = await compileCached(request, { folder, compiler })
  assert.equal(one.fromCache, false)
  assert.deepEqual(readdirSync(folder), [`${key}.wasm`])

  const file = freshFolder()
  writeFileSync(file, '')
  assert.deepEqual((await compileCached(request, { folder: file, compiler })).wasm, one.wasm)
})

test('a folder that cannot be written costs the cache and nothing else', async () => {
  const folder = join(freshFolder(), 'cache')
  if (isRoot)
    writeFileSync(dirname(folder), '') // root writes to any folder, but this cannot be one
  else mkdirSync(dirname(folder), { mode: 0o500 })
  assert.equal((await compileCached(request, { folder, compiler })).fromCache, false)
  assert.equal((await compileCached(request, { folder, compiler })).fromCache, false)
})

test('an entry or a folder that others can write to is not trusted', {
  skip: process.platform === 'win32' && 'no modes',
}, async () => {
  const folder = freshFolder()
  await compileCached(request, { folder, compiler })
  const path = join(folder, `${key}.wasm`)
  chmodSync(path, 0o622)
  assert.equal(readCached(key, folder), undefined)
  chmodSync(path, 0o600)
  assert.notEqual(readCached(key, folder), undefined)
  chmodSync(folder, 0o777)
  assert.equal(readCached(key, folder), undefined)
})

test('a link to an entry is not followed', {
  skip: process.platform === 'win32' && 'needs a right to link',
}, async () => {
  const folder = freshFolder()
  await compileCached(request, { folder, compiler })
  const path = join(folder, `${key}.wasm`)
  renameSync(path, join(folder, 'elsewhere'))
  symlinkSync(join(folder, 'elsewhere'), path)
  assert.equal(readCached(key, folder), undefined)
})

test('only the newest entries are kept, and what a killed process left behind goes with the rest', () => {
  const folder = freshFolder()
  mkdirSync(folder, { mode: 0o700 })
  const left = join(folder, `${'f'.repeat(64)}.0.tmp`)
  writeFileSync(left, '')
  utimesSync(left, 1, 1)
  writeFileSync(join(folder, 'notes.txt'), 'not an entry')
  for (let i = 0; i < cacheEntriesMax + 5; i++) {
    const name = i.toString(16).padStart(64, '0')
    writeCached(name, Buffer.from(`policy ${i}`), folder)
    utimesSync(join(folder, `${name}.wasm`), 1_000 + i, 1_000 + i)
  }
  writeCached(key, Buffer.from('the newest'), folder)
  const names = readdirSync(folder)
  assert.equal(names.length, cacheEntriesMax + 1)
  assert.ok(names.includes('notes.txt') && names.includes(`${key}.wasm`))
  assert.equal(readCached('0'.repeat(64), folder), undefined)
  assert.deepEqual(
    names.filter((name) => name.endsWith('.tmp')),
    [],
  )
})

test('a policy that does not compile is not kept', async () => {
  const folder = freshFolder()
  const wrong = { ...request, modules: { 'refunds.rego': 'package refunds\n\nallow := missing\n' } }
  await assert.rejects(compileCached(wrong, { folder, compiler }), { code: 'compile_failed' })
  assert.equal(readCached(cacheKey(wrong), folder), undefined)
})

test('a hit loads neither the compiler nor what starts it', async () => {
  const folder = freshFolder()
  await compileCached(request, { folder, compiler })
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    const { compileCached } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../src/compile/cache.ts')).href)})
    const { fromCache } = await compileCached(${JSON.stringify(request)}, { folder: ${JSON.stringify(folder)} })
    console.log(fromCache, loaded.filter((url) => /child_process|compiler\\.ts|process\\.ts/.test(url)).length)
  `
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.equal(stdout, 'true 0\n')
})

test('the cache folder is where each system keeps such things', () => {
  const at = (platform: NodeJS.Platform, env: Record<string, string>) => cacheFolder({ platform, env, home: '/home/a' })
  assert.equal(at('linux', {}), '/home/a/.cache/tollgate')
  assert.equal(at('linux', { XDG_CACHE_HOME: '/x' }), '/x/tollgate')
  assert.equal(at('linux', { XDG_CACHE_HOME: 'relative' }), '/home/a/.cache/tollgate')
  assert.equal(at('darwin', {}), '/home/a/Library/Caches/tollgate')
  assert.equal(at('darwin', { TOLLGATE_CACHE_DIR: '/c' }), '/c')
  assert.equal(at('linux', { TOLLGATE_CACHE_DIR: '', XDG_CACHE_HOME: '' }), '/home/a/.cache/tollgate')
  assert.match(at('win32', { LOCALAPPDATA: 'C:\\Local' }), /^C:\\Local.tollgate$/)
})

function neverAsked(): Compiler {
  return new Proxy({} as Compiler, {
    get: () => {
      throw new Error('the compiler was asked')
    },
  })
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}
