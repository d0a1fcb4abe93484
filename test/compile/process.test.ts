import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { type Compiler, openCompiler } from '../../src/compile/compiler.ts'
import { compilerFolder } from '../../src/compile/module.ts'
import { refunds } from './evaluate.ts'

const scratch = mkdtempSync(join(tmpdir(), 'tollgate-process-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const request = { modules: { 'refunds.rego': refunds }, entrypoints: ['refunds/allow'] }
const compilerModule = pathToFileURL(join(import.meta.dirname, '../../src/compile/compiler.ts')).href

/** Solving this takes OPA far longer than any test waits. */
const endless = {
  modules: {
    'a.rego':
      'package a\n\nn := numbers.range(1, 3000)\n\nx := count([1 | some i in n; some j in n; some k in n; i + j == k])\n',
  },
  query: 'data.a.x',
}

async function withCompiler(options: Parameters<typeof openCompiler>[0], use: (compiler: Compiler) => Promise<void>) {
  const compiler = await openCompiler(options)
  try {
    await use(compiler)
  } finally {
    await compiler.close()
  }
}

function copyOfModule(name: string): string {
  const folder = join(scratch, name)
  cpSync(compilerFolder, folder, { recursive: true })
  return folder
}

test('a request over its time limit is ended and the next one is served', async () => {
  await withCompiler({ timeLimitMs: 6_000 }, async (compiler) => {
    const stuck = assert.rejects(compiler.eval(endless), { code: 'compiler_timeout' })
    const next = compiler.build(request) // asked while the first one runs
    await stuck
    assert.ok((await next).wasm.length > 0)
  })
})

test('a module that is not the one compiler.json names is never run', async () => {
  const folder = copyOfModule('digest')
  const path = join(folder, 'compiler.json')
  const identity = JSON.parse(readFileSync(path, 'utf8'))
  for (const field of ['digest', 'shim_digest']) {
    writeFileSync(path, JSON.stringify({ ...identity, [field]: '0'.repeat(64) }))
    await withCompiler({ folder }, async (compiler) => {
      await assert.rejects(compiler.build(request), { code: 'compiler_digest_mismatch' })
    })
  }
})

test('a changed byte in the shim is found', async () => {
  const folder = copyOfModule('shim')
  const path = join(folder, 'wasm_exec.js')
  writeFileSync(path, `${readFileSync(path, 'utf8')}\n`)
  await withCompiler({ folder }, async (compiler) => {
    await assert.rejects(compiler.check(request), { code: 'compiler_digest_mismatch' })
  })
})

test('a damaged or absent module is an error that can be read', async () => {
  const folder = copyOfModule('damaged')
  const path = join(folder, 'compiler.wasm.zst')
  writeFileSync(path, readFileSync(path).subarray(0, 1_000_000))
  await withCompiler({ folder }, async (compiler) => {
    await assert.rejects(compiler.build(request), { code: 'compiler_unavailable' })
  })
  await withCompiler({ folder: join(scratch, 'nowhere') }, async (compiler) => {
    await assert.rejects(compiler.build(request), { code: 'compiler_unavailable', message: /compiler\.json/ })
  })
})

test('a request that recurses very deeply is answered or refused, and the next one is served', async () => {
  await withCompiler({}, async (compiler) => {
    for (const depth of [1_000, 9_000, 200_000]) {
      const text = `package a\n\nx := ${'['.repeat(depth)}${']'.repeat(depth)}\n`
      const found = await compiler.check({ modules: { 'a.rego': text } })
      if (depth === 200_000) assert.match(found[0]?.message ?? '', /recursion depth/)
      else assert.deepEqual(found, [])
    }
    assert.ok((await compiler.build(request)).wasm.length > 0)
  })
})

test('a request over the size limit is refused without a process', async () => {
  await withCompiler({}, async (compiler) => {
    const modules = { 'a.rego': 'package a\n'.padEnd(65 * 1024 * 1024, '#') }
    await assert.rejects(compiler.check({ modules }), { code: 'compiler_request_too_large' })
  })
})

test('a closed compiler refuses, and ends what was running', async () => {
  const compiler = await openCompiler()
  const running = assert.rejects(compiler.eval(endless), { code: 'compiler_closed' })
  await sleep(500)
  await compiler.close()
  await running
  await assert.rejects(compiler.version(), { code: 'compiler_closed' })
  await compiler.close()
})

test('an idle compiler keeps no process alive and writes nothing to its stdout', () => {
  const script = `
    const { openCompiler } = await import(${JSON.stringify(compilerModule)})
    const compiler = await openCompiler()
    await compiler.check({ modules: { 'a.rego': 'package a' } })
  `
  const found = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 30_000,
    encoding: 'utf8',
  })
  assert.deepEqual([found.status, found.signal, found.stdout, found.stderr], [0, null, '', ''])
})

test('a busy compiler ends when its parent is killed', {
  skip: !existsSync('/proc/self/task') && 'needs /proc',
}, async () => {
  const script = `
    const { openCompiler } = await import(${JSON.stringify(compilerModule)})
    const compiler = await openCompiler()
    await compiler.version()
    console.log('running')
    await compiler.eval(${JSON.stringify(endless)})
  `
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(parent.stdout, 'data')
  await sleep(300)
  const children = childrenOf(parent.pid ?? 0)
  assert.equal(children.length, 1)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  for (let waited = 0; waited < 5_000 && isRunning(children[0] ?? 0); waited += 50) await sleep(50)
  assert.equal(isRunning(children[0] ?? 0), false)
})

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

/** A zombie that nobody has collected yet has ended. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
