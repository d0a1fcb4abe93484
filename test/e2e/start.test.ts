/** `tollgate run` when what it needs is not there: everything that is wrong is told, and nothing stays behind. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tollgate-start-'))
after(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const policy = file('policy.yaml', 'version: "1"\ndefault: deny\ntools: { pay: { rules: [] } }\n')
const noPolicy = file('none.yaml', 'version: "1"\ndefault: dney\ntools: {}\n')
const noLedger = file('no-ledger.db', 'this is no ledger, and it is long enough to be looked at'.repeat(100))
const ledger = join(folder, 'ledger.db')
const noCommand = [join(folder, 'no-such-server')]

/** What it says is wrong, by code, in the order in which it says so. */
function wrong(config: string, ledgerFile: string, command: readonly string[]): readonly (string | undefined)[] {
  const options = ['run', '-c', config, '--ledger', ledgerFile, '--', ...command]
  const { status, stderr, signal } = spawnSync(process.execPath, [main, ...options], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.deepEqual({ status, signal }, { status: 1, signal: null }, stderr)
  return [...stderr.matchAll(/\((\w+)\)$/gm)].map(([, code]) => code)
}

test('a server that was started for a gate whose ledger cannot be opened ends with it, even one that ignores SIGTERM', () => {
  const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"
  assert.deepEqual(wrong(policy, noLedger, [process.execPath, '-e', deaf]), ['ledger_corrupt'])
})

test('a server that cannot be started is told', () => {
  assert.deepEqual(wrong(policy, ledger, noCommand), ['spawn_failed'])
})

test('where the ledger cannot be opened either, both are told', () => {
  assert.deepEqual(wrong(policy, noLedger, noCommand), ['spawn_failed', 'ledger_corrupt'])
})

test('where the policy is wrong, no server is started', () => {
  assert.deepEqual(wrong(noPolicy, ledger, noCommand), ['policy_invalid'])
})
