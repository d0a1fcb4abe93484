/** What a policy names and a server lacks: each warning where it fires, and the nearest in which it does not. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Report } from '../../src/policy/diagnostics.ts'
import { parseInto } from '../../src/policy/parse.ts'
import type { Scan } from '../../src/scan/definition.ts'
import { reportMissing } from '../../src/scan/missing.ts'

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const currency = { enum: ['GBP', 'USD'] }

const bank: Scan = {
  server: {},
  resources: [],
  resourceTemplates: [],
  unfinished: [],
  prompts: [{ name: 'greet', arguments: [{ name: 'name' }] }],
  tools: [
    {
      name: 'create_refund',
      inputSchema: object(
        {
          amount: { type: 'number' },
          currency: { $ref: '#/$defs/currency' },
          to: object({ iban: { type: 'string' } }, { additionalProperties: false }),
          lines: { type: 'array', items: object({ price: { type: 'number' }, kind: { const: 'fee' } }) },
          note: { anyOf: [currency, { type: 'null' }] },
          meta: { type: 'object' },
        },
        { $defs: { currency } },
      ),
    },
    { name: 'get_refund', inputSchema: object({ id: { type: 'string' } }) },
    { name: 'get_order', inputSchema: object({ id: { type: 'string' }, full: { type: 'boolean' } }) },
    { name: 'open', inputSchema: object({ a: {} }, { additionalProperties: true }) },
    { name: 'bare' },
    { name: 'odd', inputSchema: 'no schema' },
    'no tool at all',
  ],
}

function said(text: string, { scan = bank, server }: { scan?: Scan; server?: string } = {}) {
  const report = new Report('f.yaml')
  const { policy } = parseInto(report, text)
  assert.ok(policy, JSON.stringify(report.diagnostics()))
  const before = report.diagnostics().length
  const { skipped } = reportMissing(policy, scan, server, report)
  const found = report.diagnostics()
  assert.equal(before, 0, 'the policy has no warning of its own')
  return { found, skipped }
}

const rules = (...lines: readonly string[]) => `rules:\n${lines.map((line) => `  - ${line}\n`).join('')}`
const tools = (...lines: readonly string[]) =>
  `version: "1"\ndefault: deny\ntools:\n${lines.map((line) => `  ${line}\n`).join('')}`
const refund = (...rules: readonly string[]) =>
  tools('create_refund:', '  rules:', ...rules.map((line) => `  - ${line}`))

interface Case {
  readonly fires: string
  readonly says: string
  readonly suggestion?: string
  readonly silent: Readonly<Record<string, string>>
  readonly server?: string
}

const cases: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  unknown_tool: {
    'a misspelt tool': {
      fires: tools('crate_refund: {}'),
      says: '4:3: the server has no tool `crate_refund`, did you mean `create_refund`?',
      suggestion: 'create_refund',
      silent: { 'as it is spelt': tools('create_refund: {}') },
    },
    'a misspelt tool of this server': {
      fires: tools('bank/crate_refund: {}'),
      says: '4:3: the server has no tool `bank/crate_refund`, did you mean `bank/create_refund`?',
      suggestion: 'bank/create_refund',
      server: 'bank',
      silent: { 'of another server': tools('crm/crate_refund: {}'), 'of this one': tools('b*/create_refund: {}') },
    },
    'a glob that matches nothing': {
      fires: tools('"delete_*": {}'),
      says: '4:3: no tool of the server is called like `delete_*`',
      silent: {
        'it refuses what may come': tools('"delete_*": { rules: [{ action: deny }] }'),
        'it matches something': tools('"get_*": {}'),
        everything: tools('"*": { rules: [{ rate_limit: 1/day }] }', 'bare: {}'),
      },
    },
    'a misspelt tool of an ordered rule': {
      fires: rules('{ match: { type: crate_refund } }'),
      says: '2:5: the server has no tool `crate_refund`, did you mean `create_refund`?',
      silent: {
        'as it is spelt': rules('{ match: { type: create_refund } }'),
        'of another server': rules('{ match: { type: crate_refund, target: crm } }'),
      },
      server: 'bank',
    },
    'a glob of an ordered rule that matches nothing': {
      fires: rules('{ match: { type: "delete_*" } }'),
      says: '2:5: no tool of the server is called like `delete_*`',
      silent: {
        'it refuses what may come': rules('{ match: { type: "delete_*" }, approval: block }'),
        'it matches something': rules('{ match: { type: "[gG]et_*" } }'),
        everything: rules('{ approval: auto }'),
      },
    },
    'a name of an allowlist': {
      fires: 'policy_id: a\npolicy_version: b\nallowlist:\n  - bare\n  - bear\n',
      says: '5:5: the server has no tool `bear`, did you mean `bare`?',
      suggestion: 'bare',
      silent: {},
    },
  },
  unknown_prompt: {
    'a misspelt prompt': {
      fires: 'version: "1"\ndefault: deny\nprompts:\n  great: {}\n',
      says: '4:3: the server has no prompt `great`, did you mean `greet`?',
      suggestion: 'greet',
      silent: { 'as it is spelt': 'version: "1"\ndefault: deny\nprompts:\n  greet: {}\n' },
    },
  },
  unknown_argument: {
    'a misspelt argument': {
      fires: refund('arguments: { amuont: { max: 5 } }'),
      says: '6:20: `create_refund` has no argument `amuont`, did you mean `amount`?',
      suggestion: 'amount',
      silent: {
        'as it is spelt': refund('arguments: { amount: { max: 5 } }'),
        'it must not be given': refund('arguments: { amuont: { forbidden: true } }'),
        'the schema is open': tools('open: { rules: [{ arguments: { b: { max: 5 } } }] }'),
        'there is no schema': tools('bare: { rules: [{ arguments: { b: { max: 5 } } }] }'),
        'the schema is none': tools('odd: { rules: [{ arguments: { b: { max: 5 } } }] }'),
      },
    },
    'an argument that none of the tools has': {
      fires: tools('"get_*": { rules: [{ arguments: { order: { enum: [a] } } }] }'),
      says: '4:37: `get_*` has no argument `order`: it has `id`',
      silent: { 'one of them has it': tools('"get_*": { rules: [{ arguments: { full: { enum: [true] } } }] }') },
    },
    'a member of an argument': {
      fires: refund('arguments: { to.ibann: { length: 22 } }'),
      says: '6:20: `create_refund` has no argument `ibann` in `to.ibann`, did you mean `iban`?',
      silent: {
        'as it is spelt': refund('arguments: { to.iban: { length: 22 } }'),
        'of an object that is not described': refund('arguments: { meta.any: { length: 22 } }'),
        'of one of several': refund('arguments: { note.any: { length: 22 } }'),
      },
    },
    'a member of each element': {
      fires: refund('arguments: { lines: { each: { fields: { prise: { max: 5 } } } } }'),
      says: '6:20: `create_refund` has no argument `prise` in `lines.prise`, did you mean `price`?',
      silent: { 'as it is spelt': refund('arguments: { lines: { each: { fields: { price: { max: 5 } } } } }') },
    },
    'the amount of a spend': {
      fires: refund('spend: { amount: ammount, daily: 5 }'),
      says: '6:24: `create_refund` has no argument `ammount`, did you mean `amount`?',
      suggestion: 'amount',
      silent: { 'the amount that is meant without a word': refund('spend: { daily: 5 }') },
    },
    'what a limit is counted by': {
      fires: refund('{ rate_limit: 5/day, per: arguments.account }'),
      says: '6:21: `create_refund` has no argument `account`, did you mean `amount`?',
      silent: { 'which is there': refund('{ rate_limit: 5/day, per: arguments.currency }') },
    },
    'an argument of an ordered rule': {
      fires: rules('{ match: { type: create_refund }, conditions: { param_gt: { amuont: 5 } } }'),
      says: '2:5: `create_refund` has no argument `amuont`, did you mean `amount`?',
      silent: {
        'as it is spelt': rules('{ match: { type: create_refund }, conditions: { param_gt: { amount: 5 } } }'),
        'one of the tools has it': rules('{ match: { type: "get_*" }, conditions: { param_eq: { full: true } } }'),
        'the schema is open': rules('{ match: { type: open }, conditions: { param_eq: { b: 1 } } }'),
        'the rule is about every tool': rules('{ conditions: { param_eq: { b: 1 } } }'),
      },
    },
    'an argument of a prompt': {
      fires: 'version: "1"\ndefault: deny\nprompts:\n  greet: { rules: [{ arguments: { nam: { length: 5 } } }] }\n',
      says: '4:35: `greet` has no argument `nam`, did you mean `name`?',
      suggestion: 'name',
      silent: {},
    },
  },
  unknown_value: {
    'a value that the schema does not list': {
      fires: refund('arguments: { currency: { enum: [GBP, UDS] } }'),
      says: '6:20: `currency` of `create_refund` is never "UDS", did you mean `USD`?',
      silent: {
        'which it lists': refund('arguments: { currency: { enum: [USD] } }'),
        'of one of several': refund('arguments: { note: { enum: [EUR] } }'),
        'where it lists none': refund('arguments: { amount: { enum: [5] } }'),
      },
    },
    'a value in each element': {
      fires: refund('arguments: { lines: { any: { fields: { kind: { enum: [tax] } } } } }'),
      says: '6:20: `lines.kind` of `create_refund` is never "tax"',
      silent: {},
    },
  },
}

for (const [code, named] of Object.entries(cases))
  describe(`\`${code}\` fires on`, () => {
    for (const [name, { fires, says, suggestion, silent, server }] of Object.entries(named))
      test(name, () => {
        const options = server === undefined ? {} : { server }
        const { found } = said(fires, options)
        assert.deepEqual(
          found.map((one) => [`${one.line}:${one.col}: ${one.message}`, one.code, one.severity, one.suggestion]),
          [[says, code, 'warning', suggestion]],
        )
        for (const [why, text] of Object.entries(silent)) assert.deepEqual(said(text, options).found, [], why)
      })
  })

test('entries about a server by its name are compared when it is said which one this is', () => {
  const text = tools('bank/nothing: {}', 'crm/nothing: {}', 'bare: {}')
  assert.deepEqual(said(text), { found: [], skipped: 2 })
  const { found, skipped } = said(text, { server: 'crm' })
  assert.deepEqual([found.map(({ line }) => line), skipped], [[5], 0])
})

test('of a list that was not read to its end nothing is missing', () => {
  const scan = { ...bank, unfinished: ['`tools/list` was not read to its end'] }
  assert.deepEqual(said(tools('nothing: {}'), { scan }).found, [])
})

test('a reference that leads in a circle, or elsewhere, says nothing', () => {
  for (const $ref of ['#/$defs/a', 'https://example.com/schema'])
    assert.deepEqual(
      said(tools('a: { rules: [{ arguments: { x.y: { enum: [b] } } }] }'), {
        scan: {
          ...bank,
          tools: [{ name: 'a', inputSchema: object({ x: { $ref } }, { $defs: { a: { $ref: '#/$defs/a' } } }) }],
        },
      }).found,
      [],
    )
})

test('ordered rules about a server by its name are compared when it is said which one this is', () => {
  const text = rules('{ match: { type: nothing, target: "b*" } }', '{ match: { type: nobody, target: crm } }')
  assert.deepEqual(said(text), { found: [], skipped: 2 })
  const { found, skipped } = said(text, { server: 'bank' })
  assert.deepEqual([found.map(({ line }) => line), skipped], [[2], 0])
})

test('the tools of the settings of a pack, and the arguments that they name, are compared', () => {
  const beside = () => readFileSync(new URL('../pack/fixtures/mcp-gateway-policy.json', import.meta.url))
  const settings = `pack: p.json
tools:
  crate_refund: { namespace: findings.sde, access: read }
  create_refund: { namespace: repo.contents, access: write_branch, branch: amount, paths: linse.path }
  crm/other: { namespace: findings.sde, access: read }
`
  const report = new Report('f.yaml')
  const { policy } = parseInto(report, settings, beside)
  assert.ok(policy)
  assert.deepEqual(reportMissing(policy, bank, undefined, report), { skipped: 1 })
  assert.deepEqual(
    report.diagnostics().map(({ line, message }) => `${line}: ${message}`),
    [
      '3: the server has no tool `crate_refund`, did you mean `create_refund`?',
      '4: `create_refund` has no argument `linse`, did you mean `lines`?',
    ],
  )
})
