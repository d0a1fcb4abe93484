import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { trustSchema } from '../../src/bundle/trustFile.ts'
import { program } from '../../src/cli/program.ts'
import { schemas as published } from '../../src/cli/schema.ts'
import { settingsSchema } from '../../src/cli/settingsFile.ts'
import {
  aegisSchema,
  guardSchema,
  interceptSchema,
  nativeSchema,
  packSchema,
  packSettingsSchema,
} from '../../src/policy/schema.ts'
import { casesSchema } from '../../src/testing/caseFile/keys.ts'
import { examplesOf, policyPages } from './pages.ts'

const schemas = {
  'native.schema.json': nativeSchema,
  'guard.schema.json': guardSchema,
  'intercept.schema.json': interceptSchema,
  'aegis.schema.json': aegisSchema,
  'pack.schema.json': packSchema,
  'pack-settings.schema.json': packSettingsSchema,
  'settings.schema.json': settingsSchema,
  'cases.schema.json': casesSchema,
  'trust.schema.json': trustSchema,
}

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0]
const native = z.fromJSONSchema(nativeSchema as JsonSchema)
const intercept = z.fromJSONSchema(interceptSchema as JsonSchema)
const guard = z.fromJSONSchema(guardSchema as JsonSchema)
const aegis = z.fromJSONSchema(aegisSchema as JsonSchema)
const pack = z.fromJSONSchema(packSchema as JsonSchema)
const packSettings = z.fromJSONSchema(packSettingsSchema as JsonSchema)

test('the published schemas are the ones of the parser (UPDATE=1 writes them)', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    const file = new URL(name, policyPages)
    if (process.env['UPDATE']) writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), schema)
  }
})

test('a schema is printed as it is published, under a name that stays', () => {
  const ids = {
    native: 'urn:tollgate:policy:native:1',
    guard: 'urn:tollgate:policy:guard:1',
    intercept: 'urn:tollgate:policy:intercept:1',
    aegis: 'urn:tollgate:policy:aegis:1',
    pack: 'urn:tollgate:policy:pack:1',
    'pack-settings': 'urn:tollgate:policy:pack-settings:1',
    settings: 'urn:tollgate:settings:1',
    cases: 'urn:tollgate:cases:1',
  }
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const printed = (...args: readonly string[]) =>
    spawnSync(process.execPath, [main, 'schema', ...args], { encoding: 'utf8' })
  for (const [name, id] of Object.entries(ids)) {
    const { stdout } = printed(name)
    assert.deepEqual(JSON.parse(stdout), JSON.parse(readFileSync(new URL(`${name}.schema.json`, policyPages), 'utf8')))
    assert.equal(JSON.parse(stdout).$id, id)
  }
  assert.equal(printed().stdout, printed('native').stdout)
  assert.equal(printed('intercpt').status, 2)
  // The program cannot name the languages without loading them.
  const [language] = program.commands.find((command) => command.name() === 'schema')?.registeredArguments ?? []
  assert.deepEqual(language?.argChoices, Object.keys(published))
})

test('the schemas accept every example of the reference', () => {
  for (const [name, schema] of [
    ['native.md', native],
    ['guard.md', guard],
    ['intercept.md', intercept],
    ['aegis.md', aegis],
  ] as const)
    for (const text of examplesOf(name)) {
      const { error } = schema.safeParse(parse(text))
      assert.equal(error && z.prettifyError(error), undefined, text)
    }
})

test('the schemas accept the sample pack, the settings of the reference and those of the cases', () => {
  const file = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const [settings = ''] = /(?<=```yaml\n)pack: .*?(?=```)/s.exec(file('../../docs/policies/pack.md')) ?? []
  for (const [schema, value] of [
    [pack, JSON.parse(file('../pack/fixtures/mcp-gateway-policy.json'))],
    [packSettings, parse(settings)],
    [packSettings, parse(file('../cases/pack-settings.yaml')).policy],
  ] as const) {
    const { error } = schema.safeParse(value)
    assert.equal(error && z.prettifyError(error), undefined)
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
  for (const wrong of [
    { rules: [{ mach: {} }] },
    { rules: [{ conditions: { parm_eq: { a: 1 } } }] },
    { defaults: { approval: 'allow' } },
  ])
    assert.ok(!aegis.safeParse(wrong).success, JSON.stringify(wrong))
  const sample = readFileSync(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url), 'utf8')
  for (const [from, to] of [
    ['"default_decision": "deny"', '"default_decision": "allow"'],
    ['"access": "read"', '"access": "reed"'],
    ['"allowed_mcp_scopes"', '"allowed_mcp_scope"'],
  ] as const) {
    assert.ok(sample.includes(from), from)
    assert.ok(!pack.safeParse(JSON.parse(sample.replace(from, to))).success, to)
  }
  for (const wrong of [
    { manifest: 'm.json' },
    { pack: 'p.json', maturty: ['walk'] },
    { pack: 'p.json', claims: { gate_phase: 'phase' } },
    { pack: 'p.json', tools: { push: { access: 'read' } } },
  ])
    assert.ok(!packSettings.safeParse(wrong).success, JSON.stringify(wrong))
  assert.ok(!guard.safeParse({ policy_id: 'a', policy_version: '1', allowlist: ['a*'] }).success)
})
