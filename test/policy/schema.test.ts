import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { guardSchema, nativeSchema } from '../../src/policy/schema.ts'
import { examplesOf, policyPages } from './pages.ts'

const schemas = { 'native.schema.json': nativeSchema, 'guard.schema.json': guardSchema }

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0]
const native = z.fromJSONSchema(nativeSchema as JsonSchema)
const guard = z.fromJSONSchema(guardSchema as JsonSchema)

test('the published schemas are the ones of the parser (UPDATE=1 writes them)', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    const file = new URL(name, policyPages)
    if (process.env['UPDATE']) writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), schema)
  }
})

test('the schemas accept every example of the reference', () => {
  for (const [name, schema] of [
    ['native.md', native],
    ['guard.md', guard],
  ] as const)
    for (const text of examplesOf(name)) {
      const { error } = schema.safeParse(parse(text))
      assert.equal(error && z.prettifyError(error), undefined, text)
    }
})

test('the schemas refuse what is misspelt, missing or of another type', () => {
  const tools = (pay: unknown) => ({ version: '1', default: 'deny', tools: { pay } })
  const rule = (written: unknown) => tools({ rules: [written] })
  assert.ok(native.safeParse(rule({ rate_limit: '1/day' })).success)
  for (const wrong of [
    { version: '1', tools: {} },
    { version: '2', default: 'deny', tools: {} },
    tools(null),
    tools({ rule: [] }),
    rule({ on_denied: 'x' }),
    rule({ action: 'evaluate' }),
    rule({ rate_limit: '10/days' }),
    rule({ spend: { daily: -1 } }),
    rule({ arguments: { a: { each: { fields: { b: { typ: 'string' } } } } } }),
  ])
    assert.ok(!native.safeParse(wrong).success, JSON.stringify(wrong))
  assert.ok(!guard.safeParse({ policy_id: 'a', policy_version: '1', allowlist: ['a*'] }).success)
})
