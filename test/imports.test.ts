/** Imports point one way (ARCHITECTURE.md), the deep folders are pure, and each danger has one door. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../src/', import.meta.url))

/** What each folder may import of the others; files that stand in `src` itself belong to `library`. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  policy: ['model'],
  reference: ['model'],
  codegen: ['model', 'policy'],
  compile: ['model'],
  opa: ['model'],
  bundle: ['model', 'policy', 'codegen', 'compile', 'opa'],
  pdp: ['model', 'bundle'],
  ledger: ['model'],
  log: ['model'],
  pep: ['model'],
  mcp: ['model', 'pep'],
  http: ['model', 'pep', 'mcp'],
  identity: ['model', 'policy'],
  distribution: ['model', 'opa', 'http'],
  admission: ['model', 'policy', 'log', 'pep', 'mcp', 'http'],
  scan: ['model', 'policy'],
  pack: ['model', 'policy'],
  convert: ['model', 'policy'],
  init: ['model', 'scan'],
  replay: ['model', 'log', 'pep'],
  diff: ['model', 'reference'],
  runtime: ['model', 'policy', 'opa', 'bundle', 'pdp', 'ledger', 'log', 'pep'],
  testing: ['model', 'policy', 'reference', 'diff', 'compile', 'opa', 'bundle', 'ledger', 'log', 'pep', 'runtime'],
  library: ['model', 'compile', 'bundle', 'ledger', 'log', 'pep', 'mcp', 'pdp', 'policy', 'runtime'],
  cli: [
    'model',
    'policy',
    'reference',
    'codegen',
    'compile',
    'opa',
    'bundle',
    'pdp',
    'ledger',
    'log',
    'pep',
    'mcp',
    'http',
    'identity',
    'admission',
    'distribution',
    'scan',
    'pack',
    'convert',
    'init',
    'replay',
    'diff',
    'runtime',
    'testing',
  ],
}

/** Folders without a clock, a file or a socket. */
const pure = ['model', 'policy', 'reference', 'codegen', 'opa', 'scan', 'pack', 'convert', 'init', 'replay', 'diff']

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const sources = files.map((name) => ({ name, text: readFileSync(resolve(src, name), 'utf8') }))

function folderOf(name: string): string {
  const [first = '', ...rest] = name.split('/')
  return rest.length === 0 ? 'library' : first
}

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string)
}

test('imports point one way', () => {
  const wrong = sources.flatMap(({ name, text }) =>
    importsOf(text)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => folderOf(relative(src, resolve(src, dirname(name), specifier))))
      .filter((target) => target !== folderOf(name) && !mayImport[folderOf(name)]?.includes(target))
      .map((target) => `${name} imports ${target}`),
  )
  assert.deepEqual(wrong, [])
})

test('the deep folders have no clock, no file and no socket', () => {
  const texts = ['yaml', 're2js', 'diff', 'jsonc-parser/lib/umd/main.js']
  const packing = ['node:zlib', 'fflate', 'jose']
  const allowed = new Set(['node:buffer', 'node:crypto', 'node:path', 'node:util', ...texts])
  for (const { name, text } of sources.filter(({ name }) => pure.includes(folderOf(name)))) {
    const more = folderOf(name) === 'opa' ? packing : []
    const outside = importsOf(text).filter(
      (specifier) => !specifier.startsWith('.') && !allowed.has(specifier) && !more.includes(specifier),
    )
    assert.deepEqual(outside, [], name)
    assert.doesNotMatch(text, /Date\.now\(|new Date\(\)|Math\.random\(|process\.|performance\./, name)
  }
})

test('each danger has one door', () => {
  const doors: readonly [string, RegExp, ...string[]][] = [
    ['the WASM SDK', /@open-policy-agent\/opa-wasm/, 'pdp/engine.ts'],
    ['the end of the process', /process\.exit\(/, 'cli/exit.ts', 'compile/'],
    ['Express', /from 'express'/, 'admission/'],
    ['prom-client', /from 'prom-client'/, 'admission/metrics.ts'],
    ['what escapes HTML', /&lt;/, 'admission/html.ts'],
    ['SQLite', /import (?!type ).*from 'better-sqlite3'/, 'ledger/'],
    [
      'requests over the network',
      /from 'undici'|from 'node:https?'|\bfetch\(/,
      'http/',
      'identity/jwks.ts',
      'admission/',
      'distribution/',
    ],
    ['signed tokens', /from 'jose'/, 'identity/', 'opa/'],
    ['OpenTelemetry', /from '@opentelemetry/, 'cli/traces.ts'],
    ['gRPC', /from '@grpc\//, 'admission/extMcpServer.ts'],
    ['the logger', /from 'pino'/, 'cli/logJson.ts'],
    [
      'the MCP SDKs at run time',
      /from '@modelcontextprotocol/,
      'cli/mcp.ts',
      'cli/scanServer.ts',
      'cli/serverProcess.ts',
    ],
  ]
  for (const [danger, pattern, ...allowed] of doors) {
    const users = sources
      .filter(({ text }) => pattern.test(text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')))
      .map(({ name }) => name)
    for (const name of users)
      assert.ok(
        allowed.some((door) => name.startsWith(door)),
        `${danger}: ${name}`,
      )
  }
})

test('every file opens with a line on what it is for', () => {
  for (const { name, text } of sources) assert.match(text, /^(\/\*\*|\/\/)/, name)
})
