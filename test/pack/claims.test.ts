import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runFromClaims } from '../../src/model/pack/claims.ts'

const mapping = { workflow_id: ['https://host.example/run', 'workflow'], agent_id: ['sub'], run_id: ['jti'] }

test('claims become the attributes that they are mapped to, and no others', () => {
  const claims = {
    sub: 'codex',
    jti: 'r1',
    'https://host.example/run': { workflow: 'one' },
    human_approval_record: true,
  }
  assert.deepEqual(runFromClaims(mapping, claims), { workflow_id: 'one', agent_id: 'codex', run_id: 'r1' })
})

test('a claim that is not there leaves its attribute empty', () => {
  assert.deepEqual(runFromClaims(mapping, { sub: 'codex' }), { workflow_id: null, agent_id: 'codex', run_id: null })
})
