// Compares our modules with those of a native `opa build`. Needs Go and a minute, so it runs when asked to:
// TOLLGATE_TEST_GO=1 npm test
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { openCompiler } from '../../src/compile/compiler.ts'
import { compilerFolder, readIdentity } from '../../src/compile/module.ts'
import type { Modules } from '../../src/compile/request.ts'
import { refunds } from './evaluate.ts'

const { opa: opaVersion, go: goVersion } = readIdentity(compilerFolder)
const skip = whyNot()
const scratch = skip === false ? mkdtempSync(join(tmpdir(), 'tollgate-native-')) : ''
after(() => {
  if (scratch !== '') rmSync(scratch, { recursive: true })
})

interface Sample {
  readonly modules: Modules
  readonly entrypoints: readonly string[]
}

const samples: Readonly<Record<string, Sample>> = {
  'a small policy': { modules: { 'refunds.rego': refunds }, entrypoints: ['refunds/allow'] },
  'patterns, which link RE2': {
    modules: {
      'a.rego': 'package a\n\nx if glob.match("*/b", ["/"], input.p)\n\ny if regex.match("^a", input.p)\n',
    },
    entrypoints: ['a/x', 'a/y'],
  },
  'odd names, several folders, annotated entrypoints': {
    modules: {
      'tools/退款.rego': 'package tools["退款"]\n\nd := 1\n',
      'tools/odd.rego': 'package tools["a/b \\"c\\""]\n\nd := 2\n',
      'main.rego':
        'package main\n\n# METADATA\n# entrypoint: true\nd := data.tools[input.tool].d\n\nn := data.limits.n\n',
    },
    entrypoints: ['main/n'],
  },
  'three hundred tools': { modules: tools(300), entrypoints: ['main/decision'] },
}

test('the module is byte for byte what a native opa build makes', { skip, timeout: 600_000 }, async (context) => {
  const opa = installOpa()
  const compiler = await openCompiler()
  try {
    for (const [name, sample] of Object.entries(samples)) {
      const { wasm } = await compiler.build(sample)
      assert.ok(Buffer.from(wasm).equals(buildNatively(opa, sample)), name)
      context.diagnostic(`${name}: ${wasm.length} bytes`)
    }
  } finally {
    await compiler.close()
  }
})

test('the Go program answers its protocol', { skip, timeout: 600_000 }, () => {
  const env = { ...process.env, GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: goVersion }
  execFileSync('go', ['test', './...'], { cwd: join(compilerFolder, '..'), env })
})

function whyNot(): string | false {
  if (process.env['TOLLGATE_TEST_GO'] !== '1') return 'runs when TOLLGATE_TEST_GO is 1'
  return spawnSync('go', ['version']).status === 0 ? false : 'Go is not installed'
}

function installOpa(): string {
  const env = { ...process.env, GOBIN: scratch, GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: goVersion }
  execFileSync('go', ['install', '-tags', 'opa_no_oci', `github.com/open-policy-agent/opa@${opaVersion}`], { env })
  return join(scratch, 'opa')
}

function buildNatively(opa: string, { modules, entrypoints }: Sample): Buffer {
  const folder = mkdtempSync(join(scratch, 'sample-'))
  for (const [path, text] of Object.entries(modules)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const named = entrypoints.flatMap((entrypoint) => ['-e', entrypoint])
  execFileSync(opa, ['build', '-t', 'wasm', ...named, '-o', 'out.tar.gz', ...Object.keys(modules)], { cwd: folder })
  return fileInTar(gunzipSync(readFileSync(join(folder, 'out.tar.gz'))), '/policy.wasm')
}

/** A bundle's entries have plain ustar headers. */
function fileInTar(tar: Buffer, wanted: string): Buffer {
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar.toString('utf8', at, tar.indexOf(0, at))
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8)
    if (name === wanted) return tar.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error(`no ${wanted} in the bundle`)
}

function tools(count: number): Modules {
  const modules: Record<string, string> = {
    'main.rego': 'package main\n\ndecision := data.tools[input.tool].decision\n',
  }
  for (let i = 0; i < count; i++) {
    modules[`tool_${i}.rego`] =
      `package tools.tool_${i}\n\ndefault decision := "deny"\n\ndecision := "allow" if input.n <= ${i}\n`
  }
  return modules
}
