import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderedId } from '../../src/runtime/ids.ts'

test('an id is a UUID of version 7 and carries its time', () => {
  const before = Date.now()
  const id = orderedId()
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const at = Number.parseInt(id.replace('-', '').slice(0, 12), 16)
  assert.ok(at >= before && at <= Date.now())
  assert.notEqual(orderedId(), id)
})
