/** The package as it is packed: what it holds, what importing it loads, its declarations, and the programs of its page. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const root = fileURLToPath(new URL('../../', import.meta.url))
const bin = join(root, 'node_modules', '.bin')
const folder = mkdtempSync(join(tmpdir(), 'tollgate-package-'))
/** A program that has the package among its dependencies. */
const consumer = join(folder, 'consumer')
let packed: readonly string[] = []

before(() => {
  const source = join(folder, 'source')
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly files: readonly string[]
  }
  mkdirSync(source)
  for (const name of ['package.json', ...files.filter((name) => name !== 'dist')]) {
    cpSync(join(root, name), join(source, name), { recursive: true, dereference: true })
  }
  // Errors elsewhere are for the type check to report; what is emitted is complete all the same.
  spawnSync(join(bin, 'tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(source, 'dist')])
  const npm = ['pack', '--json', '--offline', '--ignore-scripts', '--pack-destination', folder]
  const [tarball] = JSON.parse(execFileSync('npm', npm, { cwd: source, encoding: 'utf8', stdio: 'pipe' }))
  packed = tarball.files.map(({ path }: { readonly path: string }) => path)
  const modules = join(consumer, 'node_modules')
  mkdirSync(join(modules, 'tollgate'), { recursive: true })
  execFileSync('tar', ['xzf', join(folder, tarball.filename), '--strip-components=1', '-C', join(modules, 'tollgate')])
  for (const name of readdirSync(join(root, 'node_modules')))
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }')
})

after(() => rmSync(folder, { recursive: true, force: true }))

function run(file: string, ...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...args, file], { cwd: consumer, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}

test('the package holds what it needs to compile and decide, and no sources or tests', () => {
  for (const file of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cli/main.js',
    'bin/tollgate',
    'docs/library.md',
    'LICENSE',
  ])
    assert.ok(packed.includes(file), file)
  assert.ok(packed.some((path) => path.startsWith('compiler/dist/compiler.wasm')))
  assert.deepEqual(
    packed.filter(
      (path) =>
        /^(src|test|bench|node_modules)\//.test(path) ||
        (/\.ts$/.test(path) && !/\.d\.ts$/.test(path) && !path.startsWith('docs/')),
    ),
    [],
  )
})

test('importing the package loads neither a dependency nor a language nor the compiler', () => {
  const hooks = `
    import { registerHooks } from 'node:module'
    globalThis.loaded = []
    registerHooks({ load(url, context, next) { globalThis.loaded.push(url); return next(url, context) } })
  `
  writeFileSync(join(consumer, 'hooks.mjs'), hooks)
  const program = `
    const { openGate } = await import('tollgate')
    console.log(JSON.stringify(globalThis.loaded))
    const gate = await openGate({ policy: { name: 'p', text: '{"version":"1","default":"allow","tools":{}}' }, ledger: ':memory:' })
    console.log(gate.check({ server: 's', tool: 't' }).decision, globalThis.loaded.some((url) => url.includes('/yaml/')))
    gate.close()
  `
  writeFileSync(join(consumer, 'light.mjs'), program)
  const [first = '', second] = run('light.mjs', '--import', './hooks.mjs').split('\n')
  const loaded = JSON.parse(first) as readonly string[]
  const own = loaded.filter((url) => url.includes('/tollgate/dist/'))
  const foreign = loaded.filter((url) => !own.includes(url) && !url.startsWith('node:') && !url.endsWith('/light.mjs'))
  assert.deepEqual(foreign, [])
  const heavy = loaded.filter((url) => /\/(native|codegen|compiler|ledger|pdp|mcp|cli)\//.test(url))
  assert.deepEqual(heavy, [])
  assert.ok(own.length < 28, own.join('\n'))
  assert.equal(second, 'allow true')
})

test('a program in CommonJS gets it by require, as Node.js gives it ES modules', () => {
  writeFileSync(join(consumer, 'old.cjs'), "console.log(typeof require('tollgate').openGate)")
  assert.equal(run('old.cjs'), 'function\n')
})

const programs: readonly [name: string, options: object][] = [
  ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
  ['node16', { module: 'node16', moduleResolution: 'node16' }],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ['nodenext with exact optional properties', { module: 'nodenext', exactOptionalPropertyTypes: true }],
]

for (const [name, options] of programs) {
  test(`the declarations hold in a strict program (${name}), alone and beside the SDKs`, () => {
    const compile = (file: string, more: object) => {
      const text = readFileSync(join(root, 'test', 'library', file), 'utf8')
      writeFileSync(join(consumer, file), text.replaceAll("'../../src/index.ts'", "'tollgate'"))
      const compilerOptions = { strict: true, noEmit: true, target: 'es2022', lib: ['es2022'], ...options, ...more }
      writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
      const { stdout, status } = spawnSync(join(bin, 'tsc'), ['-p', consumer], { encoding: 'utf8' })
      assert.equal(status, 0, stdout)
    }
    // Nothing but the language: the declarations need no types of Node.js and none of a dependency.
    compile('types.ts', { types: [], skipLibCheck: false })
    compile('sdkTypes.ts', { types: ['node'], lib: ['es2022', 'dom'], skipLibCheck: true })
  })
}

test('no declaration says any', () => {
  const dist = join(consumer, 'node_modules', 'tollgate', 'dist')
  const seen = new Set<string>()
  const look = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    const text = readFileSync(file, 'utf8').replaceAll(/\/\*.*?\*\//gs, '')
    assert.doesNotMatch(text, /\bany\b/, file)
    for (const [, path = ''] of text.matchAll(/from '(\.[^']*)'/g))
      look(join(file, '..', path.replace(/\.[jt]s$/, '.d.ts')))
  }
  look(join(dist, 'index.d.ts'))
  assert.ok(seen.has(join(dist, 'library', 'types.d.ts')))
  assert.deepEqual(
    [...seen].filter((file) => /\/(pep|ledger|mcp|runtime)\//.test(file)),
    [],
  )
})

const page = readFileSync(join(root, 'docs', 'library.md'), 'utf8')
const blocks = [...page.matchAll(/```(\w+) (\S+)\n(.*?)```/gs)].map(([, kind, name = '', text = '']) => ({
  kind,
  name,
  text,
}))
const snippets = blocks.filter(({ kind }) => kind !== 'text')

test('the programs of the page type-check', () => {
  for (const { name, text } of snippets) writeFileSync(join(consumer, name), text)
  const files = snippets.filter(({ kind }) => kind === 'ts').map(({ name }) => name)
  assert.deepEqual(files, ['check.ts', 'call.ts', 'client.ts', 'server.ts', 'http.ts', 'errors.ts'])
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2024',
    types: ['node'],
    skipLibCheck: true,
  }
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const { stdout, status } = spawnSync(join(bin, 'tsc'), ['-p', consumer], { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})

for (const { name } of blocks.filter(({ kind }) => kind === 'ts')) {
  if (name === 'server.ts') continue
  test(`the program ${name} of the page prints what the page says`, () => {
    for (const snippet of snippets) writeFileSync(join(consumer, snippet.name), snippet.text)
    const expected = blocks.find((block) => block.kind === 'text' && block.name === name)
    assert.equal(run(name), expected?.text ?? '')
  })
}

test('the program server.ts of the page is a guarded server', async (t) => {
  for (const snippet of snippets) writeFileSync(join(consumer, snippet.name), snippet.text)
  const client = new Client({ name: 'reader', version: '1.0.0' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: ['server.ts'], cwd: consumer }))
  t.after(() => client.close())
  const good = await client.callTool({ name: 'create_refund', arguments: { amount: 5 } })
  assert.deepEqual(good.content, [{ type: 'text', text: 'refunded 5' }])
  assert.equal((await client.callTool({ name: 'create_refund', arguments: { amount: 500 } })).isError, true)
})
