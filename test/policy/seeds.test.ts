import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { formatDiagnostic, parsePolicy } from '../../src/policy/parse.ts'
import { ofAll } from './strategies.ts'

function load(name: string) {
  const file = new URL(`fixtures/${name}`, import.meta.url)
  const { policy, diagnostics } = parsePolicy({ file: name, text: readFileSync(file) })
  assert.deepEqual(diagnostics.map(formatDiagnostic), [])
  return ofAll(policy)
}

test('the payments policy loads with its five tools and no word of complaint', () => {
  const policy = load('payments.yaml')
  assert.equal(policy.id, 'payments')
  assert.equal(policy.default, 'deny')
  assert.deepEqual(
    policy.entries.map(({ key }) => key),
    ['get_balance', 'list_transactions', 'create_payment', 'create_refund', 'close_account'],
  )
})

test('the guard allowlist means the same as YAML and as JSON', () => {
  const [yaml, json] = [load('guard.yaml'), load('guard.json')]
  const bare = (policy: typeof yaml) => ({ ...policy, entries: policy.entries.map(({ place: _, ...entry }) => entry) })
  assert.deepEqual(bare(yaml), bare(json))
  assert.deepEqual(bare(yaml), {
    strategy: 'all',
    language: 'guard',
    id: 'mcp-guard-v1',
    version: '2026-01-16',
    default: 'deny',
    reasonCodes: { allow: 'ALLOW', block: 'TOOL_NOT_ALLOWED' },
    entries: ['crm.read', 'tickets.update', 'billing.lookup'].map((name) => ({
      method: 'tools/call',
      key: name,
      match: [{ name: { kind: 'literal', text: name } }],
      lists: true,
      rules: [],
    })),
  })
})
