import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('a server that was started for a gate whose ledger cannot be opened ends with it, even one that ignores SIGTERM', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-start-'))
  const policy = join(folder, 'policy.yaml')
  const ledger = join(folder, 'ledger.db')
  writeFileSync(policy, 'version: "1"\ndefault: deny\ntools: { pay: { rules: [] } }\n')
  writeFileSync(ledger, 'this is no ledger, and it is long enough to be looked at'.repeat(100))
  const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"
  const options = ['run', '-c', policy, '--ledger', ledger, '--', process.execPath, '-e', deaf]
  const { status, stderr, signal } = spawnSync(process.execPath, [main, ...options], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  rmSync(folder, { recursive: true })
  assert.deepEqual({ status, signal }, { status: 1, signal: null })
  assert.match(stderr, /ledger_corrupt/)
})
